"""A question to a table of pupils: by what to count, and whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean

ALWAYS = ("time_period", "sen_provision", "primary_need")
CROSS = " × "


@dataclass(frozen=True)
class Derived:
    """A column that a table need not have: what it ``needs``, its ``sql``, and the kind of its values."""

    needs: tuple[str, ...]
    sql: str
    kind: str


# As jsna.area works them out for one authority, in SQL that DuckDB, PostgreSQL and Spark understand alike.
DERIVED = {
    "latest_school": Derived(
        ("la_code", "pupil_id", "school_urn"),
        "first_value(school_urn) over (partition by la_code, pupil_id order by time_period desc)",
        "text",
    ),
    # Pupils of the embedded synthetic area and of the national load; a keyed hash never begins so.
    "made_up": Derived(("pupil_id",), "pupil_id like 'S%'", "flag"),
    "special": Derived(("school_phase",), "school_phase in ('special', 'alternative')", "flag"),
    "idaci_quintile": Derived(("idaci_decile",), "cast(floor((idaci_decile + 1) / 2.0) as integer)", "whole"),
}


@dataclass(frozen=True)
class Question:
    """Counts by each of ``groupings`` (lists of columns; an empty one counts all), in each census.

    ``areas``: of these authorities alone; none named: of all. ``by_area``: each apart, in a first column ``la_code``.
    ``keep`` and ``leave_out`` name values of columns: whose pupils are counted alone, and whose are not (an empty list
    says nothing). With
    ``cell_keys`` the sum of record keys is counted beside each count.
    """

    groupings: tuple[tuple[str, ...], ...]
    areas: tuple[str, ...] = ()
    by_area: bool = False
    keep: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    leave_out: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    cell_keys: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that are grouped by, in the order in which they are named."""
        return list(dict.fromkeys(c for g in self.groupings for c in g))

    @property
    def places(self) -> list[str]:
        """The columns that every group is within."""
        return ["la_code", "time_period"] if self.by_area else ["time_period"]

    def label(self, grouping: Collection[str]) -> str:
        """The name of a grouping: its columns joined by a cross.

        >>> Question((("sex",), ("ethnicity", "sex"))).label(("ethnicity", "sex"))
        'sex × ethnicity'
        """
        return CROSS.join(c for c in self.columns if c in grouping)

    def derived(self, have: Collection[str]) -> list[str]:
        """The columns that are worked out, because the table does not have them."""
        asked = [*self.columns, *self.keep, *self.leave_out]
        return [c for c in dict.fromkeys(asked) if c in DERIVED and c not in have]

    def needed(self, have: Collection[str]) -> list[str]:
        """The columns of the table that an answer needs. Raises ``SourceError`` with every one that it lacks."""
        made = self.derived(have)
        place = ["la_code"] if self.by_area or self.areas else []
        asked = [
            *place,
            *ALWAYS,
            *self.columns,
            *self.keep,
            *self.leave_out,
            *(["record_key"] if self.cell_keys else []),
        ]
        asked = [*(c for c in asked if c not in made), *(n for c in made for n in DERIVED[c].needs)]
        return checked(dict.fromkeys(asked), have)


def checked(columns: Collection[str], have: Collection[str], where: str = "") -> list[str]:
    """The columns, all of them there. Raises one ``SourceError`` with the nearest name of each that is not."""
    missing = [c for c in columns if c not in have]
    if missing:
        what = "The pupil table lacks a column."
        raise SourceError(*(Problem(what, where=where, value=c, mend=did_you_mean(c, have)) for c in missing))
    return list(columns)


def labelled(frame: pd.DataFrame, question: Question, absent: str) -> pd.Series:
    """The name of each row's grouping, from the columns that say which grouping columns it is not by."""
    made = pd.Series("", index=frame.index)
    for column in question.columns:
        by_it = frame[f"{absent}{column}"] == 0
        made = made.mask(by_it, made.where(made == "", made + CROSS) + column)
    return made
