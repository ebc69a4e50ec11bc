"""What the rules of other tools would have said of the same comparison, a column a rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from jsna.disproportionality import peers

RULE = "rule_"
_FOUR = {
    "count": "numerator",
    "total": "denominator",
    "comparator_count": "comparator_numerator",
    "comparator_total": "comparator_denominator",
}


def with_other_rules(main: pd.DataFrame) -> pd.DataFrame:
    """``main`` (one row an outcome and group, ``known``, counts of both sides) with a column ``rule_…`` a rule.

    Each says ``over``, ``under``, ``no flag``, or ``not said`` where the rule does not calculate. The rule on adjusted
    ratios is there where ``main`` has them.
    """
    known = main[main["known"]]
    said = peers.verdicts(known, group="group", family="outcome", **_FOUR)
    if "adjusted_risk_ratio" in known:
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = (np.log(known["adjusted_upper"]) - np.log(known["adjusted_lower"])) / (2 * 1.959964)
            p_value = 2 * ndtr(-np.abs(np.log(known["adjusted_risk_ratio"])) / spread)
        adjusted = peers.adjusted_threshold(known["adjusted_risk_ratio"], p_value)
        adjusted = adjusted.assign(outcome=known["outcome"], group=known["group"], rule="adjusted_threshold")
        said = pd.concat([said, adjusted[said.columns.intersection(adjusted.columns)]], ignore_index=True)
    said["word"] = np.where(said["flagged"], said["direction"], np.where(said["status"] == "", "no flag", "not said"))
    wide = said.pivot(index=["outcome", "group"], columns="rule", values="word").add_prefix(RULE).reset_index()
    return main.merge(wide, on=["outcome", "group"], how="left")
