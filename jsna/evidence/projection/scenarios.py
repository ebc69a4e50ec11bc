"""What if? One thing changed at a time, beside the projection. Never a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.evidence.projection.flow import expected_new, flow, rates_of
from jsna.evidence.projection.history import History
from jsna.evidence.projection.parts import moved_share
from jsna.evidence.projection.project import Projection
from jsna.evidence.projection.specification import bands, settings
from jsna.files.packaged import packaged_yaml

KEYS = {
    "entry": {"name", "kind", "years_back"},
    "population": {"name", "kind"},
    "placement": {"name", "kind", "to", "from", "points"},
}


@cache
def scenarios() -> dict[str, dict[str, Any]]:
    """The scenarios of ``scenarios.yml``, checked."""
    return checked(packaged_yaml("jsna.evidence.projection", "scenarios.yml"))


def checked(given: Any) -> dict[str, dict[str, Any]]:
    """Scenarios as they may be used. Raises one ``MeasureError`` that names every key and value that is wrong.

    >>> checked({"a": {"name": "What if?", "kind": "population"}})
    {'a': {'name': 'What if?', 'kind': 'population'}}
    """
    if not isinstance(given, Mapping):
        raise MeasureError(Problem("Scenarios are a list of names, each with its keys.", where="scenarios.yml"))
    faults = [fault for name, told in given.items() for fault in _faults(str(name), told)]
    if faults:
        raise MeasureError(*faults)
    return {str(name): dict(told) for name, told in given.items()}


def _faults(name: str, told: Any) -> list[Problem]:
    where = f"scenarios.yml, {name}"
    if not isinstance(told, Mapping) or told.get("kind") not in KEYS:
        kind = told.get("kind") if isinstance(told, Mapping) else told
        return [Problem("No such kind of scenario.", where, kind, ", ".join(KEYS), did_you_mean(kind, KEYS))]
    wanted = KEYS[told["kind"]]
    found = [
        Problem("No such key.", where, k, ", ".join(sorted(wanted)), did_you_mean(k, wanted))
        for k in told
        if k not in wanted
    ]
    found += [Problem("A key is missing.", where, expected=k) for k in sorted(wanted) if k not in told]
    if found:
        return found
    if not str(told["name"]).casefold().startswith("what if"):
        found.append(Problem("A scenario's name begins with “What if”, for it is no forecast.", where, told["name"]))
    if told["kind"] == "entry" and not (isinstance(told["years_back"], int) and told["years_back"] > 0):
        found.append(Problem("Not a number of years.", where, told["years_back"], "1 or more"))
    if told["kind"] == "placement":
        parts = settings()["placements"]
        named = [told["to"], *(told["from"] if isinstance(told["from"], list) else [told["from"]])]
        found += [
            Problem("No such placement.", where, p, ", ".join(parts), did_you_mean(p, parts))
            for p in named
            if p not in parts
        ]
        points = told["points"]
        if isinstance(points, bool) or not isinstance(points, int | float) or not -100 <= points <= 100:
            found.append(Problem("Not a number of percentage points.", where, points, "-100 to 100"))
    return found


def new_plans_of(history: History, found: Projection, years_back: int) -> pd.DataFrame | None:
    """Totals if new plans a year were those of ``years_back`` years before the latest: columns years ahead.

    The projection times what the cohort flow makes of the change; ``None`` where that year's new plans by age are not
    at hand. Authorities without ages in either year have no figure.
    """
    last = found.january
    plans, before = history.of_ages(last), history.of_ages(last - 1)
    new = [history.of_new(y) for y in range(last - settings()["new_plans"]["years"], last)]
    then, rates = history.of_new(last - 1 - years_back), rates_of(before, plans, new[-1])
    if rates is None or not then.notna().any(axis=None):
        return None
    weights = {k: settings()["new_plans"][k] for k in ("of_latest", "towards_england")}
    usual = expected_new(plans, new, **weights)
    latest = new[-1].sum(axis=1, skipna=False)
    level = then.sum(axis=1, skipna=False) / latest.where(latest > 0)
    years = settings()["years_ahead"]
    sums = [
        flow(plans, n, rates, years).T.groupby(level=0).sum(min_count=len(bands())).T
        for n in (usual.mul(level, axis=0), usual)
    ]
    return found.total * (sums[0] / sums[1].where(sums[1] > 0))


def residents_ahead(ages: pd.Series, mid_year: int, january: int) -> pd.Series:
    """Residents by band in a January, from residents by single year of age (0 to 25) in the middle of ``mid_year``.

    Everybody grows older; nobody moves in or out. Those born since are taken to be as many a year as the youngest of
    ``mid_year``. A January lies half a year after the middle of the year before, which is taken for it.

    >>> ages = pd.Series(100.0, index=range(26)); ages[0] = 90.0
    >>> residents_ahead(ages, 2020, 2026).tolist()
    [450.0, 590.0, 500.0, 400.0, 600.0]
    """
    on = january - 1 - mid_year
    every = np.array([ages[max(age - on, 0)] for age in range(26)], "float64")
    starts = settings()["starts"]
    return pd.Series([every[a:b].sum() for a, b in zip(starts, [*starts[1:], 26], strict=True)])


def children_alone(now: pd.Series, ages: pd.Series, mid_year: int, january: int) -> pd.Series:
    """Totals if plans for each resident of a band stayed as they are: index years ahead.

    ``now``: plans by band in ``january``; ``ages``: residents by single year of age in the middle of ``mid_year``.
    """
    then = residents_ahead(ages, mid_year, january)
    rate = now / then.where(then > 0)
    years = range(1, settings()["years_ahead"] + 1)
    return pd.Series({h: float((rate * residents_ahead(ages, mid_year, january + h)).sum()) for h in years})


def placements_if(shares: pd.DataFrame, told: Mapping[str, Any]) -> pd.DataFrame:
    """Shares by years ahead (rows) and kind, with the change of a scenario reached in equal steps."""
    last = int(shares.index.max())
    rows = {
        h: moved_share(row, to=told["to"], taken_from=list(told["from"]), points=told["points"] * h / last)
        for h, row in shares.iterrows()
    }
    return pd.DataFrame(rows).T
