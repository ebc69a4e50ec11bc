"""Which weight each respondent has, and what a reader must know of it: groups joined, characteristics left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from jsna.evidence.voice.gathered import CHARACTERISTICS, NOT_KNOWN, group_label
from jsna.evidence.voice.raking import design_effect, rake, trimmed
from jsna.evidence.voice.rules import read, rule


@dataclass(frozen=True, eq=False, repr=False)
class Weighting:
    """Weights of the respondents of one kind and wave, mean 1, by their index in ``people``; empty where none are made.

    ``used``: the characteristics that the answers were weighted to; ``said``: what a reader must know, as sentences.
    """

    weights: pd.Series
    used: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def effect(self) -> float:
        """By how much the weights multiply the variance of a share (Kish)."""
        return design_effect(self.weights) if len(self.weights) else float("nan")

    def __repr__(self) -> str:
        return f"Weights by {', '.join(self.used) or 'nothing'}, design effect {self.effect:.2f}."


def weigh(people: pd.DataFrame, population: pd.DataFrame, *, base: bool = True) -> Weighting:
    """Weights that give those who answered the make-up of the children with SEND, one characteristic at a time.

    ``people``: the respondents of one kind and wave with their groups; ``population``: rows of that kind
    (characteristic, group, population). Groups of fewer than ten answers are joined first; a characteristic with fewer
    than two groups left is left out; where the weights do not settle, the last characteristic is left out, and so
    on. ``base``: start from the weights that the survey came with.
    """
    said: list[str] = []
    groups, margins = {}, {}
    for name in CHARACTERISTICS:
        own = population[population["characteristic"] == name].dropna(subset=["population"])
        shares = own.groupby("group")["population"].sum()
        if shares.empty or name not in people:
            continue
        joined, words = join_small(people[name], shares, name)
        said += words
        if joined:
            groups[name], margins[name] = _with_not_known(people[name].map(joined).fillna(NOT_KNOWN), shares, joined)
    start = people["weight"] if base and "weight" in people and len(people) else None
    while margins:
        raked = rake(
            pd.DataFrame(groups)[list(margins)],
            margins,
            base=start,
            rounds=rule("rake_rounds"),
            tolerance=rule("rake_tolerance"),
        )
        if raked.converged:
            kept = trimmed(raked.weights, rule("trim_above"), rule("trim_below"))
            cut = int(((raked.weights > rule("trim_above")) | (raked.weights < rule("trim_below"))).sum())
            return Weighting(kept, tuple(margins), (*said, *_trimming(cut)))
        last = list(margins)[-1]
        margins.pop(last)
        said.append(f"The weights did not settle with {title(last)}: it was left out.")
    return Weighting(pd.Series(dtype="float64"), (), tuple(said))


def title(characteristic: str) -> str:
    """What a characteristic is called within a sentence.

    >>> title("ethnicity_major")
    'ethnic group'
    """
    name = str(read("groups.yml")[characteristic]["name"])
    return name if name.startswith("SEN") else name[:1].lower() + name[1:]


def join_small(told: pd.Series, shares: pd.Series, characteristic: str) -> tuple[dict[str, str], list[str]]:
    """Groups of fewer than ten answers joined with the next smallest until they are ten, and what to say of it.

    Returns ``{group: the group that it is weighted in}``, empty where fewer than two would be left: the characteristic
    is then left out. A group that nobody of the population is in counts as not known.

    >>> told = pd.Series(["a"] * 30 + ["b"] * 4 + ["c"] * 12)
    >>> join_small(told, pd.Series({"a": 10.0, "b": 10.0, "c": 10.0}), "age_band")[0]
    {'b': 'b; c', 'c': 'b; c', 'a': 'a'}
    """
    fewest, name = int(rule("fewest_of_group")), title(characteristic)
    counts = told.value_counts().reindex(shares.index[shares > 0]).fillna(0).astype("int64")
    counts = counts.sort_index().sort_values(kind="stable")
    few = int((counts < fewest).sum())
    enough = int((counts.cumsum() < fewest).sum()) + 1 if few else 0
    together = list(counts.index[: max(few, min(enough, len(counts)))]) if few else []
    if len(counts) - len(together) + bool(together) < 2:
        return {}, [f"The answers were not weighted by {name}: too few groups of it have ten answers or more."]
    label = "; ".join(together)
    alone = {g: g for g in counts.index if g not in together}
    said = []
    if together:
        short, more = ([group_label(characteristic, g) for g in part] for part in (together[:few], together[few:]))
        beside = f"put together with {', '.join(more)}" if more else "put together" if few > 1 else "kept apart"
        said.append(
            f"By {name}, fewer than {fewest} answers or none came from: {', '.join(short)}. For the weights they were "
            f"{beside}: weights cannot make up for those who are not there."
        )
    return {**dict.fromkeys(together, label), **alone}, said


def _with_not_known(told: pd.Series, shares: pd.Series, joined: dict[str, str]) -> tuple[pd.Series, pd.Series]:
    """Respondents by joined group, and its margin: those of unknown group keep the share that they have."""
    unknown = float((told == NOT_KNOWN).mean())
    margin = shares[shares > 0].groupby(joined).sum()
    margin = margin / margin.sum() * (1 - unknown)
    return told, pd.concat([margin, pd.Series({NOT_KNOWN: unknown})]) if unknown else margin


def _trimming(cut: int) -> Sequence[str]:
    if not cut:
        return ()
    return (
        f"Some weights were held between {rule('trim_below'):g} and {rule('trim_above'):g} times the mean: no single "
        "answer speaks for many.",
    )
