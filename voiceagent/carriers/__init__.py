"""Telephone companies: a folder each, with the same four modules in it. See `base` for what they have in common.

    media      the media stream's messages, both ways: `decode`, `encode`, `BadFrame`, `StreamStarted`. Pure.
    markup     what the carrier is to do next: `answer`, `transfer`, `take_message`, `hang_up`
    webhooks   `is_signed`, and forms to the facts of `base`. Pure.
    api        what is done or asked from outside the stream: `redirect_call`, `end_call`, `call_facts`, `recordings_of`,
               `fetch_recording`, `delete_recording`, `account_set_up`

The rest of the product knows the one in use as `carrier`.
"""

from . import twilio as carrier

__all__ = ["carrier"]
