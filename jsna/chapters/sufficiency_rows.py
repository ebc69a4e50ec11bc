"""The rows of a projection as exhibits: tables by part, the table for machines, and what the next cycle is held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jsna.chapters.sufficiency_words import january_name
from jsna.disclosure import Released
from jsna.exhibits.model import Exhibit
from jsna.exhibits.multiples import small_multiples
from jsna.exhibits.tables import table_exhibit

NAMES = ("period", "part", "value", "lower_80", "upper_80", "lower_95", "upper_95", "scenario")
LIMITS = ("lower_80", "upper_80", "lower_95", "upper_95")
NOTE = (
    "The ranges are meant to hold 80 times in 100; those meant to hold 95 times stand in the table for other programs."
)


def released(frame: pd.DataFrame, source: str, *, synthetic: bool = False, notes: Sequence[str] = ()) -> Released:
    """Rows that may be shown: projected from published numbers, or from numbers that passed the gate.

    A limit that is missing is of low reliability where a value stands beside it (``u``), else not applicable (``z``).
    """
    frame = frame.reset_index(drop=True)
    symbols = pd.DataFrame("", index=frame.index, columns=frame.columns).mask(frame.isna(), "z")
    if {"scenario", "value"} <= set(frame):
        few = (frame["scenario"] == "trend") & frame["value"].notna()
        for column in [c for c in frame if c in LIMITS or str(c).startswith("change_")]:
            symbols[column] = symbols[column].mask(few & frame[column].isna(), "u")
    return Released(frame, symbols, source, synthetic, tuple(notes))


def with_period(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the January they are of, in words."""
    return rows.assign(period=[january_name(int(y)) for y in rows["year"]])


def now_and_then(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a part: the number ``now``, in the last year (``value``) with limits, and the difference with limits.

    ``rows``: those of one kind, observed and projected.
    """
    now = rows[rows["scenario"] == "observed"].set_index("part")["value"]
    end = rows[rows["scenario"] == "trend"]
    end = end[end["year"] == end["year"].max()].assign(now=lambda r: r["part"].map(now))
    for column, of in (("change", "value"), ("change_lower", "lower_80"), ("change_upper", "upper_80")):
        end[column] = end[of] - end["now"]
    return end.reset_index(drop=True)


def over_years(
    rows: pd.DataFrame, *, id: str, title: str, part: str, unit: str, source: str, synthetic: bool = False
) -> Exhibit:
    """Small charts with the same axes, one a part: the number now and in each year ahead, with the 80% range."""
    return small_multiples(
        released(rows[rows["scenario"].isin(["observed", "trend"])], source, synthetic=synthetic),
        id=id,
        title=title,
        panel="part",
        x="year",
        value="value",
        lower="lower_80",
        upper="upper_80",
        unit=unit,
        panel_label=part,
        x_label="January",
        range_label="80% range",
    )


def parts_table(
    table: pd.DataFrame, *, id: str, title: str, part: str, source: str, notes: Sequence[str], synthetic: bool = False
) -> Exhibit:
    """The table of ``now_and_then``, in the order given, with what all parts come to."""
    columns = [
        {"name": "part", "label": part, "kind": "text"},
        {"name": "now", "label": "Now", "kind": "count"},
        {"name": "value", "label": "In five years", "kind": "count"},
        {"name": "lower_80", "label": "80% range, from", "kind": "count"},
        {"name": "upper_80", "label": "80% range, to", "kind": "count"},
        {"name": "change", "label": "Difference", "kind": "count"},
        {"name": "change_lower", "label": "Difference, 80% range, from", "kind": "count"},
        {"name": "change_upper", "label": "Difference, 80% range, to", "kind": "count"},
    ]
    shown = released(table, source, synthetic=synthetic, notes=(*notes, NOTE))
    return table_exhibit(shown, id=id, title=title, columns=columns, row_header="part")


def machine_table(rows: pd.DataFrame, *, id: str, title: str, source: str, synthetic: bool = False) -> Exhibit:
    """Every row under the names that other programs read, folded."""
    kinds = {"period": "text", "part": "text", "scenario": "text"}
    columns = [{"name": n, "label": n, "kind": kinds.get(n, "count")} for n in NAMES]
    shown = released(with_period(rows)[list(NAMES)], source, synthetic=synthetic)
    return table_exhibit(shown, id=id, title=title, columns=columns, row_header="period", folded=True)


def for_next_cycle(rows: pd.DataFrame, *, measure: str, cycle: str) -> list[Mapping[str, Any]]:
    """The rows as the pack keeps them, so that the next cycle can set what came beside them."""
    kept = with_period(rows)[["part", "period", "value", "lower_80", "upper_80", "scenario"]]
    kept = kept.assign(measure=measure, made_in_cycle=cycle).astype("object")
    return kept.where(kept.notna(), None).replace({np.nan: None}).to_dict("records")
