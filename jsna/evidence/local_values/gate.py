"""Counts that add up in several ways, protected together: what the gate hides cannot be worked out from the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.disclosure import AddsUp, Policy, Released, protect
from jsna.sealed import Sealed

TINY = 1e-9


def protect_linked(
    counts: Sealed,
    sums: pd.DataFrame,
    figures: pd.DataFrame,
    policy: Policy,
    *,
    source: str,
    synthetic: bool,
) -> Released:
    """``counts`` (world, key, count, first) through the gate, until no hidden count follows from what is shown.

    ``sums`` has one row a term: ``world``, ``sum`` (a number), ``key``, ``sign``; the terms of a sum, each times its
    sign, come to nothing. Worlds share no child. ``figures`` has one row a figure that is to be shown: ``world``,
    ``numerator``, ``denominator`` and ``rests_on`` (keys); one of which a count is hidden is not shown at all. Where
    one more count has to go, it is one that is to go ``first``.

    Of 100 pupils 60, 38 and 2 are in three groups: the 2 is hidden, and with it the 38, for 100 less 60 and 38 is 2.
    """
    frame = counts.unseal("to say which counts add up")
    sums = sums.merge(frame.drop(columns="first"), on=["world", "key"], how="left", validate="m:1")
    relations: list[AddsUp] = []
    while True:
        released = protect(counts, policy, source=source, synthetic=synthetic, relations=tuple(relations))
        hidden = frame[(released.symbols["count"] == "c").to_numpy()]
        seen = shown_counts(figures, hidden)
        more = [
            _relation(frame, world, keys)
            for world, terms in sums[sums["world"].isin(hidden["world"])].groupby("world", sort=False)
            for keys in given_away(terms, _of(hidden, world), _of(seen, world), policy.threshold)
        ]
        if not more:
            return released
        relations += more


def shown_counts(figures: pd.DataFrame, hidden: pd.DataFrame) -> pd.DataFrame:
    """World and key of every count that stands in a figure of which nothing is hidden."""
    gone = pd.MultiIndex.from_frame(hidden[["world", "key"]])
    whole = pd.Series(True, index=figures.index)
    for column in ("numerator", "denominator", "rests_on"):
        whole &= ~pd.MultiIndex.from_frame(figures[["world", column]]).isin(gone)
    sides = [
        figures.loc[whole, ["world", c]].set_axis(["world", "key"], axis="columns")
        for c in ("numerator", "denominator")
    ]
    return pd.concat(sides, ignore_index=True).drop_duplicates()


def given_away(
    terms: pd.DataFrame, hidden: frozenset[str], shown: frozenset[str], threshold: int
) -> list[frozenset[str]]:
    """Hidden counts that the sums of one world give away, each with the shown counts that it follows from.

    A hidden count follows when some combination of the sums has it as the only one that is not shown. It also follows
    where a shown whole less its shown parts leaves fewer than ``threshold`` for all hidden parts together: of nobody
    left, each is nobody. ``terms`` has sum, key, sign and count.
    """
    matrix = terms.pivot_table(index="sum", columns="key", values="sign", aggfunc="sum").fillna(0.0)
    keys, values = matrix.columns, matrix.to_numpy("float64")
    unknown, secret = ~keys.isin(shown), keys.isin(hidden)
    counts = terms.drop_duplicates("key").set_index("key")["count"].reindex(keys).to_numpy("float64")
    inverse = np.linalg.pinv(values[:, unknown])
    follows = np.zeros(len(keys), bool)
    follows[unknown] = np.abs(np.diag(inverse @ values[:, unknown]) - 1) < TINY
    # Row by row of what follows: the shown counts that it follows from.
    behind = dict(zip(keys[follows], inverse[follows[unknown]] @ values, strict=True))
    from_shown = {key: keys[(np.abs(row) > TINY) & ~unknown] for key, row in behind.items()}
    # What is nought whatever the counts are needs no companion, and can have none.
    lost = [frozenset({key, *from_shown[key]}) for key in keys[follows & secret] if len(from_shown[key])]
    if lost:
        return list(dict.fromkeys(lost))
    left_open = unknown & ~follows
    less = values[:, left_open]
    left = -(less @ counts[left_open])
    few = (less <= 0).all(axis=1) & (values[:, left_open & secret] != 0).any(axis=1) & (left < threshold)
    found = []
    for row in values[few] != 0:
        told = {k for key in keys[row & ~left_open] for k in from_shown.get(key, (key,))}
        if told:
            found.append(frozenset({*told, min(keys[row & left_open & secret])}))
    return list(dict.fromkeys(found))


def _of(counts: pd.DataFrame, world: object) -> frozenset[str]:
    return frozenset(counts["key"][counts["world"] == world])


def _relation(frame: pd.DataFrame, world: object, keys: frozenset[str]) -> AddsUp:
    rows = (frame["world"] == world) & frame["key"].isin(keys)
    return AddsUp((), rows, rows & frame["first"])
