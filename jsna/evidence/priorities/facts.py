"""What does the evidence say of each priority? Counts of what is met, worse, changed and flagged; no judgement yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jsna.disproportionality.rule import FLAGGED, NO_EVIDENCE, WATCH
from jsna.evidence.catalogue import Frame, Item, catalogue
from jsna.evidence.cycles.changes import FELL, IMPROVED, NEWLY, NO_CLEAR, NO_LONGER, ROSE, WORSENED, Changes
from jsna.evidence.cycles.edition import FLAG_KEYS
from jsna.evidence.scorecard import headline_list
from jsna.evidence.speaks_to import codes_for
from jsna.measures.trend import FALLING, NOISE, RISING

MOVES = (IMPROVED, WORSENED, ROSE, FELL, NO_CLEAR)
LAST_CYCLE, OWN_YEARS = "since the last cycle", "over the years of their series"
COMPARED = ("better", "worse", "similar", "higher", "lower")
NEAR = 1e-9


def facts_of(
    frame: Frame,
    figures: pd.DataFrame,
    flags: pd.DataFrame,
    voice: Sequence[Mapping[str, Any]],
    changes: Changes | None,
    *,
    comparator: str = "england",
) -> pd.DataFrame:
    """The facts about each item of the frame's first list, by its code; columns ``rules.FACTS``, and ``name``.

    ``figures``: rows of the board of all figures (indicator, group, value, ``<comparator>_verdict``); ``flags``: rows
    of ``flags.csv``; ``voice``: what people answered; ``changes``: since the last cycle, if there was one, else the
    trends of the series count. A fact for
    which there is nothing to count is missing, never 0: of promises, comparisons, changes and answers that were not
    there nothing is said.
    """
    judged = _promises(frame, figures, changes)
    told = flags_by_code(frame, flags, changes)
    rows = {
        item.code: _of_item(item, frame, flags, figures, judged, told, voice, changes, comparator)
        for item in headline_list(frame).items
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _of_item(
    item: Item,
    frame: Frame,
    flags: pd.DataFrame,
    figures: pd.DataFrame,
    judged: pd.DataFrame,
    told: pd.DataFrame,
    voice: Sequence[Mapping[str, Any]],
    changes: Changes | None,
    comparator: str,
) -> dict[str, Any]:
    own = figures[figures["indicator"].isin(item.indicators) & figures["value"].notna()]
    verdict = own[f"{comparator}_verdict"].astype("str")
    compared = int(verdict.isin(COMPARED).sum())
    promised = judged[judged["indicator"].isin(item.indicators)]
    moved = _moves(item, changes) if changes is not None else _trends(own)
    flagged = told[told["code"] == item.code]
    crude = by_code(frame, flags)
    crude = crude[crude["code"] == item.code]
    answers = [v for v in voice if v.get("indicator") in item.indicators and v.get("value") is not None]
    with_figure = own["indicator"].nunique()
    tested = len(moved)
    return {
        "name": item.name,
        "indicators": len(item.indicators),
        "with_figure": with_figure,
        "share_with_figure": with_figure / len(item.indicators) if item.indicators else np.nan,
        "promises": len(promised) or np.nan,
        "promises_missed": int((~promised["met"]).sum()) if len(promised) else np.nan,
        "promises_nearer": int(promised["nearer"].sum()) if len(promised) else np.nan,
        "compared": compared,
        "worse": int((verdict == "worse").sum()) if compared else np.nan,
        "better": int((verdict == "better").sum()) if compared else np.nan,
        "share_worse": (verdict == "worse").sum() / compared if compared else np.nan,
        "since": LAST_CYCLE if changes is not None else OWN_YEARS,
        "changes_tested": tested or np.nan,
        "worsened": int((moved == WORSENED).sum()) if tested else np.nan,
        "improved": int((moved == IMPROVED).sum()) if tested else np.nan,
        "share_worsened": (moved == WORSENED).sum() / tested if tested else np.nan,
        "comparisons": len(flagged) or np.nan,
        "flags_known": len(flagged),
        "flags": int(flagged["flagged"].sum()) if len(flagged) else np.nan,
        "share_flagged": flagged["flagged"].mean() if len(flagged) else np.nan,
        "flags_new": int(flagged["is_new"].sum()) if len(flagged) and changes is not None else np.nan,
        "flags_gone": int(flagged["is_gone"].sum()) if len(flagged) and changes is not None else np.nan,
        "watched": int((crude["status"] == WATCH).sum()),
        "answers": len(answers),
        **_disagreeing(answers),
    }


def _disagreeing(answers: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The share who do not agree, on the question that fares worst, and how many answered that."""
    if not answers:
        return {"share_disagree": np.nan, "answered": np.nan}
    worst = min(answers, key=lambda v: float(v["value"]))
    return {"share_disagree": 1 - float(worst["value"]) / 100, "answered": float(worst["n"])}


def _trends(own: pd.DataFrame) -> pd.Series:
    """Where there is no earlier edition: which way each series of five years or more goes."""
    if "verdict" not in own:
        return pd.Series(dtype="object")
    tested = own[own["verdict"].isin([RISING, FALLING, NOISE])]
    direction = tested["indicator"].map(lambda n: catalogue()[n].direction)
    up, higher = tested["verdict"] == RISING, direction == "higher"
    moved = pd.Series(np.where(up == higher, IMPROVED, WORSENED), index=tested.index, dtype="object")
    moved = moved.mask(direction == "neutral", ROSE)
    return moved.mask(tested["verdict"] == NOISE, NO_CLEAR)


def _moves(item: Item, changes: Changes) -> pd.Series:
    own = changes.figures[changes.figures["indicator"].isin(item.indicators)]
    return own.loc[own["verdict"].isin(MOVES), "verdict"]


def _promises(frame: Frame, figures: pd.DataFrame, changes: Changes | None) -> pd.DataFrame:
    """The promises that can be judged: whether met, and whether clearly nearer than in the last cycle."""
    rows = []
    for target in frame.targets:
        own = figures[(figures["indicator"] == target.indicator) & (figures["group"] == target.group)]
        own = own[own["value"].notna()]
        if own.empty:
            continue
        row = own.iloc[0]
        if target.kind == "rank":
            # a place is judged only where its plausible places all lie on one side
            limits = row.get("rank_lower"), row.get("rank_upper")
            if target.top is None or pd.isna(limits[0]) or limits[0] <= target.top < limits[1]:
                continue
            met = bool(limits[1] <= target.top)
        else:
            met = bool(row["value"] >= catalogue()[target.indicator].per - NEAR)
        rows.append({"indicator": target.indicator, "met": met, "nearer": _nearer(target, changes)})
    return pd.DataFrame(rows, columns=["indicator", "met", "nearer"]).astype({"met": bool, "nearer": bool})


def _nearer(target: Any, changes: Changes | None) -> bool:
    if changes is None:
        return False
    own = changes.figures
    own = own[(own["indicator"] == target.indicator) & (own["group"] == target.group)]
    return bool((own["verdict"] == IMPROVED).any())


def flags_by_code(frame: Frame, flags: pd.DataFrame, changes: Changes | None) -> pd.DataFrame:
    """The comparisons that speak to each code, one row each: ``flagged``; ``is_new``, ``is_gone`` beyond noise.

    Of those that could be flagged alone: a crude comparison is never more than to watch, and so says nothing here.
    """
    judged = flags[flags["status"].isin([*FLAGGED, WATCH, NO_EVIDENCE]) & flags["adjusted_risk_ratio"].notna()]
    found = by_code(frame, judged)
    found = found.assign(flagged=found["status"].isin(FLAGGED), is_new=False, is_gone=False)
    if changes is None:
        return found
    told = found.merge(changes.flags[[*FLAG_KEYS, "change", "beyond_noise"]], on=FLAG_KEYS, how="left")
    sure = told["beyond_noise"].fillna(False).astype(bool)
    return told.assign(is_new=(told["change"] == NEWLY) & sure, is_gone=(told["change"] == NO_LONGER) & sure)


def by_code(frame: Frame, flags: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``flags.csv``, each as often as there are items of the frame to which it speaks, with their ``code``."""
    pairs = flags[["outcome", "characteristic"]].drop_duplicates()
    codes = [codes_for(frame, o, c) for o, c in pairs.itertuples(index=False)]
    spoken = pairs.assign(code=pd.Series(codes, index=pairs.index, dtype="object")).explode("code").dropna()
    return spoken.merge(flags, on=["outcome", "characteristic"], how="inner")
