import pytest

from callcenter.processes.terminal import Terminal

TRACEBACK = """Traceback (most recent call last):
  File "somewhere.py", line 1, in <module>
    1 / 0
ZeroDivisionError: division by zero""".splitlines()


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_sentences_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say("Everything is ready.")
    assert shown(capsys) == ["Everything is ready."]


def test_ordinary_lines_stay_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().hear("web", '127.0.0.1:4711 - - "GET /admin/" 200 ERRORLESS')
    assert shown(capsys) == []


@pytest.mark.parametrize("level", ["WARNING", "ERROR", "CRITICAL"])
def test_warnings_are_shown_with_the_name_of_who_gave_them(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().hear("worker", f"[2026-11-22 12:00:00: {level}/MainProcess] The broker is gone")
    assert shown(capsys) == [f"worker       | [2026-11-22 12:00:00: {level}/MainProcess] The broker is gone"]


def test_a_traceback_is_shown_to_its_end_and_no_further(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    for line in ["before", *TRACEBACK, "after"]:
        terminal.hear("web", line)
    assert [line.partition("| ")[2] for line in shown(capsys)] == TRACEBACK


def test_what_another_says_during_a_traceback_stays_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.hear("web", TRACEBACK[0])
    terminal.hear("beat", "  indented, and nothing to do with it")
    assert len(shown(capsys)) == 1


def test_servers_of_others_are_not_shown_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(silent=["valkey"]).hear("valkey", "# WARNING Memory overcommit must be enabled!")
    assert shown(capsys) == []


def test_progress_is_shown_until_it_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(open_books=["voice_model"])
    terminal.hear("voice_model", "loading Whisper")
    terminal.close("voice_model")
    terminal.hear("voice_model", "a session was opened")
    assert shown(capsys) == ["voice_model  | loading Whisper"]


def test_nothing_is_coloured_where_nobody_sees_colours(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().hear("web", "ERROR")
    assert "\x1b" not in capsys.readouterr().out


def test_names_are_coloured_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    terminal.hear("web", "ERROR")
    terminal.hear("worker", "ERROR")
    terminal.hear("web", "ERROR")
    colours = [line.partition("m")[0] for line in shown(capsys)]
    assert colours[0] == colours[2] != colours[1]
    assert all(colour.startswith("\x1b[") for colour in colours)


def test_a_reader_who_has_left_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_reads(*words: object, **how: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", nobody_reads)
    Terminal().say("Is anybody there?")
