"""How many people have to be asked, and how many have to answer, for a share to be known within some points?"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import normal_quantile


@dataclass(frozen=True)
class SampleSize:
    """``answers`` needed, and ``invited`` so that as many come back at the ``response`` (per cent) that is expected."""

    population: int
    margin: float
    answers: int
    invited: int
    response: float

    @property
    def enough_people(self) -> bool:
        """Whether there are as many people as would have to be asked."""
        return self.invited <= self.population

    @property
    def words(self) -> str:
        """The answer as sentences."""
        asked = (
            f"At {self.response:g} answers of a hundred asked, ask {self.invited:,} people."
            if self.enough_people
            else f"At {self.response:g} answers of a hundred asked, not even all {self.population:,} would be enough: "
            "ask everybody, and raise the number who answer."
        )
        return (
            f"Of {self.population:,} people, {self.answers:,} answers are needed for a share to be known within "
            f"{self.margin:g} points either way (95 times of 100, if those asked are drawn at random). {asked} The "
            "margin is of chance alone: it does not make up for people who were not asked or did not answer."
        )


def sample_size(
    population: int,
    margin: float = 5,
    *,
    response: float = 100,
    share: float = 50,
    effect: float = 1,
    confidence: float = 0.95,
) -> SampleSize:
    """How many answers are needed so that a share is known within ``margin`` points either way?

    ``population``: people; ``margin``: percentage points, above 0 and under 50; ``response``: answers expected of a
    hundred asked; ``share``: where the share is likely to lie, in per cent (50 needs the most); ``effect``: by how much
    weights are likely to multiply the variance (1: not at all). With the correction for a finite population. Raises
    ``MeasureError`` for numbers outside of these. Source: Cochran 1977, section 4.4.

    >>> found = sample_size(2700, 5, response=25); found.answers, found.invited
    (337, 1348)
    """
    problems = [
        Problem(f"{name} is out of range.", value=value, expected=expected)
        for name, value, fine, expected in (
            ("population", population, population >= 1, "1 or more people"),
            ("margin", margin, 0 < margin < 50, "points above 0 and under 50"),
            ("response", response, 0 < response <= 100, "above 0, at most 100 per cent"),
            ("share", share, 0 < share < 100, "above 0 and under 100 per cent"),
            ("effect", effect, 1 <= effect <= 10, "1 to 10"),
        )
        if not fine
    ]
    if problems:
        raise MeasureError(*problems)
    p, z = share / 100, float(normal_quantile(confidence))
    endless = effect * z**2 * p * (1 - p) / (margin / 100) ** 2
    # a number that is whole but for the last binary digit is not one more
    answers = min(population, ceil(round(endless / (1 + (endless - 1) / population), 9)))
    return SampleSize(population, margin, answers, ceil(round(100 * answers / response, 9)), response)
