"""Twilio Voice.

media.py       Media Streams' JSON, both ways. Pure.
markup.py      TwiML
webhooks.py    signatures, and forms to neutral facts. Pure.
api.py         REST: redirect or end a live call, fetch a recording
"""

from . import api, markup, media, webhooks

__all__ = ["api", "markup", "media", "webhooks"]
