"""Which counts of own records add up to which, so that the gate sees what each shown count tells of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from jsna.evidence.local_values.specification import specification

TERM_COLUMNS = ("world", "sum", "key", "sign")
COUNT_COLUMNS = ("world", "key", "count", "first")
GROUP_SUMS = (
    ("all", "no_sen", "all_sen"),
    ("all_sen", "sen_support", "ehc_plan"),
    ("all", "no_sen", "sen_support", "ehc_plan"),
)
SEN = ("sen_support", "ehc_plan")
Sums = dict[tuple[str, tuple[str, ...]], bool]


def terms_of(counts: pd.DataFrame, ways: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What adds up among the counts that ``ways`` use, and the counts with every rest that is shown nowhere.

    ``counts`` has world, brings, group, count (its name), key and number. Returns the terms of the sums
    (``TERM_COLUMNS``) and the counts used (``COUNT_COLUMNS``: ``first`` those that are hidden before others). What is
    left of a whole is a count too: whoever knows the whole and the parts knows it.
    """
    terms: list[tuple[str, int, str, int]] = []
    used: list[tuple[str, str, int, bool]] = []
    for world, here in counts.groupby("world", sort=False):
        numbers, sources = here.set_index("key")["number"], here["brings"].unique()
        own = ways[ways["brings"].isin(sources) & ways["numerator"].isin(numbers.index)]
        shown = {*own["numerator"], *own["denominator"], *own["rests_on"]} & set(numbers.index)
        pairs = _shares(own[own["denominator"].isin(numbers.index)])
        sums = dict.fromkeys(pairs, True) | _stated(here, shown) | _same(sources, set(numbers.index))
        rests = set()
        for (whole, parts), left in sums.items():
            signs = [(whole, 1), *((part, -1) for part in parts)]
            shown |= {whole, *parts}
            if left:
                rest = _rest(whole, parts)
                rests.add(rest)
                signs.append((rest, -1))
                used.append((str(world), rest, int(numbers[whole] - numbers[list(parts)].sum()), False))
            terms += _row(terms, world, signs)
        for signs in _of_rests(pairs, rests):
            terms += _row(terms, world, signs)
        first = {name for source in sources for name in specification()[source].get("give_up", ())}
        used += [(str(world), key, int(numbers[key]), key.partition("@")[0] in first) for key in sorted(shown)]
    return pd.DataFrame(terms, columns=list(TERM_COLUMNS)), pd.DataFrame(used, columns=list(COUNT_COLUMNS))


def _row(terms: list, world: object, signs: Iterable[tuple[str, int]]) -> list[tuple[str, int, str, int]]:
    """The terms of one sum, under a number that no other has."""
    return [(str(world), len(terms), key, sign) for key, sign in signs]


def _shares(ways: pd.DataFrame) -> list[tuple[str, tuple[str, ...]]]:
    """Wholes and parts of figures that are shares; events are no part of those to whom they happen."""
    events = [m in specification()[b].get("events", ()) for b, m in zip(ways["brings"], ways["measure"], strict=True)]
    shares = ways[~pd.Series(events, index=ways.index, dtype="bool")]
    found = zip(shares["numerator"], shares["denominator"], strict=True)
    return [(d, (n,)) for n, d in dict.fromkeys(found) if n != d]


def _stated(here: pd.DataFrame, shown: set[str]) -> Sums:
    """Wholes with those of their parts that are shown: whether something of the whole is then left unseen.

    Where every part is shown, what is left are those of whom the records do not say it: that is taken to be known.
    """
    there, found = set(here["key"]), {}
    for source, counts in here.groupby("brings", sort=False):
        for whole, parts in _sums_of(str(source), counts, shown):
            seen = tuple(p for p in parts if p in shown)
            if whole in there and seen and (whole in shown or len(seen) > 1):
                found[whole, seen] = len(seen) == 1 or len(seen) < len([p for p in parts if p in there])
    return found


def _sums_of(source: str, counts: pd.DataFrame, shown: set[str]) -> list[tuple[str, Sequence[str]]]:
    """Every sum of a source: those of its file, in each group, and each count over the groups."""
    names, groups = sorted(set(counts["count"])), sorted(set(counts["group"]))
    stated: list[tuple[str, Sequence[str]]] = [
        (f"{whole}@{g}", [f"{p}@{g}" for p in parts])
        for whole, *parts in specification()[source].get("sums", ())
        for g in groups
    ]
    if source == "pupils":
        needs = [n for n in names if n.startswith("need_")]
        stated += [(f"pupils@{g}", [f"{n}@{g}" for n in needs]) for g in SEN]
        # A need that is shown of one provision alone is a part of all SEN by that.
        split = [n for n in needs if f"{n}@all_sen" not in shown and shown & {f"{n}@{g}" for g in SEN}]
        parts = [f"{n}@{g}" for n in needs for g in (SEN if n in split else ("all_sen",))]
        stated.append(("pupils@all_sen", parts))
    return stated + [(f"{n}@{whole}", [f"{n}@{p}" for p in parts]) for n in names for whole, *parts in GROUP_SUMS]


def _same(sources: Iterable[str], there: set[str]) -> Sums:
    """Counts of two sources that are one number: nothing is left between them."""
    found: Sums = {}
    for source in sources:
        for one, other in specification()[source].get("same", ()):
            groups = [""] if "@" in one else [f"@{g}" for g in ("all", "no_sen", "all_sen", *SEN)]
            found |= {(f"{one}{g}", (f"{other}{g}",)): False for g in groups if {f"{one}{g}", f"{other}{g}"} <= there}
    return found


def _of_rests(pairs: Iterable[tuple[str, tuple[str, ...]]], rests: set[str]) -> list[list[tuple[str, int]]]:
    """Those outside of a share, over the groups: all are those of every group."""
    found = []
    for n, d in dict.fromkeys((part.partition("@")[0], whole.partition("@")[0]) for whole, (part,) in pairs):
        for groups in GROUP_SUMS:
            names = [_rest(f"{d}@{g}", [f"{n}@{g}"]) for g in groups]
            if rests.issuperset(names):
                found.append([(names[0], 1), *((name, -1) for name in names[1:])])
    return found


def _rest(whole: str, parts: Sequence[str]) -> str:
    return f"rest of {whole} less {' and '.join(parts)}"
