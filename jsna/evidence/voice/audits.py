"""How good are the plans that were audited, what does that say of the others, and do auditors agree?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from jsna.errors import MeasureError, Problem
from jsna.evidence.voice.rules import rule
from jsna.evidence.voice.themes import Agreement, agreement

GRADES = {"4": "Outstanding", "3": "Good", "2": "Requires improvement", "1": "Inadequate"}
METHODS = {
    "RANDOM": "drawn at random from a list of all plans",
    "NTH": "every so many-th plan of a list, from a random start",
    "STRATA": "drawn at random within groups of plans",
    "CHOSEN": "chosen by hand",
    "ALL": "all plans of the list",
    "": "drawn in a way that is not recorded",
}


@dataclass(frozen=True)
class Round:
    """One round of audits: how its plans were drawn, and whether it tells of the plans that were not audited.

    ``frame``: plans on the list they were drawn from (0: not recorded). ``refusal``: why no percentage is given, empty
    where one is; ``caution``: what a reader of the percentage must know.
    """

    name: str
    year: int
    months: str
    audited: int
    frame: int
    method: str
    refusal: str
    caution: str
    auditors: Agreement

    @property
    def random(self) -> bool:
        return self.method in rule("random_methods")


def rounds(audits: pd.DataFrame) -> tuple[Round, ...]:
    """The rounds of a list of audits, the oldest first; none of an empty list."""
    if audits.empty:
        return ()
    made = [_round(str(name), rows) for name, rows in audits.groupby("cycle")]
    return tuple(sorted(made, key=lambda r: (r.year, r.name)))


def _round(name: str, rows: pd.DataFrame) -> Round:
    methods = sorted(set(rows["sample_method"]))
    frames = sorted(set(rows["frame_size"].dropna().astype("int64")))
    method = methods[0] if len(methods) == 1 else ""
    frame = int(frames[0]) if len(frames) == 1 else 0
    refusal = ""
    if not frames:
        refusal = (
            "No percentage is given: the list does not say from how many plans these were drawn, so nobody knows what "
            "they stand for."
        )
    elif len(frames) > 1:
        refusal = "No percentage is given: the plans of this round were drawn from lists of several lengths."
    elif len(rows) > frame:
        refusal = "No percentage is given: more plans were audited than the list is said to hold."
    elif len(rows) < rule("fewest_audits") and len(rows) < frame:
        refusal = f"No percentage is given: fewer than {rule('fewest_audits')} plans were audited."
    caution = ""
    if method not in rule("random_methods"):
        caution = (
            f"The plans were {METHODS[method]}: the percentage is of these plans alone, and says nothing of others."
        )
    elif method == "STRATA":
        caution = "Groups of plans were not drawn in proportion to their number, so far as is known: read with care."
    first, last = rows["audit_date"].min(), rows["audit_date"].max()
    months = f"{first:%B %Y}" if f"{first:%Y-%m}" == f"{last:%Y-%m}" else f"{first:%B %Y} to {last:%B %Y}"
    both = agreement(rows["grade"], rows["second_grade"], ordered=True)
    return Round(name, int(last.year), months, len(rows), frame, method, refusal, caution, both)


def counts(audits: pd.DataFrame) -> pd.DataFrame:
    """True numbers of audited plans, a row a round: ``period`` (the round), audited, graded, good, grade_1 to grade_4,
    child_view, view_looked_for, pairs, agree."""
    columns = ["audited", "graded", "good", *(f"grade_{g}" for g in GRADES), "child_view", "view_looked_for"]
    if audits.empty:
        return pd.DataFrame(columns=["period", *columns, "pairs", "agree"])
    pair = (audits["grade"] != "") & (audits["second_grade"] != "")
    told = pd.DataFrame(
        {
            "period": audits["cycle"],
            "audited": True,
            "graded": audits["grade"] != "",
            "good": audits["grade"].isin(["3", "4"]),
            **{f"grade_{g}": audits["grade"] == g for g in GRADES},
            "child_view": audits["child_view_recorded"].fillna(False).astype(bool),
            "view_looked_for": audits["child_view_recorded"].notna(),
            "pairs": pair,
            "agree": pair & (audits["grade"] == audits["second_grade"]),
        }
    )
    return told.groupby("period").sum().astype("int64").reset_index()


def finite_interval(found: int, drawn: int, frame: int, confidence: float = 0.95) -> tuple[float, float]:
    """Between which shares (0 to 1) of all ``frame`` plans could those with a feature lie, ``found`` of ``drawn``
    having it? For plans drawn at random without putting any back: exact limits by the hypergeometric distribution.

    Narrower than the binomial ones, and a single point where all plans were audited. Source: Buonaccorsi 1987.
    Raises ``MeasureError`` for numbers that cannot be.

    >>> finite_interval(4, 4, 4)
    (1.0, 1.0)
    >>> [round(v, 3) for v in finite_interval(5, 10, 20)]
    [0.3, 0.7]
    """
    if not 0 <= found <= drawn <= frame or drawn == 0:
        raise MeasureError(
            Problem(
                "These numbers of plans cannot be.",
                value=(found, drawn, frame),
                expected="0 ≤ found ≤ drawn ≤ frame, drawn above 0",
            )
        )
    could = np.arange(found, frame - (drawn - found) + 1)
    tail = (1 - confidence) / 2
    upper_tail = hypergeom.sf(found - 1, frame, could, drawn)
    lower_tail = hypergeom.cdf(found, frame, could, drawn)
    possible = could[(upper_tail > tail) & (lower_tail > tail)]
    return float(possible.min() / frame), float(possible.max() / frame)
