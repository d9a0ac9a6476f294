"""Keys that belong together: a number that is typed, digit after digit, until the pound key or a pause."""

ENDS = ("#", "*")


class Keypad:
    """`invited`: the caller was asked to type, so that every key is part of the number."""

    def __init__(self, most: int) -> None:
        self.invited = False
        self._most = most
        self._keys = ""

    @property
    def is_typing(self) -> bool:
        return bool(self._keys)

    def press(self, key: str) -> bool:
        """Whether the number is complete."""
        if key not in ENDS:
            self._keys += key
        return key in ENDS or len(self._keys) >= self._most

    def take(self) -> str:
        """What was typed, and ready for the next."""
        keys, self._keys, self.invited = self._keys, "", False
        return keys
