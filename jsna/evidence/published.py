"""Published counts of every authority: the groups of one area against all others, beside the same within all areas."""

from __future__ import annotations

import pandas as pd

from jsna.disclosure import Policy, publish_official, too_few_for_a_rate
from jsna.disproportionality import pooled, stratified
from jsna.disproportionality.learning import against_others_by_area, prior_of, quasi
from jsna.errors import Problem, SourceError
from jsna.evidence.comparison import LABELS, OTHERS, Comparison, Dimension, against_others, comparison_of, long_counts
from jsna.evidence.other_rules import with_other_rules

ELSEWHERE = ("england_risk_ratio", "england_lower", "england_upper", "england_areas")


def needs_of_plans(table: pd.DataFrame, topic: str, period: str, needs: list[str]) -> pd.DataFrame:
    """Plans by primary need of every authority: area_code, group, a column ``plans_need_…`` a need, and ``total``.

    ``table`` is the release's ``sen_needs_all_plans``. Groups without a plan are left out: they have no share.
    """
    rows = table[
        (table["geographic_level"] == "Local authority")
        & (table["breakdown_topic"] == topic)
        & (table["time_period"] == period)
        & (table["ehc_plans"] > 0)
    ]
    columns = {f"plans_need_{n}": rows[f"number_{n.lower()}"] for n in needs if f"number_{n.lower()}" in rows}
    return pd.DataFrame(
        {"area_code": rows["area_code"], "group": rows["breakdown"], **columns, "total": rows["ehc_plans"]}
    )


def compare_beside_england(
    frame: pd.DataFrame,
    code: str,
    by: Dimension,
    *,
    period: str,
    policy: Policy,
    source: str,
    reference: str | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Each group of area ``code`` against all others for every outcome, and the same ratio within all authorities.

    ``frame`` has one row an authority and group: ``area_code``, ``group``, ``total`` and a column an outcome. Beside
    the crude comparison the table has ``pooled_risk_ratio`` with limits, drawn towards 1 by a prior that the other
    authorities teach (``learn_prior``), and ``england_risk_ratio`` with limits: Mantel–Haenszel within authorities. The
    status is that of the crude comparison. Raises ``SourceError`` when the area has no rows.
    """
    outcomes = [c for c in frame if c not in ("area_code", "group", "total")]
    if not (frame["area_code"] == code).any():
        raise SourceError(Problem("The area has no rows in the published table.", value=code, expected="an authority"))
    every = long_counts(frame.assign(time_period=period), by, outcomes, "total", places=["area_code"])
    own = every[every["area_code"] == code].drop(columns="area_code").reset_index(drop=True)
    main = against_others(own, reference, confidence)
    main = _with_england(main, every, confidence)
    main = _with_pooled(main, every[every["area_code"] != code], confidence)
    main = with_other_rules(main)
    text = [c for c in main if c.startswith("rule_")]
    hidden = tuple(c for c in main if c not in (*LABELS, *text, "numerator", "denominator", *ELSEWHERE))
    shown = too_few_for_a_rate(publish_official(main, source=source), "denominator", hidden, policy)
    return comparison_of(shown, main, by, period)


def _with_england(main: pd.DataFrame, every: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The ratio to all others within authorities, over all England."""
    within = stratified(
        every,
        group="group",
        count="count",
        total="total",
        by="area_code",
        known="known",
        family=["outcome"],
        confidence=confidence,
    )
    table = within.table.rename(columns={"risk_ratio": "england_risk_ratio", "strata": "england_areas"})
    table = table.rename(columns={"lower": "england_lower", "upper": "england_upper"})
    return main.merge(table[["outcome", "group", *ELSEWHERE]], on=["outcome", "group"], how="left", validate="1:1")


def _with_pooled(main: pd.DataFrame, elsewhere: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Ratios drawn towards 1 the less the figures can tell, by how ratios of the same outcome spread elsewhere."""
    others = against_others_by_area(elsewhere, ["area_code", "outcome"])
    parts = []
    for outcome, rows in main.groupby("outcome", sort=False):
        made = pooled(*quasi(rows), prior=prior_of(others[others["outcome"] == outcome]), confidence=confidence)
        table = made.table[["estimate", "lower", "upper"]].set_axis(
            ["pooled_risk_ratio", "pooled_lower", "pooled_upper"], axis="columns"
        )
        parts.append(table.set_axis(rows.index, axis="index").where(rows["known"]))
    return main.join(pd.concat(parts))


__all__ = ["ELSEWHERE", "OTHERS", "compare_beside_england", "needs_of_plans"]
