"""The counts of pupils that a pack shows, by group and by census, as one plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.counts import CELL_KEY, KEYS, NEEDS, OUTCOMES
from jsna.counts.question import Question
from jsna.disclosure.cells import PERIOD, Table
from jsna.files.packaged import packaged_yaml
from jsna.linked.names import ALL_PUPILS, KNOWN, NOT_KNOWN, PUPILS, category, variable_of
from jsna.linked.plan import Plan, Split, together
from jsna.sealed import Sealed

if TYPE_CHECKING:
    from jsna.area import Area

ALL_OUTCOMES = (*OUTCOMES, *(f"need_{n}" for n in NEEDS))
SEN_SPLITS: tuple[Split, ...] = (
    ("", ("any_sen", "no_sen")),
    ("any_sen", ("sen_support", "ehc_plan")),
    ("any_sen", (*(f"need_{n}" for n in NEEDS), "need_not_said")),
)


@cache
def planned() -> dict[str, Any]:
    """What ``pupils.yml`` lists."""
    return packaged_yaml("jsna.linked", "pupils.yml")


def unknown_groups(column: str) -> tuple[str, ...]:
    """The groups of a characteristic that are of pupils whose group is not known.

    >>> unknown_groups("ethnicity"), unknown_groups("idaci_quintile")
    (('REFU', 'NOBT'), ('0',))
    """
    if column.startswith("idaci"):
        return ("0",)
    if column not in ("ethnicity", "language_group", "sex"):
        return ()
    groups = code_list(column)
    return tuple(groups.index[groups["known"] == "0"]) if "known" in groups else ()


def not_known(area: Area) -> pd.DataFrame:
    """True numbers of pupils of the latest census for whom each characteristic is not known: for calculation alone.

    One row a characteristic: ``not_known``, and the key of its cell in ``cell_key_not_known`` where the policy changes
    counts by it.
    """
    names = planned()["not_known"]
    question = Question(tuple((c,) for c in names), keep={"time_period": [area.periods[-1]]}, cell_keys=area.keyed)
    counted = area.roll.count(question).unseal("to count those of whom something is not known")
    rows = {}
    for column, codes in names.items():
        groups = counted[counted["grouping"] == column]
        lost = groups[groups[column].isna() | groups[column].astype(str).isin(["", *codes])]
        rows[column] = {"not_known": int(lost[ALL_PUPILS].sum())}
        if area.keyed:
            rows[column][f"{CELL_KEY}not_known"] = int(lost[f"{CELL_KEY}{ALL_PUPILS}"].sum() % KEYS)
    return pd.DataFrame.from_dict(rows, orient="index")


def plan(area: Area) -> Plan:
    """Pupils of the latest census by each characteristic, all of them in each census, and the groups crossed."""
    columns = ["idaci_decile" if c == "idaci_quintile" else c for c in planned()["latest"]]
    counted = area.count([], *([c] for c in dict.fromkeys(columns))).unseal("to plan what is protected together")
    period = area.periods[-1]
    tables = [_whole(counted)]
    splits: dict[str, tuple[Split, ...]] = {"sen": SEN_SPLITS}
    for column, outcomes in planned()["latest"].items():
        rows = _by(counted, column, period)
        made, found = _by_group(rows, column, _outcomes(outcomes), _unknown(area, column, rows["group"]))
        tables += made
        splits[variable_of(column)] = (*splits.get(variable_of(column), ()), *found)
    splits["place"] += _fifths(_by(counted, "idaci_decile", period)["group"])
    tables += [_crossed(area, c["by"], c["outcomes"]) for c in planned()["crossed"]]
    return together([Plan(tuple(tables), splits), _completeness(area)])


def _fifths(deciles: pd.Series) -> tuple[Split, ...]:
    """The fifths of deprivation, each of two deciles, where somebody lives in them."""
    told = deciles[deciles != "0"].astype("int64").sort_values()
    parts = ("decile " + told.astype("str")).groupby((told + 1) // 2).agg(tuple)
    return tuple((f"fifth {fifth}", found) for fifth, found in parts.items())


def _outcomes(named: str | Sequence[str]) -> tuple[str, ...]:
    return ALL_OUTCOMES if isinstance(named, str) else tuple(named)


def _measures(outcomes: Sequence[str]) -> dict[str, dict[str, str]]:
    return {ALL_PUPILS: {}, **{o: {"sen": o} for o in outcomes}}


def _sealed(frame: pd.DataFrame, outcomes: Sequence[str]) -> Sealed:
    return Sealed(frame.reset_index(drop=True), counts=(ALL_PUPILS, *outcomes))


def _whole(counted: pd.DataFrame) -> Table:
    rows = counted[counted["grouping"] == ""][[PERIOD, ALL_PUPILS, *ALL_OUTCOMES]]
    rows = rows.assign(**{PERIOD: rows[PERIOD].astype(str)})
    measures = _measures(ALL_OUTCOMES)
    return Table("pupils, all", PUPILS, _sealed(rows, ALL_OUTCOMES), (), measures, weight=_weight("all"))


def _weight(name: str) -> float:
    return float(planned()["weights"].get(name, 1.0))


def _by(counted: pd.DataFrame, column: str, period: str) -> pd.DataFrame:
    """Counts of one census by the groups of one column, as text in ``group``."""
    source = "idaci_decile" if column == "idaci_quintile" else column
    rows = counted[(counted["grouping"] == source) & (counted[PERIOD].astype(str) == period)]
    group = rows[source]
    if column == "idaci_quintile":
        group = (group.astype("int64") + 1) // 2
    rows = rows.assign(group=group.astype(str)).groupby("group")[[ALL_PUPILS, *ALL_OUTCOMES]].sum().reset_index()
    return rows.assign(**{PERIOD: period})


def _unknown(area: Area, column: str, groups: pd.Series) -> tuple[str, ...]:
    """Those of some groups that are of unknown group; of wards, those of other authorities too."""
    if column == "ward_code":
        return tuple(groups[~groups.isin(area.wards["ward_code"])])
    return unknown_groups(column)


def _by_group(
    rows: pd.DataFrame, column: str, outcomes: Sequence[str], unknown: Sequence[str]
) -> tuple[list[Table], list[Split]]:
    """The groups of a column, and those of known group together: what all others of a group are worked out from."""
    variable, named = variable_of(column), category(column, rows["group"])
    measures = _measures(outcomes)
    here = rows.assign(**{variable: named})[[PERIOD, variable, ALL_PUPILS, *outcomes]]
    lost = rows["group"].isin(list(unknown))
    tables = [
        Table(f"pupils by {column}", PUPILS, _sealed(here, outcomes), (variable,), measures, weight=_weight(column))
    ]
    if not lost.any():
        return tables, [("", tuple(named))]
    known, not_known = (str(category(column, g)) for g in (KNOWN, NOT_KNOWN))
    both = here.assign(**{variable: np.where(lost, not_known, known)})
    sums = both.groupby([PERIOD, variable])[[ALL_PUPILS, *outcomes]].sum().reset_index()
    name = f"pupils by {column}, known"
    tables.append(Table(name, PUPILS, _sealed(sums, outcomes), (variable,), measures, weight=_weight("known")))
    return tables, [("", (known, not_known)), (known, tuple(named[~lost])), (not_known, tuple(named[lost]))]


def _crossed(area: Area, by: Sequence[str], outcomes: Sequence[str]) -> Table:
    """Groups formed by several characteristics, of pupils of whom all of these are known."""
    counts = area.strata_counts(by, leave_out={column: unknown_groups(column) for column in by})
    frame = counts.unseal("to plan what is protected together")
    frame = frame.assign(**{PERIOD: area.periods[-1]}, **{variable_of(c): category(c, frame[c]) for c in by})
    variables = tuple(variable_of(c) for c in by)
    rows = frame[[PERIOD, *variables, ALL_PUPILS, *outcomes]]
    name, measures = f"pupils by {' × '.join(by)}", _measures(outcomes)
    return Table(name, PUPILS, _sealed(rows, outcomes), variables, measures, weight=_weight("crossed"))


def completeness_name(column: str) -> tuple[str, str]:
    """The variable and category of the pupils for whom a characteristic is not known.

    >>> completeness_name("idaci_decile"), completeness_name("fsm_eligible")
    (('place', 'decile not known'), ('fsm_eligible', 'not known'))
    """
    if column == "lsoa21":
        return "place", "small area not known"
    column = "language_group" if column == "first_language" else column
    return variable_of(column), str(category(column, NOT_KNOWN))


def _completeness(area: Area) -> Plan:
    """A table for each characteristic that is not known of some pupils and is in no other table of them."""
    tables, splits = [], {}
    for column, count in not_known(area)["not_known"].items():
        variable, lost = completeness_name(str(column))
        if not count or (str(column) in planned()["latest"]) or column == "first_language":
            continue
        row = pd.DataFrame({PERIOD: [area.periods[-1]], variable: [lost], ALL_PUPILS: [count]})
        tables.append(Table(f"pupils, {column} not known", PUPILS, _sealed(row, ()), (variable,), {ALL_PUPILS: {}}))
        splits[variable] = (("", (lost, "small area known" if variable == "place" else KNOWN)),)
    return Plan(tuple(tables), splits)
