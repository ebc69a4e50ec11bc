"""The gate: true counts go in, a table that may be shown comes out.

First form: a count of pupils under the threshold is hidden, with everything worked out from it and with its complement;
when a column of a table with a known total would have just one hidden cell, the next smallest is hidden too. Protection
across linked tables, and an attacker that tests it, build on this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.disclosure.released import Released
from jsna.errors import DisclosureError, Problem
from jsna.sealed import Sealed


@dataclass(frozen=True)
class Policy:
    """What may leave. ``threshold``: counts below it are hidden; ``minimum_denominator``: no rate under it."""

    audience: str = "public"
    threshold: int = 5
    minimum_denominator: int = 10

    def sentence(self) -> str:
        """The policy in words, for the page."""
        return (
            f"Numbers of pupils under {self.threshold} are hidden (shown as c), with all figures that could give them "
            f"away; no rate is shown for a group of fewer than {self.minimum_denominator}."
        )


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
    relations: tuple[tuple[str, ...] | AddsUp, ...] = ((),),
) -> Released:
    """What of ``sealed`` may be published under ``policy``.

    Each of ``relations`` names columns that cut the frame into sets of rows that add up to something known (an empty
    one: the whole frame), or is an ``AddsUp`` of some rows: inside each set a lone hidden count gets a companion until
    none has a lone one.
    Raises ``DisclosureError`` for anything but a ``Sealed`` frame, and for counts with fractions or below 0.

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
    keys = [(_sets(frame, relation), _first(frame, relation)) for relation in relations]
    unsafe = {c: _unsafe_counts(frame, c, policy) for c in sealed.counts}
    for numerator, denominator in set(sealed.rates.values()):
        unsafe[numerator] |= _gives_away_complement(frame, numerator, denominator, policy)
    unsafe = {c: _with_companions(frame[c], mask, keys) for c, mask in unsafe.items()}
    for column, mask in unsafe.items():
        symbols.loc[mask, column] = "c"
    for column, (numerator, denominator) in sealed.rates.items():
        hidden = unsafe[numerator] | unsafe[denominator]
        symbols.loc[frame[denominator] < policy.minimum_denominator, column] = "u"
        symbols.loc[hidden, column] = "c"
    any_hidden = np.logical_or.reduce(list(unsafe.values())) if unsafe else np.zeros(len(frame), bool)
    small = pd.Series(False, index=frame.index)
    for _, denominator in sealed.rates.values():
        small |= frame[denominator] < policy.minimum_denominator
    for column in sealed.derived:
        symbols.loc[small, column] = "u"
        symbols.loc[any_hidden, column] = "c"
    return _released(frame, symbols, sealed, source, synthetic)


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
    for column in (*sealed.counts, *sealed.rates, *sealed.derived):
        hide = symbols[column] != ""
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


def _unsafe_counts(frame: pd.DataFrame, column: str, policy: Policy) -> pd.Series:
    values = frame[column].astype("float64")
    bad = values.notna() & ((values < 0) | (values != values.round()))
    if bad.any():
        raise DisclosureError(
            Problem(
                "A column of counts holds a value that is not a count.",
                where=column,
                value=f"{int(bad.sum())} of {len(values)} rows",
                expected="whole numbers of 0 or more",
            )
        )
    return values.notna() & (values < policy.threshold)


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
