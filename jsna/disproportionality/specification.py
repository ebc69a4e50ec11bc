"""How much does a ratio depend on choices that could have been made otherwise? The specification curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.adjusted import contrasts
from jsna.disproportionality.crude import ALL_OTHERS
from jsna.disproportionality.patterns import wanted_groups
from jsna.disproportionality.rule import make_rule
from jsna.disproportionality.study import LINES, Study, studies
from jsna.errors import MeasureError, Problem, did_you_mean

ALL_PUPILS = "all pupils"
NOT_ESTIMABLE = "not estimable by regression"
CHOICES = ("comparator", "adjustment", "censuses", "subset", "detail")


@dataclass(frozen=True)
class SpecificationCurve:
    """``table`` has one row a specification and group; ``summary`` one row a group."""

    table: pd.DataFrame
    summary: pd.DataFrame


def specification_curve(
    frame: pd.DataFrame,
    *,
    group: str,
    outcome: str,
    total: str,
    period: str,
    cluster: str,
    demographic: Sequence[str],
    deprivation: Sequence[str],
    known: str | None = None,
    reference: str | None = None,
    subsets: Mapping[str, pd.Series] | None = None,
    coarser: Mapping[str, str] | None = None,
    groups: Sequence[str] | None = None,
) -> SpecificationCurve:
    """Each group's ratio under every combination of choices: which choice moves it, and would another have turned it?

    Columns as in ``flags``. Choices: comparator (all others; ``reference``), adjustment (crude; age and sex; age, sex
    and deprivation), censuses (all; the latest), ``subsets`` (named masks of cells, such as without special schools),
    and detail (the groups; ``coarser`` maps each to a wider one, whose ratio is then shown in its place). ``groups``:
    only these (default: all known).

    ``table``: group, the five choices, risk_ratio, ``same_question`` (does the analysis ask what the flag asks, this
    group against all others) and ``status``: empty, or that there is no ratio. ``summary`` has a row a group: group,
    specifications (with a ratio; missing with all the rest where there is none), median_ratio, share_same_sign (of all,
    as the median), share_same_question (of those of the same question, as the main one), share_beyond (at least 1.25 or
    at most 0.80, on the median's side), moves_most (the choice that moves the log ratio most, by the largest difference
    of means) and moves_by (as a ratio).

    Raises ``MeasureError`` as ``flags`` does, and for a reference or a wider group that is not there. No interval is
    given: the specifications share their pupils. Source: Steegen and others 2016; Simonsohn, Simmons and Nelson 2020.
    """
    columns = {"group": group, "total": total, "period": period, "cluster": cluster, "known": known}
    columns |= {"demographic": demographic, "deprivation": deprivation, "subsets": subsets}
    [(_, fine)] = list(studies(frame, outcomes=[outcome], **columns))
    names = fine.patterns.groups
    if reference is not None and reference not in names:
        raise MeasureError(
            Problem(
                "The reference group is not among the groups.", value=reference, mend=did_you_mean(reference, names)
            )
        )
    wanted = names[fine.patterns.known] if groups is None else wanted_groups(names, groups)
    rows = [_rows(fine, wanted, wanted, reference, "groups")]
    if coarser:
        lost = [g for g in wanted if g not in coarser]
        if lost:
            raise MeasureError(*(Problem("No wider group is named for a group.", value=g) for g in lost))
        wide = frame.assign(**{group: frame[group].astype(object).map(lambda g: coarser.get(g, g))})
        [(_, broad)] = list(studies(wide, outcomes=[outcome], **columns))
        rows.append(_rows(broad, wanted, pd.Index([coarser[g] for g in wanted]), None, "wider groups"))
    table = pd.concat(rows, ignore_index=True)
    return SpecificationCurve(table, _summary(table).set_index("group").reindex(wanted).reset_index(names="group"))


def _rows(study: Study, names: pd.Index, inside: pd.Index, reference: str | None, detail: str) -> pd.DataFrame:
    """A row a specification and group; ``inside`` says under which name each group stands in this study."""
    latest = len(study.periods) - 1
    at = study.patterns.groups.get_indexer(inside)
    parts = []
    for comparator in (ALL_OTHERS, *([reference] if reference is not None else [])):
        for period in (None, latest) if latest else (None,):
            for subset in ("", *study.subsets):
                for line in LINES:
                    made = study.fit(line, period, subset)
                    values = np.full(len(names), np.nan)
                    if made is not None:
                        values = contrasts(made, None if comparator == ALL_OTHERS else comparator)[0][at]
                    parts.append(
                        pd.DataFrame(
                            {
                                "group": names,
                                "comparator": comparator,
                                "adjustment": line,
                                "censuses": "all" if period is None else "latest",
                                "subset": subset or ALL_PUPILS,
                                "detail": detail,
                                "risk_ratio": np.exp(values),
                            }
                        )
                    )
    table = pd.concat(parts, ignore_index=True)
    table = table[table["group"] != table["comparator"]]
    ratio = table["risk_ratio"]
    return table.assign(
        same_question=(table["comparator"] == ALL_OTHERS) & (detail == "groups"),
        status=np.where(ratio.notna(), "", NOT_ESTIMABLE),
    )


def agreement(study: Study, side: NDArray) -> tuple[NDArray, int]:
    """Share of the analyses of the same question that lie on ``side`` (+1 above 1, −1 below), and how many are made."""
    latest = len(study.periods) - 1
    values = np.array(
        [
            study.log_ratio(line, period, subset)
            for subset in ("", *study.subsets)
            for period in ((None, latest) if latest else (None,))
            for line in LINES
        ]
    )
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return (known & (values * side > 0)).sum(axis=0) / known.sum(axis=0), len(values)


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    usable = table[np.isfinite(table["risk_ratio"]) & (table["risk_ratio"] > 0)]
    usable = usable.assign(log=np.log(usable["risk_ratio"]))
    rule = make_rule()
    by = usable.groupby("group", sort=False)
    median = by["log"].median()
    side = np.sign(usable["group"].map(median))
    beyond = rule.beyond_size(usable["risk_ratio"].to_numpy()) & (np.sign(usable["log"]) == side)
    is_main = usable["same_question"] & (usable["adjustment"] == "adjusted") & (usable["censuses"] == "all")
    main = usable[is_main & (usable["subset"] == ALL_PUPILS)].set_index("group")["log"]
    asked = usable[usable["same_question"]]
    same = (np.sign(asked["log"]) == np.sign(asked["group"].map(main))).groupby(asked["group"], sort=False).mean()
    moves = pd.DataFrame({choice: _moved(usable, choice) for choice in CHOICES}).reindex(median.index).fillna(0.0)
    return pd.DataFrame(
        {
            "group": median.index,
            "specifications": by.size().to_numpy(),
            "median_ratio": np.exp(median).to_numpy(),
            "share_same_sign": (np.sign(usable["log"]) == side).groupby(usable["group"], sort=False).mean().to_numpy(),
            "share_same_question": same.reindex(median.index).to_numpy(),
            "share_beyond": pd.Series(beyond, usable.index).groupby(usable["group"], sort=False).mean().to_numpy(),
            "moves_most": moves.idxmax(axis=1).to_numpy(),
            "moves_by": np.exp(moves.max(axis=1)).to_numpy(),
        }
    )


def _moved(usable: pd.DataFrame, choice: str) -> pd.Series:
    """How far apart the mean log ratios of a choice's options lie, at most, for each group."""
    means = usable.groupby(["group", choice], sort=False)["log"].mean().groupby("group", sort=False)
    return means.max() - means.min()
