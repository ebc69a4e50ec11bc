"""What the back-test and England's ages teach, kept as a small file, so that an area without the files has it too."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jsna.evidence.projection.backtest import errors_by_band, errors_of, known_by, misses, with_ranges
from jsna.evidence.projection.history import LOCAL, History, history_of, january
from jsna.evidence.projection.parts import placements_of, shifted_shares
from jsna.evidence.projection.project import project
from jsna.evidence.projection.ranges import Spread, spread_of
from jsna.evidence.projection.specification import bands, settings
from jsna.files.packaged import packaged_yaml

if TYPE_CHECKING:
    from jsna.sources.folder import OfficialFolder

SOURCE = (
    "Our own estimate from Department for Education, Education, health and care plans, reporting years 2022 and 2025"
)
SIZES = (0, 1200, 2000, 3500)


@cache
def learned() -> dict[str, Any]:
    """What ``learned.yml`` holds; ``benchmarks/projection.py --write`` makes it."""
    return packaged_yaml("jsna.evidence.projection", "learned.yml")


def spread(of: str) -> Spread:
    """The spread of a kind of figure: ``total``, ``pupils``, a band such as ``11 to 15``, a kind of
    placement such as ``special``, or ``any part`` where nothing else is known."""
    told = settings()["ranges"]
    widths = learned()["spreads"][of]
    size = told["size" if of in ("total", "pupils") else "size_of_parts"]
    return Spread({p: widths[round(100 * p)] for p in settings()["levels"]}, told["exponent"], size)


def errors_like(n: float) -> dict[str, Any]:
    """How far forecasts for authorities with about ``n`` plans erred: ``percent`` by years ahead, ``held_80``, span."""
    classes = learned()["sizes"]
    return [c for c in classes if n >= c["from"]][-1] if n >= classes[0]["from"] else classes[0]


def learn(folder: OfficialFolder) -> dict[str, Any]:
    """All of ``learned.yml``, from the files: spreads of errors, errors by size of authority, and ratios by age."""
    history, caseload = history_of(folder), folder.ehc("caseload").frame
    last, first = history.latest, int(history.plans.columns.min()) + 2
    origins = settings()["back_test"]["origins"]
    errors, by_band = errors_of(history, range(first, last)), errors_by_band(history, range(first, last))
    ratios, by_placement = ratios_of(caseload, last), known_by(placement_errors(history, caseload), last)
    spreads = {
        "total": spread_of(known_by(errors, last)),
        **{b: spread_of(known_by(by_band[by_band["band"] == i], last), parts=True) for i, b in enumerate(bands())},
        **{str(part): spread_of(rows, parts=True) for part, rows in by_placement.groupby("part")},
        "any part": spread_of(by_placement, parts=True),
        "pupils": spread_of(ratio_errors(caseload, ratios, last)),
    }
    return {
        "source": SOURCE,
        "vintage": f"January {last}; forecasts from January {origins[0]} to January {last - 1}",
        "spreads": {k: {round(100 * p): round(w, 4) for p, w in s.one_year.items()} for k, s in spreads.items() if s},
        "sizes": _by_size(with_ranges(errors, origins)),
        "ratios": {int(age): round(float(r), 4) for age, r in ratios.items()},
        "growth": round(_growth(caseload, last), 4),
        "england": {int(age): int(n) for age, n in _single_ages(caseload, last).sum().loc[4:16].items()},
    }


def ratios_of(caseload: pd.DataFrame, last: int) -> pd.Series:
    """England's plans at each age in one January over those a year younger the January before, by age (4 to 16).

    What starts, less what ends or moves, in one figure. Authorities without ages in either year are left out.
    """
    now, before = (_single_ages(caseload, year) for year in (last, last - 1))
    both = now.index.intersection(before.index)
    now, before = now.loc[both].sum(), before.loc[both].sum()
    return pd.Series({age: now[age] / before[age - 1] for age in range(4, 17)})


def _growth(caseload: pd.DataFrame, last: int) -> float:
    """England's growth in the latest year (in logarithms) of plans at ages 4 to 15."""
    now, before = (_single_ages(caseload, year) for year in (last, last - 1))
    both, ages = now.index.intersection(before.index), list(range(4, 16))
    return float(np.log(now.loc[both, ages].to_numpy().sum() / before.loc[both, ages].to_numpy().sum()))


def _single_ages(caseload: pd.DataFrame, year: int) -> pd.DataFrame:
    rows = caseload[(caseload["geographic_level"] == LOCAL) & (caseload["breakdown_topic"] == "Age")]
    rows = rows[january(rows["time_period"]) == year]
    age = pd.to_numeric(rows["breakdown"], errors="coerce")
    wide = rows.assign(age=age)[age.notna()].pivot(index="dfe_number", columns="age", values="ehcplans")
    return wide.dropna(subset=list(range(3, 17)))


def ratio_errors(caseload: pd.DataFrame, ratios: pd.Series, last: int) -> pd.DataFrame:
    """What England's ratios would have said of plans at ages 5 to 15 in each authority a year ahead, and what came."""
    now, before = (_single_ages(caseload, year) for year in (last, last - 1))
    both = now.index.intersection(before.index)
    ages = list(range(5, 16))
    said = sum(before.loc[both, age - 1] * ratios[age] for age in ages)
    made = {"number": both, "origin": last - 1, "ahead": 1, "n": before.loc[both, ages].sum(axis=1).to_numpy()}
    return pd.DataFrame(made | {"forecast": np.asarray(said), "actual": now.loc[both, ages].sum(axis=1).to_numpy()})


def placement_errors(history: History, caseload: pd.DataFrame) -> pd.DataFrame:
    """Forecasts of every kind of placement beside what came, from January 2021 on, with ``part``."""
    parts, made = placements_of(caseload), []
    first, last = int(parts.index.get_level_values("year").min()), history.latest
    for origin in range(first + 2, last):
        seen = parts[parts.index.get_level_values("year") <= origin]
        total, shares = project(history.until(origin)).total, shifted_shares(seen, origin)
        said = shares.mul(total.stack().reindex(shares.index), axis=0).stack().rename("forecast").reset_index()
        said.columns = ["number", "ahead", "part", "forecast"]
        came, then = parts.stack().rename("actual"), parts.xs(origin, level="year").stack().rename("n")
        said = said.assign(year=origin + said["ahead"], origin=origin)
        said = said.merge(came.rename_axis(["number", "year", "part"]).reset_index(), on=["number", "year", "part"])
        made.append(said.merge(then.rename_axis(["number", "part"]).reset_index(), on=["number", "part"]))
    return pd.concat(made, ignore_index=True)


def _by_size(errors: pd.DataFrame) -> list[dict[str, Any]]:
    """Median errors in per cent one, three and five years ahead by plans at the origin, and how often ranges held."""
    classes = pd.cut(errors["n"], [*SIZES, np.inf], right=False, labels=False)
    rows = []
    for at, low in enumerate(SIZES):
        here = errors[classes == at]
        percent = misses(here, ["ahead"])["percent"]
        high = SIZES[at + 1] if at + 1 < len(SIZES) else None
        rows.append(
            {
                "from": low,
                "below": high,
                "percent": {h: round(float(percent[h]), 1) for h in (1, 3, 5)},
                "held_80": round(float(here["held_80"].mean()), 2),
            }
        )
    return rows
