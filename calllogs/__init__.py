"""What remains of a call: its log, turns, tools, recording and transcription, and the pages where staff review them.

It writes down what the agent tells it (`log.DatabaseLog`), asks the carrier for what nobody told (`reconcile`), fetches what it
recorded (`tasks`) and judges nothing while a call lasts. The rows are the truth: a task's message only wakes somebody to look at
them. It may import the shop and the agent; neither knows of it.
"""
