"""Do families' answers and the figures point the same way? A stated rule, both shown, and no score of the two.

Answers point well where the whole interval is above half, badly where it is below half. A figure points well or badly
where its whole interval is on one side of England's latest value. In every other case nothing is claimed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.evidence.catalogue import catalogue
from jsna.evidence.voice.rules import read, rule

ENGLAND = "E92000001"
WELL, BADLY, BETWEEN, NOTHING = "well", "badly", "no clear direction", ""
SAME, APART, UNCLEAR, NO_PAIR = (
    "Families' answers and the figure point the same way.",
    "Families' answers and the figure point apart.",
    "Families' answers and the figure do not both point clearly one way.",
    "Families' answers and the figure cannot be set beside each other.",
)
COLUMNS = (
    *("question", "who", "voice_value", "voice_lower", "voice_upper", "voice_points"),
    *("figure", "figure_name", "period", "value", "lower", "upper", "unit", "england", "england_period"),
    *("figure_points", "verdict", "why"),
)


def set_beside(estimates: pd.DataFrame, values: pd.DataFrame, england: pd.DataFrame) -> pd.DataFrame:
    """Every pair of ``pairs.yml`` with both sides, and what can be said: ``COLUMNS``.

    ``estimates``: of one wave, a row a question and kind: ``value``, ``lower``, ``upper`` in per cent as they may be
    shown (weighted where there are weights). ``values``: rows of ``Values.frame`` of the area; ``england``:
    those of England.
    """
    pairs = pd.DataFrame(read("pairs.yml")).rename(columns={"voice": "question"})
    said = estimates[["question", "who", "value", "lower", "upper"]].add_prefix("voice_")
    said = said.rename(columns={"voice_question": "question", "voice_who": "who"})
    rows = pairs.merge(said, on=["question", "who"], how="left")
    own, whole = (_latest(v, rows["figure"]) for v in (values, england))
    rows = rows.join(own, on="figure").join(whole[["value", "period"]].add_prefix("england_"), on="figure")
    known = catalogue()
    rows = rows.rename(columns={"england_value": "england"}).assign(
        figure_name=rows["figure"].map(lambda i: known[i].name), unit=rows["figure"].map(lambda i: known[i].unit)
    )
    numbers = ["voice_value", "voice_lower", "voice_upper", "value", "lower", "upper", "england"]
    rows[numbers] = rows[numbers].apply(pd.to_numeric, errors="coerce").astype("float64")
    half = pd.Series(float(rule("half")), index=rows.index)
    rows["voice_points"] = _points(rows["voice_lower"], rows["voice_upper"], half, pd.Series("higher", rows.index))
    rows["figure_points"] = _points(rows["lower"], rows["upper"], rows["england"], rows["good"])
    return rows.assign(verdict=_verdict(rows["voice_points"], rows["figure_points"]))[list(COLUMNS)]


def _latest(values: pd.DataFrame, wanted: pd.Series) -> pd.DataFrame:
    """The newest figure of all children of each indicator; an official one before an own one of the same year."""
    rows = values[values["indicator"].isin(set(wanted)) & (values["group"] == "all") & values["value"].notna()]
    rows = rows.sort_values(["year", "origin"], kind="stable").drop_duplicates("indicator", keep="last")
    return rows.set_index("indicator")[["period", "value", "lower", "upper"]]


def _points(lower: pd.Series, upper: pd.Series, line: pd.Series, good: pd.Series) -> pd.Series:
    over, under = lower > line, upper < line
    missing = lower.isna() | upper.isna() | line.isna()
    well = np.where(good == "higher", over, under)
    badly = np.where(good == "higher", under, over)
    told = np.select([missing, well, badly], [NOTHING, WELL, BADLY], BETWEEN)
    return pd.Series(told, index=lower.index)


def _verdict(voice: pd.Series, figure: pd.Series) -> pd.Series:
    nothing = (voice == NOTHING) | (figure == NOTHING)
    unclear = (voice == BETWEEN) | (figure == BETWEEN)
    told = np.select([nothing, unclear, voice == figure], [NO_PAIR, UNCLEAR, SAME], APART)
    return pd.Series(told, index=voice.index)


def agrees(pairs: pd.DataFrame, question: str, who: str) -> str:
    """What a card says of a question: the verdicts of its pairs, each with the figure; empty without a pair."""
    own = pairs[(pairs["question"] == question) & (pairs["who"] == who)]
    return " ".join(
        f"{f} ({n}): {v}" for f, n, v in zip(own["figure"], own["figure_name"], own["verdict"], strict=True)
    )
