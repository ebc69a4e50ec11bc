"""What one cycle said: its cards, comparisons, figures, projections and decisions, as published in its pack."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from jsna.evidence.cycles.decisions import Decisions

KEYS = ["indicator", "group"]
FLAG_KEYS = ["place_level", "place_code", "outcome", "characteristic", "group"]
FLAG_NUMBERS = (
    *("numerator", "denominator", "risk", "risk_ratio", "risk_ratio_lower", "risk_ratio_upper"),
    *("adjusted_risk_ratio", "adjusted_lower", "adjusted_upper", "gap_points", "pupils_affected", "q_value"),
)
# The columns of tables/figures.csv that the next cycle reads, by what they are called there.
FIGURES = {
    "Indicator": "indicator",
    "Group": "group",
    "Period": "period",
    "Value": "value",
    "Lower limit": "lower",
    "Upper limit": "upper",
    "Numerator": "numerator",
    "Denominator": "denominator",
    "Origin": "origin",
    "Definition": "version",
    "Source": "source",
    "History": "history",
}
FIGURE_NUMBERS = ("value", "lower", "upper", "numerator", "denominator")


@dataclass(frozen=True)
class Edition:
    """The evidence of one area in one cycle.

    ``flags``: the rows of ``flags.csv``, numbers as numbers (a hidden or absent one is missing); ``figures``: the
    latest figure of each indicator and group, columns as ``FIGURES`` calls them; ``projections``, ``voice``: what the
    chapters put there for this; ``decisions``: what the board decided on it, where that was written down; ``notes``:
    what a reader has to know of it.
    """

    area_code: str
    area_name: str
    cycle: str
    synthetic: bool
    cards: tuple[Mapping[str, Any], ...]
    flags: pd.DataFrame
    figures: pd.DataFrame
    projections: tuple[Mapping[str, Any], ...] = ()
    voice: tuple[Mapping[str, Any], ...] = ()
    decisions: Decisions | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """How the edition is called in a sentence.

        >>> from jsna.evidence.cycles.edition import Edition, no_figures, no_flags
        >>> Edition("E06000032", "Luton", "2023", False, (), no_flags(), no_figures()).name
        'the 2023 edition'
        """
        return f"the {self.cycle} edition"


def flags_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of ``flags.csv`` with numbers as numbers: symbols are missing values, ``infinity`` is one."""
    if not rows:
        return no_flags()
    table = pd.DataFrame(list(rows)).reindex(columns=no_flags().columns, fill_value="x").astype("str")
    numbers = {c: pd.to_numeric(table[c].replace("infinity", "inf"), errors="coerce") for c in FLAG_NUMBERS}
    return table.assign(**numbers)


def figures_of(text: str) -> pd.DataFrame:
    """The figures of ``tables/figures.csv``: the columns of ``FIGURES``, numbers as numbers."""
    if not text.strip():
        return no_figures()
    table = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
    lost = [column for column in FIGURES if column not in table]
    found = table.reindex(columns=list(FIGURES), fill_value="").rename(columns=FIGURES)
    if set(lost) & {"Indicator", "Group", "Period", "Value"}:
        return no_figures()
    return found.assign(**{c: pd.to_numeric(found[c], errors="coerce") for c in FIGURE_NUMBERS})


def history_of(figures: pd.DataFrame) -> pd.DataFrame:
    """The series that the figures carry: one row an indicator, group, origin and period, with its ``value``.

    >>> told = no_figures().reindex([0]).assign(indicator="EHC-05", group="all", origin="official",
    ...     history="2022=27.5; | 2023=32.1; 2024=x")
    >>> history_of(told)[["period", "value"]].values.tolist()
    [['2022', 27.5], ['2023', 32.1]]
    """
    points = figures[[*KEYS, "origin", "history"]].assign(point=figures["history"].fillna("").str.split("; "))
    points = points.explode("point")
    pairs = points["point"].str.removeprefix("| ").str.rsplit("=", n=1, expand=True).reindex(columns=[0, 1])
    made = points[[*KEYS, "origin"]].assign(
        period=pairs[0].astype("str"), value=pd.to_numeric(pairs[1], errors="coerce")
    )
    return made[made["value"].notna()].reset_index(drop=True)


def no_flags() -> pd.DataFrame:
    """A table of flags without a row."""
    columns = ["area_code", "place_level", "place_code", "period", "outcome", "characteristic", "group", "comparator"]
    table = pd.DataFrame(columns=[*columns, *FLAG_NUMBERS, "status", "reasons"], dtype="str")
    return table.astype(dict.fromkeys(FLAG_NUMBERS, "float64"))


def no_figures() -> pd.DataFrame:
    """A table of figures without a row."""
    return pd.DataFrame(columns=list(FIGURES.values()), dtype="str").astype(dict.fromkeys(FIGURE_NUMBERS, "float64"))
