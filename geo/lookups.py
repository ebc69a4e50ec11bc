"""Lookups from one kind and vintage of area to another, and counts carried over them without losing anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geo.errors import PlaceError
from geo.kinds import Geography, clean_codes, first_in_use, kinds
from jsna.errors import Problem

ROW_COLUMNS = ("source", "target", "weight", "estimated")
TOLERANCE = 1e-9
# Parts of a count are multiples of 2^-20: sums of such numbers are exact in any order, up to 2^33 people.
FINE = 2.0**-20


@dataclass(frozen=True)
class Lookup:
    """Where each area of ``source`` goes in ``target``, with which weight.

    ``rows``: source, target (codes), weight (0 to 1; the weights of one source sum to 1) and estimated (True where
    the weight shares a source out by a rule and no count says so). ``rule`` says in words how weights came about,
    ``notes`` what had to be assumed. Raises ``PlaceError`` with every fault of the rows.
    """

    source: Geography
    target: Geography
    rows: pd.DataFrame
    rule: str
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        problems = check_rows(self.rows, where=f"{self.source} to {self.target}")
        if problems:
            raise PlaceError(*problems)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(sorted(self.rows["source"].unique()))

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(sorted(self.rows["target"].unique()))

    @property
    def estimated_share(self) -> float:
        """Share of source areas (0 to 1) that are shared out by an estimate."""
        return float(self.rows.groupby("source")["estimated"].any().mean())


@dataclass(frozen=True)
class Coverage:
    """What a lookup holds of a list of codes: ``missing`` from it, ``unused`` by the list, and a ``message``."""

    missing: tuple[str, ...]
    unused: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Converted:
    """Counts in the target's areas.

    ``frame``: one row a target (and group), the counts, and ``<count>_estimated`` (how much of it was placed by an
    estimated weight). ``unmatched``: the rows that went nowhere, with ``reason``. ``rows_in`` = ``rows_converted`` +
    rows unmatched. ``estimated_share``: for each count, the share of what was converted that is estimated (0 to 1).
    """

    frame: pd.DataFrame
    unmatched: pd.DataFrame
    rows_in: int
    rows_converted: int
    rows_estimated: int
    estimated_share: dict[str, float]
    rule: str

    def __post_init__(self) -> None:
        if self.rows_in != self.rows_converted + len(self.unmatched):
            raise PlaceError(
                f"{self.rows_in} rows went in, {self.rows_converted} were converted and {len(self.unmatched)} "
                "reported: this does not add up, and is a fault of the program. Please report it."
            )

    @property
    def message(self) -> str:
        """What happened, in words."""
        shares = ", ".join(f"{100 * s:.1f}% of {name}" for name, s in self.estimated_share.items())
        reasons = self.unmatched["reason"].value_counts() if len(self.unmatched) else pd.Series(dtype="int64")
        lost = "; ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
        return (
            f"{self.rows_converted} of {self.rows_in} rows converted, {self.rows_estimated} of them by estimate "
            f"({shares}); rows put aside: {lost}. Rule: {self.rule}"
        )


def check_rows(rows: pd.DataFrame, *, where: str = "lookup") -> list[Problem]:
    """Every fault of a lookup's rows: columns, blank codes, pairs twice, weights out of range or not summing to 1."""
    lacking = [c for c in ROW_COLUMNS if c not in rows]
    if lacking:
        return [Problem("The lookup lacks columns.", where=where, value=lacking, expected=", ".join(ROW_COLUMNS))]
    problems = []
    if not len(rows):
        return [Problem("The lookup has no rows.", where=where)]
    blank = (clean_codes(rows["source"]) == "") | (clean_codes(rows["target"]) == "")
    if blank.any():
        problems.append(Problem(f"{int(blank.sum())} rows have no code.", where=where))
    twice = rows.duplicated(["source", "target"])
    if twice.any():
        pairs = rows.loc[twice, ["source", "target"]].head(3).agg(" to ".join, axis="columns").tolist()
        problems.append(Problem(f"{int(twice.sum())} pairs stand twice.", where=where, value=pairs))
    weight = pd.to_numeric(rows["weight"], errors="coerce")
    wrong = ~weight.between(0, 1)
    if wrong.any():
        problems.append(
            Problem(
                f"{int(wrong.sum())} weights are no share.",
                where=where,
                value=sorted(rows.loc[wrong, "source"].astype(str).unique())[:5],
                expected="0 to 1",
            )
        )
        return problems
    total = weight.groupby(rows["source"]).sum()
    off = total[(total - 1).abs() > TOLERANCE]
    if len(off):
        found = {str(code): round(float(value), 6) for code, value in off.head(5).items()}
        problems.append(
            Problem(
                f"The weights of {len(off)} areas do not sum to 1.",
                where=where,
                value=found,
                expected="1 for each source area",
                mend="Is a row of theirs missing from the file?",
            )
        )
    return problems


def coverage(lookup: Lookup, codes: Iterable[object]) -> Coverage:
    """Which of ``codes`` the lookup misses, and the likely reason; it never raises."""
    wanted, have = set(clean_codes(codes)) - {""}, set(lookup.rows["source"])
    missing, unused = tuple(sorted(wanted - have)), tuple(sorted(have - wanted))
    if not missing:
        return Coverage(missing, unused, f"All {len(wanted)} codes are in the lookup.")
    kind = lookup.source.kind
    text = (
        f"The lookup from {lookup.source.words} misses {len(missing)} of {len(wanted)} codes, such as "
        f"{', '.join(missing[:3])}."
    )
    if kind in kinds():
        newest = max(first_in_use(missing, kind), default="")
        own = max(first_in_use(have, kind), default="")
        if newest and own and newest > own:
            text += f" They are of {newest}, the lookup's newest of {own}: a lookup of the later vintage is needed."
        elif newest and own and newest < own:
            text += f" They were in use in {newest}, the lookup has codes of {own}: are the data of an earlier vintage?"
    return Coverage(missing, unused, text)


def need_coverage(lookup: Lookup, codes: Iterable[object]) -> None:
    """Raise ``PlaceError`` when the lookup misses any of ``codes``."""
    found = coverage(lookup, codes)
    if found.missing:
        raise PlaceError(
            Problem(
                found.message,
                where=f"{lookup.source} to {lookup.target}",
                mend="Bring the lookup of that vintage, or report these areas apart.",
            )
        )


def weights_by(pairs: pd.DataFrame, size: Mapping[str, float] | pd.Series | None) -> tuple[pd.DataFrame, list[str]]:
    """``pairs`` (source, target) with the weight of each target in its source, by the targets' ``size``.

    A source with one target has weight 1. One with several shares out by size (people, not area); where all sizes are
    0 the shares are equal, and the second value names such sources. Raises ``PlaceError`` where a needed size is
    missing or negative. ``size=None`` shares out equally.

    >>> pairs = pd.DataFrame({"source": ["a", "a", "b"], "target": ["x", "y", "z"]})
    >>> weights_by(pairs, {"x": 300, "y": 100})[0]["weight"].tolist()
    [0.75, 0.25, 1.0]
    """
    made = pairs[["source", "target"]].reset_index(drop=True).copy()
    several = made.groupby("source")["target"].transform("size") > 1
    if size is None:
        amount = pd.Series(1.0, index=made.index)
    else:
        amount = made["target"].map(pd.Series(size, dtype="float64")).where(several, 1.0)
        bad = amount.isna() | (amount < 0) | np.isinf(amount)
        if bad.any():
            raise PlaceError(
                Problem(
                    f"{int(bad.sum())} areas have no population to share out by.",
                    value=sorted(made.loc[bad, "target"].unique())[:5],
                    expected="a number of 0 or more for each",
                    mend="Are the population and the lookup of the same vintage?",
                )
            )
    total = amount.groupby(made["source"]).transform("sum")
    nobody = total <= 0
    equal = 1.0 / made.groupby("source")["target"].transform("size")
    made["weight"] = (amount / total.where(~nobody, 1.0)).where(~nobody, equal)
    made["estimated"] = several.to_numpy()
    return made, sorted(made.loc[nobody, "source"].unique())


def make_lookup(
    source: str | Geography,
    target: str | Geography,
    pairs: pd.DataFrame,
    *,
    size: Mapping[str, float] | pd.Series | None = None,
    rule: str,
) -> Lookup:
    """A ``Lookup`` from pairs of codes, shared out by the targets' ``size`` where a source has several targets."""
    rows, nobody = weights_by(pairs.drop_duplicates(["source", "target"]), size)
    notes = []
    if nobody:
        some = ", ".join(nobody[:5])
        notes.append(f"{len(nobody)} areas with nobody in any part are shared out equally: {some}.")
    return Lookup(Geography.of(source), Geography.of(target), rows, rule, tuple(notes))


def chain(first: Lookup, second: Lookup) -> Lookup:
    """``first``, then ``second``: weights are multiplied. Raises ``PlaceError`` when a middle area has no way on."""
    if first.target.kind != second.source.kind:
        raise PlaceError(
            Problem(
                "These lookups do not follow one another.",
                value=f"{first.target} then {second.source}",
                expected="the first's target is the second's source",
            )
        )
    need_coverage(second, first.rows["target"])
    columns = list(ROW_COLUMNS)
    joined = first.rows[columns].merge(
        second.rows[columns], left_on="target", right_on="source", suffixes=("", "_next")
    )
    joined["weight"] = joined["weight"] * joined["weight_next"]
    joined["estimated"] = joined["estimated"] | joined["estimated_next"]
    rows = joined.groupby(["source", "target_next"], as_index=False).agg(
        weight=("weight", "sum"), estimated=("estimated", "any")
    )
    rows = rows.rename(columns={"target_next": "target"})
    # All of a source in one target is certain, however its parts were weighed on the way.
    rows["estimated"] &= rows.groupby("source")["target"].transform("size") > 1
    rows["weight"] = rows["weight"].where(rows["estimated"], rows["weight"].round(9))
    return Lookup(first.source, second.target, rows, f"{first.rule}; then {second.rule}", first.notes + second.notes)


def convert(
    counts: pd.DataFrame,
    lookup: Lookup,
    *,
    code: str,
    values: Sequence[str],
    by: Sequence[str] = (),
    whole: bool = False,
) -> Converted:
    """Counts of the lookup's source areas as counts of its target areas; totals stay exactly the same.

    ``counts`` has one or more rows an area: ``code``, the ``values`` (0 or more; missing = not known) and groups ``by``
    that are kept apart. With ``whole`` each row's count is shared out in whole numbers by largest remainder (ties: the
    larger weight, then the lower code); otherwise in parts of 2^-20, so that sums of whole counts are exact in any
    order (other decimals to the last bit). Rows without a known code or count go to ``unmatched``; nothing becomes 0.
    For counts of people only: rates, ranks and deciles cannot be shared out. Whole numbers push many small cells to
    the larger part; then share out the total, or use decimals. Raises ``PlaceError`` for negative or infinite counts.

    >>> halves = make_lookup("lsoa11", "lsoa21", pd.DataFrame({"source": ["A", "A"], "target": ["B", "C"]}), rule="-")
    >>> made = convert(pd.DataFrame({"area": ["A", "Z"], "n": [3, 4]}), halves, code="area", values=["n"], whole=True)
    >>> made.frame["n"].tolist(), made.unmatched[["area", "n", "reason"]].values.tolist(), made.estimated_share
    ([2, 1], [['Z', 4, 'not in the lookup']], {'n': 1.0})
    """
    _check_counts(counts, code, values, by, whole)
    data = counts[[code, *by, *values]].reset_index(drop=True).copy()
    data[code] = clean_codes(data[code])
    if lookup.source.kind == "postcode":
        data[code] = data[code].str.replace(r"[\s.\-]+", "", regex=True)
    known = data[code].isin(set(lookup.rows["source"]))
    counted = data[list(values)].notna().all(axis="columns")
    reason = pd.Series("not in the lookup", index=data.index).mask(data[code] == "", "no code")
    reason = reason.mask(known & ~counted, "count not known")
    use = known & counted
    unmatched = data[~use].assign(reason=reason[~use]).reset_index(drop=True)
    work = data[use].rename(columns={code: "source"}).reset_index(names="row")
    parts = work.merge(lookup.rows[list(ROW_COLUMNS)], on="source", how="left")
    for value in values:
        parts[value] = share_out(parts["row"], parts[value], parts["weight"], parts["target"], 1.0 if whole else FINE)
        parts[f"{value}_estimated"] = parts[value].where(parts["estimated"].astype(bool), 0)
    columns = [*values, *(f"{v}_estimated" for v in values)]
    frame = parts.groupby(["target", *by], as_index=False, dropna=False, sort=True)[columns].sum()
    frame = frame.astype(dict.fromkeys(columns, "int64" if whole else "float64"))
    total = {v: float(frame[v].sum()) for v in values}
    share = {v: float(frame[f"{v}_estimated"].sum()) / total[v] if total[v] else 0.0 for v in values}
    rows_estimated = int(parts.loc[parts["estimated"].astype(bool), "row"].nunique())
    return Converted(frame, unmatched, len(data), int(use.sum()), rows_estimated, share, lookup.rule)


def share_out(row: pd.Series, count: pd.Series, weight: pd.Series, target: pd.Series, unit: float) -> pd.Series:
    """Each row's ``count`` as parts by ``weight`` in multiples of ``unit`` that add up to it, by largest remainder.

    All five are of one length save ``unit``; ``row`` tells which parts belong together, and the weights of a row sum to
    1. What is left of a count below ``unit`` goes to its largest part.

    >>> row, count, weight = pd.Series([0, 0, 0]), pd.Series([7, 7, 7]), pd.Series([0.5, 0.3, 0.2])
    >>> share_out(row, count, weight, pd.Series(["a", "b", "c"]), 1.0).tolist()
    [4.0, 2.0, 1.0]
    """
    work = pd.DataFrame({"row": row, "count": count.astype("float64"), "weight": weight, "target": target})
    units = np.floor(work["count"] / unit)
    exact = units * work["weight"]
    part = np.floor(exact)
    left = units - part.groupby(work["row"]).transform("sum")
    work["remainder"], work["light"] = -(exact - part), -work["weight"]
    order = work.sort_values(["row", "remainder", "light", "target"], kind="stable").index
    place = work["row"].loc[order].groupby(work["row"].loc[order]).cumcount().reindex(work.index)
    part = part + (place < left)
    largest = work.sort_values(["row", "light", "target"], kind="stable").drop_duplicates("row").index
    # Weights that miss 1 by rounding leave a few units over or under; they and what is below a unit go to one part.
    part.loc[largest] += (units - part.groupby(work["row"]).transform("sum")).loc[largest]
    made = part * unit
    made.loc[largest] += (work["count"] - units * unit).loc[largest]
    return made


def _check_counts(counts: pd.DataFrame, code: str, values: Sequence[str], by: Sequence[str], whole: bool) -> None:
    problems = [
        Problem("A column is missing.", where="counts", value=c, expected=", ".join(map(str, counts.columns)))
        for c in (code, *values, *by)
        if c not in counts
    ]
    for value in values:
        if value not in counts:
            continue
        if not pd.api.types.is_numeric_dtype(counts[value]) or pd.api.types.is_bool_dtype(counts[value]):
            problems.append(Problem("The counts are not numbers.", where=value, value=str(counts[value].dtype)))
            continue
        numbers = counts[value].astype("float64")
        if (numbers < 0).any() or np.isinf(numbers).any():
            bad = int(((numbers < 0) | np.isinf(numbers)).sum())
            problems.append(Problem(f"{bad} counts are negative or infinite.", where=value, expected="0 or more"))
        elif whole and (numbers.dropna() % 1 != 0).any():
            problems.append(
                Problem("Some counts are not whole.", where=value, mend="Leave out whole=True to share out decimals.")
            )
    reserved = {*ROW_COLUMNS, "row", "reason", code} & {*values, *by}
    if reserved:
        problems.append(Problem("A column has a name that is used here.", value=sorted(reserved), mend="Rename it."))
    if problems:
        raise PlaceError(*problems)
