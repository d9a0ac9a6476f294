"""Any part of a recording, at once."""

from pathlib import Path

import pytest
from django.test import RequestFactory

from calllogs import playing
from calllogs.playing import play

CONTENT = bytes(range(100))
# More than Python reads as a number.
MANY_DIGITS = "9" * 5000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "secret-name.wav").write_bytes(CONTENT)
    return tmp_path / "secret-name.wav"


def asked(file: Path, span: str = "") -> tuple[int, bytes, str]:
    request = RequestFactory().get("/", headers={"Range": span} if span else {})
    response = play(request, file)
    return response.status_code, response.content, response.headers.get("Content-Range", "")


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("", (200, CONTENT, "")),
        ("bytes=0-", (206, CONTENT, "bytes 0-99/100")),
        ("bytes=10-19", (206, CONTENT[10:20], "bytes 10-19/100")),
        ("bytes=90-500", (206, CONTENT[90:], "bytes 90-99/100")),
        ("bytes=-5", (206, CONTENT[95:], "bytes 95-99/100")),
        ("bytes=-500", (206, CONTENT, "bytes 0-99/100")),
        ("bytes=0-0", (206, CONTENT[:1], "bytes 0-0/100")),
        ("bytes=100-", (416, b"", "bytes */100")),
        ("bytes=20-10", (416, b"", "bytes */100")),
        (f"bytes={MANY_DIGITS}-", (416, b"", "bytes */100")),
        (f"bytes={MANY_DIGITS}-{MANY_DIGITS}", (416, b"", "bytes */100")),
        (f"bytes=90-{MANY_DIGITS}", (206, CONTENT[90:], "bytes 90-99/100")),
        (f"bytes=-{MANY_DIGITS}", (206, CONTENT, "bytes 0-99/100")),
        ("bytes=-", (200, CONTENT, "")),
        ("bytes=0-1,5-6", (200, CONTENT, "")),
        ("lines=1-2", (200, CONTENT, "")),
    ],
)
def test_the_part_that_is_asked_for_is_given(file: Path, span: str, expected: tuple[int, bytes, str]) -> None:
    assert asked(file, span) == expected


def test_one_answer_is_never_long(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "MOST_BYTES", 10)
    assert asked(file, "bytes=5-") == (206, CONTENT[5:15], "bytes 5-14/100")


@pytest.mark.parametrize("span", ["", "bytes=0-9"])
def test_no_cache_keeps_it_and_no_name_is_told(file: Path, span: str) -> None:
    response = play(RequestFactory().get("/", headers={"Range": span} if span else {}), file)
    assert "no-store" in response["Cache-Control"]
    assert (response["Accept-Ranges"], response["Content-Type"]) == ("bytes", "audio/wav")
    assert "secret-name" not in str(response.headers)


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    assert asked(tmp_path / "gone.wav")[0] == 404
