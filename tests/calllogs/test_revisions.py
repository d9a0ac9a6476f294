"""What people correct outranks what Whisper hears again, and everything is kept."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from calllogs.models import CallLog, Recording, Transcription
from calllogs.models.transcriptions import NotTheNewest, timed

pytestmark = pytest.mark.django_db


def word(speaker: str, start_ms: int, text: str) -> dict[str, Any]:
    return {"speaker": speaker, "start_ms": start_ms, "end_ms": start_ms + 400, "text": text}


WORDS = [word("caller", 1000, "Here"), word("caller", 1500, "is"), word("caller", 2000, "my"), word("agent", 4000, "Shipped.")]


@pytest.fixture
def recording() -> Recording:
    call = CallLog.objects.create(call_sid="CA" + "a" * 32)
    return Recording.objects.create(call=call, recording_sid="RE1", state="transcribed", sha256="0" * 64, size=1, channels=2)


@pytest.fixture
def sam() -> AbstractBaseUser:
    return get_user_model().objects.create_user("sam", is_staff=True)


def heard(recording: Recording, run: int = 1, words: list[dict[str, Any]] = WORDS) -> Transcription:
    text = " ".join(one["text"] for one in words)
    return Transcription.objects.create(recording=recording, run=run, model="whisper-1", words=words, text=text)


def found(words: str) -> bool:
    return CallLog.objects.all().matching(words).exists()


class TestACorrection:
    def test_is_shown_and_searched_instead_of_what_the_machine_heard(self, recording: Recording, sam: AbstractBaseUser) -> None:
        machine = heard(recording)
        corrected = machine.correct_line(0, 3, "The jacket is my", by=sam)
        assert recording.transcription == corrected
        assert (corrected.text, corrected.made_by, corrected.corrects) == ("The jacket is my Shipped.", sam, machine)
        assert (found("jacket"), found("shipped")) == (True, True)
        assert Transcription.objects.get(pk=machine.pk).text == "Here is my Shipped."

    def test_outranks_another_run_and_both_are_kept(self, recording: Recording, sam: AbstractBaseUser) -> None:
        corrected = heard(recording).correct_line(3, 1, "Delivered.", by=sam)
        again = heard(recording, 2, [word("agent", 4000, "Skipped.")])
        assert recording.transcription == corrected
        assert (found("delivered"), found("skipped")) == (True, False)
        assert list(recording.transcriptions.values_list("run", flat=True)) == [1, None, 2]
        assert list(recording.transcriptions.all())[-1] == again

    def test_can_be_corrected(self, recording: Recording, sam: AbstractBaseUser) -> None:
        first = heard(recording).correct_line(3, 1, "Delivered.", by=sam)
        second = first.correct_line(3, 1, "Delayed.", by=sam)
        assert (recording.transcription, second.corrects) == (second, first)
        assert (found("delayed"), found("delivered")) == (True, False)

    def test_of_words_that_are_not_shown_any_more_is_refused(self, recording: Recording, sam: AbstractBaseUser) -> None:
        machine = heard(recording)
        machine.correct_line(3, 1, "Delivered.", by=sam)
        with pytest.raises(NotTheNewest):
            machine.correct_line(3, 1, "Delayed.", by=sam)
        assert recording.transcriptions.count() == 2

    def test_of_the_same_words_by_two_at_once_is_one(self, recording: Recording, sam: AbstractBaseUser) -> None:
        machine = heard(recording)
        machine.correct_line(3, 1, "Delivered.", by=sam)
        with pytest.raises(IntegrityError), transaction.atomic():
            Transcription.objects.create(recording=recording, run=None, corrects=machine, made_by=sam)

    def test_that_changes_nothing_is_none(self, recording: Recording, sam: AbstractBaseUser) -> None:
        machine = heard(recording)
        assert machine.correct_line(0, 3, "  Here is\nmy ", by=sam) == machine
        assert recording.transcriptions.count() == 1

    def test_without_words_takes_the_line_away(self, recording: Recording, sam: AbstractBaseUser) -> None:
        assert heard(recording).correct_line(3, 1, " ", by=sam).words == WORDS[:3]

    @pytest.mark.parametrize(("first", "count"), [(0, 4), (3, 2), (4, 1), (-1, 1), (0, 0), (1, -1)])
    def test_is_of_one_line_that_is_there(self, recording: Recording, sam: AbstractBaseUser, first: int, count: int) -> None:
        with pytest.raises(ValueError, match="no such line"):
            heard(recording).correct_line(first, count, "x", by=sam)

    def test_stays_a_persons_when_they_leave(self, recording: Recording, sam: AbstractBaseUser) -> None:
        corrected = heard(recording).correct_line(3, 1, "Delivered.", by=sam)
        sam.delete()
        heard(recording, 2)
        assert recording.transcription == corrected
        assert str(recording.transcription) == "Transcription by a person"

    def test_goes_with_its_recording(self, recording: Recording, sam: AbstractBaseUser) -> None:
        heard(recording).correct_line(3, 1, "Delivered.", by=sam)
        recording.delete()
        assert not Transcription.objects.exists()


class TestARun:
    def test_is_kept_once(self, recording: Recording) -> None:
        heard(recording)
        with pytest.raises(IntegrityError), transaction.atomic():
            heard(recording)

    def test_that_is_newer_is_shown(self, recording: Recording) -> None:
        assert recording.transcription is None
        heard(recording)
        newer = heard(recording, 2, [word("agent", 4000, "Skipped.")])
        assert recording.transcription == newer
        assert (found("skipped"), found("shipped")) == (True, False)

    def test_of_another_recording_changes_nothing(self, recording: Recording, sam: AbstractBaseUser) -> None:
        machine = heard(recording)
        other = Recording.objects.create(call=recording.call, recording_sid="RE2")
        heard(other).correct_line(0, 1, "x", by=sam)
        assert recording.transcription == machine

    def test_has_no_author_and_corrects_nothing(self, recording: Recording, sam: AbstractBaseUser) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Transcription.objects.create(recording=recording, run=1, made_by=sam)
        with pytest.raises(IntegrityError), transaction.atomic():
            Transcription.objects.create(recording=recording, run=None, made_by=sam)


class TestTimesOfCorrectedWords:
    LINE = WORDS[:3]

    def times(self, *texts: str) -> list[tuple[str, int, int]]:
        return [(one["text"], one["start_ms"], one["end_ms"]) for one in timed(texts, self.LINE)]

    def test_words_that_stay_keep_theirs(self) -> None:
        assert self.times("Where", "is", "my") == [("Where", 1000, 1400), ("is", 1500, 1900), ("my", 2000, 2400)]

    def test_several_share_the_time_of_what_they_replace(self) -> None:
        assert self.times("Here", "was", "it", "my") == [
            ("Here", 1000, 1400), ("was", 1500, 1700), ("it", 1700, 1900), ("my", 2000, 2400),
        ]  # fmt: skip

    def test_what_was_not_heard_at_all_stands_where_it_belongs(self) -> None:
        assert self.times("Well", "Here", "is", "my", "jacket")[0] == ("Well", 1000, 1000)
        assert self.times("Here", "is", "my", "jacket")[-1] == ("jacket", 2400, 2400)

    def test_they_are_in_order(self) -> None:
        starts = [start for _, start, _ in self.times("a", "b", "is", "c", "d", "e")]
        assert starts == sorted(starts)
