"""Indices that regulators and the equity literature use, for comparison with them. See each one's weakness."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from jsna.measures.columns import (
    ABOVE_WHOLE,
    BELOW_MINIMUM,
    BOTH_ZERO,
    HIGHEST_RISK,
    STATE_BELOW_MINIMUM,
    aligned,
    count_status,
    pair_status,
    then,
)
from jsna.measures.comparisons import risk_ratio
from jsna.measures.groups import grouped

_LIMITS = ["estimate", "lower", "upper"]
_NARROWEST_MARGIN = 0.03
_Z = 1.96


def alternate_risk_ratio(
    count: ArrayLike,
    total: ArrayLike,
    state_count: ArrayLike,
    state_total: ArrayLike,
    minimum_cell: int = 10,
    minimum_n: int = 30,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How many times the risk of all other groups in the state (here: in England or the region) is a group's risk?

    Four columns of whole numbers: the group's in the authority, and those of all *other* groups in the state, the group
    itself left out. United States law asks for it where the other groups in the authority are too few to compare with.
    Not calculated, and missing here, where the group has fewer than ``minimum_cell`` identified or ``minimum_n``
    pupils, or the state's others have. Returns ``estimate``, ``lower``, ``upper`` (the score interval, which the
    regulation does not have) and ``status``. Its threshold (often 2) flags small groups by luck and never sees
    under-identification.

    Source: 34 CFR 300.647.

    >>> alternate_risk_ratio([12, 9], [40, 40], [150, 150], [1000, 1000])[["estimate", "status"]].values.tolist()
    [[2.0, ''], [nan, 'under the minimum cell or n']]
    """
    x1, n1, x0, n0, _ = aligned(count, total, state_count, state_total)
    answer = risk_ratio(count, total, state_count, state_total, confidence=confidence)
    usable = pair_status(x1, n1, x0, n0) == ""
    small = usable & ((x1 < minimum_cell) | (n1 < minimum_n))
    state_small = usable & ~small & ((x0 < minimum_cell) | (n0 < minimum_n))
    answer.loc[small | state_small, _LIMITS] = np.nan
    status = answer["status"].mask(small, BELOW_MINIMUM)
    return answer.assign(status=status.mask(state_small, STATE_BELOW_MINIMUM))


def percentage_point_gap(
    count: ArrayLike, total: ArrayLike, overall_count: ArrayLike, overall_total: ArrayLike
) -> pd.DataFrame:
    """By how much does a group's risk differ from the overall one, and is that beyond a margin that fits all groups?

    Four columns of whole numbers: the group's, and those of everybody. Returns ``estimate``, ``lower``, ``upper``
    (shares, −1 to 1; times 100 they are points), ``margin`` and ``status``. The margin is that of a risk of one half,
    1.96 √(0.25/n), and never under 3 points: made for success rates, it cannot see a need that 3% have. Use
    ``risk_difference``.

    Source: California Community Colleges, percentage point gap (2014 to 2017 guidance).

    >>> percentage_point_gap([30], [100], [170], [1000]).round(3).values.tolist()
    [[0.13, 0.032, 0.228, 0.098, '']]
    """
    x1, n1, x0, n0, index = aligned(count, total, overall_count, overall_total)
    status = pair_status(x1, n1, x0, n0)
    x1, n1, x0, n0 = (np.where(status == "", a, np.nan) for a in (x1, n1, x0, n0))
    gap, margin = (x1 * n0 - x0 * n1) / (n1 * n0), np.maximum(_Z * np.sqrt(0.25 / n1), _NARROWEST_MARGIN)
    frame = {"estimate": gap, "lower": np.maximum(gap - margin, -1), "upper": np.minimum(gap + margin, 1)}
    return pd.DataFrame({**frame, "margin": margin, "status": status}, index=index)


def proportionality_index(
    count: ArrayLike,
    total: ArrayLike,
    outcome_total: ArrayLike,
    population_total: ArrayLike,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How many times its share of all pupils is a group's share of the identified?

    Four columns of whole numbers: the group's ``count`` of ``total``, all identified pupils and all pupils, the group
    among them. Returns ``estimate``, ``lower``, ``upper`` and ``status``. It is the group's risk over everybody's, so a
    large group is compared with itself: it cannot pass 1 over its share of pupils. The limits are those of the score
    interval of the ratio to all others, R, as R / (πR + 1 − π), π the group's share of pupils. Use ``risk_ratio``.

    Source: share over share; the limits follow from Koopman 1984, as the index grows with R.

    >>> proportionality_index([30], [100], [170], [1000]).round(3).values.tolist()
    [[1.765, 1.314, 2.277, '']]
    """
    x, n, identified, pupils, index = aligned(count, total, outcome_total, population_total)
    above = (x > identified) | (n > pupils) | (identified - x > pupils - n)
    whole = then(pair_status(x, n, identified, pupils), (above, ABOVE_WHOLE))
    x, n, identified, pupils = (np.where(whole == "", a, np.nan) for a in (x, n, identified, pupils))
    others = risk_ratio(x, n, identified - x, pupils - n, confidence=confidence)
    status = np.where(whole == "", others["status"], whole)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = n / pupils
        limits = {name: 1 / (share + (1 - share) / others[name].to_numpy()) for name in ("lower", "upper")}
        estimate = np.where(status == "", x / n / (identified / pupils), np.nan)
    return pd.DataFrame({"estimate": estimate, **limits, "status": status}, index=index)


def index_80(
    count: ArrayLike, total: ArrayLike, by: ArrayLike | pd.Series | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """What share of the highest group's risk is each group's risk? The four-fifths rule asks for 0.8.

    ``count`` of ``total``, whole numbers; ``by``: the family in which groups are compared, all rows without it.
    Returns ``estimate`` (0 to 1), ``lower``, ``upper`` (score interval of the ratio) and ``status``. The group with the
    highest risk has 1, no interval, and a status that says so; rows that cannot be used are never the highest. The
    smallest group is often the highest by luck, and the interval does not allow for its having been picked.

    Source: Uniform Guidelines on Employee Selection Procedures 1978, 29 CFR 1607.4(D).

    >>> index_80([10, 6, 4], [20, 20, 20])[["estimate", "status"]].values.tolist()
    [[1.0, 'highest risk'], [0.6, ''], [0.4, '']]
    """
    x, n, index = aligned(count, total)
    families, status = grouped(by, len(x)), count_status(x, n)
    x, n = np.where(status == "", x, np.nan), np.where(status == "", n, np.nan)
    highest = x / n == families.highest(x / n)[families.codes]
    # Of several at the highest risk the largest is compared with, so that the order of rows does not matter.
    top_count, top_total = (families.highest(np.where(highest, a, np.nan))[families.codes] for a in (x, n))
    answer = risk_ratio(x, n, top_count, top_total, confidence=confidence).set_axis(index)
    answer["status"] = np.where(status == "", answer["status"], status)
    top = highest & (answer["status"] != BOTH_ZERO).to_numpy()
    answer.loc[top, ["lower", "upper"]] = np.nan
    answer["status"] = answer["status"].mask(top, HIGHEST_RISK)
    return answer
