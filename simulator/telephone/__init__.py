"""A telephone network to practise against: Twilio's behaviour, strictly, on this machine and without an account.

`network.Telephone` rings the product's webhook, obeys its TwiML, carries the media stream, and remembers what the caller heard.
It imports nothing of the product, so that the two cannot share a mistake.
"""

from .call import Call
from .ear import Ear, Run, Segment, Span
from .network import Telephone
from .people import Dial, Person
from .sound import cough, music, noise, silence, tone
from .twiml import Complaint

__all__ = [
    "Call",
    "Complaint",
    "Dial",
    "Ear",
    "Person",
    "Run",
    "Segment",
    "Span",
    "Telephone",
    "cough",
    "music",
    "noise",
    "silence",
    "tone",
]
