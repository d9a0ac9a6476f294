"""The list of settings: what may be in it, and that what we hand out agrees with it."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from callcenter import settings as module
from callcenter.settings import BASE_DIR, Environment, read_environment

EXAMPLE = (BASE_DIR / ".env.example").read_text()


def test_a_fresh_checkout_needs_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Environment.model_fields:
        monkeypatch.delenv(name, raising=False)
    assert Environment(_env_file=None).PORT == 8000  # type: ignore[call-arg]


def test_all_wrong_values_are_told_in_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "telephone")
    monkeypatch.setenv("SHOP_TIME_ZONE", "Berlin")
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://calls.example.com/")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "SK123")
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_environment()
    for name in ("PORT", "SHOP_TIME_ZONE", "PUBLIC_BASE_URL", "TWILIO_ACCOUNT_SID"):
        assert f"  {name}: " in str(refusal.value)
    assert "try one like Europe/Berlin" in str(refusal.value)


def test_no_value_is_told_for_it_may_be_a_secret_in_the_wrong_place(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "8d7f0a2b9c-secret"
    names = [name for name in Environment.model_fields if name not in ("ALLOWED_HOSTS", "HOME_COUNTRIES", "SECRETS_DIR")]
    for name in names:
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("HOME_COUNTRIES", f'["{secret}"]')
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_environment()
    told = str(refusal.value)
    for name in ("PORT", "TWILIO_API_KEY_SID", "HOME_COUNTRIES", "HUMAN_AGENT_PHONE", "SHOP_TIME_ZONE", "PUBLIC_BASE_URL", "DEBUG"):
        assert f"  {name}: " in told
    assert secret not in told and refusal.value.__suppress_context__


def test_every_password_in_an_address_is_left_out_of_the_logs() -> None:
    names = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
    told = Environment(_env_file=None, **{name: f"x://y:of%20{name}@z/0" for name in names})  # type: ignore[call-arg]
    assert {f"of {name}" for name in names} <= set(module.our_secrets(told))


@pytest.mark.parametrize("command", [["manage.py", "check"], ["-m", "callcenter.processes", "run"]])
def test_a_process_with_a_wrong_value_does_not_start(command: list[str]) -> None:
    started = subprocess.run(
        [sys.executable, *command], cwd=BASE_DIR, env={**os.environ, "PORT": "70000"}, capture_output=True, text=True, check=False
    )
    assert started.returncode != 0
    assert "PORT: Input should be less than or equal to 65535" in started.stderr


def test_the_secret_this_machine_makes_is_kept_and_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BASE_DIR", tmp_path)
    secret = module.secret_key()
    assert len(secret) > 50
    assert module.secret_key() == secret
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_embedded_services_are_found_while_they_are_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BASE_DIR", tmp_path)
    assert module.embedded_services() == {}
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "services.json").write_text('{"REDIS_URL": "redis://127.0.0.1:4711/0"}')
    assert module.embedded_services() == {"REDIS_URL": "redis://127.0.0.1:4711/0"}


def test_the_example_names_every_setting_once_and_says_what_it_is_for() -> None:
    named = re.findall(r"^# (.+)\n(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE)
    ours = [(description, name) for description, name in named if not name.startswith("POSTGRES_")]
    assert ours == [(field.description, name) for name, field in Environment.model_fields.items()]


def test_the_example_shows_the_defaults() -> None:
    shown = dict(re.findall(r"^# ([A-Z_]+)=(.+)$", EXAMPLE, re.MULTILINE))
    shown |= {name: str(BASE_DIR / shown[name]) for name in ("MEDIA_ROOT", "SPOOL_ROOT")}
    defaults = {name: field.default for name, field in Environment.model_fields.items() if name in shown}
    assert Environment(_env_file=None, **{**defaults, **as_values(shown)}).model_dump(include=set(shown)) == defaults  # type: ignore[call-arg]


def as_values(shown: dict[str, str]) -> dict[str, object]:
    return {name: json.loads(value) if value.startswith("[") else value for name, value in shown.items()}


def test_the_example_holds_no_secret() -> None:
    for name in ("TWILIO_AUTH_TOKEN", "OPENAI_API_KEY", "SECRET_KEY", "POSTGRES_PASSWORD"):
        assert re.search(rf"^(# )?{name}=$", EXAMPLE, re.MULTILINE), name


def test_the_containers_are_told_only_settings_that_exist_and_no_secret() -> None:
    compose = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
    ours = {name: one for name, one in compose["services"].items() if one.get("image") == "callcenter"}
    assert ours.keys() == {"migrate", "web", "worker", "fetch", "speech", "beat"}
    for name, one in ours.items():
        told = dict(one["environment"])
        # What `.env` says of the database's owner is taken away: whoever has it may do anything with every row.
        assert told.pop("POSTGRES_PASSWORD") == "", name
        assert set(told) <= set(Environment.model_fields), name
        assert told["SECRET_KEY"].startswith("${SECRET_KEY:?")
        assert ("POSTGRES_PASSWORD" in str(told)) == (name == "migrate")
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_containers_give_calls_longer_to_end_than_the_server_does() -> None:
    compose = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
    minutes = int(compose["services"]["web"]["stop_grace_period"].removesuffix("m"))
    assert minutes * 60 > Environment.model_fields["DRAIN_LIMIT_S"].default + 20


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_django_has_nothing_to_complain_of() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.parametrize(
    ("countries", "number", "why"),
    [
        ("[]", "+19005551234", "never rung"),
        ("[]", "+882161234567", "never rung"),
        ("[]", "+14155", "international form"),
        ('["GB"]', "+14155550199", "in none of HOME_COUNTRIES"),
        ('["UK"]', "+14155550199", "'UK' is no country"),
    ],
)
def test_people_are_not_put_where_ringing_them_costs_more(monkeypatch: pytest.MonkeyPatch, countries, number, why) -> None:
    monkeypatch.setenv("HOME_COUNTRIES", countries)
    monkeypatch.setenv("HUMAN_AGENT_PHONE", number)
    with pytest.raises(ImproperlyConfigured, match=why):
        read_environment()
    monkeypatch.setenv("HOME_COUNTRIES", '["GB"]')
    monkeypatch.setenv("HUMAN_AGENT_PHONE", "+442079460123")
    assert read_environment().HUMAN_AGENT_PHONE == "+442079460123"


def test_a_value_may_stand_in_a_file_named_as_its_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "TWILIO_AUTH_TOKEN").write_text("from a file\n")
    (tmp_path / "OPENAI_API_KEY").write_text("from a file\n")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "")
    told = read_environment()
    assert told.TWILIO_AUTH_TOKEN == "from a file"
    assert told.OPENAI_API_KEY == "a key for tests", "what the environment says goes before it"
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "nowhere"))
    assert read_environment().TWILIO_AUTH_TOKEN == ""


def test_it_answers_to_its_own_name_and_to_this_machines() -> None:
    told = Environment(_env_file=None, PUBLIC_BASE_URL="https://calls.example.com:8443", ALLOWED_HOSTS=[])
    assert module.hosts(told) == ["calls.example.com", "127.0.0.1", "localhost", "[::1]"]
    assert module.hosts(Environment(_env_file=None, ALLOWED_HOSTS=["other.example"])) == ["other.example"]
