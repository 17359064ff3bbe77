"""What the doctor has to say."""

import enum
from dataclasses import dataclass


class Rank(enum.Enum):
    """How grave it is."""

    GOOD = "ok"
    NOTE = "note"  # something is missing that not everybody needs
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    remedy  what to do about it; empty where nothing needs doing
    """

    subject: str
    rank: Rank
    sentence: str
    remedy: str = ""

    def line(self) -> str:
        rest = f" {self.remedy}" if self.remedy else ""
        return f"{self.rank.value:<8} {self.subject:<11} {self.sentence}{rest}"

    def to_json(self) -> dict[str, str]:
        return {
            "subject": self.subject,
            "rank": self.rank.value,
            "sentence": self.sentence,
            "remedy": self.remedy,
        }


def good(subject: str, sentence: str) -> Finding:
    return Finding(subject, Rank.GOOD, sentence)


def note(subject: str, sentence: str, remedy: str = "") -> Finding:
    return Finding(subject, Rank.NOTE, sentence, remedy)


def problem(subject: str, sentence: str, remedy: str) -> Finding:
    return Finding(subject, Rank.PROBLEM, sentence, remedy)
