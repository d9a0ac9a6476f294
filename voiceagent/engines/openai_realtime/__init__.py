"""OpenAI Realtime (GA) over a WebSocket.

codec.py     its JSON, both ways. Pure.
client.py    the socket
"""
