"""Sentences of the chapter on voice, made from figures that passed the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from jsna.disclosure import Released
from jsna.evidence.voice.rules import LABELS, rule
from jsna.evidence.voice.themes import Agreement
from jsna.evidence.voice.weighting import Weighting, title
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import listing
from jsna.measures import risk_difference

CHANCE = (
    "The margin of error is of chance alone. It does not make up for people who were not asked, or who were asked and "
    "did not answer: those who answer can differ from those who do not in ways that no weight mends."
)
APART = "Parents, young people and practitioners are shown apart, and never added together."
YES = "“Yes” stands for the answers that a question counts as positive, such as agree and strongly agree."
DONT_KNOW = "Who answered “don't know” is counted apart, and is in no percentage."


def pc(value: float) -> str:
    """A percentage as people say it, whole.

    >>> pc(46.5)
    '47%'
    """
    return f"{format_number(value, 'count')}%"


def best(row: pd.Series | dict[str, Any]) -> tuple[float, float, float, bool]:
    """A row's share with its limits, weighted where it has weights, and whether it is."""
    weighted = not pd.isna(row["weighted_value"])
    start = "weighted_" if weighted else ""
    value, lower, upper = (float(row[f"{start}{c}"]) for c in ("value", "lower", "upper"))
    return value, lower, upper, weighted


def with_best(shown: pd.DataFrame) -> pd.DataFrame:
    """The rows with ``value``, ``lower`` and ``upper`` weighted where there are weights, as numbers."""
    rows = shown.copy()
    for column in ("value", "lower", "upper"):
        plain, weighted = (pd.to_numeric(rows[c], errors="coerce") for c in (column, f"weighted_{column}"))
        rows[column] = weighted.where(pd.to_numeric(rows["weighted_value"], errors="coerce").notna(), plain)
    return rows


def said(row: pd.Series) -> str:
    """What share of whom said yes to what, with its limits."""
    value, lower, upper, weighted = best(row)
    how = ", weighted" if weighted else ", as the answers came"
    return (
        f"{pc(value)} of {lowered(row['label'])} who answered said yes to “{row['text']}” (between {pc(lower)} and "
        f"{pc(upper)}{how}; {format_number(row['answered'], 'count')} answers)."
    )


def lowered(label: str) -> str:
    """A label within a sentence.

    >>> lowered("Young people")
    'young people'
    """
    return label[:1].lower() + label[1:]


def answered(shown: pd.DataFrame) -> str:
    """How many of each kind answered, of those asked, in a sentence."""
    parts = []
    for row in shown.to_dict("records"):
        number = (
            "a number that is not shown" if pd.isna(row["respondents"]) else format_number(row["respondents"], "count")
        )
        of = "" if pd.isna(row["rate"]) else f" ({pc(row['rate'])} of those asked)"
        parts.append(f"{number} {lowered(row['label'])}{of}")
    return listing(parts)


def not_asked(shown: pd.DataFrame) -> list[str]:
    """Of which kinds the number asked is not known, and which kinds answered seldom."""
    unknown = [lowered(r["label"]) for r in shown.to_dict("records") if not r["asked_known"]]
    few = [lowered(r["label"]) for r in shown.to_dict("records") if r["rate"] < rule("low_response")]
    told = []
    if unknown:
        told.append(f"How many {listing(unknown)} were asked is not known, so there is no response rate of them.")
    if few:
        told.append(f"Fewer than {rule('low_response')} of a hundred {listing(few)} who were asked answered.")
    return told


def silent_kinds(kinds: Sequence[str]) -> list[str]:
    """Which kinds of respondent are missing altogether, as a sentence."""
    missing = [lowered(LABELS[w]) for w in ("parents", "young_people", "practitioners") if w not in kinds]
    if not missing:
        return []
    return [f"No answers of {listing(missing)}: what the others say does not stand for them."]


def uneven(shown: pd.DataFrame, who: str, words: str) -> list[str]:
    """The groups of a kind of respondent that answered in some measure (``words``), named with their characteristic."""
    rows = shown[(shown["who"] == who) & (shown["words"] == words)]
    return [
        f"{g} ({c[:1].lower() + c[1:] if not c.startswith('SEN') else c})"
        for g, c in zip(rows["group_name"], rows["characteristic_name"], strict=True)
    ]


def of_weights(weight: Weighting, who: str) -> list[str]:
    """How the answers of a kind were weighted, and what it costs."""
    label = lowered(LABELS[who])
    if not weight.used:
        return [
            f"The answers of {label} are not weighted: nothing is known of whom they should stand for.",
            *weight.said,
        ]
    by = listing([title(c) for c in weight.used])
    return [
        f"The answers of {label} are weighted by {by} to the make-up of children with SEND. This multiplies the "
        f"variance by {format_number(weight.effect, 'ratio')}, and the interval is wider for it.",
        *weight.said,
    ]


def change(shown: Released, confidence: float) -> pd.DataFrame:
    """Each question asked in the two newest waves: share now and before, as the answers came, and the change."""
    rows = shown.frame
    waves = sorted(rows["wave"].unique(), reverse=True)[:2]
    keys = ["who", "label", "question", "text"]
    columns = [*keys, "period", "positive", "answered", "value"]
    if len(waves) < 2:
        return pd.DataFrame(columns=[*keys, "now", "before", "change", "lower", "upper", "words"])
    now, before = (rows.loc[rows["wave"] == w, columns] for w in waves)
    both = now.merge(before, on=keys, suffixes=("", "_before"))
    both = both.dropna(subset=["value", "value_before", "positive", "positive_before"]).reset_index(drop=True)
    found = (
        100
        * risk_difference(
            *(both[c].astype("float64") for c in ("positive", "answered", "positive_before", "answered_before")),
            confidence,
        )[["estimate", "lower", "upper"]]
    )
    words = pd.Series("no clear change", index=both.index)
    words = words.mask(found["lower"] > 0, "more say yes").mask(found["upper"] < 0, "fewer say yes")
    return pd.DataFrame(
        {
            **{k: both[k] for k in keys},
            "now": both["value"].astype("float64"),
            "before": both["value_before"].astype("float64"),
            "change": found["estimate"],
            "lower": found["lower"],
            "upper": found["upper"],
            "words": words,
        }
    )


def agreement(found: Agreement, pairs: float, agree: float, who: str, what: str) -> list[str]:
    """How far two people agree, in sentences; ``pairs`` and ``agree`` as they may be shown, else missing."""
    if pd.isna(found.kappa):
        return [f"{who} some of the {what} apart. {found.reason}"]
    if pd.isna(pairs) or pd.isna(agree):
        return [f"{who} some of the {what} apart. The numbers are too small for their agreement to be shown."]
    kappa, lower, upper = (format_number(v, "ratio") for v in (found.kappa, found.lower, found.upper))
    return [
        f"{who} {format_number(pairs, 'count')} of the {what} apart and judged {pc(100 * agree / pairs)} alike: "
        f"agreement that is at least {found.words}.",
        f"Cohen's kappa, which takes off what chance would give, is {kappa} (95% interval {lower} to {upper}).",
    ]
