"""What share answered yes to each question, of each kind of respondent by itself: as it came, and weighted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from jsna.evidence.voice.weighting import Weighting
from jsna.measures import proportion
from jsna.measures.proportions import share_interval

KEYS = ["wave", "period", "who", "question"]
COUNTS = ("positive", "answered", "unsure", "replied")
SHARES = ("value", "lower", "upper")
WEIGHTED = ("weighted_value", "weighted_lower", "weighted_upper", "effect", "effective")


def counts(answers: pd.DataFrame, by: tuple[str, ...] = ()) -> pd.DataFrame:
    """True numbers by wave, kind of respondent and question (and ``by``): ``COUNTS``.

    ``replied`` are all who gave an answer, ``answered`` those of them who were not unsure: the base of the share.

    >>> told = pd.DataFrame({"wave": "2025-10", "period": "October 2025", "who": "parents", "question": "VOI-01",
    ...                      "answer": ["yes", "no", "unsure"]})
    >>> counts(told)[list(COUNTS)].values.tolist()
    [[1, 2, 1, 3]]
    """
    told = answers.assign(
        positive=answers["answer"] == "yes",
        answered=answers["answer"] != "unsure",
        unsure=answers["answer"] == "unsure",
        replied=True,
    )
    made = told.groupby([*KEYS, *by])[list(COUNTS)].sum().reset_index()
    return made.astype(dict.fromkeys(COUNTS, "int64"))


def shares(rows: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """``SHARES`` in per cent beside the counts: of those who were not unsure, with Wilson's limits."""
    made = 100 * proportion(rows["positive"], rows["answered"], confidence)[["estimate", "lower", "upper"]]
    return rows.assign(**dict(zip(SHARES, (made[c] for c in made), strict=True)))


def weighted(answers: pd.DataFrame, weightings: Mapping[tuple[str, str], Weighting], confidence: float) -> pd.DataFrame:
    """Weighted shares in per cent, by wave, kind of respondent and question: ``WEIGHTED``.

    ``weightings``: of each wave and kind, with weights by (survey_id, respondent_id). The interval is Wilson's with the
    number of answers divided by the design effect of their own weights. Without weights there is no row.
    """
    parts = [
        w.weights.rename("w").rename_axis(["survey_id", "respondent_id"]).reset_index().assign(wave=wave, who=who)
        for (wave, who), w in weightings.items()
        if len(w.weights)
    ]
    if not parts:
        return pd.DataFrame(columns=[*KEYS, *WEIGHTED])
    told = answers[answers["answer"] != "unsure"].merge(
        pd.concat(parts, ignore_index=True), on=["survey_id", "respondent_id", "wave", "who"]
    )
    told = told.assign(w2=told["w"] ** 2, yes=told["w"] * (told["answer"] == "yes"), one=1.0)
    sums = told.groupby(KEYS)[["w", "w2", "yes", "one"]].sum().reset_index()
    effect = sums["one"] * sums["w2"] / sums["w"] ** 2
    share = (sums["yes"] / sums["w"]).clip(0, 1)
    effective = sums["one"] / effect
    lower, upper = share_interval(share, effective, confidence)
    made = sums[KEYS].assign(weighted_value=100 * share, weighted_lower=100 * lower, weighted_upper=100 * upper)
    return made.assign(effect=effect, effective=np.floor(effective))
