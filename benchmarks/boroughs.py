"""A simulated borough, drawn at random, and the scenarios of the validity study. Everything is seeded by the caller."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import brentq

from jsna.disproportionality.study import repetition_floor

SIZES = np.array([10200, 8600, 4700, 3600, 2700, 2200, 1900, 1500, 1300, 1000, 800, 650, 500, 400, 300, 260, 110, 48])
GROUPS, SCHOOLS, YEARS, CENSUSES, QUINTILES = len(SIZES), 66, 11, 3, 5
SEX_RATIO = 1.9
DEPRIVATION_LOG_RISK = np.array([0.45, 0.30, 0.15, 0.05, 0.0])
KEPT, MOVES, CONCENTRATION = 0.88, 0.05, 0.7
PLANTED = (0.5, 0.67, 1.5, 2.0)
SEED = 20261124


@dataclass(frozen=True)
class Scenario:
    """What is true in a borough."""

    name: str
    base: float
    school_log_sd: float = 0.3
    confounded: bool = True
    truth: str = "null"
    single: tuple[int, float] | None = None
    jump: float = 1.0
    missing: bool = False
    even: bool = False


def true_ratios(scenario: Scenario, rng: Generator) -> NDArray:
    """The risk ratio of each group, all else the same."""
    ratio = np.ones(GROUPS)
    if scenario.truth == "trifles":
        ratio = np.exp(rng.uniform(-np.log(1.08), np.log(1.08), GROUPS))
    elif scenario.truth == "mixed":
        ratio = np.exp(rng.normal(0, 0.25, GROUPS))
    elif scenario.truth == "sparse":
        at = rng.choice(GROUPS, 3, replace=False)
        ratio[at] = rng.choice(PLANTED, 3)
    elif scenario.truth == "single":
        ratio[rng.integers(GROUPS) if scenario.single is None else scenario.single[0]] = (
            rng.choice(PLANTED) if scenario.single is None else scenario.single[1]
        )
    return ratio


def _deprivation(mean: float) -> NDArray:
    """Shares of the five quintiles (the most deprived first) with a given mean."""
    q = np.arange(1, QUINTILES + 1)
    share = lambda t: np.exp(t * q) / np.exp(t * q).sum()  # noqa: E731
    return share(brentq(lambda t: share(t) @ q - mean, -5, 5))


MEANS = np.linspace(1.4, 3.3, GROUPS)[np.random.default_rng(7).permutation(GROUPS)]
QUINTILE_SHARES = np.array([_deprivation(m) for m in MEANS])
EVEN_SHARES = np.tile(SIZES @ QUINTILE_SHARES / SIZES.sum(), (GROUPS, 1))


@dataclass(frozen=True)
class Borough:
    """``cells`` for the rule; ``planted`` ratios; ``truth``, each group's ratio to all others; the group that jumps."""

    cells: pd.DataFrame
    planted: NDArray
    truth: NDArray
    jumping: int
    repetition: float


def borough(scenario: Scenario, rng: Generator) -> Borough:
    """One borough drawn at random."""
    ratio = true_ratios(scenario, rng)
    per_cohort = SIZES / YEARS
    people = rng.multinomial(round(SIZES.sum() / YEARS * (YEARS + CENSUSES - 1)), SIZES / SIZES.sum())
    group = np.repeat(np.arange(GROUPS), people)
    size = len(group)
    start = rng.integers(2 - CENSUSES, YEARS + 1, size)
    male = rng.random(size) < 0.51
    shares = QUINTILE_SHARES if scenario.confounded else EVEN_SHARES
    quintile = (rng.random(size)[:, None] > shares.cumsum(axis=1)[group][:, :-1]).sum(axis=1)
    spread = rng.dirichlet(np.full(SCHOOLS, 1e6 if scenario.even else CONCENTRATION), GROUPS).cumsum(axis=1)
    spread[:, -1] = 1.0
    school = _schools(group, spread, rng)
    effect = np.exp(rng.normal(0, scenario.school_log_sd, SCHOOLS)) if scenario.school_log_sd else np.ones(SCHOOLS)
    relative = ratio[group] * np.where(male, SEX_RATIO, 1.0) * np.exp(DEPRIVATION_LOG_RISK)[quintile]
    scale = scenario.base / (relative * effect[school]).mean()
    jumping = rng.integers(GROUPS) if scenario.jump != 1.0 else -1
    latent = rng.random(size)
    schools, status = [], []
    for t in range(CENSUSES):
        if t:
            moving = np.flatnonzero(rng.random(size) < MOVES)
            school = school.copy()
            school[moving] = _schools(group[moving], spread, rng)
            latent = np.where(rng.random(size) < KEPT, latent, rng.random(size))
        now = relative * effect[school] * scale
        if t == CENSUSES - 1 and jumping >= 0:
            now = np.where(group == jumping, now * scenario.jump, now)
        schools.append(school)
        status.append(latent < np.minimum(now, 0.95))
    on_roll = [(start + t >= 1) & (start + t <= YEARS) for t in range(CENSUSES)]
    latest = schools[0]
    for t in range(1, CENSUSES):
        latest = np.where(on_roll[t], schools[t], latest)
    shown = group
    if scenario.missing:
        ever = np.logical_or.reduce(status)
        shown = np.where(rng.random(size) < np.where(ever, 0.06, 0.03), GROUPS, group)
    cells = [_cells(shown, male, quintile, start + t, latest, status[t], on_roll[t], t) for t in range(CENSUSES)]
    frame = pd.concat(cells, ignore_index=True)
    weight = per_cohort * ratio
    against = ratio / ((weight.sum() - weight) / (per_cohort.sum() - per_cohort))
    return Borough(frame, ratio, against, int(jumping), _repetition(on_roll, status))


def _schools(group: NDArray, spread: NDArray, rng: Generator) -> NDArray:
    draw = rng.random(len(group))
    key = (spread + np.arange(GROUPS)[:, None] * 2.0).ravel()
    return np.searchsorted(key, draw + group * 2.0) - group * SCHOOLS


def _cells(group, male, quintile, year, school, status, on_roll, census) -> pd.DataFrame:
    shape = (GROUPS + 1, 2, QUINTILES, YEARS, SCHOOLS)
    rows = np.flatnonzero(on_roll)
    codes = (group[rows], male[rows].astype(int), quintile[rows], year[rows] - 1, school[rows])
    at = np.ravel_multi_index(codes, shape)
    pupils = np.bincount(at, minlength=int(np.prod(shape)))
    identified = np.bincount(at, status[rows], len(pupils))
    held = np.flatnonzero(pupils)
    level = np.unravel_index(held, shape)
    names = ("group", "sex", "quintile", "year", "school")
    sizes = dict(zip(names, shape, strict=True))
    columns = {n: pd.Categorical.from_codes(v, np.arange(sizes[n])) for n, v in zip(names, level, strict=True)}
    return pd.DataFrame(
        {
            **columns,
            "census": pd.Categorical.from_codes(np.full(len(held), census), np.arange(CENSUSES)),
            "known": level[0] < GROUPS,
            "pupils": pupils[held].astype(float),
            "identified": identified[held],
        }
    )


def _repetition(on_roll, status) -> float:
    pairs = []
    for s in range(CENSUSES):
        for t in range(s + 1, CENSUSES):
            both = on_roll[s] & on_roll[t]
            pairs.append(
                {
                    "first": on_roll[s].sum(),
                    "second": on_roll[t].sum(),
                    "both": both.sum(),
                    "first_identified": status[s][both].sum(),
                    "second_identified": status[t][both].sum(),
                    "both_identified": (status[s] & status[t])[both].sum(),
                }
            )
    return repetition_floor(pd.DataFrame(pairs), periods=CENSUSES)


BASES = (0.17, 0.03)
WEAK_GROUP, WEAK_RATIO, SPOT_BASE = 15, 2.0, 0.03  # 260 pupils, a need at 3%
CONFOUNDED, SMALL = "null, clustered and confounded", 500


def scenarios() -> list[Scenario]:
    """All scenarios of the study, each at both base risks; the weak spot at 3% only."""
    made = []
    for base in BASES:
        made += [
            Scenario("null, independent", base, school_log_sd=0.0, confounded=False),
            Scenario("null, clustered", base, confounded=False),
            Scenario("null, clustered, evenly spread", base, confounded=False, even=True),
            Scenario(CONFOUNDED, base),
            Scenario("trifles", base, truth="trifles"),
            Scenario("mixed", base, truth="mixed"),
            Scenario("sparse", base, truth="sparse"),
            Scenario("sparse, ethnicity missing", base, truth="sparse", missing=True),
            Scenario("one group differs", base, truth="single"),
            Scenario("one-year jump", base, jump=1.6),
        ]
    return [*made, Scenario("weak spot", SPOT_BASE, truth="single", single=(WEAK_GROUP, WEAK_RATIO))]


NULLS = tuple(s.name for s in scenarios() if s.base == BASES[0] and s.name.startswith("null"))
