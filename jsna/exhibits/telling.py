"""What a chart shows, told from its numbers: the end of its title, and its words for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from jsna.exhibits.tables import format_number
from jsna.exhibits.text import listing


def titled(title: str, finding: str) -> str:
    """A chart's title that says what it shows: its subject, then the finding.

    >>> titled("Pupils by sex", "between 49.0% (Female) and 51.0% (Male)"), titled("Luton: pupils", "")
    ('Pupils by sex: between 49.0% (Female) and 51.0% (Male)', 'Luton: pupils')
    >>> titled("Requests refused: Luton beside others", "16.9%")
    'Requests refused: Luton beside others; 16.9%'
    """
    return f"{title}{'; ' if ': ' in title else ': '}{finding}" if finding else title


def brief(value: float, unit: str, kind: str) -> str:
    """A number with its percent sign, if it is one; what is counted stands in the title or at the axis.

    >>> brief(59.54, "% of pupils", "percent"), brief(1200, "pupils", "count")
    ('59.5%', '1,200')
    """
    return f"{format_number(value, kind)}{'%' if unit.startswith('%') else ''}"


def amount(value: float, unit: str, kind: str) -> str:
    """A number with its unit.

    >>> amount(59.54, "% of pupils", "percent"), amount(3, "comments", "count"), amount(1.25, "", "ratio")
    ('59.5% of pupils', '3 comments', '1.25')
    >>> amount(116.3, "first year = 100", "percent")
    '116.3 (first year = 100)'
    """
    number = format_number(value, kind)
    if "=" in unit:
        return f"{number} ({unit})"
    return f"{number}{unit}" if unit.startswith("%") else f"{number} {unit}".strip()


def extremes(shown: pd.DataFrame, group: str, value: str, unit: str, kind: str) -> str:
    """The highest and the lowest group with their values, in a sentence; the one group where there is but one."""
    known = _known(shown, value)
    if len(known) == 1:
        return f"{known[group].iloc[0]}: {amount(known[value].iloc[0], unit, kind)}."
    low, high = known.loc[known[value].idxmin()], known.loc[known[value].idxmax()]
    most, least = amount(high[value], unit, kind), brief(low[value], unit, kind)
    return f"Highest: {high[group]}, {most}; lowest: {low[group]}, {least}."


def span(shown: pd.DataFrame, group: str, value: str, unit: str, kind: str) -> str:
    """The lowest and the highest group, as the end of a title; empty without any value. No "from", which sounds like a
    change where groups are years."""
    known = _known(shown, value)
    if known.empty:
        return ""
    low, high = known.loc[known[value].idxmin()], known.loc[known[value].idxmax()]
    least, most = (brief(row[value], unit, kind) for row in (low, high))
    if least == most:
        return least if len(known) == 1 else f"{least} in each"
    return f"between {least} ({_within(low[group])}) and {most} ({_within(high[group])})"


def _within(name: object) -> str:
    """A name as it stands in brackets: none of its own within them."""
    return str(name).replace(" (", ", ").replace(")", "")


def _known(shown: pd.DataFrame, value: str) -> pd.DataFrame:
    return shown.assign(**{value: shown[value].astype("float64")}).dropna(subset=[value])


def over_time(line: pd.Series, breaks: Sequence[str], unit: str, kind: str = "percent") -> str:
    """The first and the last value of a line, as the end of a title; only since the last break, as no others compare.

    ``line``: values by period, in order, none missing.

    >>> over_time(pd.Series([1.0, 2.0, 3.0], ["2022", "2023", "2024"]), ["2023"], "%")
    '2.0% in 2023, 3.0% in 2024'
    >>> over_time(pd.Series([1.0, 2.0], ["2022", "2023"]), ["2023"], "%")
    '2.0% in 2023'
    """
    cuts = [b for b in breaks if b <= str(line.index[-1])]
    since = line[line.index >= max(cuts)] if cuts else line
    ends = since.iloc[[0, -1]] if len(since) > 1 else since
    return ", ".join(f"{brief(v, unit, kind)} in {p}" for p, v in ends.items())


def broken(breaks: Sequence[str]) -> str:
    """Where a line cannot be compared with what comes before, as a sentence of the alternative text."""
    return f" The method changed before {listing(list(breaks))}." if breaks else ""
