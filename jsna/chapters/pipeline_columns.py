"""The columns of the tables of the EHC pipeline, with their headings."""

from __future__ import annotations

GLANCE = [
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "stage", "label": "Stage", "kind": "text"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
    {"name": "comparator_percent", "label": "All others (%)", "kind": "percent"},
    {"name": "risk_ratio", "label": "Ratio to all others", "kind": "ratio"},
    {"name": "risk_ratio_lower", "label": "Ratio, lower limit", "kind": "ratio"},
    {"name": "risk_ratio_upper", "label": "Ratio, upper limit", "kind": "ratio"},
    {"name": "pooled_risk_ratio", "label": "Ratio, pooled", "kind": "ratio"},
    {"name": "status", "label": "Status", "kind": "text"},
]
FIGURES = [
    {"name": "by", "label": "By", "kind": "text"},
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "numerator", "label": "Number", "kind": "count"},
    {"name": "denominator", "label": "Out of", "kind": "count"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
    {"name": "percent_lower", "label": "Share, lower limit (%)", "kind": "percent"},
    {"name": "percent_upper", "label": "Share, upper limit (%)", "kind": "percent"},
    {"name": "comparator_percent", "label": "All others (%)", "kind": "percent"},
    {"name": "gap_points", "label": "Gap (percentage points)", "kind": "points"},
    *GLANCE[4:8],
]
ENGLAND = [
    {"name": "england_risk_ratio", "label": "England, within authorities", "kind": "ratio"},
    {"name": "england_lower", "label": "England within, lower limit", "kind": "ratio"},
    {"name": "england_upper", "label": "England within, upper limit", "kind": "ratio"},
    {"name": "england_areas", "label": "Authorities", "kind": "count"},
    {"name": "england_crude", "label": "England’s published row, crude", "kind": "ratio"},
    {"name": "england_sum", "label": "Sum of authorities, crude", "kind": "ratio"},
]
AGE = [
    {"name": "age_risk_ratio", "label": "Ratio within age bands", "kind": "ratio"},
    {"name": "age_lower", "label": "Within age, lower limit", "kind": "ratio"},
    {"name": "age_upper", "label": "Within age, upper limit", "kind": "ratio"},
]
OVERALL = [
    {"name": "stage", "label": "Stage", "kind": "text"},
    {"name": "of", "label": "What is counted", "kind": "words"},
    {"name": "period", "label": "Period", "kind": "text"},
    {"name": "numerator", "label": "Number", "kind": "count"},
    {"name": "denominator", "label": "Out of", "kind": "count"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
    {"name": "percent_lower", "label": "Lower limit (%)", "kind": "percent"},
    {"name": "percent_upper", "label": "Upper limit (%)", "kind": "percent"},
]
KNOWN = {"ethnicity": "Ethnic group known", "sex": "Sex known", "age": "Age known"}
