"""``flags.csv``: every comparison made, flagged or not, one row each."""

from __future__ import annotations

COLUMNS = (
    "area_code, place_level, place_code, period, outcome, characteristic, group, comparator, numerator, denominator, "
    "risk, risk_ratio, risk_ratio_lower, risk_ratio_upper, adjusted_risk_ratio, adjusted_lower, adjusted_upper, "
    "gap_points, pupils_affected, q_value, status, reasons"
).split(", ")
