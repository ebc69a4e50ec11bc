"""From statements to one system: sums over groups, measures that add up, places, figures against others."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from scipy.stats import norm

from jsna.audit.against import add_against
from jsna.audit.clusters import add_clusters
from jsna.audit.facts import Count, Facts
from jsna.audit.rules import rules
from jsna.audit.system import MOST, System, fixed

REST = "in no group that is listed"
KNOWN = "all of known group"
CLUSTER = "cluster"
NO_GROUPS = ("", "(not known)", "(all of known group)")


WAYS = {
    "against": "a ratio, a gap or a rate of all others",
    "shares": "percentages and their limits",
    "measures": "measures that add up",
    "places": "groups or places inside others",
}


def system_of(facts: Facts, without: str = "") -> System:
    """All that the published tables say about their counts, as one system; ``without`` one of ``WAYS``."""
    system = System()
    for count, (value, _) in facts.shown.items():
        system.bound(count, value, value)
    for count, told in facts.changed.items():
        for ends in told:
            system.bound(count, ends.lower, ends.upper)
    for count, most in facts.few.items():
        system.bound(count, 0, most)
    for count, lower, upper in facts.known:
        system.bound((KNOWN, count._replace(group="")), lower, upper)
    families = _families(facts)
    bases = _bases(facts)
    for count, base in bases.items():
        system.add({count: 1, base: -1}, -math.inf, 0, "counted among its base")
    for whole, groups in families.items():
        _margin(system, whole, groups, bases)
    for whole, characteristic in _complete(facts, families, bases):
        system.bound((REST, whole, characteristic), 0, 0)
    if without != "measures":
        _measures(system, facts)
    if without != "places":
        _gathered(system, facts)
        _inside(system, facts)
        add_clusters(system, facts)
    if without != "shares":
        _shares(system, facts)
    for count in facts.unknown:
        whole, known = _ends(count)
        system.add({whole: 1, known: -1, count: -1}, 0, 0, "children whose group is not known")
    for known, lower, upper in facts.known_share if without != "shares" else ():
        for value, least, most in ((lower, 0.0, math.inf), (upper, -math.inf, 0.0)):
            system.add({(KNOWN, known): 100.0, known.whole: -value}, least, most, "children whose group is known")
    for known, missing in facts.all_but:
        system.add({known.whole: 1.0, (KNOWN, known): -1.0}, 0, missing, "children whose group is known")
    if without != "against":
        add_against(system, facts, lambda count: (KNOWN, count._replace(group="")))
    if without != "shares":
        _limits(system, facts)
    return system


def _ends(count: Count) -> tuple[Count, tuple[str, Count]]:
    """The count of all children, and of all whose group of this characteristic is known."""
    return count.whole, (KNOWN, count._replace(group=""))


def _families(facts: Facts) -> dict[tuple[Count, str], list[Count]]:
    """Counts that are groups of one characteristic of one measure, by the whole that they are parts of."""
    found: dict[tuple[Count, str], list[Count]] = defaultdict(list)
    for count in facts.mentioned:
        if count.characteristic not in ("", CLUSTER) and count.group not in NO_GROUPS:
            found[count.whole, count.characteristic].append(count)
    return found


def _bases(facts: Facts) -> dict[Count, Count]:
    """Of whom each count counts some, that of all children too."""
    bases = {c: b for c, b in facts.mentioned.items() if b is not None and c.group not in NO_GROUPS[1:]}
    return bases | {c.whole: b.whole for c, b in bases.items()}


def _complete(facts: Facts, families, bases: dict[Count, Count]) -> list[tuple[Count, str]]:
    """Characteristics whose groups a reader takes for everybody: no total is published, and no other has more."""
    wholes = {b for c, b in bases.items() if not c.characteristic and b not in facts.shown}
    found = []
    for whole in wholes:
        sums = {
            key: sum(facts.shown[g][0] for g in groups)
            for key, groups in families.items()
            if key[0] == whole and key in facts.listed and all(g in facts.shown for g in groups)
        }
        found += [key for key, total in sums.items() if total == max(sums.values())]
    return found


def _margin(system: System, key, groups: list[Count], bases: dict[Count, Count]) -> None:
    """The groups and a rest make the whole; those of known group make what others are compared with."""
    whole, characteristic = key
    rest, known = (REST, whole, characteristic), (KNOWN, whole._replace(characteristic=characteristic))
    system.add(
        {**dict.fromkeys(groups, 1.0), rest: 1.0, whole: -1.0}, 0, 0, f"sum over {characteristic}: {whole.label()}"
    )
    listed = [g for g in groups if g.group not in rules()["unknown_groups"]]
    known_rest = (REST, KNOWN, whole, characteristic)
    system.add({**dict.fromkeys(listed, 1.0), known_rest: 1.0, known: -1.0}, 0, 0, f"known {characteristic}")
    system.add({known_rest: 1.0, rest: -1.0}, -math.inf, 0, f"known {characteristic}")
    base = bases.get(whole)
    if base is not None:
        of_rest = (REST, base, characteristic)
        system.add({rest: 1.0, of_rest: -1.0}, -math.inf, 0, f"rest of {characteristic}")
        system.add(
            {known_rest: 1.0, (REST, KNOWN, base, characteristic): -1.0}, -math.inf, 0, f"rest of {characteristic}"
        )


def _inside(system: System, facts: Facts) -> None:
    """Small places that make up a larger one."""
    inside: dict[tuple[Count, str], list[Count]] = defaultdict(list)
    for part, place in facts.inside.items():
        inside[place, part.characteristic].append(part)
    for (place, fine), parts in inside.items():
        rest, base = (REST, place, fine), facts.mentioned.get(parts[0])
        system.add({**dict.fromkeys(parts, 1.0), rest: 1.0, place: -1.0}, 0, 0, f"places inside {place.label()}")
        if base is not None:
            system.add({rest: 1.0, (REST, place.of(base.outcome), fine): -1.0}, -math.inf, 0, "places inside")


def _measures(system: System, facts: Facts) -> None:
    """Measures that add up to another, in every group and for all children."""
    there = set(facts.mentioned) | {c.whole for c in facts.mentioned}
    for rule in rules()["sums"]:
        names = {rule["whole"], *rule["parts"]}
        for one in {c.of(rule["whole"]) for c in there if c.outcome in names}:
            parts = [one.of(p) for p in rule["parts"] if one.of(p) in there]
            if not parts:
                continue
            terms: dict[object, float] = {**dict.fromkeys(parts, 1.0), one: -1.0}
            exact = rule["exact"] and len(parts) == len(rule["parts"])
            why = f"{rule['whole']} = {' + '.join(rule['parts'][:2])} …: {one.label()}"
            system.add(terms, 0 if exact else -math.inf, 0, why)


def _gathered(system: System, facts: Facts) -> None:
    """Groups of a coarse characteristic as sums of groups of a fine one."""
    for rule in rules()["gathered"]:
        for coarse in [c for c in facts.mentioned if c.characteristic == rule["coarse"]]:
            names = rule["groups"].get(coarse.group, [])
            fine = [coarse._replace(characteristic=rule["fine"], group=n) for n in names]
            parts = [f for f in fine if f in facts.mentioned]
            if not parts:
                continue
            rest = (REST, coarse, rule["fine"])
            terms = {**dict.fromkeys(parts, 1.0), rest: 1.0, coarse: -1.0}
            system.add(terms, 0, 0, f"{coarse.characteristic} of {rule['fine']}: {coarse.label()}")
            base = facts.mentioned[coarse]
            if base is not None:
                system.add({rest: 1.0, (REST, base, rule["fine"]): -1.0}, -math.inf, 0, "groups gathered")


def _shares(system: System, facts: Facts) -> None:
    """100 counted / all lies between two ends: two sums of counts, whatever all are (the number shown, if rounded)."""
    for told in facts.told:
        if told.side != "share" or told.of_changed or told.count in facts.changed or told.count == told.whole:
            continue
        why = f"{told.cell.file}, {told.cell.column}"
        whole = facts.seen(told.whole) if told.whole in facts.changed else None
        for value, lower, upper in ((told.lower, 0.0, math.inf), (told.upper, -math.inf, 0.0)):
            if whole is None:
                system.add({told.count: 100.0, told.whole: -value}, lower, upper, why)
            else:
                system.add({told.count: 100.0}, lower + value * whole, upper + value * whole, why)


def _limits(system: System, facts: Facts) -> None:
    """Limits of an interval, turned back into the counts that give them."""
    limits = [t for t in facts.told if t.side != "share" and facts.of_true(t) and t.count not in facts.shown]
    low, high = system.bounds() if limits else (np.array([]), np.array([]))
    for limit in limits:
        base = fixed(system, limit.whole, low, high)
        if not base or base >= MOST:
            continue
        counts = np.arange(base + 1)
        at = wilson(counts, base)[limit.side == "share_high"] * 100
        fits = np.flatnonzero((at >= limit.lower - 1e-6) & (at <= limit.upper + 1e-6))
        if fits.size:
            system.bound(limit.count, float(fits[0]), float(fits[-1]))


def wilson(counts: np.ndarray, base: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95% limits of counts out of a base, as shares (Wilson 1927)."""
    z = norm.ppf(0.975)
    share = counts / base
    middle = (share + z**2 / (2 * base)) / (1 + z**2 / base)
    half = z / (1 + z**2 / base) * np.sqrt(share * (1 - share) / base + z**2 / (4 * base**2))
    return middle - half, middle + half
