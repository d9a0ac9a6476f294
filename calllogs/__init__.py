"""What remains of a call: its log, turns, tools, recording and transcription, and the pages where staff review them.

It writes down what the agent tells it (`log.DatabaseLog`), fetches what the carrier recorded (`tasks`) and judges nothing
while a call lasts. It may import the shop and the agent; neither knows of it.
"""
