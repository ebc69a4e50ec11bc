"""Measures: pure functions on whole columns, each with its interval and a status where it cannot be calculated."""

from jsna.measures.comparisons import equal_risks_p_value, false_discovery, risk_difference, risk_ratio
from jsna.measures.proportions import proportion, rate

__all__ = ["equal_risks_p_value", "false_discovery", "proportion", "rate", "risk_difference", "risk_ratio"]
