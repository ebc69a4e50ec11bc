"""True counts, in a wrapper that cannot be shown.

Everything downstream of the first pass over pupils works with exact counts, and exact counts of children must not
reach a screen, a file or a log. A ``Sealed`` frame displays as its shape and a sentence, refuses to be pickled, written
or iterated, and gives up its frame only to code that names why. ``jsna.disclosure`` is the one room that turns it into
something that may be shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import pandas as pd

from jsna.errors import DisclosureError


@dataclass(frozen=True, repr=False, eq=False)
class Sealed:
    """A frame of true values about pupils, with the roles of its columns.

    ``counts``   columns that hold numbers of pupils.
    ``rates``    ``{derived column: (numerator column, denominator column)}`` for shares and their limits.
    ``derived``  other columns worked out from the row's counts (ratios, gaps, q-values): hidden when any count is.
    Columns that are in none of these are labels, and are shown as they are.
    """

    _frame: pd.DataFrame
    counts: tuple[str, ...]
    rates: dict[str, tuple[str, str]] = field(default_factory=dict)
    derived: tuple[str, ...] = ()

    def unseal(self, purpose: str) -> pd.DataFrame:
        """The true frame, for calculation only. ``purpose`` says what for, so that a reader of the code can judge."""
        if not purpose.strip():
            raise DisclosureError("True counts were asked for without a purpose.")
        return self._frame.copy()

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        rows, columns = self._frame.shape
        return (
            f"True counts, {rows} rows by {columns} columns: not shown. "
            "Pass them through jsna.disclosure.protect() to see what may be published."
        )

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/plain": repr(self)}

    def __iter__(self) -> NoReturn:
        self._refuse("looped over")

    def __reduce__(self) -> NoReturn:
        self._refuse("saved")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse(f"asked for {name!r}")

    def __getitem__(self, key: object) -> NoReturn:
        self._refuse(f"asked for {key!r}")

    @staticmethod
    def _refuse(what: str) -> NoReturn:
        raise DisclosureError(f"True counts cannot be {what}. Pass them through jsna.disclosure.protect() first.")
