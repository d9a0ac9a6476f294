"""What has to be set before a real caller can be answered. Reads settings, asks nobody.

`make run` and the web server refuse to start without it, and `manage.py check --deploy` says it too. The demo and the tests need
none of it.
Values that cannot be are refused earlier, by the settings themselves.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from .settings import ENVIRONMENT, Environment

TWILIO = "https://api.twilio.com"
OPENAI = "wss://api.openai.com/"
OPENAI_KEY = re.compile(r"sk-[\w-]{20,}")


def what_is_missing(settings: Environment) -> dict[str, str]:
    """Setting → what is wrong with it and what to do. A carrier or an engine of one's own lifts what only the real ones ask for."""
    missing = {}
    if settings.TWILIO_API_URL.startswith(TWILIO) and not settings.PUBLIC_BASE_URL.startswith("https://"):
        missing["PUBLIC_BASE_URL"] = (
            "has to be the https address at which Twilio reaches this machine, such as that of a tunnel to its port"
        )
    if not settings.TWILIO_ACCOUNT_SID:
        missing["TWILIO_ACCOUNT_SID"] = "is empty; Twilio's console shows it on the first page of the account (AC...)"
    if not settings.TWILIO_AUTH_TOKEN and "auth_token" in (settings.TWILIO_SIGNED_WITH, settings.TWILIO_ASKED_WITH):
        missing["TWILIO_AUTH_TOKEN"] = "is empty, so every webhook would be refused; it stands beside the account SID"  # noqa: S105
    for name in ("TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN_NEXT"):
        token = getattr(settings, name)
        if token and settings.TWILIO_API_URL.startswith(TWILIO) and not re.fullmatch(r"[0-9a-f]{32}", token):
            missing[name] = (
                "is no auth token of Twilio's: those have 32 characters, 0 to 9 and a to f; copy it from the console anew"
            )
    if settings.TWILIO_SIGNED_WITH == "signing_key" and not settings.TWILIO_SIGNING_KEY:
        missing["TWILIO_SIGNING_KEY"] = "is empty, so every webhook would be refused; set it, or TWILIO_SIGNED_WITH=auth_token"
    if settings.TWILIO_ASKED_WITH == "api_key" and not (settings.TWILIO_API_KEY_SID and settings.TWILIO_API_KEY_SECRET):
        missing["TWILIO_API_KEY_SID"] = "and TWILIO_API_KEY_SECRET are one key: set both, or TWILIO_ASKED_WITH=auth_token"
    if not settings.OPENAI_API_KEY and settings.OPENAI_REALTIME_URL.startswith(OPENAI):
        missing["OPENAI_API_KEY"] = "is empty, so nobody would speak with the caller; make one at platform.openai.com"
    elif not settings.OPENAI_API_KEY and settings.TRANSCRIBER == "openai":
        missing["OPENAI_API_KEY"] = "is empty, so no recording could be transcribed; set it, or TRANSCRIBER=local"
    if settings.DEBUG and settings.PUBLIC_BASE_URL.startswith("https://"):
        missing["DEBUG"] = "shows its insides to everybody who reaches the public address; leave it empty"
    return missing


def what_is_advised(settings: Environment) -> dict[str, str]:
    advice = {}
    if not settings.HUMAN_AGENT_PHONE:
        advice["HUMAN_AGENT_PHONE"] = "is empty: a caller who asks for a person can only leave a message"
    if (
        settings.OPENAI_REALTIME_URL.startswith(OPENAI)
        and settings.OPENAI_API_KEY
        and not OPENAI_KEY.fullmatch(settings.OPENAI_API_KEY)
    ):
        advice["OPENAI_API_KEY"] = "does not look like a key of OpenAI's, which begin with sk-; copy it from there anew"
    if "*" in settings.ALLOWED_HOSTS:
        advice["ALLOWED_HOSTS"] = 'is ["*"]: the admin answers to any host name; leave it empty, or name the hosts'
    if settings.PUBLIC_BASE_URL.startswith("https://") and not settings.PROXIES:
        advice["PROXIES"] = "is 0, though something stands before this server that speaks https: say how many, such as 1"
    if settings.STAFF_SECOND_FACTOR == "optional":
        advice["STAFF_SECOND_FACTOR"] = "is optional: a password alone opens everything to whoever has guessed it; leave it empty"
    return advice


def not_ready(missing: Mapping[str, str]) -> str:
    """For whoever started it."""
    lines = "\n".join(f"  {name} {sentence}." for name, sentence in missing.items())
    return (
        f"Not ready for real calls:\n{lines}\nSet them in the environment or in .env (.env.example lists all); "
        f"to try it without any, `make demo`."
    )


@register(deploy=True)
def ready_for_callers(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    return [
        *(Error(f"{name} {sentence}.", id=f"callcenter.{name}") for name, sentence in what_is_missing(ENVIRONMENT).items()),
        *(Warning(f"{name} {sentence}.", id=f"callcenter.{name}") for name, sentence in what_is_advised(ENVIRONMENT).items()),
    ]
