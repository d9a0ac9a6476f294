"""Sound and marks in order: when each mark is reached."""

from simulator.telephone.playback import Playback


def playing(*items: bytes | str) -> tuple[Playback, list[str]]:
    reached: list[str] = []
    playback = Playback(reached.append)
    for item in items:
        playback.mark(item) if isinstance(item, str) else playback.add(item)
    return playback, reached


def test_a_mark_with_nothing_before_it_is_reached_at_once() -> None:
    assert playing("m")[1] == ["m"]


def test_a_mark_is_reached_only_after_the_frame_before_it_was_played() -> None:
    playback, reached = playing(b"\x11" * 160, "m")
    assert playback.take(160) == b"\x11" * 160
    assert reached == []  # the frame is being played now
    assert playback.take(160) == b""
    assert reached == ["m"]


def test_a_mark_within_a_frame_waits_for_the_frame() -> None:
    playback, reached = playing(b"\x11" * 80, "m", b"\x12" * 200, "n")
    assert playback.take(160) == b"\x11" * 80 + b"\x12" * 80
    assert reached == []
    assert playback.take(160) == b"\x12" * 120
    assert reached == ["m"]
    playback.take(160)
    assert reached == ["m", "n"]


def test_a_mark_sent_while_the_last_frame_is_played_waits_for_it() -> None:
    playback, reached = playing(b"\x11" * 160)
    playback.take(160)
    playback.mark("m")
    assert reached == []
    playback.take(160)
    assert reached == ["m"]


def test_clear_returns_every_mark_in_order_and_forgets_the_sound() -> None:
    playback, reached = playing(b"\x11" * 160, "a", b"\x12" * 160, "b", "c")
    playback.take(160)
    playback.clear()
    assert reached == ["a", "b", "c"]
    assert playback.buffered_ms == 0
    assert playback.take(160) == b""
    playback.mark("d")
    assert reached == ["a", "b", "c", "d"]


def test_buffered_counts_what_is_not_yet_played() -> None:
    playback, _ = playing(b"\x11" * 1600)
    playback.take(160)
    assert playback.buffered_ms == 180
