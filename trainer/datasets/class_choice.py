"""Which classes of a dataset to take, under which names: `person,car=vehicle,truck=vehicle`."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from detector.errors import OptionError


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """Classes as the labels call them, and what they are called from here on; several may become one."""

    renamed: tuple[tuple[str, str], ...]

    @staticmethod
    def of(text: str) -> "ClassChoice":
        """From "person,car=vehicle,truck=vehicle".

        raises  OptionError when the text is not of this form or names a class twice
        """
        renamed: dict[str, str] = {}
        for part in text.split(","):
            theirs, equals, ours = (name.strip() for name in part.partition("="))
            if not theirs or (equals and not ours):
                raise OptionError(f"--classes: '{part}' is neither a class nor OLD=NEW.")
            if theirs in renamed:
                raise OptionError(f"--classes names '{theirs}' twice.")
            renamed[theirs] = ours or theirs
        return ClassChoice(tuple(renamed.items()))

    def apply(self, names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int | None]]:
        """The chosen names in order; and the new id of each of the dataset's names, None for those left out.

        raises  OptionError when a chosen class is not in the dataset; it names the nearest
        """
        chosen = tuple(dict.fromkeys(ours for _, ours in self.renamed))
        class_ids: dict[str, int | None] = dict.fromkeys(names)
        for theirs, ours in self.renamed:
            if theirs not in class_ids:
                near = difflib.get_close_matches(theirs, names, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names)}."
                raise OptionError(f"--classes: the dataset has no class '{theirs}'; {hint}")
            class_ids[theirs] = chosen.index(ours)
        return chosen, class_ids
