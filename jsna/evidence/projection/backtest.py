"""What the projection, and three simple methods, would have said in earlier Januaries, beside what came."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from jsna.evidence.projection.history import History
from jsna.evidence.projection.project import project
from jsna.evidence.projection.ranges import Spread, spread_of
from jsna.evidence.projection.specification import bands, settings

OURS = "projection"
PEERS = ("last value", "drift", "exponential smoothing")


def last_value(series: np.ndarray, years: int) -> np.ndarray:
    """The latest number for every year to come."""
    return np.full(years, series[-1])


def drift(series: np.ndarray, years: int) -> np.ndarray:
    """The latest number, and each year the mean change of the whole history more.

    >>> drift(np.array([10.0, 11.0, 14.0]), 2).tolist()
    [16.0, 18.0]
    """
    step = (series[-1] - series[0]) / max(len(series) - 1, 1)
    return series[-1] + step * np.arange(1, years + 1)


def exponential_smoothing(series: np.ndarray, years: int) -> np.ndarray:
    """Holt's method (a level and a trend, both smoothed), with the smoothing that statsmodels finds best.

    Simple and damped smoothing err more here. A series too short for it has the last value.
    """
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    if len(series) < 5 or not series.any():
        return last_value(series, years)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = ExponentialSmoothing(series, trend="add", initialization_method="estimated").fit()
    return np.asarray(fitted.forecast(years))


def peer_forecasts(plans: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What each of the three would say for every row of ``plans`` (columns: years) with a figure in the last year."""
    methods: dict[str, Callable[[np.ndarray, int], np.ndarray]] = dict(
        zip(PEERS, (last_value, drift, exponential_smoothing), strict=True)
    )
    years = settings()["years_ahead"]
    known = plans[plans[plans.columns.max()].notna()]
    series = {key: row.dropna().to_numpy("float64") for key, row in known.iterrows()}
    return {
        name: pd.DataFrame({key: method(values, years) for key, values in series.items()}, index=range(1, years + 1)).T
        for name, method in methods.items()
    }


def beside(forecast: pd.DataFrame, history: History, origin: int) -> pd.DataFrame:
    """A forecast by years ahead beside what came: number, origin, ahead, n (at the origin), forecast, actual."""
    return _beside(forecast, history.plans, origin)


def _beside(forecast: pd.DataFrame, came: pd.DataFrame, origin: int) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "number": forecast.index,
                "origin": origin,
                "ahead": h,
                "n": came[origin].reindex(forecast.index).to_numpy(),
                "forecast": forecast[h].to_numpy(),
                "actual": came[origin + h].reindex(forecast.index).to_numpy(),
            }
        )
        for h in forecast.columns
        if origin + h in came
    ]
    made = pd.concat(parts, ignore_index=True)
    return made.dropna(subset=["forecast", "actual", "n"]).reset_index(drop=True)


def errors_of(history: History, origins: Iterable[int]) -> pd.DataFrame:
    """The projection's totals from each origin beside what came, one row an authority, origin and year ahead.

    Each forecast is given ``history.until(origin)`` and nothing else.
    """
    return pd.concat([beside(project(history.until(o)).total, history, o) for o in origins], ignore_index=True)


def errors_by_band(history: History, origins: Iterable[int]) -> pd.DataFrame:
    """The same by age band, with ``band``; where ages of the year that came are published."""
    parts = []
    for origin in origins:
        found = project(history.until(origin))
        for band in range(len(bands())):
            columns = found.ages.xs(band, axis=1, level=1)
            came = history.ages.xs(band, axis=1, level=1)
            if origin in came:
                parts.append(_beside(columns, came, origin).assign(band=band))
    return pd.concat(parts, ignore_index=True)


def peer_errors(history: History, origins: Iterable[int]) -> pd.DataFrame:
    """The totals that the three simple methods would have said, with ``method``."""
    parts = [
        beside(said, history, origin).assign(method=name)
        for origin in origins
        for name, said in peer_forecasts(history.until(origin).plans).items()
    ]
    return pd.concat(parts, ignore_index=True)


def peer_errors_by_band(history: History, origins: Iterable[int]) -> pd.DataFrame:
    """The same by age band."""
    parts = []
    for origin in origins:
        for band in range(len(bands())):
            came = history.ages.xs(band, axis=1, level=1)
            known = came.loc[:, came.columns <= origin]
            if origin in known:
                parts += [
                    _beside(said, came, origin).assign(method=name, band=band)
                    for name, said in peer_forecasts(known).items()
                ]
    return pd.concat(parts, ignore_index=True)


def known_by(errors: pd.DataFrame, january: int) -> pd.DataFrame:
    """The errors that somebody could have seen that January: of forecasts of the last years that had come due."""
    window = settings()["ranges"]["window"]
    due = errors["origin"] + errors["ahead"] <= january
    return errors[due & (errors["origin"] >= january - window)]


def with_ranges(errors: pd.DataFrame, origins: Iterable[int], *, parts: bool = False) -> pd.DataFrame:
    """The forecasts of some origins with the ranges that would have been given then, and whether what came lay inside.

    ``errors`` must hold earlier origins too; each origin sees only those that had come due. Columns ``held_80`` and
    ``held_95``, missing where too few forecasts had come due. ``parts``: of parts of plans, without those of too few.
    """
    fewest, made = settings()["ranges"]["fewest"] if parts else 0, []
    for origin in origins:
        rows = errors[(errors["origin"] == origin) & (errors["n"] >= fewest)]
        spread = spread_of(known_by(errors, origin), parts=parts)
        held = {f"held_{round(100 * p)}": _held(rows, spread, p) for p in settings()["levels"]}
        made.append(rows.assign(**held))
    return pd.concat(made, ignore_index=True)


def _held(rows: pd.DataFrame, spread: Spread | None, level: float) -> pd.Series:
    if spread is None:
        return pd.Series(np.nan, index=rows.index)
    lower, upper = spread.limits(rows["forecast"], rows["n"], rows["ahead"], level)
    return rows["actual"].between(lower, upper).astype("float64")


def misses(errors: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Median absolute error over authorities in plans (``plans``) and as a percentage (``percent``), by columns.

    The median is taken within each origin and the mean over origins, so that each year counts alike.
    """
    miss = (errors["forecast"] - errors["actual"]).abs()
    rows = errors.assign(plans=miss, percent=100 * miss / errors["actual"].where(errors["actual"] > 0))
    per_origin = rows.groupby([*by, "origin"])[["plans", "percent"]].median()
    return per_origin.groupby(level=by).mean()
