"""The sentences of the chapter on sufficiency."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pandas as pd

from jsna.evidence.projection.learned import errors_like
from jsna.evidence.projection.outlook import Outlook
from jsna.exhibits.text import listing
from jsna.files.packaged import packaged_yaml

# Fewer plans than this are too few to be compared with those of other authorities.
FEWEST = 200


@cache
def texts() -> dict[str, Any]:
    """What ``sufficiency.yml`` says."""
    return packaged_yaml("jsna.chapters", "sufficiency.yml")


def january_name(year: int) -> str:
    """A January as people write it.

    >>> january_name(2030)
    'January 2030'
    """
    return f"January {year}"


def number(value: float) -> str:
    """A number of plans, as readers see it.

    >>> number(4052.6)
    '4,053'
    """
    return f"{round(float(value)):,}"


def between(low: float, high: float) -> str:
    """A range in words.

    >>> between(3354, 4897)
    'between 3,354 and 4,897'
    """
    return f"between {number(low)} and {number(high)}"


def more_or_fewer(change: float, low: float, high: float, what: str) -> str:
    """A change with its range, in words that cannot be read the wrong way round.

    >>> more_or_fewer(293, 150, 450, "places")
    'about 293 more places (between 150 more and 450 more)'
    >>> more_or_fewer(-20, -60, 30, "places")
    'about 20 fewer places (between 60 fewer and 30 more)'
    >>> more_or_fewer(0, -5, 5, "places")
    'about as many places as now (between 5 fewer and 5 more)'
    """
    first = f"about {_side(change)} {what}" if round(change) else f"about as many {what} as now"
    return f"{first} (between {_side(low)} and {_side(high)})" if pd.notna(low) else first


def _side(change: float) -> str:
    return f"{number(abs(change))} {'more' if change >= 0 else 'fewer'}"


def total_sentence(area: str, now: pd.Series, end: pd.Series, what: str) -> str:
    """How many there would be in the last year, with the range and the difference to now."""
    change = end["value"] - now["value"]
    ahead = f"{_side(change)} than" if round(change) else "as many as"
    return (
        f"If today’s pattern goes on, {area} would have about {number(end['value'])} {what} in "
        f"{january_name(int(end['year']))} ({between(end['lower_80'], end['upper_80'])}, a range meant to hold 80 "
        f"times in 100): {ahead} the {number(now['value'])} in {january_name(int(now['year']))}."
    )


def size_sentence(now: float, end: pd.Series) -> str:
    """The number now and in the last year, with the range where there is one.

    >>> size_sentence(10, pd.Series({"value": 14, "lower_80": float("nan"), "upper_80": float("nan")}))
    '10 now; 14 projected, too few for a range.'
    """
    few = pd.isna(end["lower_80"])
    told = "too few for a range" if few else f"{between(end['lower_80'], end['upper_80'])} (80% range)"
    return f"{number(now)} now; {number(end['value'])} projected, {told}."


def notes_on(outlook: Outlook, area: str) -> list[str]:
    """What is odd about an authority's series, and what cannot be given."""
    said = []
    if len(outlook.history) < 2:
        said.append(f"There is one January of {area} alone: England’s growth stands in for its own.")
    elif not outlook.own_growth:
        said.append(
            f"{area} in its present boundaries has figures from {january_name(int(outlook.history.index.min()))} on, "
            "too short for a growth of its own: England’s stands in."
        )
    if outlook.gaps:
        said.append(f"No number was published for {listing([january_name(y) for y in outlook.gaps])}.")
    if outlook.jumps:
        said.append(
            f"The number changed by more than a quarter within the year to "
            f"{listing([january_name(y) for y in outlook.jumps])}: ask whether the return was complete. The projection "
            "starts from the number as published."
        )
    if not outlook.own_ages:
        said.append("Plans by age are not published for it, so the cohort flow has no part in its figures.")
    return said


def back_test_sentences(n: float) -> list[str]:
    """What the back-test says for authorities with about as many plans."""
    if n < FEWEST:
        return ["There are too few plans for the errors of other areas to be a guide: the ranges are very wide."]
    told = errors_like(n)
    low, high = told["from"], told["below"]
    who = (
        f"{low:,} plans or more"
        if high is None
        else f"fewer than {high:,} plans"
        if not low
        else f"{low:,} to {high:,} plans"
    )
    misses = [f"{number(n * p / 100)} ({p}%) {h} year{'s' if h > 1 else ''} ahead" for h, p in told["percent"].items()]
    return [
        f"For areas with {who}, half of the forecasts made in this way in January of 2016 to 2022 missed by no more "
        f"than {listing(misses)}.",
        f"Of 100 such forecasts, the true number lay in the 80% range in {round(100 * told['held_80'])}.",
    ]


def hidden_groups(groups: Sequence[str]) -> str:
    """Year groups whose numbers are hidden, in words.

    >>> hidden_groups(["R", "11"])
    'Reception and Year 11'
    """
    return listing(["Reception" if g == "R" else f"Year {g}" for g in groups])
