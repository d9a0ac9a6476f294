"""One reply at a time, without a call around it."""

from voiceagent.call.commands import CancelReply, StartReply
from voiceagent.call.events import ReplyFinished
from voiceagent.call.replies import Replies

LINE = StartReply(say="Are you still there?")
ANSWER = StartReply()


def asked(line: StartReply = LINE, *, named: str = "") -> Replies:
    """One that has asked for a reply, which the engine may have named."""
    replies = Replies()
    replies.want(line)
    assert replies.begin() == line
    if named:
        assert replies.started(named) == []
    return replies


def finished(reply_id: str) -> ReplyFinished:
    return ReplyFinished(reply_id, "completed")


def test_nothing_is_begun_that_nobody_wants():
    assert Replies().begin() is None


def test_the_next_one_waits_for_the_one_under_way():
    replies = asked(named="r")
    replies.want(ANSWER)
    assert replies.begin() is None
    assert replies.finished(finished("r")).line == LINE
    assert (replies.begin(), replies.begin()) == (ANSWER, None)


def test_what_was_wanted_first_is_begun():
    replies = Replies()
    replies.want(LINE)
    replies.want(ANSWER)
    assert (replies.begin(), replies.wanted) == (LINE, None)


def test_only_its_own_end_ends_a_reply():
    replies = asked(named="r")
    assert replies.finished(finished("another")) is None
    assert replies.finished(finished("r")) is not None
    assert replies.finished(finished("r")) is None


def test_one_that_ends_before_it_was_named_is_not_wanted_again():
    replies = asked()
    assert replies.finished(finished("r")).reply_id == ""
    assert replies.wanted is None


def test_a_cancelled_one_is_dead_once_it_has_a_name():
    replies = asked()
    assert replies.cancel() == []
    assert replies.started("r") == [CancelReply("r")]
    assert replies.is_dead("r") and not replies.is_dead("another")


def test_cancelling_when_none_is_under_way_asks_for_nothing():
    assert Replies().cancel() == []


def test_one_the_engine_begins_by_itself_is_taken_for_what_it_is():
    replies = asked(named="r1")
    assert replies.cancel() == [CancelReply("r1")]
    assert replies.started("r2") == []
    assert (replies.under_way.line, replies.under_way.cancelled) == (ANSWER, False)


def test_a_refused_one_is_wanted_again_when_its_rival_has_ended():
    replies = asked()
    assert replies.refused()
    replies.finished(finished("rival"))
    assert replies.begin() == LINE


def test_a_refused_one_is_wanted_again_when_the_end_of_its_rival_was_missed():
    replies = asked()
    assert replies.refused()
    replies.end_was_missed()
    assert replies.begin() == LINE


def test_a_refused_one_that_was_cancelled_is_not_wanted_again():
    for end in (lambda replies: replies.finished(finished("rival")), Replies.end_was_missed):
        replies = asked()
        replies.refused()
        replies.cancel()
        end(replies)
        assert (replies.under_way, replies.wanted) == (None, None)


def test_one_that_has_begun_was_not_refused():
    replies = asked(named="r")
    assert not replies.refused()
    replies.end_was_missed()
    assert replies.under_way.reply_id == "r"


def test_a_refusal_is_forgotten_when_it_begins_after_all():
    replies = asked()
    assert replies.refused()
    replies.started("r")
    replies.end_was_missed()
    replies.finished(finished("r"))
    assert replies.wanted is None


def test_a_refusal_of_nothing_changes_nothing():
    replies = Replies()
    assert not replies.refused()
    replies.end_was_missed()
    assert (replies.under_way, replies.wanted) == (None, None)


def test_giving_up_leaves_nothing_to_say():
    replies = asked(named="r")
    replies.want(ANSWER)
    replies.give_up()
    assert (replies.under_way, replies.wanted) == (None, None)
