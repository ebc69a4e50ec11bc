"""True counts, in a wrapper that cannot be shown.

Everything downstream of the first pass over pupils works with exact counts, and exact counts of children must not
reach a screen, a file or a log. A ``Sealed`` frame displays as its shape and a sentence, refuses to be pickled, copied,
written or iterated, and gives up its frame only to code of the workbench that names why. The frame is no attribute of
it, so that what looks into objects (``vars``, ``dataclasses.asdict``, inspectors of variables) finds names of columns
alone. ``jsna.disclosure`` is the one room that turns it into something that may be shown.
"""

from __future__ import annotations

import sys
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import pandas as pd

from jsna.errors import DisclosureError, Problem

ROOMS = ("jsna", "geo")
WORKSHOPS = tuple(Path(__file__).resolve().parents[1] / name for name in ("tests", "benchmarks"))


@dataclass(frozen=True, repr=False, eq=False)
class Sealed:
    """A frame of true values about pupils, with the roles of its columns.

    ``counts``   columns that hold numbers of pupils.
    ``rates``    ``{derived column: (numerator column, denominator column)}`` for shares and their limits.
    ``derived``  other columns worked out from the row's counts (ratios, gaps, q-values): hidden when any count is.
    Columns that are in none of these are labels, and are shown as they are.
    """

    frame: InitVar[pd.DataFrame]
    counts: tuple[str, ...]
    rates: dict[str, tuple[str, str]] = field(default_factory=dict)
    derived: tuple[str, ...] = ()

    def __post_init__(self, frame: pd.DataFrame) -> None:
        _FRAMES[self] = frame

    def unseal(self, purpose: str) -> pd.DataFrame:
        """The true frame, for calculation only. ``purpose`` says what for, so that a reader of the code can judge.

        Raises ``DisclosureError`` without a purpose, and outside of the workbench's own code: what is typed into a
        notebook or a console could show the frame with the next key.
        """
        if not purpose.strip():
            raise DisclosureError("True counts were asked for without a purpose.")
        if not _of_the_workbench(sys._getframe(1)):
            raise DisclosureError(
                Problem(
                    "True counts are opened by the workbench's own code alone, not in a notebook.",
                    mend="Call a chapter of jsna.chapters, or pass the counts through jsna.disclosure.protect().",
                )
            )
        return _FRAMES[self].copy()

    def __len__(self) -> int:
        return len(_FRAMES[self])

    def __repr__(self) -> str:
        rows, columns = _FRAMES[self].shape
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


def _of_the_workbench(caller: FrameType) -> bool:
    """Whether code belongs to a room of the workbench, or to the files of its tests and benchmarks."""
    module = str(caller.f_globals.get("__name__", "")).partition(".")[0]
    return module in ROOMS or any(folder in Path(caller.f_code.co_filename).parents for folder in WORKSHOPS)


_FRAMES: WeakKeyDictionary[Sealed, pd.DataFrame] = WeakKeyDictionary()
