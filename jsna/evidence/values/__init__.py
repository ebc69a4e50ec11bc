"""The values of every indicator that the official files allow, for every authority, every region and England at once.

The catalogue says in which ways an indicator comes out of the files; ``compute`` follows each on whole columns.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.errors import CodeListError, Problem
from jsna.evidence.catalogue import Indicator, catalogue
from jsna.files.result import Summary
from jsna.sources.folder import OfficialFolder

COLUMNS = (
    "indicator",
    "group",
    "area_code",
    "area_name",
    "area_level",
    "period",
    "year",
    "value",
    "numerator",
    "denominator",
    "lower",
    "upper",
    "symbol",
    "way",
    "provisional",
    "break_before",
    "source",
    "file",
    "completeness",
    "note",
    "origin",
)
KEY = ("indicator", "group", "area_code", "year", "period")
ABSENT = ("indicator", "group", "reason", "mend")


@dataclass(frozen=True)
class Values:
    """Values of indicators, with where they come from.

    ``frame`` has the columns ``COLUMNS``, one row an indicator, group, area and period (and origin), sorted by these:
    ``value`` and its limits in the indicator's unit; ``symbol`` z x c low u where there is no value; ``way`` counts or
    published; ``completeness`` the share of authorities with a figure, of England and regions. ``absent`` has the ways
    whose file, table or column is not there, and ``vintages`` every figure in which another file of the same table
    disagrees with the one that is used.
    """

    frame: pd.DataFrame
    sources: tuple[Summary, ...]
    absent: pd.DataFrame
    vintages: pd.DataFrame

    @classmethod
    def none(cls) -> Values:
        """No value, in the right columns."""
        from jsna.evidence.values.vintages import vintage_table

        empty = [pd.DataFrame({c: pd.Series(dtype="str") for c in columns}) for columns in (COLUMNS, ABSENT)]
        return cls(empty[0], (), empty[1], vintage_table())

    def of(
        self, indicator: str, group: str = "all", areas: Sequence[str] | None = None, origin: str | None = None
    ) -> pd.DataFrame:
        """The rows of one indicator and group, of some areas or all; none where there is no such value."""
        rows = self.frame.iloc[self._places.get((indicator, group), [])]
        if areas is not None:
            rows = rows[rows["area_code"].isin(list(areas))]
        return rows if origin is None else rows[rows["origin"] == origin]

    def comparable(self, indicator: str, group: str = "all", areas: Sequence[str] | None = None) -> pd.DataFrame:
        """As ``of``, to set areas beside each other: raises ``CodeListError`` for counts, which never are."""
        refuse_counts(indicator)
        return self.of(indicator, group, areas)

    @cached_property
    def _places(self) -> dict[Hashable, NDArray[np.intp]]:
        """Where the rows of each indicator and group stand in the frame."""
        return dict(self.frame.groupby(["indicator", "group"], sort=False, observed=True).indices)


def refuse_counts(indicator: str | Indicator) -> None:
    """Raise ``CodeListError`` for an indicator that is a count: areas of different sizes are not compared by counts."""
    known = catalogue()[indicator] if isinstance(indicator, str) else indicator
    if known.kind == "count":
        raise CodeListError(
            Problem(
                "Counts of areas of different sizes are not compared.",
                where=known.id,
                value=known.name,
                mend="Compare a rate, or show the area's own trend.",
            )
        )


def official_values(folder: OfficialFolder, confidence: float = 0.95) -> Values:
    """Every official value of the catalogue, out of the files of a folder; kept on disk between runs."""
    from jsna.evidence.values.cache import kept

    return kept(folder, catalogue(), confidence)


def both(first: Values, second: Values) -> Values:
    """The values of two origins as one; of one figure both stand, told apart by ``origin``."""
    frame = pd.concat([first.frame, second.frame], ignore_index=True)
    return Values(
        frame.sort_values([*KEY, "origin"], kind="stable", ignore_index=True),
        (*first.sources, *second.sources),
        pd.concat([first.absent, second.absent], ignore_index=True),
        pd.concat([first.vintages, second.vintages], ignore_index=True),
    )
