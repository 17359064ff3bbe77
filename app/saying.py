"""What has been said already."""

import re


class Once:
    """Tells whether a sentence is to be said: once, until there is another on its subject.

    Figures in it may change meanwhile.
    """

    def __init__(self) -> None:
        self._last: dict[str, str] = {}  # by subject

    def is_new(self, subject: str, sentence: str) -> bool:
        """An empty sentence is never new; what was said before it is, when it comes again."""
        kind = re.sub(r"[\d.]+", "", sentence)
        if kind == self._last.get(subject, ""):
            return False
        self._last[subject] = kind
        return bool(sentence)
