"""Pupils whose table is in memory: counted in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from jsna.counts import count_pupils, count_repeats, with_latest_school
from jsna.counts.question import Question
from jsna.files.result import Loaded, Summary
from jsna.sealed import Sealed


@dataclass(frozen=True, eq=False, repr=False)
class FrameRoll:
    """As ``jsna.roll.Roll``, of a canonical pupil table that has been read."""

    loaded: Loaded
    rows = True

    @property
    def summary(self) -> Summary:
        return self.loaded.summary

    @property
    def quarantine(self) -> pd.DataFrame:
        return self.loaded.quarantine

    @cached_property
    def periods(self) -> tuple[str, ...]:
        return tuple(sorted(self.loaded.frame["time_period"].astype(str).unique()))

    def count(self, question: Question) -> Sealed:
        pupils = self._studied if question.derived(self.loaded.frame.columns) else self.loaded.frame
        kept = pd.Series(True, index=pupils.index)
        for column, values in _given(question.keep):
            kept &= pupils[column].astype(str).isin(values)
        for column, values in _given(question.leave_out):
            kept &= ~pupils[column].astype(str).isin(values)
        chosen = pupils if kept.all() else pupils[kept]
        return count_pupils(chosen, *question.groupings, cell_keys=question.cell_keys)

    def repeats(self) -> Sealed:
        return count_repeats(self.loaded.frame)

    def put_aside(self, folder: Path) -> None:
        from jsna.local import keep

        keep(folder, "pupils", self.loaded)

    @cached_property
    def _studied(self) -> pd.DataFrame:
        pupils = with_latest_school(self.loaded.frame)
        return pupils.assign(
            idaci_quintile=((pupils["idaci_decile"] + 1) // 2).astype("category"),
            special=pupils["school_phase"].isin(["special", "alternative"]),
        )


def _given(filters: Mapping[str, Sequence[str | int]]) -> list[tuple[str, list[str]]]:
    """The values of each column as text; an empty list says nothing."""
    return [(column, [str(v) for v in values]) for column, values in filters.items() if len(values)]
