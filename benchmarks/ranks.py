"""How often does an interval of ranks hold the true place, and a trend test cry out at noise? Beside the naive peers.

    python benchmarks/ranks.py [--replicates 200]

Areas with known true shares are drawn anew; every method sees the same draws. An interval covers when it holds all the
places that an area could truly hold (several where areas are equal). Then the chances of the first places are set
beside how often areas truly hold them, and the trend tests are run on series whose truth is known, drawn with and
without years that vary. Times are of this machine, of all areas at once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr

from jsna.measures import proportion, rank_interval, top_places, trend_test
from jsna.measures.trend import FALLING, RISING

SEED, AREAS, DRAWS = 20261128, 40, 1000
Limits = tuple[NDArray, NDArray]


def scenarios(random: np.random.Generator) -> dict[str, tuple[NDArray, NDArray]]:
    """Denominators and true shares of each kind of country."""
    usual = np.round(np.exp(random.normal(5.7, 0.8, AREAS))).astype(int)
    small, large = random.integers(5, 60, AREAS // 2), random.integers(1000, 9000, AREAS // 2)

    def shares(centre: float, spread: float) -> NDArray:
        return 1 / (1 + np.exp(-random.normal(centre, spread, AREAS)))

    return {
        "spread wide": (usual, shares(0, 1)),
        "nearly equal": (usual, shares(-1, 0.1)),
        "all equal": (usual, np.full(AREAS, 0.3)),
        "rare": (np.maximum(usual // 4, 5), shares(-4, 0.6)),
        "tiny": (random.integers(1, 15, AREAS), shares(-1, 1)),
        "small and large": (np.r_[small, large], shares(-2, 0.7)),
        "equal at 1%": (np.r_[small, large], np.full(AREAS, 0.01)),
        "equal at 97%": (np.r_[small, large], np.full(AREAS, 0.97)),
    }


def ours(x: NDArray, n: NDArray, _random) -> Limits:
    made = rank_interval(x, n, direction="higher")
    return made["rank_lower"].to_numpy(), made["rank_upper"].to_numpy()


def _of_draws(drawn: NDArray) -> Limits:
    ranks = (-drawn).argsort(axis=1).argsort(axis=1) + 1
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    return np.floor(low), np.ceil(high)


def bootstrap(x: NDArray, n: NDArray, random: np.random.Generator) -> Limits:
    """Each area's count drawn again from its own share: percentiles of its rank."""
    return _of_draws(random.binomial(n, x / n, (DRAWS, len(x))) / n + random.uniform(0, 1e-9, (DRAWS, len(x))))


def posterior(x: NDArray, n: NDArray, random: np.random.Generator) -> Limits:
    """Each area's share drawn from its Jeffreys posterior: percentiles of its rank."""
    return _of_draws(random.beta(x + 0.5, n - x + 0.5, (DRAWS, len(x))))


def no_overlap(x: NDArray, n: NDArray, _random) -> Limits:
    """Places given up only to areas whose 95% intervals lie wholly beyond the area's own."""
    made = proportion(x, n)
    low, high = made["lower"].to_numpy(), made["upper"].to_numpy()
    return 1 + (low > high[:, None]).sum(axis=1), (high >= low[:, None]).sum(axis=1)


def every_pair(x: NDArray, n: NDArray, _random) -> Limits:
    """Wald differences of every pair of areas at Bonferroni's level."""
    share = (x + 1) / (n + 2)
    error = np.sqrt(share * (1 - share) / (n + 2))
    apart = (share[:, None] - share) / np.hypot(error[:, None], error)
    critical = -ndtri(0.025 / (len(x) - 1))
    return 1 + (apart < -critical).sum(axis=1), (apart <= critical).sum(axis=1)


METHODS: dict[str, Callable[..., Limits]] = {
    "jsna": ours,
    "bootstrap": bootstrap,
    "posterior": posterior,
    "no overlap": no_overlap,
    "Bonferroni": every_pair,
}


def coverage(replicates: int) -> pd.DataFrame:
    """Coverage over all areas, of the worst area, and the width in places."""
    rows = []
    for name, (n, share) in scenarios(np.random.default_rng(SEED)).items():
        first = 1 + (share[:, None] < share - 1e-12).sum(axis=1)
        last = (share[:, None] <= share + 1e-12).sum(axis=1)
        random = np.random.default_rng(SEED)
        held = {m: [] for m in METHODS}
        for _ in range(replicates):
            x = random.binomial(n, share)
            for method, work in METHODS.items():
                low, high = work(x, n, random)
                held[method].append(((low <= first) & (high >= last), high - low + 1))
        for method, found in held.items():
            covers, width = (np.array([f[k] for f in found]) for k in (0, 1))
            rows.append((name, method, 100 * covers.mean(), 100 * covers.mean(axis=0).min(), width.mean()))
    return pd.DataFrame(rows, columns=["country", "method", "coverage_%", "worst_area_%", "places"])


def calibration(replicates: int, top: int = 5) -> pd.DataFrame:
    """Of areas given a chance of being in the top five, how many are? Truth drawn anew each time."""
    random = np.random.default_rng(SEED)
    n = np.round(np.exp(random.normal(5.7, 0.8, AREAS))).astype(int)
    said, naive, truth = [], [], []
    for _ in range(replicates):
        share = 1 / (1 + np.exp(-random.normal(1.5, 0.4, AREAS)))
        x = random.binomial(n, share)
        said.append(top_places(x, n, top=top, direction="higher")["chance"])
        drawn = random.beta(x + 0.5, n - x + 0.5, (DRAWS, AREAS))
        naive.append(((-drawn).argsort(axis=1).argsort(axis=1) < top).mean(axis=0))
        truth.append((-share).argsort().argsort() < top)
    bands = [0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0001]
    parts = {}
    for name, chances in (("jsna", said), ("posterior", naive)):
        band = pd.cut(np.concatenate(chances), bands, right=False)
        both = pd.DataFrame({"said": np.concatenate(chances), "true": np.concatenate(truth)})
        parts[name] = 100 * both.groupby(band, observed=True).mean()
    return pd.concat(parts, axis=1)


def _series(random, years: int, series: int, slope: float, spread: float, drift: float, pupils: int) -> tuple:
    noise = random.normal(size=(series, years))
    for k in range(1, years):
        noise[:, k] = drift * noise[:, k - 1] + np.sqrt(1 - drift**2) * noise[:, k]
    share = 1 / (1 + np.exp(-(np.log(0.3 / 0.7) + slope * (np.arange(years) - years / 2) + spread * noise)))
    return random.binomial(pupils, share), np.full((series, years), pupils)


def _peer(x: NDArray, n: NDArray, robust: bool) -> float:
    """How often statsmodels' logistic slope is significant: as it comes, or with over-dispersion allowed for (t)."""
    import statsmodels.api as sm

    years, freedom = sm.add_constant(np.arange(x.shape[1])), x.shape[1] - 2
    found = 0
    for row_x, row_n in zip(x, n, strict=True):
        made = sm.GLM(np.c_[row_x, row_n - row_x], years, family=sm.families.Binomial()).fit()
        expected = row_n * made.fittedvalues
        spread = ((row_x - expected) ** 2 / (expected * (1 - made.fittedvalues))).sum() / freedom
        z = abs(made.params[1] / made.bse[1])
        found += 2 * (stdtr(freedom, -z / np.sqrt(spread)) if robust else ndtr(-z)) < 0.05
    return 100 * found / len(x)


def trends(series: int, of_peer: int = 300) -> pd.DataFrame:
    """How many of 100 series are called rising or falling: by counts, by published figures, and by statsmodels."""
    random = np.random.default_rng(SEED)
    rows = []
    for years in (5, 7, 10):
        for slope, spread, drift in ((0, 0, 0), (0, 0.2, 0), (0, 0.2, 0.5), (0.1, 0, 0), (0.1, 0.2, 0), (0.3, 0.2, 0)):
            x, n = _series(random, years, series, slope, spread, drift, 300)
            at, by = np.tile(np.arange(years), series), np.repeat(np.arange(series), years)
            counts = trend_test(at, numerator=x.ravel(), denominator=n.ravel(), by=by)
            published = trend_test(at, (100 * x / n).round(1).ravel(), by=by)
            called = [100 * t["verdict"].isin([RISING, FALLING]).mean() for t in (counts, published)]
            peers = [_peer(x[:of_peer], n[:of_peer], robust) for robust in (False, True)]
            rows.append((years, slope, spread, drift, *called, *peers))
    columns = ["years", "slope", "year_sd", "drift", "jsna_counts", "jsna_published", "logistic", "quasi_logistic"]
    return pd.DataFrame(rows, columns=columns)


def speed(areas: int = 153) -> None:
    random = np.random.default_rng(SEED)
    n = random.integers(50, 3000, areas)
    x = random.binomial(n, random.uniform(0.05, 0.95, areas))
    for name, work in METHODS.items():
        tries = []
        for _ in range(5):
            start = time.perf_counter()
            work(x, n, random)
            tries.append(time.perf_counter() - start)
        print(f"{name:<12}{1000 * min(tries):>9.1f} ms for {areas} areas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=200)
    replicates = parser.parse_args().replicates
    with pd.option_context("display.width", 160, "display.float_format", "{:.1f}".format):
        print(coverage(replicates).to_string(index=False), "\n")
        print(calibration(2 * replicates), "\n")
        print(trends(20 * replicates).to_string(index=False), "\n")
    speed()


if __name__ == "__main__":
    main()
