"""The pattern of a pack: what is hidden over all its tables at once, made once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disclosure import PackPattern, Policy, names_of
from jsna.disclosure.approximate import approximate
from jsna.disclosure.cells import system_of
from jsna.disclosure.suppression import Pattern, protect_jointly
from jsna.linked import cases, indicators, places, pupils, voice
from jsna.linked.plan import Plan, together

if TYPE_CHECKING:
    from jsna.area import Area


def plan_of(area: Area) -> Plan:
    """Every table of true counts that the area's chapters can show."""
    of_lists = (indicators.plan(area), cases.plan(area), voice.plan(area))
    return together([pupils.plan(area), places.plan(area), *of_lists])


def pattern_of(area: Area, policy: Policy) -> PackPattern:
    """What each count of the area's pack may be shown as under a policy."""
    return pattern_of_plan(plan_of(area), policy)


def pattern_of_plan(plan: Plan, policy: Policy) -> PackPattern:
    """What each count of a plan may be shown as: the sources each by itself, for no child of one is in another."""
    return joined([protected(plan, source, policy) for source in sorted({t.source for t in plan.tables})])


def protected(plan: Plan, source: str, policy: Policy) -> PackPattern:
    """The pattern of the tables of one source: no child of one is counted in another."""
    tables = [t for t in plan.tables if t.source == source]
    system = system_of(tables, classifications=plan.classifications())
    if policy.zeros == "shown":
        counts = system.cells.unseal("to see where nobody is")["count"].to_numpy()
        system = replace(system, structural=system.structural | (counts == 0))
    of_source = replace(policy, threshold=policy.threshold_of(source))
    pattern = protect_jointly(system, of_source, strict=False)
    return named(pattern, approximate(pattern, of_source))


def joined(patterns: Sequence[PackPattern]) -> PackPattern:
    """The patterns of several sources as one."""
    return PackPattern(
        pd.concat([p.hidden for p in patterns]),
        pd.concat([p.base for p in patterns]),
        tuple(problem for p in patterns for problem in p.problems),
    )


def named(pattern: Pattern, bases: NDArray[np.int64]) -> PackPattern:
    """A pattern of the joint engine, and the bases to which cells may be rounded, by the names of the counts."""
    system = pattern.system
    cells = system.cells.unseal("to name what is hidden")[system.shown]
    variables = [c for c in cells if c not in ("source", "period", "count", "part")]
    parts = [
        names_of(rows.index, str(source), period=rows["period"], **{v: rows[v] for v in variables})
        for source, rows in cells.groupby("source")
    ]
    names = pd.concat(parts).reindex(cells.index).to_numpy()
    hidden = pd.Series(pattern.hidden[system.shown], index=names, dtype="bool")
    base = pd.Series(bases[system.shown], index=names, dtype="int64")
    return PackPattern(hidden.sort_index(), base.sort_index(), tuple(str(p) for p in pattern.problems))
