"""Which authorities lie further from the average than their size, and the usual spread among them, would explain?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.disclosure import Released, publish_official
from jsna.errors import Problem, SourceError
from jsna.evidence.catalogue import catalogue
from jsna.evidence.values import Values, refuse_counts
from jsna.measures import funnel_limits, overdispersion
from jsna.measures.rate_funnel import rate_funnel_limits, rate_overdispersion

LEVELS = (0.95, 0.998)
FEWEST_AREAS = 10  # of fewer, the spread among them says little
WIDE = 10  # times the variance of chance, beyond which limits say more of how authorities differ than of chance
LIMITS = ["lower_95", "upper_95", "lower_99_8", "upper_99_8"]
WHERE = ("below the 99.8% limits", "below the 95% limits", "inside", "above the 95% limits", "above the 99.8% limits")


def funnel(values: Values, indicator: str, period: str = "", group: str = "all") -> Released:
    """Every authority of England about the average of all, with limits for its size, in one period (the latest).

    One row an authority with counts: area_code, area_name, period, value, numerator, denominator, ``average``, the
    limits (95% and 99.8%) in the indicator's unit, ``where`` (one of ``WHERE``) and ``overdispersion``: how many times
    as much as by chance authorities vary (φ). Limits are wider by its root, so that about 5 and 0.2 in 100 authorities
    lie outside when the spread among them is of one kind. Raises ``CodeListError`` for a count, and ``SourceError``
    where fewer than 10 authorities have counts, as where figures are published without them.
    """
    known = catalogue()[indicator]
    refuse_counts(known)
    rows = values.of(indicator, group)
    rows = rows[
        (rows["area_level"] == "local_authority")
        & (rows["origin"] == "official")
        & (rows["way"] == "counts")
        & rows["value"].notna()
        & (rows["denominator"] > 0)
    ]
    rows = rows[rows["period"] == period] if period else rows[rows["year"] == rows["year"].max()]
    if len(rows) < FEWEST_AREAS or known.kind not in ("proportion", "event_rate"):
        raise SourceError(
            Problem(
                "A funnel needs the counts of many authorities.",
                where=f"{indicator} {period}".strip(),
                value=len(rows),
                expected=f"{FEWEST_AREAS} or more",
                mend="Figures that are published without counts have no funnel: show the place among all instead.",
            )
        )
    x, n = rows["numerator"], rows["denominator"]
    average = x.sum() / n.sum()
    if known.kind == "proportion":
        phi = overdispersion(x, n, average)
        limits = funnel_limits(n, average, LEVELS, phi)
    else:
        phi = rate_overdispersion(x, n, average)
        limits = rate_funnel_limits(n, average, LEVELS, phi)
    made = rows[["area_code", "area_name", "period", "value", "numerator", "denominator"]].assign(
        average=known.per * average, **{c: known.per * limits[c] for c in LIMITS}, overdispersion=phi
    )
    made["where"] = _where(made)
    made = made.sort_values(["denominator", "area_code"], ascending=[False, True], ignore_index=True)
    return publish_official(made, source="; ".join(sorted(rows["source"].unique())), notes=_notes(len(made), phi))


def _notes(areas: int, phi: float) -> tuple[str, ...]:
    if phi <= 1:
        said = ("They vary no more than by chance.",)
    else:
        said = (f"The variance among them is {phi:.1f} times that of chance alone (φ); the limits allow for it.",)
    if phi > WIDE:
        said += ("Authorities differ so much that an area can lie inside the limits and yet differ from most others.",)
    return (f"Average of {areas} authorities, all counted together.", *said)


def _where(made: pd.DataFrame) -> np.ndarray:
    value = made["value"]
    return np.select(
        [
            value < made["lower_99_8"],
            value < made["lower_95"],
            value > made["upper_99_8"],
            value > made["upper_95"],
        ],
        [WHERE[0], WHERE[1], WHERE[4], WHERE[3]],
        default=WHERE[2],
    )
