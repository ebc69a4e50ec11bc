"""What comments are about, and how far two people who coded them apart agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri
from statsmodels.stats.inter_rater import cohens_kappa

from jsna.evidence.local_values.specification import who_of
from jsna.evidence.voice.gathered import wave_name
from jsna.evidence.voice.rules import rule

KEYS = ["period", "who", "theme"]


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the same things. ``kappa`` is 1 for full agreement and 0 for what chance would give.

    ``same``: per cent judged alike. Limits are of 95%; missing, with the reason, where it cannot be worked out.
    """

    pairs: int
    same: float
    kappa: float
    lower: float
    upper: float
    reason: str = ""

    @property
    def words(self) -> str:
        """How strong it is at the least, by its lower limit, in the usual words (Landis and Koch 1977)."""
        if np.isnan(self.kappa):
            return self.reason
        steps = [(0.8, "almost complete"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair")]
        return next((word for least, word in steps if self.lower > least), "slight")


def agreement(first: pd.Series, second: pd.Series, *, ordered: bool = False, confidence: float = 0.95) -> Agreement:
    """Cohen's kappa of two columns of judgements of the same things; ``ordered``: near misses count as half right.

    Weights are linear: one grade apart costs one, two apart cost two. Fewer pairs than twenty have no kappa, nor have
    judgements that are all one and the same. Source: Cohen 1960 and 1968; limits by Fleiss, Cohen and Everitt 1969.

    >>> one = pd.Series(list("1122" * 6)); found = agreement(one, one.where(one.index > 0, "2"))
    >>> found.pairs, round(found.same, 1), round(found.kappa, 2)
    (24, 95.8, 0.92)
    """
    both = pd.DataFrame({"first": first, "second": second}).replace("", np.nan).dropna()
    pairs = len(both)
    same = 100 * float((both["first"] == both["second"]).mean()) if pairs else float("nan")
    nothing = {"kappa": float("nan"), "lower": float("nan"), "upper": float("nan")}
    if pairs < rule("fewest_pairs"):
        few = f"Fewer than {rule('fewest_pairs')} were judged by two people: too few to say how far they agree."
        return Agreement(pairs, same, **nothing, reason=few)
    codes = sorted(set(both["first"]) | set(both["second"]))
    if len(codes) < 2:
        return Agreement(pairs, same, **nothing, reason="Both judged all alike: chance would give that too.")
    table = pd.crosstab(both["first"], both["second"]).reindex(index=codes, columns=codes, fill_value=0)
    # Where all are judged alike the variance is 0, and the library may find a little less than that.
    with np.errstate(invalid="ignore"):
        found = cohens_kappa(table.to_numpy("float64"), wt="linear" if ordered else None)
    kappa, error = float(found["kappa"]), float(np.sqrt(max(float(found["var_kappa"]), 0.0)))
    half = float(ndtri(0.5 + confidence / 2)) * error
    return Agreement(pairs, same, kappa, max(-1.0, kappa - half), min(1.0, kappa + half))


def by_theme(themes: pd.DataFrame) -> pd.DataFrame:
    """True numbers of comments by wave, kind of respondent and theme, of the first coder: ``comments``, ``badly``."""
    if themes.empty:
        return pd.DataFrame(columns=[*KEYS, "wave", "comments", "badly"])
    first = themes[themes["coding"].isin(["1", ""])]
    told = first.assign(
        period=first["wave"].map(wave_name),
        who=first["respondent_type"].map(who_of),
        theme=first["theme_code"],
        comments=1,
        badly=(first["sentiment"] == "NEG").astype("int64"),
    )
    return told.groupby([*KEYS, "wave"])[["comments", "badly"]].sum().reset_index()


def coders(themes: pd.DataFrame, confidence: float = 0.95) -> Agreement | None:
    """How far two coders agree on what comments are about; nothing where nobody coded a second time."""
    if themes.empty or not (themes["coding"] == "2").any():
        return None
    wide = themes.pivot(index=["wave", "comment_id"], columns="coding", values="theme_code")
    if "1" not in wide:
        return None
    return agreement(wide["1"], wide["2"], confidence=confidence)
