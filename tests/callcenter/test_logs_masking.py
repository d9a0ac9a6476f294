"""What nobody finds in a log, whoever logs it and however much."""

import inspect
import logging
import threading
from collections.abc import Iterator

import pytest
from celery import Celery
from django.conf import settings

from callcenter.celery import app
from callcenter.logs import LONGEST_LINE, PATTERNS, Masked, WithoutTexts, tell_of_broken_threads

TICKET = "4711-" + "0123456789abcdef" * 4
KEY = "sk-proj-abcDEF123_456"
TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def line(message: str, *args: object, name: str = "voiceagent.line", level: int = logging.WARNING, **facts: object) -> str:
    """As it stands in the log."""
    record = logging.LogRecord(name, level, __file__, 7, message, args, None)
    vars(record).update(facts)
    Masked([TOKEN, "pass word/1"]).filter(record)
    return WithoutTexts("%(message)s").format(record)


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("caller +14155550142 left", "caller [number] left"),
        ("from %2B14155550142", "from [number]"),
        ("called 415-555-0142.", "called [number]."),
        ("called (415) 555-0142", "called [number]"),
        ("called 0049 1512 3456789", "called [number]"),
        ("called 0151.234.5678", "called [number]"),
        ("number=4155550142&x=1", "number=[number]&x=1"),
        ("ada@example.com wrote", "[e-mail] wrote"),
        ("?email=ada.l%40example.co.uk", "?email=[e-mail]"),
        ("card 4111 1111 1111 1111", "card [number]"),
        ("it is four seven one nine two, she said", "it is [digits], she said"),
        ("vier sieben eins neun zwei", "[digits]"),
        ("The caller typed: 4 7 1 9 2", "The caller typed: [digits]"),
        (f"Authorization: Bearer {KEY}", "Authorization: Bearer [token]"),
        ("Authorization: Basic QUMxMjM6c2VjcmV0", "Authorization: Basic [token]"),
        (f"key {KEY}", "key [key]"),
        (f"GET /media-stream/{TICKET} 101", "GET /media-stream/[ticket] 101"),
        (f"token {TOKEN}!", "token [secret]!"),
        ("redis://:pass%20word%2F1@localhost", "redis://:[secret]@localhost"),
        ("postgresql://app:hunter22@db.internal/x", "postgresql://app:[e-mail]/x"),
    ],
)
def test_what_is_private_is_left_out(said: str, logged: str) -> None:
    assert line(said) == logged
    assert line("%s", said) == logged


@pytest.mark.parametrize(
    "said",
    [
        "call CA0123456789abcdef0123456789abcdef is connected",
        "recording RE" + "1" * 32 + ": the carrier answered 404; again in 0:00:15",
        "task d3e07a3c-1234-4abc-8def-0123456789ab",
        "listening on 127.0.0.1:53012 and 192.168.100.200",
        "due since 2026-11-22 10:15",
        "40 facts, 12 calls and 3 people; 512000 bytes",
        "I have one or two",
    ],
)
def test_what_an_operator_needs_stays(said: str) -> None:
    assert line(said) == said


@pytest.mark.parametrize("said", ["ada@example.com+ben@example.com", "ada@example.com%2Cben@example.com", "a%40b.com%2Cc%40d.com"])
def test_of_addresses_in_a_row_none_is_left(said: str) -> None:
    assert "b.com" not in line(said) and "ben" not in line(said) and "ada" not in line(said)


@pytest.mark.parametrize("unit", ["a", "0_", "%40", "a%40", "a.", "1-", "Basic ", "sk-", "+1", "("])
def test_a_text_without_end_costs_no_more_than_its_length(unit: str) -> None:
    """The square of it would be hours."""
    text = unit * (1_000_000 // len(unit))
    for pattern, instead in PATTERNS:
        pattern.sub(instead, text)


@pytest.mark.parametrize(
    "private", ["+14155550142", "4111 1111 1111 1111", "four one one nine two six", "ada@example.com", TOKEN, TICKET]
)
def test_of_a_long_line_the_beginning_is_kept_and_nothing_private_in_part(private: str) -> None:
    kept = line("Not Found: " + "x " * 20_000)
    assert kept.startswith("Not Found: x x") and kept.endswith("x… of 40011 characters") and len(kept) < LONGEST_LINE
    for before in range(LONGEST_LINE - len(private) - 1, LONGEST_LINE + 1):
        logged = line("x" * (before - 1) + " " + private + " x" * 1000)
        assert set(logged.partition("…")[0]) <= {"x", " "}, logged
    assert private not in line(f"{private} " + "x " * 20_000)


@pytest.mark.parametrize("name", ["websockets.client", "twilio.http_client", "httpx2", "openai._base_client", "django.db.backends"])
def test_what_others_say_when_they_say_everything_is_not_repeated(name: str) -> None:
    logged = line("> TEXT '%s'", "I am Ada Lovelace", name=name, level=logging.DEBUG)
    assert "Ada" not in logged and __file__ in logged


def test_what_others_say_otherwise_is_masked_like_ours() -> None:
    assert line("Not Found: %s", "/x?phone=%2B14155550142", name="django.request") == "Not Found: /x?phone=[number]"


def test_our_own_words_are_kept_when_we_say_everything() -> None:
    assert line("call %s", 7, level=logging.DEBUG) == "call 7"


def test_what_another_handler_made_of_an_exception_is_not_repeated() -> None:
    assert line("it broke", exc_text="ValueError: +14155550142", stack_info="Ada") == "it broke"


def test_arguments_that_do_not_fit_are_not_printed() -> None:
    assert line("%s and %s", "Ada") == "%s and %s"


def test_an_exception_is_told_without_its_text_and_the_line_without_a_number() -> None:
    try:
        int("Ada, +14155550142")
    except ValueError as error:
        logged = line("call of %s broke", "+14155550142", exc_info=(type(error), error, error.__traceback__))
    assert logged.startswith("call of [number] broke\n") and logged.endswith("ValueError")
    assert "Ada" not in logged and "4155550142" not in logged


@pytest.fixture
def root_lines() -> Iterator[list[str]]:
    """What the product's own handler writes, with every logger at DEBUG."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    (ours,) = [one for one in logging.getLogger().handlers if any(isinstance(each, Masked) for each in one.filters)]
    handler = Kept()
    handler.setFormatter(ours.formatter)
    handler.filters = ours.filters
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize("name", ["voiceagent.line", "twilio", "django.request", "celery.worker", "daphne.server", "", "new"])
def test_every_logger_ends_at_the_handler_that_masks(root_lines: list[str], name: str) -> None:
    logging.getLogger(name).error("%s has called", "+14155550142")
    assert [text.endswith(" [number] has called") for text in root_lines] == [True]


def test_the_secrets_of_the_settings_are_among_what_is_left_out(root_lines: list[str]) -> None:
    for secret in (settings.TWILIO_AUTH_TOKEN, settings.OPENAI_API_KEY, settings.SECRET_KEY):
        logging.getLogger("voiceagent").error("it is %s", secret)
        assert secret not in root_lines[-1] and root_lines[-1].endswith("it is [secret]")


def test_no_logger_has_a_handler_of_its_own() -> None:
    """It would write past the one that masks."""
    loggers = [one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    assert [one.name for one in loggers if one.name.startswith("django") and one.handlers] == []
    assert all(one.propagate for one in loggers if one.name.partition(".")[0] in ("django", "voiceagent", "calllogs", "orders"))
    assert settings.LOGGING["handlers"].keys() == {"console"}
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["masked"]


def test_a_thread_that_breaks_is_told_of_in_the_log_without_its_text(root_lines: list[str]) -> None:
    before = threading.excepthook
    tell_of_broken_threads()
    try:
        thread = threading.Thread(target=lambda: int("Ada +14155550142"))
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
    (text,) = root_lines
    assert "a thread broke" in text and text.endswith("ValueError")
    assert "Ada" not in text


app.loader.import_default_modules()
PACKAGES = ("calllogs.", "orders.", "voiceagent.", "callcenter.", "staff.")
# In one order, whichever module was imported first: processes that share the tests compare their lists.
OUR_TASKS = [task for name, task in sorted(app.tasks.items()) if name.startswith(PACKAGES)]


@pytest.mark.parametrize("task", OUR_TASKS, ids=lambda task: task.name)
def test_a_task_takes_ids_and_returns_nothing(task: "Celery.Task") -> None:
    """So no message and no result holds anything of a caller's."""
    signature = inspect.signature(task.run)
    assert all(parameter.annotation is int and parameter.name.endswith("_id") for parameter in signature.parameters.values())
    assert signature.return_annotation is None
    assert task.ignore_result


def test_all_tasks_are_looked_at() -> None:
    assert len(OUR_TASKS) >= 9
    assert set(app.conf.accept_content) == {"json"}
