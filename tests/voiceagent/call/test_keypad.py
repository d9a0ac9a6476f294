import pytest

from voiceagent.call.keypad import Keypad


@pytest.mark.parametrize(
    ("keys", "complete", "number"),
    [
        ("4", [False], "4"),
        ("471#", [False, False, False, True], "471"),
        ("471*", [False, False, False, True], "471"),
        ("10001", [False, False, False, False, True], "10001"),
    ],
)
def test_keys_make_a_number_until_the_pound_key_the_star_or_the_most_there_may_be(keys, complete, number):
    keypad = Keypad(most=5)
    assert [keypad.press(key) for key in keys] == complete
    assert keypad.take() == number


def test_a_number_is_being_typed_from_its_first_key_until_it_is_taken():
    keypad = Keypad(most=5)
    assert not keypad.is_typing
    keypad.press("4")
    assert keypad.is_typing
    keypad.take()
    assert not keypad.is_typing and keypad.take() == ""


def test_an_invitation_holds_for_one_number():
    keypad = Keypad(most=5)
    keypad.invited = True
    keypad.press("0")
    assert keypad.invited
    keypad.take()
    assert not keypad.invited
