"""The periods of the stages that an exhibit of the EHC pipeline shows, in words and in its source line."""

from __future__ import annotations

from dataclasses import replace

from jsna.area import period_name
from jsna.disclosure import Released
from jsna.exhibits.text import listing


def periods_in_words(periods: dict[str, str]) -> str:
    """Calendar years as one span, then the Januaries.

    >>> periods_in_words({"refused": "2024", "plans": "202425"})
    '2024 and January 2025'
    """
    named = dict.fromkeys(periods.values())
    years = sorted({y for p in named if len(p) != 6 for y in p.split(" to ")})
    span = [years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"] if years else []
    return listing([*span, *(period_name(p) for p in named if len(p) == 6)])


def dated(rows: Released, periods: dict[str, str]) -> Released:
    """The rows with a source that names the periods of the stages (column ``outcome``) that are among them."""
    shown = set(rows.frame["outcome"])
    words = periods_in_words({outcome: period for outcome, period in periods.items() if outcome in shown})
    return replace(rows, source=f"{rows.source}, {words}") if words else rows
