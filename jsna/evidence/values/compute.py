"""Each way of the catalogue followed, from the tables to rows with values, limits and symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from jsna.errors import WorkbenchError
from jsna.evidence.catalogue import Catalogue, Indicator
from jsna.evidence.values import ABSENT, COLUMNS, KEY, Values
from jsna.evidence.values.areas import areas, completeness, january_of, noted, with_every_area, with_sums
from jsna.evidence.values.derived import derived
from jsna.evidence.values.join import together
from jsna.evidence.values.periods import year_of
from jsna.evidence.values.tables import Table, read_other, read_table
from jsna.evidence.values.vintages import disagreements, other_files, vintage_table
from jsna.evidence.values.ways import Side, Way, gather, ways_of
from jsna.files.result import Summary
from jsna.measures import proportion, rate
from jsna.sources.folder import OfficialFolder

TYPES = dict.fromkeys(COLUMNS, "str") | {
    "year": "int64",
    "provisional": "bool",
    "break_before": "bool",
    **dict.fromkeys(("value", "numerator", "denominator", "lower", "upper", "completeness"), "float64"),
}
EVENTS = ("byar", "exact_poisson", "overdispersed")
Absent = list[tuple[str, ...]]


@dataclass(frozen=True)
class Gathered:
    """What was read: the sides of each way by its place, the tables' summaries, and the ways without a side."""

    sides: dict[int, dict[str, Side]]
    sources: list[Summary]
    absent: Absent
    failed: set[int]


def compute(folder: OfficialFolder, known: Catalogue, confidence: float = 0.95) -> Values:
    """Every official value of a catalogue, out of the files of a folder."""
    ways = ways_of(known.indicators.values())
    found = gathered(ways, lambda source, table: read_table(folder, source, table))
    made, absent = joined(ways, found)
    if made.empty:
        lacking = _absent_table([*found.absent, *absent])
        return replace(Values.none(), sources=tuple(found.sources), absent=lacking)
    of_ways = told(ways)
    frame = _frame(values_of(made, of_ways, confidence), known)
    vintages, others = _vintages(folder, ways, found, made.merge(of_ways, on="place"))
    more, lacking = derived(frame, known, confidence)
    frame = pd.concat([frame, more], ignore_index=True).astype(TYPES)
    frame = frame.sort_values(list(KEY), kind="stable", ignore_index=True)
    every = list(dict.fromkeys([*found.absent, *absent, *lacking]))
    return Values(frame, (*found.sources, *others), _absent_table(every), vintages)


def gathered(ways: Sequence[Way], read: Callable[[str, str], Table]) -> Gathered:
    """Each table read once, its figures gathered for every way that uses it, and let go before the next is read."""
    wanted: dict[tuple[str, str], list[tuple[Way, str]]] = {}
    for way in ways:
        for name, side in way.sides.items():
            wanted.setdefault((side.source, side.table), []).append((way, name))
    found = Gathered({way.place: {} for way in ways}, [], [], set())
    for (source, name), users in wanted.items():
        try:
            table = read(source, name)
        except WorkbenchError as error:
            for way, _ in users:
                _fail(found, way, error)
            continue
        found.sources.append(table.summary)
        for way, side in users:
            _side(found, way, side, table)
    return found


def joined(ways: Sequence[Way], found: Gathered) -> tuple[pd.DataFrame, Absent]:
    """The rows of every way that has its sides (``place`` says whose), and what could not be put together."""
    whole = [way for way in ways if way.place not in found.failed]
    if not whole:
        return pd.DataFrame(), []
    rows, said = together(whole, found.sides)
    return rows, [(w.indicator.id, w.official.group, said[w.place], "") for w in whole if w.place in said]


def values_of(rows: pd.DataFrame, of_ways: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The rows of all ways with values, limits and symbols; England and regions added up where not published.

    ``of_ways`` says of each way what its indicator and group are, and how its value is made (see ``told``).
    """
    rows = rows.assign(january=january_of(rows["year"], rows["place"].map(of_ways.set_index("place")["when"])))
    rows = with_sums(with_every_area(rows))
    rows = rows.assign(completeness=completeness(rows))
    rows = rows[rows["area_code"].isin(areas().index)].merge(of_ways, on="place", how="left")
    return _limits(_shares(rows), confidence)


def told(ways: Sequence[Way]) -> pd.DataFrame:
    """One row a way: its place, indicator and group, and how its value is made."""
    columns = ("place", "indicator", "group", "kind", "interval", "per", "minimum", "when", "divided", "way")
    rows = [
        (
            way.place,
            way.indicator.id,
            way.official.group,
            way.indicator.kind,
            way.indicator.interval,
            way.indicator.per,
            way.indicator.minimum_denominator,
            way.indicator.period,
            way.official.denominator is not None,
            "published" if way.official.published else "counts",
        )
        for way in ways
    ]
    return pd.DataFrame(rows, columns=list(columns))


def _frame(rows: pd.DataFrame, known: Catalogue) -> pd.DataFrame:
    """The rows of ``Values.frame``: of several ways to one figure the first that has it."""
    rows = _first_way(rows)
    rows = rows.assign(area_name=rows["area_code"].map(areas()["area_name"]), origin="official")
    rows = rows.assign(break_before=_breaks(rows, known.indicators.values()))
    return rows[list(COLUMNS)].astype(TYPES).reset_index(drop=True)


def _vintages(
    folder: OfficialFolder, ways: Sequence[Way], found: Gathered, pinned: pd.DataFrame
) -> tuple[pd.DataFrame, list[Summary]]:
    """Where other files of the tables used disagree, and what was read; notes say what could not be compared."""
    by_table: dict[str, list[tuple[Way, str]]] = {}
    for way in ways:
        for name, side in way.sides.items():
            if side.source == "ehc" and way.place not in found.failed:
                by_table.setdefault(side.table, []).append((way, name))
    parts, sources = [vintage_table()], []
    for name, paths in other_files(folder, list(by_table)).items():
        for path in paths:
            try:
                other = read_other(path, name)
            except WorkbenchError as error:
                sources.append(_not_compared(path.name, name, error))
                continue
            again = Gathered({way.place: dict(found.sides[way.place]) for way, _ in by_table[name]}, [], [], set())
            for way, side in by_table[name]:
                _side(again, way, side, other)
            made, _ = joined(list(dict.fromkeys(way for way, _ in by_table[name])), again)
            if len(made):
                parts.append(disagreements(pinned, made.merge(told(ways), on="place")))
            notes = [f"{indicator}, {group}: not compared. {why}" for indicator, group, why, _ in again.absent]
            sources.append(replace(other.summary, notes=(*other.summary.notes, *notes)))
    return pd.concat([p for p in parts if len(p)] or parts, ignore_index=True), sources


def _not_compared(file: str, table: str, error: WorkbenchError) -> Summary:
    said = " ".join(str(p) for p in error.problems)
    return Summary(f"Another copy of {table}", file, "", 0, 0, 0, notes=(f"It was not compared. {said}",))


def _side(found: Gathered, way: Way, side: str, table: Table) -> None:
    """One side of a way gathered into ``found``, or why it cannot be."""
    try:
        found.sides[way.place][side] = gather(table, way.sides[side])
    except WorkbenchError as error:
        _fail(found, way, error)


def _fail(found: Gathered, way: Way, error: WorkbenchError) -> None:
    found.failed.add(way.place)
    found.absent.append(_absent(way, error))


def _absent_table(rows: Absent) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(ABSENT), dtype="str")


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    """``value`` by per, numerator and denominator; and the symbol where no rate can or should be shown."""
    n, d = rows["numerator"], rows["denominator"]
    shown, divided = rows["symbol"] == "", rows["divided"]
    share = rows["kind"] == "proportion"
    wrong = shown & divided & ((n < 0) | (d < 0) | (share & (n > d)))
    few = shown & divided & (d < rows["minimum"])
    symbol = rows["symbol"].mask(few | wrong, "u").mask(shown & divided & (d == 0), "z")
    said = "The published counts do not fit together."
    note = noted(rows["note"], said, wrong)
    rate_of = (rows["per"] * n / d.where(d > 0)).where(divided, n)
    value = rate_of.where(rows["way"] == "counts", rows["published"])
    return rows.assign(symbol=symbol, note=note, value=value.where(symbol == ""))


def _limits(rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Limits of values from counts, by the indicator's kind of interval; none for a published figure."""
    made = pd.DataFrame(np.nan, index=rows.index, columns=["lower", "upper"])
    open_rows = (rows["symbol"] == "") & rows["divided"]
    for measure, kinds in ((proportion, ("wilson",)), (rate, EVENTS)):
        here = rows[open_rows & rows["interval"].isin(kinds)]
        limits = measure(here["numerator"], here["denominator"], confidence)[["lower", "upper"]]
        made.loc[here.index] = limits.mul(here["per"], axis="index")
    least = open_rows & (rows["interval"] == "overdispersed")
    said = "Children can repeat: the interval is the least it can be."
    return rows.assign(note=noted(rows["note"], said, least)).join(made)


def _first_way(rows: pd.DataFrame) -> pd.DataFrame:
    """Of several ways to one figure, the first that has it; what is hidden or too small there stays so."""
    lacking = rows["symbol"] == "x"
    order = rows.assign(lacking=lacking).sort_values(["lacking", "place"], kind="stable")
    return order.drop_duplicates(["indicator", "group", "area_code", "year"]).drop(columns="lacking")


def _breaks(rows: pd.DataFrame, indicators: Iterable[Indicator]) -> pd.Series:
    """Whether a row is of the first period at or after a break of its indicator."""
    breaks = {(i.id, year_of(b.period)) for i in indicators for b in i.breaks}
    found = pd.Series(False, index=rows.index)
    for indicator, year in breaks:
        later = rows[(rows["indicator"] == indicator) & (rows["year"] >= year)]
        first = later.groupby("group")["year"].transform("min")
        found.loc[later.index[later["year"] == first]] = True
    return found


def _absent(way: Way, error: WorkbenchError) -> tuple[str, str, str, str]:
    reasons = [str(replace(p, mend="")) for p in error.problems]
    mends = dict.fromkeys(p.mend for p in error.problems if p.mend)
    return way.indicator.id, way.official.group, " ".join(reasons), " ".join(mends)
