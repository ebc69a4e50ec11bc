"""Which small areas a cluster is made of, as the numbers expected tell it, and so what its count is the sum of."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from scipy.optimize import LinearConstraint, milp

from jsna.audit.facts import Cluster, Count, Facts
from jsna.audit.system import System

SECONDS = 2.0
IMPOSSIBLE = 2


def add_clusters(system: System, facts: Facts) -> None:
    """Add each cluster's count as a sum: of its small areas where only one choice of them fits, else within bounds."""
    if not facts.clusters:
        return
    low, high = system.bounds()
    inside: dict[Count, list[Count]] = defaultdict(list)
    for part, place in facts.inside.items():
        inside[place].append(part)
    for cluster in dict.fromkeys(facts.clusters):
        areas = [a for place, _, _ in cluster.parts for a in inside[place] if a.characteristic == cluster.fine]
        ends = [(low[system.index[a]], high[system.index[a]]) for a in areas]
        chosen = _only_choice(cluster, areas, facts, ends, _ends_of(system, cluster.count, low, high))
        if chosen is not None:
            terms: dict[object, float] = dict.fromkeys((areas[i] for i in chosen), 1.0)
            system.add({**terms, cluster.count: -1.0}, 0, 0, f"small areas of {cluster.count.label()}")
        else:
            _within_places(system, cluster, areas, ends, facts)


def _ends_of(system: System, count: Count, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    at = system.index.get(count)
    return (0.0, math.inf) if at is None or at >= low.size else (float(low[at]), float(high[at]))


def _only_choice(cluster: Cluster, areas, facts: Facts, ends, total: tuple[float, float]) -> tuple[int, ...] | None:
    """The one choice of small areas whose expected numbers make up the cluster's; nothing where several do, or none."""
    expected = [facts.expected.get(a) for a in areas]
    if cluster.expected is None or not areas or any(e is None for e in expected):
        return None
    told = np.array(expected, float)
    rows, lower, upper = [told[:, 0], told[:, 1]], [-math.inf, cluster.expected[0]], [cluster.expected[1], math.inf]
    counts = np.array(ends, float)
    rows += [counts[:, 0], counts[:, 1]]
    lower, upper = [*lower, -math.inf, total[0]], [*upper, total[1], math.inf]
    for place, some, _ in cluster.parts:
        rows.append(np.array([facts.inside[a] == place for a in areas], float))
        lower, upper = [*lower, some], [*upper, some]
    first = _choice(rows, lower, upper)
    if first is None or not first.size:
        return None
    another = _choice([*rows, np.where(first, 1.0, 0.0)], [*lower, -math.inf], [*upper, float(first.sum() - 1)])
    return None if another is not None else tuple(np.flatnonzero(first).tolist())


def _choice(rows, lower, upper) -> np.ndarray | None:
    """A choice that keeps to the rows; nothing when there is none, an empty one when that is not told in time."""
    matrix = np.vstack(rows)
    size = matrix.shape[1]
    answer = milp(
        np.zeros(size),
        constraints=LinearConstraint(matrix, lower, upper),
        bounds=(0, 1),
        integrality=np.ones(size),
        options={"time_limit": SECONDS},
    )
    if answer.x is not None:
        return answer.x > 0.5
    return None if answer.status == IMPOSSIBLE else np.array([], bool)


def _within_places(system: System, cluster: Cluster, areas, ends, facts: Facts) -> None:
    """A cluster's count as a sum of parts of places, each no more than the place and than its largest small areas."""
    parts: dict[object, float] = {}
    for place, some, all_ in cluster.parts:
        part = (cluster.count, place)
        parts[part] = 1.0
        here = [e for a, e in zip(areas, ends, strict=True) if facts.inside[a] == place]
        if len(here) == all_:
            system.bound(part, sum(sorted(e[0] for e in here)[:some]), sum(sorted(e[1] for e in here)[-some:]))
        system.add({part: 1.0, place: -1.0}, 0 if some == all_ else -math.inf, 0, f"part of {place.label()}")
    if parts:
        system.add({**parts, cluster.count: -1.0}, 0, 0, f"places of {cluster.count.label()}")
