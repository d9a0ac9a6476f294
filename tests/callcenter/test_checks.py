from typing import Any

import pytest
from django.core.checks import ERROR, run_checks

from callcenter import checks, server, settings
from callcenter.checks import what_is_advised, what_is_missing
from callcenter.settings import Environment

READY = {
    "PUBLIC_BASE_URL": "https://calls.example.com",
    "TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
    "TWILIO_AUTH_TOKEN": "fedcba9876543210" * 2,
    "TWILIO_API_URL": "https://api.twilio.com",
    "HUMAN_AGENT_PHONE": "+14155550199",
    "OPENAI_API_KEY": "sk-" + "a" * 40,
    "OPENAI_REALTIME_URL": "wss://api.openai.com/v1/realtime",
    "TRANSCRIBER": "auto",
    "DEBUG": False,
    "ALLOWED_HOSTS": ["calls.example.com"],
    "PROXIES": 1,
    "STAFF_SECOND_FACTOR": "required",
}


def environment(**changes: Any) -> Environment:
    return Environment(**{**READY, **changes})


def test_a_complete_environment_is_ready() -> None:
    assert what_is_missing(environment()) == {}
    assert what_is_advised(environment()) == {}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PUBLIC_BASE_URL", "http://127.0.0.1:8000"),
        ("TWILIO_ACCOUNT_SID", ""),
        ("TWILIO_AUTH_TOKEN", ""),
        ("TWILIO_AUTH_TOKEN", "my token"),
        ("TWILIO_AUTH_TOKEN_NEXT", "my next token"),
        ("OPENAI_API_KEY", ""),
        ("DEBUG", True),
    ],
)
def test_each_setting_that_real_calls_need_is_missed(setting: str, value: object) -> None:
    assert list(what_is_missing(environment(**{setting: value}))) == [setting]


@pytest.mark.parametrize("half", [{}, {"TWILIO_API_KEY_SID": "SK" + "1" * 32}, {"TWILIO_API_KEY_SECRET": "secret"}])
def test_half_an_api_key_is_none(half: dict[str, str]) -> None:
    assert list(what_is_missing(environment(TWILIO_ASKED_WITH="api_key", **half))) == ["TWILIO_API_KEY_SID"]


def test_a_shared_key_that_is_to_sign_must_be_there() -> None:
    assert list(what_is_missing(environment(TWILIO_SIGNED_WITH="signing_key"))) == ["TWILIO_SIGNING_KEY"]


def test_who_signs_with_a_shared_key_and_asks_with_an_api_key_needs_no_auth_token() -> None:
    asked = {"TWILIO_ASKED_WITH": "api_key", "TWILIO_API_KEY_SID": "SK" + "1" * 32, "TWILIO_API_KEY_SECRET": "secret"}
    signed = {"TWILIO_SIGNED_WITH": "signing_key", "TWILIO_SIGNING_KEY": "shared"}
    assert what_is_missing(environment(TWILIO_AUTH_TOKEN="", **signed, **asked)) == {}
    assert list(what_is_missing(environment(TWILIO_AUTH_TOKEN="", **asked))) == ["TWILIO_AUTH_TOKEN"]
    assert list(what_is_missing(environment(TWILIO_AUTH_TOKEN="", **signed))) == ["TWILIO_AUTH_TOKEN"]


def test_all_that_is_missing_is_told_at_once() -> None:
    missing = what_is_missing(environment(TWILIO_ACCOUNT_SID="", TWILIO_AUTH_TOKEN="", OPENAI_API_KEY=""))
    assert list(missing) == ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "OPENAI_API_KEY"]


def test_a_carrier_on_this_machine_needs_no_public_address() -> None:
    assert what_is_missing(environment(PUBLIC_BASE_URL="http://127.0.0.1:8000", TWILIO_API_URL="http://127.0.0.1:9000")) == {}


def test_an_engine_on_this_machine_needs_no_key() -> None:
    assert what_is_missing(environment(OPENAI_API_KEY="", OPENAI_REALTIME_URL="ws://127.0.0.1:9001")) == {}


def test_transcription_by_openai_needs_a_key_whoever_the_engine_is() -> None:
    missing = what_is_missing(environment(OPENAI_API_KEY="", OPENAI_REALTIME_URL="ws://127.0.0.1:9001", TRANSCRIBER="openai"))
    assert "TRANSCRIBER=local" in missing["OPENAI_API_KEY"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ALLOWED_HOSTS", ["*"]),
        ("PROXIES", 0),
        ("STAFF_SECOND_FACTOR", "optional"),
        ("HUMAN_AGENT_PHONE", ""),
        ("OPENAI_API_KEY", "my key"),
    ],
)
def test_each_setting_that_could_be_better_is_warned_of(setting: str, value: object) -> None:
    assert list(what_is_advised(environment(**{setting: value}))) == [setting]


def test_on_this_machine_nothing_stands_before_the_server() -> None:
    assert what_is_advised(environment(PUBLIC_BASE_URL="http://127.0.0.1:8000", PROXIES=0)) == {}


def test_django_tells_the_same_when_it_is_asked_about_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "ENVIRONMENT", environment(TWILIO_AUTH_TOKEN="", HUMAN_AGENT_PHONE=""))
    told = {message.id: message for message in run_checks(include_deployment_checks=True)}
    assert told["callcenter.TWILIO_AUTH_TOKEN"].level == ERROR
    assert told["callcenter.HUMAN_AGENT_PHONE"].level < ERROR


def test_development_is_not_bothered_with_it() -> None:
    assert not [message for message in run_checks() if (message.id or "").startswith("callcenter.")]


def test_a_web_server_does_not_start_before_a_caller_could_be_answered(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENT", environment(TWILIO_AUTH_TOKEN="", DEBUG=True))
    assert server.main([]) == 1
    said = capsys.readouterr().err
    assert "TWILIO_AUTH_TOKEN is empty" in said
    assert "DEBUG shows its insides" in said
    assert "`make demo`" in said
