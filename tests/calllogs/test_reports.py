"""The figures above the list of calls."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from calllogs.models import CallLog, Turn
from calllogs.reports import last_days

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # 7 in the morning in the shop


def ended(sid: str, disposition: str, ago: timedelta = timedelta(0)) -> CallLog:
    at = NOW - ago
    return CallLog.objects.create(call_sid=sid, status="ended", started_at=at, ended_at=at, disposition=disposition)


def answers(call: CallLog, *gaps_ms: int | None, speaker: str = "agent") -> None:
    for gap_ms in gaps_ms:
        Turn.objects.create(call=call, position=call.turns.count(), speaker=speaker, started_ms=0, answer_gap_ms=gap_ms)


@pytest.mark.django_db
class TestLastDays:
    def test_without_calls_there_are_no_shares(self) -> None:
        figures = last_days(NOW)
        assert (figures.calls, figures.today, figures.contained_percent, figures.transferred_percent) == (0, 0, None, None)

    def test_shares_are_of_calls_that_have_ended(self) -> None:
        for number, disposition in enumerate(["completed", "completed", "transferred", "caller_hung_up"]):
            ended(f"CA{number}", disposition)
        CallLog.objects.create(call_sid="CA9", started_at=NOW)
        figures = last_days(NOW)
        assert (figures.calls, figures.contained_percent, figures.transferred_percent) == (5, 50, 25)

    def test_days_are_the_shops(self) -> None:
        ended("CA1", "completed", timedelta(hours=6, minutes=59))  # half past midnight in New York
        ended("CA2", "completed", timedelta(hours=7, minutes=1))  # yesterday there, today in Greenwich
        ended("CA3", "completed", timedelta(days=7))
        counts = [count for _, count in last_days(NOW).days]
        assert counts == [0, 0, 0, 0, 0, 1, 1]

    def test_bars_are_as_high_as_the_busiest_day(self) -> None:
        ended("CA1", "completed")
        ended("CA2", "completed")
        ended("CA3", "completed", timedelta(days=1))
        assert [height for _, _, height in last_days(NOW).bars] == [4, 4, 4, 4, 4, 50, 100]

    def test_somebody_should_look_until_somebody_has(self) -> None:
        ended("CA1", "completed")
        waiting = ended("CA2", "message_taken")
        assert last_days(NOW).need_a_person == 1
        waiting.correct("message_taken", by=get_user_model().objects.create_user("sam"))
        waiting.save()
        assert last_days(NOW).need_a_person == 0

    @pytest.mark.parametrize("disposition", ["rejected_capacity", "transfer_failed", "ai_unavailable"])
    def test_nobody_need_look_at_whom_somebody_has_called_back(self, disposition: str) -> None:
        ended("CA1", disposition)
        assert last_days(NOW).need_a_person == 1
        CallLog.objects.update(called_back_at=NOW)
        assert last_days(NOW).need_a_person == 0


@pytest.mark.django_db
class TestAnswerGaps:
    def test_without_answers_they_are_unknown(self) -> None:
        answers(ended("CA1", "completed"), None)
        assert (last_days(NOW).answer_gap_p50_s, last_days(NOW).answer_gap_p95_s) == (None, None)

    def test_they_lie_between_two_answers_where_none_is_there(self) -> None:
        answers(ended("CA1", "completed"), 1000, 500, None, 700)
        answers(ended("CA2", "completed"), 800)
        figures = last_days(NOW)
        assert (figures.answer_gap_p50_s, figures.answer_gap_p95_s) == (pytest.approx(0.75), pytest.approx(0.97))

    def test_an_answer_at_once_counts(self) -> None:
        answers(ended("CA1", "completed"), 0)
        assert last_days(NOW).answer_gap_p50_s == 0

    def test_only_the_agents_turns_of_these_days_count(self) -> None:
        answers(ended("CA1", "completed"), 900)
        answers(ended("CA2", "completed", timedelta(days=7)), 5000)
        answers(ended("CA3", "completed"), 6000, speaker="caller")
        figures = last_days(NOW)
        assert (figures.answer_gap_p50_s, figures.answer_gap_p95_s) == (0.9, 0.9)
