"""What the audit found: a file, a place in it, why it is wrong, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jsna.files.packaged import packaged_yaml

OUTSIDER = "anyone who reads the pack"
RULE = "a reader who knows the rule"
PROTECTOR = "a reader who knows how the protector works"
COUNTED = "one who is himself counted"
TOGETHER = "two who are themselves counted, together"
OFFICIAL = "a reader who has the official figures"
DIFFERENCING = "a reader who has the packs before"


@dataclass(frozen=True)
class Finding:
    """Something that should not leave.

    ``kind`` is a key of ``words.yml``; ``where`` names the cell or the part of the file; ``detail`` says more without a
    number that was not published; ``secret`` is what ``--reveal`` adds; ``attacker`` who can find it out; ``width``
    how many whole numbers the attacker cannot tell apart, less one (``None``: not about a hidden count).
    """

    kind: str
    file: str
    where: str = ""
    detail: str = ""
    secret: str = ""
    attacker: str = OUTSIDER
    width: int | None = None

    @property
    def why(self) -> str:
        """Why this is a finding, in a sentence."""
        return words()["kinds"][self.kind]["why"]

    @property
    def mend(self) -> str:
        """What to do about it."""
        return words()["kinds"][self.kind]["mend"]

    def as_row(self, reveal: bool) -> dict[str, Any]:
        """The finding for a report; what was found itself only when ``reveal``."""
        row = {
            "kind": self.kind,
            "file": self.file,
            "where": self.where,
            "why": self.why,
            "detail": self.detail,
            "attacker": self.attacker,
            "width": self.width,
            "mend": self.mend,
        }
        return row | {"found": self.secret} if reveal else row


@cache
def words() -> dict[str, Any]:
    """The texts of the report."""
    return packaged_yaml("jsna.audit", "words.yml")
