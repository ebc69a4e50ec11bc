"""One authority's outlook: plans by age, placement and need five years ahead with ranges, and what if."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem
from jsna.evidence.projection.history import LOCAL, History
from jsna.evidence.projection.learned import spread
from jsna.evidence.projection.parts import placements_of, shifted_shares, whole_numbers
from jsna.evidence.projection.project import Projection, project
from jsna.evidence.projection.ranges import Spread
from jsna.evidence.projection.scenarios import children_alone, new_plans_of, placements_if, scenarios
from jsna.evidence.projection.specification import bands, settings

TREND, OBSERVED = "trend", "observed"
ALL = "All"
ROWS = ("kind", "part", "year", "value", "lower_80", "upper_80", "lower_95", "upper_95", "scenario")


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is said of one authority.

    ``history``: plans by January. ``rows``: columns ``ROWS``; ``kind`` is all, age, placement or need; rows of scenario
    ``observed`` are the latest January's published numbers, those of ``trend`` the projection, others a what-if
    without a range. Parts of a kind add up to all plans. ``lacking``: for a kind or a scenario that cannot be given,
    why. ``own_growth``: whether the authority's own growth was known.
    """

    january: int
    history: pd.Series
    rows: pd.DataFrame
    lacking: dict[str, str]
    own_growth: bool
    own_ages: bool

    def of(self, kind: str, scenario: str = TREND) -> pd.DataFrame:
        """The rows of a kind in a scenario."""
        chosen = (self.rows["kind"] == kind) & (self.rows["scenario"] == scenario)
        return self.rows[chosen].reset_index(drop=True)

    @property
    def jumps(self) -> list[int]:
        """The Januaries in which plans rose or fell by so much in a year that the return should be looked at."""
        known = self.history[self.history > 0]
        moves = np.log(known).diff().abs()
        steps = pd.Series(known.index, index=known.index).diff()
        return [int(y) for y in moves.index[(moves > settings()["back_test"]["jump"]) & (steps == 1)]]

    @property
    def gaps(self) -> list[int]:
        """The Januaries between the first and the latest without a number."""
        known = self.history.dropna()
        return [y for y in range(int(known.index.min()), self.january) if y not in known.index]


def outlook_of(
    history: History,
    number: str,
    *,
    caseload: pd.DataFrame,
    needs: pd.DataFrame | None = None,
    residents: pd.Series | None = None,
    mid_year: int = 2020,
) -> Outlook:
    """The outlook of the authority with a DfE number.

    ``caseload`` and ``needs`` are tables of the release; ``residents`` by single year of age (0 to 25) in the middle of
    ``mid_year``. What is missing among them is named in ``lacking``. Raises ``MeasureError`` for an authority that is
    not there, or has no plans in the latest January.
    """
    last = history.latest
    now = float(history.plans[last].reindex([number]).iloc[0])
    if not now > 0:
        reason = (
            "There is no number of plans to project from."
            if pd.isna(now)
            else "There were no plans in the latest January."
        )
        raise MeasureError(Problem(reason, where=f"caseload, January {last}", value=number))
    found = project(history)
    lacking: dict[str, str] = {}
    total = _rows("all", [ALL], found.total.loc[[number]].T.to_numpy(), [float(now)], last, lambda _: spread("total"))
    parts = [_observed("all", [ALL], [float(now)], last), total]
    wholes = total["value"].tolist()
    parts += _ages(history, found, number, wholes, lacking)
    parts += _placements(caseload, found, number, wholes, lacking)
    parts += _needs(needs, number, float(now), wholes, last, lacking)
    parts += _totals_if(history, found, number, residents, mid_year, lacking)
    rows = pd.concat(parts, ignore_index=True)
    series = history.plans.loc[number].dropna()
    return Outlook(last, series, rows, lacking, bool(found.own_growth[number]), bool(found.own_ages[number]))


def _observed(kind: str, names: Sequence[str], now: Sequence[float], last: int) -> pd.DataFrame:
    made = pd.DataFrame({"kind": kind, "part": list(names), "year": last, "value": list(now), "scenario": OBSERVED})
    return made.reindex(columns=list(ROWS))


def _rows(
    kind: str,
    names: Sequence[str],
    values: np.ndarray,
    now: Sequence[float],
    last: int,
    spread_of: Callable[[str], Spread] | None,
    *,
    wholes: Sequence[float] | None = None,
    scenario: str = TREND,
) -> pd.DataFrame:
    """Rows of one kind: ``values`` has a row a year ahead and a column a part; they add up to ``wholes``."""
    years = range(1, len(values) + 1)
    if wholes is None:
        whole = np.rint(values).astype("int64")
    else:
        whole = np.array([whole_numbers(v, int(w)) for v, w in zip(values, wholes, strict=True)])
    long = pd.DataFrame(whole, index=[last + h for h in years], columns=list(names)).T.stack()
    rows = long.rename("value").rename_axis(["part", "year"]).reset_index().assign(kind=kind, scenario=scenario)
    rows["value"] = rows["value"].astype("float64")
    if spread_of is None:
        return rows.reindex(columns=list(ROWS))
    start = dict(zip(names, now, strict=True))
    for level in settings()["levels"]:
        tail = round(100 * level)
        made = [
            spread_of(p).limits(v, start[p], y - last, level)
            for p, v, y in zip(rows["part"], rows["value"], rows["year"], strict=True)
        ]
        few = (rows["part"].map(start) < settings()["ranges"]["fewest"]) & (kind != "all")
        rows[f"lower_{tail}"] = pd.Series([float(np.floor(low)) for low, _ in made], rows.index).mask(few)
        rows[f"upper_{tail}"] = pd.Series([float(np.ceil(high)) for _, high in made], rows.index).mask(few)
    return rows.reindex(columns=list(ROWS))


def _ages(
    history: History, found: Projection, number: str, wholes: list[float], lacking: dict[str, str]
) -> list[pd.DataFrame]:
    now = history.of_ages(found.january).loc[number]
    if not found.own_ages[number] or now.isna().any():
        lacking["age"] = "The plans of this authority are not published by age in the latest January."
        return []
    values = np.array([found.ages.loc[number, h].to_numpy() for h in found.total.columns])
    named = [f"Age {b}" if b[0].isdigit() else b for b in bands()]
    of = dict(zip(named, bands(), strict=True))
    rows = _rows("age", named, values, now.tolist(), found.january, lambda p: spread(of[p]), wholes=wholes)
    return [_observed("age", named, now.tolist(), found.january), rows]


def _placements(
    caseload: pd.DataFrame, found: Projection, number: str, wholes: list[float], lacking: dict[str, str]
) -> list[pd.DataFrame]:
    last, parts = found.january, placements_of(caseload)
    shares = shifted_shares(parts, last)
    if number not in shares.index.get_level_values("number"):
        lacking["placement"] = "The placements of this authority are not published in the latest January."
        return []
    names = {k: v["label"] for k, v in settings()["placements"].items()}
    now, own = parts.loc[(number, last)], shares.loc[number]
    kinds = {label: kind for kind, label in names.items()}
    made = [_observed("placement", list(names.values()), now.reindex(names).tolist(), last)]
    whole = np.array(wholes)[:, None]
    for scenario, told in {TREND: None, **scenarios()}.items():
        if told is not None and told["kind"] != "placement":
            continue
        changed = own if told is None else placements_if(own, told)
        values = changed.reindex(columns=list(names)).to_numpy() * whole
        of = None if told is not None else (lambda p: spread(kinds[p]))
        made.append(
            _rows(
                "placement",
                list(names.values()),
                values,
                now.reindex(names).tolist(),
                last,
                of,
                wholes=wholes,
                scenario=scenario,
            )
        )
    return made


def _needs(
    needs: pd.DataFrame | None, number: str, now: float, wholes: list[float], last: int, lacking: dict[str, str]
) -> list[pd.DataFrame]:
    told = settings()["needs"]
    rows = (
        None if needs is None else needs[(needs["breakdown_topic"] == "Total") & (needs["geographic_level"] == LOCAL)]
    )
    own = None if rows is None else rows.loc[rows["dfe_number"] == number, list(told)]
    if own is None or len(own) != 1 or own.isna().any(axis=None) or not own.to_numpy().sum() > 0:
        lacking["need"] = "The needs of this authority’s plans are not published in the latest January."
        return []
    counts = own.iloc[0].to_numpy("float64")
    names, shares = list(told.values()), counts / counts.sum()
    values = np.outer(wholes, shares)
    start = (shares * now).tolist()
    made = _rows("need", names, values, start, last, lambda _: spread("any part"), wholes=wholes)
    return [_observed("need", names, counts.tolist(), last), made]


def _totals_if(
    history: History,
    found: Projection,
    number: str,
    residents: pd.Series | None,
    mid_year: int,
    lacking: dict[str, str],
) -> list[pd.DataFrame]:
    """The totals of the scenarios that change how many plans there are."""
    made = []
    for name, told in scenarios().items():
        series: pd.Series | None = None
        if told["kind"] == "entry":
            every = new_plans_of(history, found, told["years_back"])
            series = None if every is None else every.loc[number]
            lacking |= (
                {}
                if series is not None and series.notna().all()
                else {name: "New plans by age of that year are not at hand."}
            )
        elif told["kind"] == "population":
            ages = history.of_ages(found.january).loc[number]
            if residents is None or residents.isna().any() or ages.isna().any():
                lacking[name] = "Residents by single year of age, or plans by age, are not at hand."
            else:
                series = children_alone(ages, residents, mid_year, found.january)
        if series is not None and series.notna().all():
            made.append(
                _rows("all", [ALL], series.to_numpy("float64")[:, None], [0.0], found.january, None, scenario=name)
            )
    return made
