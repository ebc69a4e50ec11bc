"""The gate: true counts go in, a table that may be shown comes out.

In a pack, which counts are hidden was decided before, over all its tables at once (``suppression``): the policy carries
the pattern, each table names its counts, and the gate hides what the pattern says, with everything worked out from it.
A table by itself, outside of a pack, is protected by a simpler rule: counts under the threshold and their complements
are hidden, and no sum has a lone hidden count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from jsna.disclosure.pattern import PackPattern
from jsna.disclosure.perturbation import CELL_KEY
from jsna.disclosure.released import ROUNDED, Released
from jsna.errors import DisclosureError, Problem
from jsna.sealed import Sealed

FEW = "no rate is shown for a group of fewer than {minimum}."
METHODS = {
    "suppress": "Numbers of pupils under {threshold} are hidden (shown as c), with all figures that could give them "
    f"away; a large number that would have to be hidden for that is shown rounded, where this is enough; {FEW}",
    "round_5": "Every number of pupils is rounded to the nearest 5, and rates are worked out from the rounded "
    f"numbers; {FEW}",
    "midpoint_6": "Every number of pupils is rounded to the middle of a band of six (up to 6 is shown as 3, 7 to 12 "
    f"as 9), and rates are worked out from the rounded numbers; {FEW}",
    "cell_key": "Every number of pupils is changed by a little at random, that of the same children always by the "
    f"same, and rates are worked out from the changed numbers; {FEW}",
}
Method = Literal["suppress", "round_5", "midpoint_6", "cell_key"]
Names = Mapping[str, pd.Series]


@dataclass(frozen=True)
class Policy:
    """What may leave. ``threshold``: counts below it are hidden; ``minimum_denominator``: no rate under it.

    ``method``: ``suppress`` hides; the others change every count a little before anything is worked out from it
    (``perturbation``), and then nothing is hidden but rates of few. ``zeros``: whether a 0 is hidden like 1 to 4.
    ``thresholds``: of single sources. ``pattern``: what is hidden in the pack that is being made.
    """

    audience: str = "public"
    threshold: int = 5
    minimum_denominator: int = 10
    method: Method = "suppress"
    zeros: Literal["hidden", "shown"] = "hidden"
    thresholds: Mapping[str, int] = field(default_factory=dict, hash=False)
    pattern: PackPattern | None = field(default=None, compare=False, repr=False)

    def threshold_of(self, source: str) -> int:
        """The threshold for counts of one source: ``pupils``, ``cases``, and ``lists`` for every other."""
        return self.thresholds.get(source, self.thresholds.get("lists", self.threshold))

    def sentence(self) -> str:
        """The policy in words, for the page."""
        named = "For named readers under an agreement: not to be passed on. " if self.audience == "restricted" else ""
        return named + METHODS[self.method].format(threshold=self.threshold, minimum=self.minimum_denominator)


@dataclass(frozen=True, eq=False)
class AddsUp:
    """Rows that add up to something known: those of ``rows`` (a mask), cut into sets by ``columns``.

    Where a companion has to be hidden, the rows of ``first`` (a mask) come before all others.
    """

    columns: tuple[str, ...]
    rows: pd.Series | np.ndarray
    first: pd.Series | np.ndarray | None = None


def protect(
    sealed: Sealed,
    policy: Policy,
    *,
    source: str,
    synthetic: bool,
    names: Names | None = None,
    relations: tuple[tuple[str, ...] | AddsUp, ...] = ((),),
    hide: Mapping[str, pd.Series | np.ndarray] | None = None,
) -> Released:
    """What of ``sealed`` may be published under ``policy``.

    In a pack, ``names`` has the names of the counts (``pattern.names_of``), a column for each column of counts; ``""``
    where a row has no such count. A table by itself is protected over ``relations``: each names columns that cut the
    frame into sets of rows that add up to something known (an empty one: the whole frame), or is an ``AddsUp`` of some
    rows; inside each set a lone hidden count gets a companion until none has a lone one. ``hide``: columns with masks
    of further cells to hide, for what rests on a hidden count of another row.
    Raises ``DisclosureError`` for anything but a ``Sealed`` frame, for counts with fractions or below 0, and in a pack
    for counts without a name, of a name that the pattern does not hold, or smaller than the pattern can have meant.

    >>> frame = pd.DataFrame({"group": list("ABC"), "pupils": [3, 20, 40]})
    >>> shown = protect(Sealed(frame, counts=("pupils",)), Policy(), source="example", synthetic=True)
    >>> shown.text()["pupils"].tolist()
    ['c', 'c', 40.0]
    """
    if not isinstance(sealed, Sealed):
        raise DisclosureError(
            Problem("Only sealed counts pass the gate.", value=type(sealed).__name__, expected="Sealed")
        )
    frame = sealed.unseal("to decide what may be published").reset_index(drop=True)
    symbols = pd.DataFrame("", index=frame.index, columns=frame.columns)
    _refuse_keys(frame)
    _refuse_fractions(frame, sealed.counts)
    if policy.method != "suppress":
        unsafe = {c: pd.Series(False, index=frame.index) for c in sealed.counts}
    elif policy.pattern is not None:
        found = {c: _by_pattern(frame[c], names, policy, policy.pattern) for c in sealed.counts}
        unsafe = {c: hidden for c, (hidden, _) in found.items()}
        symbols = symbols.assign(**{c: near for c, (_, near) in found.items()})
    else:
        unsafe = _by_itself(frame, sealed, policy, relations)
    for column, mask in unsafe.items():
        symbols.loc[mask, column] = "c"
    for column, (numerator, denominator) in sealed.rates.items():
        hidden = unsafe[numerator] | unsafe[denominator]
        symbols.loc[frame[denominator] < policy.minimum_denominator, column] = "u"
        symbols.loc[hidden, column] = "c"
    any_hidden = np.logical_or.reduce(list(unsafe.values())) if unsafe else np.zeros(len(frame), bool)
    few = pd.Series(False, index=frame.index)
    for _, denominator in sealed.rates.values():
        few |= frame[denominator] < policy.minimum_denominator
    for column in sealed.derived:
        symbols.loc[few, column] = "u"
        symbols.loc[any_hidden, column] = "c"
    for column, mask in (hide or {}).items():
        symbols.loc[np.asarray(mask, bool), column] = "c"
    return _released(frame, symbols, sealed, source, synthetic)


def _by_pattern(
    counts: pd.Series, names: Names | None, policy: Policy, pattern: PackPattern
) -> tuple[pd.Series, pd.Series]:
    """What the pattern hides of a column of counts, and the symbols of those that stand rounded as it allows.

    A small count that it would show is refused.
    """
    column = str(counts.name)
    if names is None or column not in names:
        raise DisclosureError(
            Problem(
                "Counts of a pack cannot leave without their names.",
                where=column,
                expected="names=, from jsna.disclosure.names_of",
            )
        )
    named = names[column].reset_index(drop=True)
    counted = named != ""
    base, hidden = pd.Series(0, index=counts.index), pd.Series(False, index=counts.index)
    hidden[counted] = pattern.hides(named[counted])
    base[counted] = pattern.bases(named[counted])
    near = (base > 0) & (counts.astype("float64") % base.clip(lower=1) == 0)
    source = named.astype("str").str.split("|", n=1).str[0]
    threshold = source.map({s: policy.threshold_of(s) for s in source.unique()})
    bare = _small(counts, threshold, policy) & counted & ~hidden
    if bare.any():
        raise DisclosureError(
            Problem(
                "Small counts would be shown: the pattern was not made from these counts.",
                where=column,
                value=f"{int(bare.sum())} of {len(counts)} rows",
                mend="Make the pack anew. If that does not help, the plan of tables (jsna/linked) counts otherwise.",
            )
        )
    return hidden & ~near, ("r" + base.astype("str")).where(near, "")


def _small(counts: pd.Series, threshold: pd.Series | int, policy: Policy) -> pd.Series:
    """Counts under the threshold; a 0 is none of them where zeros are shown."""
    return counts.notna() & (counts < threshold) & ~((counts == 0) & (policy.zeros == "shown"))


def _by_itself(frame: pd.DataFrame, sealed: Sealed, policy: Policy, relations) -> dict[str, pd.Series]:
    """What a table by itself hides."""
    keys = [(_sets(frame, relation), _first(frame, relation)) for relation in relations]
    unsafe = {c: _small(frame[c], policy.threshold, policy) for c in sealed.counts}
    for numerator, denominator in set(sealed.rates.values()):
        unsafe[numerator] = unsafe[numerator] | _gives_away_complement(frame, numerator, denominator, policy)
    return {c: _with_companions(frame[c], mask, keys) for c, mask in unsafe.items()}


def publish_official(
    frame: pd.DataFrame, *, source: str, symbols: pd.DataFrame | None = None, notes: tuple[str, ...] = ()
) -> Released:
    """Pass on figures that an official body has already published, with their source.

    Missing values without a symbol become ``x`` (not available). Never give it anything worked out from pupil records:
    it hides nothing. Raises ``DisclosureError`` when no source is named, or when handed sealed counts.
    """
    if isinstance(frame, Sealed):
        raise DisclosureError("Counts from pupil records are not official figures: use protect().")
    if not source.strip():
        raise DisclosureError("Published figures are passed on only with their source.")
    frame = frame.reset_index(drop=True)
    if symbols is None:
        symbols = pd.DataFrame("", index=frame.index, columns=frame.columns)
    symbols = symbols.reset_index(drop=True).mask(frame.isna() & (symbols == ""), "x")
    return Released(frame, symbols, source, synthetic=False, notes=notes)


def publish_facts(frame: pd.DataFrame, *, source: str, synthetic: bool) -> Released:
    """Facts about files, schools or places that count no pupils. Raises ``DisclosureError`` for sealed counts."""
    shown = publish_official(frame, source=source)
    return Released(shown.frame, shown.symbols, source, synthetic)


def too_few_for_a_rate(released: Released, denominator: str, columns: tuple[str, ...], policy: Policy) -> Released:
    """Official rows whose denominator is under the policy's minimum, with the rate columns marked ``u``."""
    small = released.frame[denominator] < policy.minimum_denominator
    frame, symbols = released.frame.copy(), released.symbols.copy()
    for column in columns:
        if pd.api.types.is_numeric_dtype(frame[column]):
            frame[column] = frame[column].astype("float64").mask(small)
        else:
            frame[column] = frame[column].mask(small)
        symbols.loc[small, column] = "u"
    return Released(frame, symbols, released.source, released.synthetic, released.notes)


def _released(frame, symbols, sealed: Sealed, source: str, synthetic: bool) -> Released:
    shown = frame.copy()
    also_hidden = [c for c in frame if (symbols[c] == "c").any()]
    for column in dict.fromkeys((*sealed.counts, *sealed.rates, *sealed.derived, *also_hidden)):
        hide = ~symbols[column].isin(["", *ROUNDED])
        values = shown[column]
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            shown[column] = values.astype(object).mask(hide)
        else:
            shown[column] = values.astype("float64").mask(hide)
        absent = shown[column].isna() & (symbols[column] == "")
        symbols.loc[absent, column] = "z"
    return Released(shown, symbols, source, synthetic)


def _sets(frame: pd.DataFrame, relation: tuple[str, ...] | AddsUp) -> list[pd.Series]:
    """What cuts the frame into sets; a row that does not take part is a set of its own."""
    if not isinstance(relation, AddsUp):
        return [frame[c] for c in relation] or [pd.Series(0, index=frame.index)]
    alone = pd.Series(np.where(np.asarray(relation.rows, bool), -1, np.arange(len(frame))), index=frame.index)
    return [*(frame[c] for c in relation.columns), alone]


def _first(frame: pd.DataFrame, relation: tuple[str, ...] | AddsUp) -> pd.Series:
    """Rows that become a companion before all others."""
    named = relation.first if isinstance(relation, AddsUp) else None
    return pd.Series(False if named is None else np.asarray(named, bool), index=frame.index)


def _refuse_keys(frame: pd.DataFrame) -> None:
    keys = [c for c in frame if str(c).startswith(CELL_KEY)]
    if keys:
        raise DisclosureError(
            Problem("Keys of cells would be shown.", value=keys[:3], mend="Change the counts by perturbed() first.")
        )


def _refuse_fractions(frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    problems = []
    for column in columns:
        values = frame[column].astype("float64")
        bad = values.notna() & ((values < 0) | (values != values.round()))
        if bad.any():
            problems.append(
                Problem(
                    "A column of counts holds a value that is not a count.",
                    where=column,
                    value=f"{int(bad.sum())} of {len(values)} rows",
                    expected="whole numbers of 0 or more",
                )
            )
    if problems:
        raise DisclosureError(*problems)


def _gives_away_complement(frame, numerator: str, denominator: str, policy: Policy) -> pd.Series:
    rest = frame[denominator].astype("float64") - frame[numerator].astype("float64")
    return rest.notna() & (rest < policy.threshold)


def _with_companions(
    values: pd.Series, hidden: pd.Series, relations: list[tuple[list[pd.Series], pd.Series]]
) -> pd.Series:
    """``hidden`` grown until no set of rows that adds up has exactly one hidden count."""
    while True:
        grown = hidden.copy()
        for keys, first in relations:
            alone = grown.groupby(keys, dropna=False).transform("sum") == 1
            shown = values.astype("float64").where(~grown)
            order = shown.where(~first, shown - values.max() - 1)
            smallest = order.groupby(keys, dropna=False).rank(method="first") == 1
            grown |= alone & smallest & ~grown
        if (grown == hidden).all():
            return hidden
        hidden = grown
