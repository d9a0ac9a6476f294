import logging

import pytest

from voiceagent.tally import EVERY_S, Tally


def test_the_first_of_a_kind_is_told_at_once_and_the_others_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = 1000.0
    tally = Tally(logging.getLogger("voiceagent.gate"), lambda: now)
    for _ in range(500):
        tally.count("a stranger knocked")
    tally.count("a stranger shouted")
    assert caplog.messages == ["a stranger knocked", "a stranger shouted"]
    now += EVERY_S
    tally.count("a stranger knocked")
    tally.count("a stranger knocked")
    now += EVERY_S
    tally.count("a stranger shouted")
    assert caplog.messages[2:] == ["a stranger knocked (500 times since it was last told)", "a stranger shouted"]
