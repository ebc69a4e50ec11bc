"""The workbench's errors: each says what happened, where, the value, what was expected and what to do.

Every error of this family is safe to show to a user without a traceback, and none carries a row about a child.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    ``what`` is a sentence; ``where`` a file, key or column; ``value`` what was found; ``expected`` what is allowed;
    ``mend`` what the reader can do next. Empty parts are left out of the message.
    """

    what: str
    where: str = ""
    value: object = None
    expected: str = ""
    mend: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        found = "" if self.value is None else f" Found: {self.value!r}."
        expected = f" Expected: {self.expected}." if self.expected else ""
        mend = f" {self.mend}" if self.mend else ""
        return f"{place}{self.what}{found}{expected}{mend}"


class WorkbenchError(Exception):
    """Base of all errors that are meant for the user; ``exit_code`` is what the command line returns."""

    exit_code = 2

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: Sequence[Problem] = tuple(p if isinstance(p, Problem) else Problem(p) for p in problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    def __reduce__(self):
        """Errors cross process borders whole."""
        return (type(self), tuple(self.problems))


class ParamsError(WorkbenchError):
    """A params file, or a notebook's parameters cell, cannot be used."""


class SourceError(WorkbenchError):
    """An input file is missing, cut short, or not what its name promises."""


class OutputError(WorkbenchError):
    """The pack cannot be written where it was asked for."""


class CodeListError(WorkbenchError):
    """A code or label is not in the code list that is in force."""


class MeasureError(WorkbenchError):
    """A measure was asked of numbers that it cannot be calculated from."""


class DisclosureError(WorkbenchError):
    """Something true and unprotected was about to be shown, saved or sent."""


class ChapterError(WorkbenchError):
    """A chapter's notebook failed; the rest of the pack was made."""

    exit_code = 3


def did_you_mean(value: object, allowed: Iterable[object]) -> str:
    """A sentence with the nearest allowed name, or nothing when none is near.

    >>> did_you_mean("la_cod", ["la_code", "period"])
    "Did you mean 'la_code'?"
    """
    near = get_close_matches(str(value), [str(a) for a in allowed], n=1, cutoff=0.55)
    return f"Did you mean {near[0]!r}?" if near else ""
