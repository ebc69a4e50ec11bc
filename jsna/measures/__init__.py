"""Measures: pure functions on whole columns, each with its interval and a status where it cannot be calculated."""

from jsna.measures.comparisons import risk_difference, risk_ratio
from jsna.measures.funnel import funnel_limits, overdispersion
from jsna.measures.indices import alternate_risk_ratio, index_80, percentage_point_gap, proportionality_index
from jsna.measures.inequality import slope_index
from jsna.measures.odds import odds_ratio
from jsna.measures.proportions import proportion, rate
from jsna.measures.quantiles import quantile
from jsna.measures.ranks import rank_interval, rank_interval_if, ranked, top_places
from jsna.measures.sensitivity import e_value
from jsna.measures.significance import equal_risks_p_value, false_discovery
from jsna.measures.standardisation import directly_standardised_rate, indirectly_standardised_ratio
from jsna.measures.trend import trend_test
from jsna.measures.unknown import missing_group_bounds

__all__ = [
    "alternate_risk_ratio",
    "directly_standardised_rate",
    "e_value",
    "equal_risks_p_value",
    "false_discovery",
    "funnel_limits",
    "index_80",
    "indirectly_standardised_ratio",
    "missing_group_bounds",
    "odds_ratio",
    "overdispersion",
    "percentage_point_gap",
    "proportion",
    "proportionality_index",
    "quantile",
    "rank_interval",
    "rank_interval_if",
    "ranked",
    "rate",
    "risk_difference",
    "risk_ratio",
    "slope_index",
    "top_places",
    "trend_test",
]
