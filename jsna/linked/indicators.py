"""The counts behind the indicators of an authority's own records, as one plan with everything else that it shows.

Pupils are the pupils of the other tables, under the same names. Children whom a list counts among the pupils of a
census (suspended, with a short break) are pupils too, told apart by ``record``, where list and census agree on who is
on roll; where they do not, and for every other list, each source is a world of its own (``figures``). Events, such as
sessions missed, are shown where the children are whom they rest on, and bear their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.evidence.local_values.counts import GROUPS_OF_ALL_SEN as SEN
from jsna.evidence.local_values.specification import specification
from jsna.evidence.local_values.sums import sums_of, with_rests
from jsna.linked.figures import FIRST, NUMBER, SHOWN, UNSEEN, cell_names, figure, figure_splits, tables_of
from jsna.linked.names import PUPILS
from jsna.linked.plan import Plan, Split
from jsna.linked.pupils import SEN_SPLITS

if TYPE_CHECKING:
    from jsna.area import Area

PROVISION = {"all": "", "no_sen": "no_sen", "all_sen": "any_sen", **{g: g for g in SEN}}
VARIABLES = ("sen", "language_group", "record", "figure", "year")
OTHER = "OTH"
ISSUED, PLANS, IN_BOTH = "to_issue@all", "plans@all", "plans in cases and assessments"


@dataclass(frozen=True)
class OnRoll:
    """A list of pupils of a census: which of its counts are those of the census, of whom, and of whom it tells.

    ``once``: counts of children, each counted once; ``events``: what can happen to a child several times.
    """

    base: str
    sen: str
    once: tuple[str, ...]
    events: tuple[str, ...] = ()

    @classmethod
    def of(cls, brings: str) -> OnRoll | None:
        """What ``local_values.yml`` says of a source; nothing for a list of others than pupils."""
        told = specification()[brings].get("of_census")
        return told and cls(told["base"], told.get("of", ""), tuple(told["once"]), tuple(told.get("events", ())))


@dataclass(frozen=True, eq=False, repr=False)
class Placed:
    """Counts of a tally by the names that they have in a pack.

    ``names``: brings, period, key and name of each count that is shown. ``cells``: every count of the plan, with what
    is left of the wholes. ``splits``: how their categories add up.
    """

    names: pd.DataFrame
    cells: pd.DataFrame
    splits: dict[str, tuple[Split, ...]]

    def __repr__(self) -> str:
        return f"{len(self.names)} counts with their names: not shown."

    def plan(self) -> Plan:
        """The tables that hold these counts."""
        return Plan(tables_of("own records", self.cells), self.splits)


def plan(area: Area) -> Plan:
    """The counts of every indicator that the area's own records can tell."""
    from jsna.evidence.catalogue import catalogue
    from jsna.evidence.local_values.brought import brought
    from jsna.evidence.local_values.specification import ways_of

    counts = brought(area).counts.unseal("to plan what is protected together")
    return placed(counts, ways_of(catalogue().indicators.values())).plan()


def placed(counts: pd.DataFrame, ways: pd.DataFrame) -> Placed:
    """True counts of a tally (brings, period, year, group, count, number), each with its place among all of a pack.

    Those that ``ways`` (as ``ways_of``) use alone: no other is shown.
    """
    counts = counts.assign(key=counts["count"] + "@" + counts["group"])
    told = ways.melt(["brings"], ["numerator", "denominator", "rests_on"], value_name="key")
    shown = counts.merge(told[["brings", "key"]].drop_duplicates(), on=["brings", "key"])
    census = counts[counts["brings"] == PUPILS].set_index(["year", "key"])[NUMBER]
    parts = [_of_source(str(brings), rows, counts, census, ways) for brings, rows in shown.groupby("brings")]
    names = pd.concat([_none(), *(p.names for p in parts)], ignore_index=True)
    cells = pd.concat([_no_cells(), *(p.cells for p in parts)], ignore_index=True)
    cells, names = cells.fillna(dict.fromkeys(VARIABLES, "")), names.fillna(dict.fromkeys(VARIABLES, ""))
    names = names.assign(name=cell_names(names.drop(columns=["brings", "time", "key"])))
    splits: dict[str, dict[Split, None]] = {}
    for part in parts:
        for variable, found in part.splits.items():
            splits.setdefault(variable, {}).update(dict.fromkeys(found))
    kept = names[["brings", "time", "key", "name"]].rename(columns={"time": "period"})
    return Placed(kept, cells, {v: tuple(found) for v, found in splits.items()})


def _of_source(brings: str, shown: pd.DataFrame, counts: pd.DataFrame, census: pd.Series, ways: pd.DataFrame) -> Placed:
    rests = {k for k in shown["key"] if k.partition("@")[0] in specification()[brings].get("rests_on", {})}
    resting = shown["key"].isin(rests)
    events, shown = shown.loc[resting], shown.loc[~resting]
    if brings == PUPILS:
        made = _pupils(shown, census, ways)
    elif (roll := OnRoll.of(brings)) and all(_agree(rows, census, roll) for _, rows in shown.groupby("year")):
        made = _on_roll(shown, roll)
    else:
        made = _listed(brings, shown, counts, ways)
    children = specification()[brings].get("rests_on", {})
    under = events["key"].map(lambda k: f"{children[k.partition('@')[0]]}@{k.partition('@')[2]}")
    keys = events[["brings", "period"]].assign(time=events["period"], key=events["key"], child=under)
    of_events = keys.drop(columns="period").merge(
        made.names.rename(columns={"key": "child"}), on=["brings", "time", "child"]
    )
    return Placed(pd.concat([made.names, of_events.drop(columns="child")], ignore_index=True), made.cells, made.splits)


def _placed_in(shown: pd.DataFrame, source: str, period: pd.Series | str, told: Iterable[Mapping[str, str]]):
    """Rows of counts with their source, period and categories."""
    variables = pd.DataFrame(list(told), index=shown.index)
    rows = shown[["brings", "key", NUMBER]].assign(time=shown["period"], source=source, period=period)
    return rows.join(variables).reset_index(drop=True)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=NUMBER)


def _cells(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=["brings", "time", "key"], errors="ignore").assign(weight=FIRST)


def _census_of(year: pd.Series) -> pd.Series:
    """The January census of a year as a time period."""
    return (year - 1).astype("str") + (year % 100).astype("str").str.zfill(2)


def _pupils(shown: pd.DataFrame, census: pd.Series, ways: pd.DataFrame) -> Placed:
    """Pupils by provision and need, of another first language and with two needs, and what is left of these."""
    rows = _placed_in(shown, PUPILS, _census_of(shown["year"]), [_of_pupils(k) for k in shown["key"]])
    numbers: dict[str, list[Split]] = {"sen": list(SEN_SPLITS), "language_group": []}
    extra = []
    shares = ways.loc[ways["brings"] == PUPILS, ["numerator", "denominator"]].drop_duplicates()
    for n, d in shares.itertuples(index=False, name=None):
        part, whole = _of_pupils(n), _of_pupils(d)
        there = sorted({y for y, k in census.index if k == n and (y, d) in census.index})
        if "language_group" in part:
            rest = {"sen": whole["sen"], "language_group": f"not {OTHER}"}
            numbers["language_group"].append(("", (OTHER, f"not {OTHER}")))
        elif whole["sen"] and n != d:
            rest = {"sen": f"{whole['sen']} without {part['sen']}"}
            numbers["sen"].append((whole["sen"], (part["sen"], rest["sen"])))
        else:
            continue
        extra += [{"year": y, NUMBER: census[y, d] - census[y, n], **rest} for y in there]
        name, _, group = n.partition("@")
        if group in SEN and name.startswith("need_"):
            numbers["sen"].append((name, tuple(f"{name} of {g}" for g in SEN)))
            others = [(y, f"{name}@{g}") for y in there for g in SEN if (y, f"{name}@{g}") in census.index]
            extra += [{"year": y, NUMBER: census[y, k], **_of_pupils(k)} for y, k in others]
    more = pd.DataFrame(extra)
    if len(more):
        more = more.assign(source=PUPILS, period=_census_of(more["year"])).drop(columns="year")
    return Placed(
        _named(rows),
        pd.concat([_cells(rows), more.assign(weight=UNSEEN)], ignore_index=True),
        {v: tuple(dict.fromkeys(found)) for v, found in numbers.items() if found},
    )


def _of_pupils(key: str) -> dict[str, str]:
    """The categories of a count of pupils.

    >>> _of_pupils("pupils@all_sen"), _of_pupils("need_NSA@sen_support"), _of_pupils("need_ASD@all_sen")
    ({'sen': 'any_sen'}, {'sen': 'need_NSA of sen_support'}, {'sen': 'need_ASD'})
    """
    name, _, group = key.partition("@")
    if name == PUPILS:
        return {"sen": PROVISION[group]}
    if name == "not_english":
        return {"sen": PROVISION[group], "language_group": OTHER}
    return {"sen": f"{name} of {group}" if group in SEN else name}


def _agree(rows: pd.DataFrame, census: pd.Series, of: OnRoll) -> bool:
    """Whether a list counts the pupils of the census of its year, and nobody more often than they are."""
    numbers = rows.set_index("key")[NUMBER]
    for key, number in numbers.items():
        name, _, group = str(key).partition("@")
        base = (rows["year"].iloc[0], f"{PUPILS}@{of.sen or group}")
        if base not in census.index or (number != census[base] if name == of.base else number > census[base]):
            return False
    return all(_outside(numbers, name) >= 0 for name in (*of.once, *of.events) if f"{name}@all" in numbers)


def _outside(numbers: pd.Series, name: str) -> int:
    """Of how many whom a list names, the census does not know the provision."""
    parts = [f"{name}@no_sen", f"{name}@all_sen"]
    return int(numbers[f"{name}@all"] - numbers[parts].sum()) if set(parts) <= set(numbers.index) else 0


def _on_roll(shown: pd.DataFrame, of: OnRoll) -> Placed:
    """Pupils whom a list names among those of the census, and those whom it does not."""
    told, extra = [], []
    for row in shown.itertuples():
        name, _, group = str(row.key).partition("@")
        here = shown[shown["period"] == row.period].set_index("key")[NUMBER]
        sen = of.sen or PROVISION[group]
        if name == of.base:
            told.append({"sen": sen, "record": ""})
            continue
        outside = _outside(here, name) if group == "all" else 0
        told.append({"sen": sen, "record": f"{name}, on roll or not" if outside else name})
        if outside:
            extra.append({"time": row.year, "sen": sen, "record": f"{name}, not on roll", NUMBER: outside})
        elif name in of.once:
            left = here[f"{of.base}@{group}"] - row.number
            extra.append({"time": row.year, "sen": sen, "record": f"not {name}", NUMBER: left})
    rows = _placed_in(shown, PUPILS, _census_of(shown["year"]), told)
    splits = [
        split
        for name in (*of.once, *of.events)
        for split in (
            ("", (name, f"not {name}")),
            (f"{name}, on roll or not", (name, f"{name}, not on roll")),
        )
    ]
    more = pd.DataFrame(extra)
    if len(more):
        more = more.assign(source=PUPILS, period=_census_of(more["time"]), weight=UNSEEN).drop(columns="time")
    return Placed(
        _named(rows), pd.concat([_cells(rows), more], ignore_index=True), {"record": tuple(splits), "sen": SEN_SPLITS}
    )


def _listed(brings: str, shown: pd.DataFrame, counts: pd.DataFrame, ways: pd.DataFrame) -> Placed:
    """Counts of a list as a world of its own, with what is left of every whole."""
    rows, held = with_rests(shown[["period", "key", NUMBER]], sums_of(brings, shown["key"], ways))
    alone = [(key, ()) for key in shown["key"].unique()]
    splits = list(figure_splits(brings, [*held, *alone]))
    source = specification()[brings].get("by_year", "")
    rows = rows.assign(brings=brings, year=rows["period"] if source else "")
    rows = rows.assign(figure=figure(brings, rows["key"]))
    if brings == "assessments":
        rows, more = _same_as_plans(rows, counts)
        splits += more
    given_up = set(specification()[brings].get("give_up", ()))
    seen, first = rows["key"].isin(shown["key"]), ~rows["key"].str.partition("@")[0].isin(given_up)
    placed_rows = rows.assign(
        time=rows["period"], source=source or brings, period=rows["period"].where(rows["year"] == "", "")
    )
    cells = placed_rows.drop(columns=["brings", "time", "key"]).assign(
        weight=np.where(~seen, UNSEEN, np.where(first, FIRST, SHOWN))
    )
    named = placed_rows[placed_rows["key"].isin(shown["key"])]
    return Placed(_named(named), cells, {"figure": tuple(splits)})


def _same_as_plans(rows: pd.DataFrame, counts: pd.DataFrame) -> tuple[pd.DataFrame, list[Split]]:
    """Assessments that ended in a plan are the plans of the cases: both hold what the two sources have in common.

    By how much they differ is a fact about the records, and taken to be known.
    """
    plans = counts[(counts["brings"] == "cases") & (counts["key"] == PLANS)].set_index("period")[NUMBER]
    issued = rows[(rows["key"] == ISSUED) & rows["period"].isin(plans.index)]
    both = issued.assign(key="", figure=IN_BOTH, **{NUMBER: np.minimum(issued[NUMBER], issued["period"].map(plans))})
    wholes = (str(figure("assessments", ISSUED)), str(figure("cases", PLANS)))
    return pd.concat([rows, both], ignore_index=True), [(whole, (IN_BOTH,)) for whole in wholes]


def _none() -> pd.DataFrame:
    return pd.DataFrame(columns=["brings", "time", "key", "source", "period", *VARIABLES], dtype="object")


def _no_cells() -> pd.DataFrame:
    empty = pd.DataFrame(columns=["source", "period", *VARIABLES], dtype="object")
    return empty.assign(**{NUMBER: pd.Series(dtype="int64"), "weight": pd.Series(dtype="float64")})
