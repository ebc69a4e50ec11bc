"""Which counts of own records add up to which, so that the pack's pattern sees what each tells of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from jsna.evidence.local_values.specification import specification

GROUP_SUMS = (("all", "no_sen", "all_sen"), ("all_sen", "sen_support", "ehc_plan"))
Sum = tuple[str, tuple[str, ...], bool]


def sums_of(source: str, shown: Iterable[str], ways: pd.DataFrame) -> list[Sum]:
    """What adds up among the counts ``shown`` of a source: a whole, its parts, and whether these are all that it has.

    ``shown`` are keys ``count@group``. Wholes and parts of figures that are shares, the sums of ``local_values.yml`` in
    each group, and each count over the groups; what cannot be told of a whole is left out. ``ways`` as ``ways_of``.

    >>> sums_of("absence", ["enrolments@all", "persistent@all"], pd.DataFrame(columns=["brings"]))
    []
    """
    keys = sorted(set(shown))
    names, groups = ({k.partition("@")[i] for k in keys} for i in (0, 2))
    stated = [
        (f"{whole}@{g}", [f"{p}@{g}" for p in parts])
        for whole, *parts in specification()[source].get("sums", ())
        for g in sorted(groups)
    ]
    stated += [(f"{n}@{whole}", [f"{n}@{p}" for p in parts]) for n in sorted(names) for whole, *parts in GROUP_SUMS]
    found: dict[tuple[str, tuple[str, ...]], bool] = dict.fromkeys(
        ((d, (n,)) for n, d in _shares(source, ways) if {n, d} <= set(keys)), False
    )
    for whole, parts in stated:
        seen = tuple(p for p in parts if p in keys)
        if whole in keys and seen:
            found[whole, seen] = found.get((whole, seen), False) or len(seen) == len(parts) > 1
    return [(whole, parts, all_told) for (whole, parts), all_told in found.items()]


def _shares(source: str, ways: pd.DataFrame) -> list[tuple[str, str]]:
    """Numerator and denominator of each figure that is a share; events are no part of those to whom they happen."""
    own = ways[ways["brings"] == source] if len(ways) else ways
    events = specification()[source].get("events", ())
    if own.empty:
        return []
    pairs = own.loc[~own["measure"].isin(events), ["numerator", "denominator"]].itertuples(index=False, name=None)
    return [(n, d) for n, d in dict.fromkeys(pairs) if d and n != d]


def rest_of(whole: str, parts: Sequence[str]) -> str:
    """The key of what is left of a whole: a count of children like any other.

    >>> rest_of("decided@all", ["refused@all"])
    'decided without refused@all'
    """
    name, _, group = whole.partition("@")
    told = " or ".join(p.removesuffix(f"@{group}") for p in parts)
    return f"{name} without {told}@{group}"


def with_rests(counts: pd.DataFrame, sums: Iterable[Sum]) -> tuple[pd.DataFrame, list[tuple[str, tuple[str, ...]]]]:
    """Counts (``period``, ``key``, ``number``) with what is left of each whole, and the sums with it among the parts.

    Where all parts of a whole are told and nothing is left of it, there is no such row: that everything is told is a
    fact about the records. A sum of which the parts are somewhere more than their whole does not hold, and is left out.
    """
    wide = counts.pivot(index="period", columns="key", values="number")
    rows, held = [counts], []
    for whole, parts, all_told in sums:
        there = wide[[whole, *parts]].dropna()
        left = there[whole] - there[list(parts)].sum(axis="columns")
        if left.empty or (left < 0).any():
            continue
        rest = rest_of(whole, parts)
        left = left[left > 0] if all_told else left
        rows.append(left.rename("number").reset_index().assign(key=rest))
        held.append((whole, (*parts, rest) if len(left) else parts))
    return pd.concat(rows, ignore_index=True).astype({"number": "int64"}), held
