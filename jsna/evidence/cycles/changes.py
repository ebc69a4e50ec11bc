"""What the last cycle said, what is true now, and is the change beyond noise? Whole tables at once.

A figure is compared with the same indicator and group of the edition before, from counts where both have them. Where
the series broke, the definition or the origin changed, or an earlier figure has been revised, that is said instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jsna.disproportionality.rule import FLAGGED, NOT_SHOWN
from jsna.evidence.catalogue import Catalogue, catalogue
from jsna.evidence.cycles.decisions import Action
from jsna.evidence.cycles.edition import FLAG_KEYS, KEYS, Edition, history_of
from jsna.evidence.differences import BETTER, HIGHER, LOWER, WORSE, from_whole, verdicts
from jsna.evidence.values.periods import year_of
from jsna.measures import false_discovery
from jsna.measures.columns import normal_quantile

IMPROVED, WORSENED, ROSE, FELL = "improved", "worsened", "rose", "fell"
NO_CLEAR, UNTESTED, SAME_PERIOD = "no clear change", "not tested", "no newer figure"
NEW, GONE, NOT_COMPARABLE = "new figure", "no figure now", "not comparable"
NEWLY, NO_LONGER, STILL = "newly flagged", "no longer flagged", "still flagged"
_WORDS = {BETTER: IMPROVED, WORSE: WORSENED, HIGHER: ROSE, LOWER: FELL}
ROUNDING = {"count": 0.5}
REVISION = 0.051  # figures are kept with one decimal: a difference within rounding is no revision


CHANGED = (
    *KEYS,
    *(f"{side}_{c}" for side in ("old", "new") for c in ("period", "value", "numerator", "denominator")),
    *("difference", "lower", "upper", "p_value", "q_value", "revised", "verdict", "why"),
)


@dataclass(frozen=True)
class Changes:
    """What has changed between two editions of one area.

    ``figures``: one row an indicator and group of either edition; ``flags``: one row a comparison of either; ``voice``:
    one row a question and kind of people who answered; ``projections``: one row a projected figure that has come true
    or not; ``decisions``: one row an action that was decided, with the change of the indicator by which it was to be
    seen.
    """

    old: Edition
    new: Edition
    figures: pd.DataFrame
    flags: pd.DataFrame
    voice: pd.DataFrame
    projections: pd.DataFrame
    decisions: pd.DataFrame


def changes_between(old: Edition, new: Edition, *, confidence: float = 0.95) -> Changes:
    """Everything that changed from one edition of an area to the next."""
    figures = changed_figures(old.figures, new.figures, confidence=confidence)
    return Changes(
        old=old,
        new=new,
        figures=figures,
        flags=changed_flags(old.flags, new.flags, confidence=confidence),
        voice=changed_answers(old, new),
        projections=projections_come_true(old, new),
        decisions=decisions_followed(old, figures),
    )


def changed_figures(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    confidence: float = 0.95,
    known: Catalogue | None = None,
) -> pd.DataFrame:
    """Latest figures of two editions side by side.

    ``old``, ``new``: as ``Edition.figures``. One row an indicator and group of either. Columns: those two, then
    ``old_`` and ``new_`` ``period``, ``value``, ``numerator``, ``denominator``; ``difference``, ``lower``, ``upper``
    (in the indicator's unit), ``p_value``, ``q_value``; ``revised`` (what the earlier figure is now said to have been,
    else missing), ``verdict`` and ``why``. A verdict of a move allows for how many were tested (Benjamini–Hochberg).
    """
    known = known or catalogue()
    both = old.merge(new, on=KEYS, how="outer", suffixes=("_old", "_new"), indicator="side")
    both = both[both["indicator"].isin(list(known.indicators))].reset_index(drop=True)
    if both.empty:
        return pd.DataFrame(columns=list(CHANGED))
    found = _tested(both, known, confidence)
    why = _not_comparable(both, known)
    there = both[["value_old", "value_new"]].notna()
    same = both["period_old"] == both["period_new"]
    comparable = there.all(axis=1) & ~same & (why == "")
    p = found["p_value"].where(comparable)
    q = false_discovery(p)
    direction = both["indicator"].map(lambda n: known[n].direction)
    moved = verdicts(found, direction, q < 1 - confidence).map(lambda v: _WORDS.get(v, NO_CLEAR))
    verdict = pd.Series(
        np.select(
            [
                ~there["value_old"] & ~there["value_new"],
                ~there["value_old"],
                ~there["value_new"],
                same,
                why != "",
                p.isna(),
            ],
            [GONE, NEW, GONE, SAME_PERIOD, NOT_COMPARABLE, UNTESTED],
            moved,
        ),
        index=both.index,
    )
    sides = {
        f"{side}_{c}": both[f"{c}_{side}"]
        for side in ("old", "new")
        for c in ("period", "value", "numerator", "denominator")
    }
    limits = found[["lower", "upper"]].where(comparable, axis="index")
    return pd.DataFrame(
        {
            **{k: both[k] for k in KEYS},
            **sides,
            "difference": (both["value_new"] - both["value_old"]).where(comparable),
            "lower": limits["lower"],
            "upper": limits["upper"],
            "p_value": p,
            "q_value": q,
            "revised": _revised(both, history_of(new), known),
            "verdict": verdict,
            "why": why.where(verdict == NOT_COMPARABLE, ""),
        }
    )


def _tested(both: pd.DataFrame, known: Catalogue, confidence: float) -> pd.DataFrame:
    """The difference new less old with limits and p-value, from counts: as of an area beside another one."""
    names = both["indicator"]
    kind = names.map(lambda n: known[n].kind)
    repeats = names.map(lambda n: known[n].interval == "overdispersed")
    sides = []
    for side in ("new", "old"):
        x, n = both[f"numerator_{side}"], both[f"denominator_{side}"]
        stock = kind == "count"
        sides.append(
            pd.DataFrame(
                {
                    "numerator": both[f"value_{side}"].where(stock, x),
                    "denominator": n.mask(stock, 1.0),
                    "value": both[f"value_{side}"],
                    "kind": kind.mask(stock, "event_rate"),
                    "per": names.map(lambda n: known[n].per).astype("float64").mask(stock, 1.0),
                    "way": "counts",
                    "origin": "two editions",  # neither holds the other: nothing is taken out
                    "phi": 1.0,
                }
            )
        )
    return from_whole(sides[0], sides[1], confidence).mask(repeats, axis="index")


def _not_comparable(both: pd.DataFrame, known: Catalogue) -> pd.Series:
    """Why two figures of one indicator cannot be compared; empty where they can."""
    years = [
        both[f"period_{s}"].map(lambda p: year_of(p) if isinstance(p, str) and p else np.nan) for s in ("old", "new")
    ]
    broken = [
        next((b.why for b in reversed(known[name].breaks) if before < year_of(b.period) <= now), "")
        for name, before, now in zip(both["indicator"], *years, strict=True)
    ]
    origin = both["origin_old"].fillna("") != both["origin_new"].fillna("")
    version = both["version_old"].fillna("") != both["version_new"].fillna("")
    return pd.Series(
        np.select(
            [np.array(broken, dtype=object) != "", version, origin],
            [np.array(broken, dtype=object), "The definition has changed.", "It comes from another kind of source."],
            "",
        ),
        index=both.index,
    )


def _revised(both: pd.DataFrame, history: pd.DataFrame, known: Catalogue) -> pd.Series:
    """What the earlier figure is said to have been now, where that differs by more than rounding."""
    then = history.drop_duplicates([*KEYS, "period", "origin"], keep="last").rename(columns={"value": "now"})
    found = both.merge(
        then, left_on=[*KEYS, "period_old", "origin_old"], right_on=[*KEYS, "period", "origin"], how="left"
    )["now"].set_axis(both.index)
    least = both["indicator"].map(lambda n: ROUNDING.get(known[n].kind, REVISION))
    return found.where((found - both["value_old"]).abs() > least)


def changed_flags(old: pd.DataFrame, new: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """The comparisons of two editions side by side, one row a place, outcome, characteristic and group of either.

    The ratios are the adjusted ones where both editions have them, else the crude ones; the test of their change takes
    the two as independent. Children who are in both make them alike, so that it finds a change too rarely, not too
    often. Columns: ``FLAG_KEYS``, ``old_`` and ``new_`` ``status``, ``ratio``, ``period``; ``ratio_of_ratios`` with
    limits, ``q_value``, ``change`` (in words) and ``beyond_noise``.
    """
    z = normal_quantile(confidence)
    sides = [rows.drop_duplicates(FLAG_KEYS, keep="last") for rows in (old, new)]
    both = sides[0].merge(sides[1], on=FLAG_KEYS, how="outer", suffixes=("_old", "_new"))
    adjusted = both[["adjusted_risk_ratio_old", "adjusted_risk_ratio_new"]].notna().all(axis=1)
    logs, errors = [], []
    made: dict[str, Any] = {}
    for side in ("old", "new"):
        ratio, lower, upper = (
            both[f"adjusted_{a}_{side}"].where(adjusted, both[f"{b}_{side}"])
            for a, b in (("risk_ratio", "risk_ratio"), ("lower", "risk_ratio_lower"), ("upper", "risk_ratio_upper"))
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            logs.append(np.log(ratio))
            errors.append((np.log(upper) - np.log(lower)) / (2 * z))
        made |= {f"{side}_status": both[f"status_{side}"].fillna(""), f"{side}_ratio": ratio}
        made[f"{side}_period"] = both[f"period_{side}"].fillna("")
    move, error = logs[1] - logs[0], np.hypot(errors[0], errors[1])
    usable = np.isfinite(move) & np.isfinite(error) & (error > 0)
    p = _two_sided((move / error).where(usable))
    q = false_discovery(p)
    changed = [_change(a, b) for a, b in zip(made["old_status"], made["new_status"], strict=True)]
    return pd.DataFrame(
        {
            **{k: both[k] for k in FLAG_KEYS},
            **made,
            "ratio_of_ratios": np.exp(move.where(usable)),
            "lower": np.exp((move - z * error).where(usable)),
            "upper": np.exp((move + z * error).where(usable)),
            "q_value": q,
            "change": pd.Series(changed, index=both.index, dtype="object"),
            "beyond_noise": (q < 1 - confidence) & usable,
        }
    )


def _two_sided(score: pd.Series) -> pd.Series:
    from scipy.special import ndtr

    return pd.Series(2 * ndtr(-score.abs()), index=score.index)


def _change(old: str, new: str) -> str:
    """What became of a flag, in words.

    >>> _change("over-identified", "no evidence"), _change("", "under-identified")
    ('no longer flagged', 'flagged, and not compared before')
    """
    if NOT_SHOWN in (old, new):
        return "not shown in one edition"
    if new in FLAGGED:
        if not old:
            return "flagged, and not compared before"
        return STILL if old == new else "flagged the other way" if old in FLAGGED else NEWLY
    if old in FLAGGED:
        return NO_LONGER if new else "flagged before, and not compared now"
    return "not flagged in either" if old and new else "compared in one edition"


def changed_answers(old: Edition, new: Edition) -> pd.DataFrame:
    """Answers of two editions side by side, one row an indicator and kind of people of either.

    Shares are of those who answered, weighted where the survey was; the limits of the difference join those of the two
    shares (Newcombe's way: MOVER), which are as wide as the weights ask for. Columns: indicator, group, ``old_`` and
    ``new_`` ``value``, ``n`` and ``wave``; difference, lower, upper, verdict. Another question of the same indicator is
    not the same answer: where its words have changed nothing is compared.
    """
    columns = [*KEYS, "value", "lower", "upper", "n", "wave", "question"]
    sides = [pd.DataFrame(list(e.voice)).reindex(columns=columns).drop_duplicates(KEYS) for e in (old, new)]
    both = sides[0].merge(sides[1], on=KEYS, how="outer", suffixes=("_old", "_new"))
    then, now = ({c: both[f"{c}_{s}"].astype("float64") for c in ("value", "lower", "upper")} for s in ("old", "new"))
    difference = now["value"] - then["value"]
    lower = difference - np.hypot(now["value"] - now["lower"], then["upper"] - then["value"])
    upper = difference + np.hypot(now["upper"] - now["value"], then["value"] - then["lower"])
    same = both["question_old"].fillna("") == both["question_new"].fillna("")
    verdict = np.select(
        [then["value"].isna(), now["value"].isna(), ~same, lower > 0, upper < 0],
        [NEW, GONE, NOT_COMPARABLE, IMPROVED, WORSENED],
        NO_CLEAR,
    )
    sides_told = {f"{s}_{c}": both[f"{c}_{s}"] for s in ("old", "new") for c in ("value", "n", "wave")}
    return both[KEYS].assign(**sides_told, difference=difference, lower=lower, upper=upper, verdict=verdict)


def projections_come_true(old: Edition, new: Edition) -> pd.DataFrame:
    """The old edition's projections beside what came: ``actual`` and whether it lay ``within`` the 80% range.

    What came is the new edition's observed figure of the same measure, part and period.
    Columns: measure, part, period, value, lower_80, upper_80, actual, within.
    """
    columns = ["measure", "part", "period", "value", "lower_80", "upper_80"]
    told = pd.DataFrame(list(old.projections))
    if told.empty or not set(columns) <= set(told):
        return pd.DataFrame(columns=[*columns, "actual", "within"])
    if "scenario" in told:
        told = told[told["scenario"].isin(["", "trend"])]
    observed = pd.DataFrame([p for p in new.projections if p.get("scenario") == "observed"])
    actual = pd.Series(np.nan, index=told.index)
    if not observed.empty:
        lookup = observed.drop_duplicates(columns[:3]).set_index(columns[:3])["value"]
        actual = pd.Series(lookup.reindex(pd.MultiIndex.from_frame(told[columns[:3]])).to_numpy("float64"), told.index)
    found = told[columns].assign(actual=actual)
    # what is hidden differs between editions, so such a rest is not the same group in both
    found = found[~found["part"].astype("str").str.contains("hidden")]
    found = found[found["actual"].notna()]
    return found.assign(within=found["actual"].between(found["lower_80"], found["upper_80"])).reset_index(drop=True)


def decisions_followed(old: Edition, figures: pd.DataFrame) -> pd.DataFrame:
    """What the board decided on the old edition, one row an action, and how its measure has moved since.

    Columns: priority, name, decision, owner, what, by, indicator, group, verdict, then the columns of the change. A
    decision without an action, or an action without a measure, has a row without a figure: it cannot be answered for.
    """
    rows = [
        {
            "priority": d.priority,
            "name": d.name,
            "decision": d.decision,
            "owner": d.owner,
            "what": a.what,
            "by": a.by,
            "indicator": a.measure,
            "group": a.group if a.measure else "",
        }
        for d in (old.decisions.made if old.decisions else ())
        for a in (d.actions or (Action(),))
    ]
    names = ["priority", "name", "decision", "owner", "what", "by", *KEYS]
    return pd.DataFrame(rows, columns=names).merge(figures, on=KEYS, how="left")
