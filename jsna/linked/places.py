"""The counts of pupils by home that a pack shows: by small area, ward, ward of before, and deprivation of the home.

All are of the latest census and of pupils whose home is in the area. Their categories are those of one variable,
``place``, as every one of them is a sum of small areas (LSOAs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from jsna.counts import CELL_KEY, OUTCOMES
from jsna.disclosure import Policy
from jsna.disclosure.cells import PERIOD, Table
from jsna.disclosure.perturbation import perturbed
from jsna.linked.names import ALL_PUPILS, KNOWN, NOT_KNOWN, PUPILS, category, pupil_names
from jsna.linked.plan import Plan, Split
from jsna.linked.pupils import SEN_SPLITS, completeness_name
from jsna.sealed import Sealed

if TYPE_CHECKING:
    from jsna.area import Area

LSOA, WARD, OLD_WARD, MOVE = "lsoa21", "ward_code", "ward17", "move"
EVERYBODY = ""
INDICES = ("idaci_2025_decile", "imd_2019_decile", "imd_2025_decile")
BEFORE, AFTER = "imd_2019_decile", "imd_2025_decile"
GROUPS = (OLD_WARD, *INDICES, MOVE)
# The index of which the pupil table has the decile as well, for homes anywhere.
OF_PUPILS = "idaci_2025_decile"
MOVES = (
    "two or more deciles more deprived",
    "one decile more deprived",
    "the same decile",
    "one decile less deprived",
    "two or more deciles less deprived",
)
OUTCOME = "any_sen"
# What it costs to hide a count, beside others: all who are at home, then wards, then small areas are hidden last; these
# are what maps and models rest on.
WEIGHTS = {EVERYBODY: 10.0, WARD: 5.0, LSOA: 3.0}


def moves_between(before: pd.Series, after: pd.Series) -> pd.Series:
    """How the decile of each area moved from one edition of an index to the next, as one of ``MOVES``.

    >>> moves_between(pd.Series([5, 5]), pd.Series([5, 8])).tolist()
    ['the same decile', 'two or more deciles less deprived']
    """
    return (after - before).clip(-2, 2).map(dict(zip(range(-2, 3), MOVES, strict=True)))


def embedded_homes() -> pd.DataFrame:
    """The embedded LSOAs, a row each, with every set of areas that they are added up to."""
    from geo.places import embedded_lookup, embedded_lsoas

    lsoas = embedded_lsoas().rename(columns={"lsoa21_name": "label"})
    within = {to: embedded_lookup(LSOA, to).rows.set_index("source")["target"] for to in (OLD_WARD, "msoa21")}
    return lsoas.assign(
        **{to: lsoas[LSOA].map(found) for to, found in within.items()},
        move=moves_between(lsoas[BEFORE], lsoas[AFTER]),
    )


@dataclass(frozen=True)
class AtHome:
    """How counts of pupils whose home is in the area are named.

    ``period``: the census. ``elsewhere``: pupils of this census live outside the area, or nobody knows where; without
    them those at home are everybody, and bear everybody's names.
    """

    period: str
    elsewhere: bool = False

    def place(self, column: str, group: pd.Series | str = "") -> pd.Series | str:
        """The groups of a column of the LSOAs as categories of ``place``; of no column (``""``), all who are at home.

        >>> AtHome("202526").place("idaci_2025_decile", "3"), AtHome("202526", True).place("idaci_2025_decile", "3")
        ('decile 3', 'idaci_2025_decile 3 at home')
        """
        if column == EVERYBODY:
            return str(category(WARD, KNOWN)) if self.elsewhere else EVERYBODY
        if isinstance(group, pd.Series):
            return group.map({g: self.place(column, str(g)) for g in group.unique()})
        if column in (LSOA, WARD):
            return group
        if column == OF_PUPILS and not self.elsewhere:
            return category("idaci_decile", group)
        return f"{column} {group} at home"

    def names(
        self, index: pd.Index, column: str, group: pd.Series | str = "", outcome: pd.Series | str = ALL_PUPILS
    ) -> pd.Series:
        """The names of the counts of groups of a column of the LSOAs."""
        return pupil_names(index, self.period, outcome, place=self.place(column, group))


def counts_seen(
    frame: pd.DataFrame, names: Mapping[str, pd.Series], rule: Policy, *, within: str | None = None
) -> pd.DataFrame:
    """``frame`` with its counts as readers see them where they do: every table and every model takes counts from here.

    ``names``: of each column of counts; ``""`` where the plan does not know a count, which then stays as it is. A count
    that is hidden in every form stays too, for the gate to hide. Under a policy that changes counts all are changed, by
    the keys of their cells where the policy asks for them (columns that are left out of the result), none to more than
    that of the column ``within``.
    """
    if rule.pattern is None:
        sealed = Sealed(frame, counts=tuple(names))
        return perturbed(sealed, rule.method, zeros=rule.zeros, within=within).unseal("to work with what is shown")
    seen = frame[[c for c in frame if not str(c).startswith(CELL_KEY)]].copy()
    for column, name in names.items():
        known = name.to_numpy() != ""
        seen.loc[known, column] = rule.pattern.rounded(frame.loc[known, column], name[known])
    return seen


def plan(area: Area) -> Plan:
    """What the chapter on wards shows by place; nothing of an area whose small areas are not embedded."""
    from geo.places import AREA_CODE

    if area.code != AREA_CODE:
        return Plan((), {})
    frame = area.count_at_home([LSOA]).unseal("to plan what is protected together")
    return plan_of_homes(
        frame[frame[PERIOD].astype(str) == area.periods[-1]],
        embedded_homes(),
        AtHome(area.periods[-1], area.homes_elsewhere > 0),
    )


def plan_of_homes(
    pupils: pd.DataFrame,
    lsoas: pd.DataFrame,
    at_home: AtHome,
    *,
    groups: Sequence[str] = GROUPS,
    outcome: str = OUTCOME,
    outcomes: Sequence[str] = OUTCOMES,
) -> Plan:
    """The tables of pupils by home, and how their places lie in one another.

    ``pupils``: true counts, one or more rows an LSOA: ``lsoa21``, ``pupils`` and the outcomes. ``lsoas``: every LSOA
    with its ``ward_code`` and ``groups``. Wards are shown for all of ``outcomes``, as elsewhere in the pack; everything
    else for ``outcome``. An LSOA without pupils is a count of 0 like another; a ward without pupils stands in no table.
    """
    counted = pupils.assign(**{LSOA: pupils[LSOA].astype(str)})
    wanted = list(dict.fromkeys((ALL_PUPILS, outcome, *outcomes)))
    sums = counted.groupby(LSOA)[wanted].sum().reindex(lsoas[LSOA]).fillna(0).astype("int64")
    homes = lsoas.set_index(LSOA, drop=False).join(sums)
    lived_in = homes.groupby(WARD)[ALL_PUPILS].transform("sum") > 0
    of = {c: homes[c].map(str).map({g: str(at_home.place(c, g)) for g in homes[c].map(str).unique()}) for c in groups}
    of = {LSOA: homes[LSOA], WARD: homes.loc[lived_in, WARD], **of}
    whole = str(at_home.place(EVERYBODY))
    tables = [_table(EVERYBODY, homes, pd.Series(whole, index=homes.index), outcomes, at_home.period)]
    tables += [_table(c, homes, p, outcomes if c == WARD else (outcome,), at_home.period) for c, p in of.items()]
    splits = [s for c, place in of.items() if c != LSOA for s in _nested(place, whole)]
    beyond = _beyond(homes[OF_PUPILS], at_home) if at_home.elsewhere and OF_PUPILS in of else ()
    return Plan(tuple(tables), {"place": (*splits, *beyond), "sen": SEN_SPLITS})


def _table(column: str, homes: pd.DataFrame, place: pd.Series, outcomes: Sequence[str], period: str) -> Table:
    wanted = [ALL_PUPILS, *outcomes]
    rows = homes[wanted].groupby(place).sum().rename_axis("place").reset_index().assign(**{PERIOD: period})
    measures = {ALL_PUPILS: {}, **{o: {"sen": o} for o in outcomes}}
    name, sealed = f"homes by {column}" if column else "homes", Sealed(rows, counts=tuple(wanted))
    return Table(name, PUPILS, sealed, ("place",), measures, weight=WEIGHTS.get(column, 1.0))


def _nested(place: pd.Series, whole: str) -> list[Split]:
    """A whole with its places, and each of these with its LSOAs."""
    inside = {p: tuple(sorted(lsoas)) for p, lsoas in sorted(place.groupby(place).groups.items())}
    return [(whole, tuple(inside)), *inside.items()]


def _beyond(deciles: pd.Series, at_home: AtHome) -> tuple[Split, ...]:
    """What is left of the deciles of all pupils, and of those who live elsewhere, once those at home are known.

    Nobody at home is without a small area or a decile, so all of whom these are not known live elsewhere.
    """
    home, elsewhere = (str(category(WARD, c)) for c in (KNOWN, NOT_KNOWN))
    known, no_decile = (str(category("idaci_decile", c)) for c in (KNOWN, NOT_KNOWN))
    each = [
        (str(category("idaci_decile", d)), (str(at_home.place(OF_PUPILS, d)), f"decile {d} elsewhere"))
        for d in sorted(deciles.map(str).unique())
    ]
    return (
        *each,
        (known, (home, "decile known elsewhere")),
        (elsewhere, (no_decile, "decile known elsewhere")),
        (no_decile, (completeness_name(LSOA)[1], "small area known, decile not")),
    )
