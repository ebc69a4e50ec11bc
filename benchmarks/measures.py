"""The measures on 100,000 rows in one call, beside statsmodels, scipy and PHStatsMethods in the same run, and memory.

Peers that work row by row are timed on a sample and scaled up. PHStatsMethods is a peer for this benchmark alone and no
dependency. To have it beside the rest without touching the workbench's own environment, from the repository:

    python -m venv peers && peers/bin/pip install PHStatsMethods statsmodels
    PYTHONPATH=. peers/bin/python benchmarks/measures.py

Its pins of pandas may differ from the workbench's. ``--full`` gives its grouped call all 100,000 groups (a minute).
"""

from __future__ import annotations

import argparse
import gc
import time
import tracemalloc
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio as peer_odds_ratio
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from jsna.measures import (
    directly_standardised_rate,
    equal_risks_p_value,
    false_discovery,
    indirectly_standardised_ratio,
    odds_ratio,
    proportion,
    risk_ratio,
)

try:
    import PHStatsMethods as phs  # pyright: ignore[reportMissingImports]
except ImportError:
    phs = None

GROUPS, REPEATS, SEED = 100_000, 5, 20250101
PROMISED = 200  # times as fast a group as the peer's grouped call


def _seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The best of several tries: the least disturbed one."""
    tries = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        tries.append(time.perf_counter() - start)
    return min(tries)


def _line(name: str, ours: float, rows: int, peer: str, theirs: float, sample: int, apart: float) -> float:
    """Prints both times a row and their ratio, and how far the answers are apart (the largest relative difference)."""
    ratio = (theirs / sample) / (ours / rows)
    print(
        f"{name:<34}{1e6 * ours / rows:>9.2f} µs {peer:<26}{1e6 * theirs / sample:>11.1f} µs"
        f"{ratio:>10,.0f} times{apart:>11.0e}"
    )
    return ratio


def _apart(ours, theirs) -> float:
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.nanmax(np.where(ours == theirs, 0, np.abs(ours / theirs - 1))))


class Rows:
    """Counts such as a large authority's: small groups against all others, at a risk of 17%."""

    def __init__(self, rows: int = GROUPS) -> None:
        random = np.random.default_rng(SEED)
        self.n1, self.n0 = random.integers(1, 10_000, rows), random.integers(20_000, 50_000, rows)
        self.x1, self.x0 = random.binomial(self.n1, 0.17), random.binomial(self.n0, 0.17)
        self.small_n, self.small_x0 = random.integers(5, 40, rows), random.binomial(400, 0.03, rows)
        self.small_x = random.binomial(self.small_n, 0.05)
        self.p, self.family = random.uniform(size=rows), random.integers(0, rows // 18 + 1, rows)

    def sample(self, size: int, *names: str) -> list[tuple]:
        return list(zip(*(getattr(self, name)[:size].tolist() for name in names), strict=True))


def wilson_beside_rows(rows: Rows) -> None:
    pairs = rows.sample(2_000, "x1", "n1")
    theirs = [proportion_confint(x, n, method="wilson") for x, n in pairs]
    ours_time = _seconds(lambda: proportion(rows.x1, rows.n1))
    theirs_time = _seconds(lambda: [proportion_confint(x, n, method="wilson") for x, n in pairs])
    apart = _apart(proportion(rows.x1, rows.n1).iloc[: len(pairs), 1:3], theirs)
    _line("Wilson limits", ours_time, GROUPS, "statsmodels by row", theirs_time, len(pairs), apart)


def score_beside_rows(rows: Rows) -> None:
    tables = rows.sample(60, "x1", "n1", "x0", "n0")
    named = {"compare": "ratio", "method": "score", "correction": False}
    theirs = [confint_proportions_2indep(*table, **named) for table in tables]
    ours_time = _seconds(lambda: risk_ratio(rows.x1, rows.n1, rows.x0, rows.n0))
    theirs_time = _seconds(lambda: [confint_proportions_2indep(*table, **named) for table in tables], 1)
    apart = _apart(risk_ratio(rows.x1, rows.n1, rows.x0, rows.n0).iloc[: len(tables), 1:3], theirs)
    _line("score limits of a risk ratio", ours_time, GROUPS, "statsmodels by row", theirs_time, len(tables), apart)


def exact_beside_rows(rows: Rows) -> None:
    tables = [[[x, n - x], [x0, 400 - x0]] for x, n, x0 in rows.sample(500, "small_x", "small_n", "small_x0")]
    four = (rows.small_x, rows.small_n, rows.small_x0, np.full(GROUPS, 400))
    theirs = [fisher_exact(table).pvalue for table in tables]
    ours_time = _seconds(lambda: equal_risks_p_value(*four))
    theirs_time = _seconds(lambda: [fisher_exact(table) for table in tables], 1)
    apart = _apart(_exact_p(four, len(tables)), theirs)
    _line("Fisher's exact p-value", ours_time, GROUPS, "scipy by row", theirs_time, len(tables), apart)

    few = [column[:2_000] for column in four]
    tables = tables[:100]
    ours_time = _seconds(lambda: odds_ratio(*few, method="fisher"), 2)
    theirs_time = _seconds(lambda: [peer_odds_ratio(table).confidence_interval(0.95) for table in tables], 1)
    theirs = [peer_odds_ratio(table).confidence_interval(0.95).high for table in tables]
    apart = _apart(odds_ratio(*few, method="fisher")["upper"].iloc[:100], theirs)
    _line("exact limits of an odds ratio", ours_time, 2_000, "scipy by row", theirs_time, len(tables), apart)


def q_values_beside_families(rows: Rows) -> None:
    p = pd.Series(rows.p)
    first = [part.to_numpy() for _, part in p.groupby(rows.family)][:1_000]
    ours_time = _seconds(lambda: false_discovery(rows.p, by=rows.family))
    theirs_time = _seconds(lambda: [multipletests(part, method="fdr_bh")[1] for part in first], 2)
    ours = np.concatenate([part.to_numpy() for _, part in false_discovery(p, by=rows.family).groupby(rows.family)])
    theirs = np.concatenate([multipletests(part, method="fdr_bh")[1] for part in first])
    apart, size = _apart(ours[: len(theirs)], theirs), len(theirs)
    _line("q-values in families of 18", ours_time, GROUPS, "statsmodels by family", theirs_time, size, apart)


def _exact_p(four: tuple, size: int) -> np.ndarray:
    """Our p-values where the exact test is the one that answers; elsewhere the peer's own, to be compared as equal."""
    x1, n1, x0, n0 = (column[:size] for column in four)
    pooled = (x1 + x0) / (n1 + n0)
    exact = np.minimum(n1, n0) * np.minimum(pooled, 1 - pooled) < 5
    return np.where(exact & (pooled > 0), equal_risks_p_value(x1, n1, x0, n0)["estimate"], np.nan)


def wilson_beside_a_grouped_call(rows: Rows, size: int) -> float:
    frame = pd.DataFrame({"g": np.arange(GROUPS), "x": rows.x1, "n": rows.n1})
    part = frame.head(size)
    ours_time = _seconds(lambda: proportion(frame["x"], frame["n"]))
    theirs = phs.ph_proportion(part, "x", "n", "g", metadata=False)
    theirs_time = _seconds(lambda: phs.ph_proportion(part, "x", "n", "g", metadata=False), 1)
    apart = _apart(proportion(part["x"], part["n"]).iloc[:, :3], theirs.iloc[:, 3:])
    return _line("Wilson limits", ours_time, GROUPS, "PHStatsMethods grouped", theirs_time, size, apart)


def standardised_beside_grouped_calls(rows: Rows) -> None:
    columns = {"g": np.repeat(np.arange(GROUPS // 10), 10), "x": rows.x1, "n": rows.n1, "w": rows.n0, "v": rows.x0}
    strata = pd.DataFrame(columns).assign(u=rows.n0)
    part, areas = strata.head(5_000), 500
    direct = {"group_cols": "g", "metadata": False, "multiplier": 1, "euro_standard_pops": False}
    indirect = {"group_cols": "g", "metadata": False, "refvalue": 1}
    for name, ours, order, theirs in (
        ("direct rate", directly_standardised_rate, "xnwg", lambda: phs.ph_dsr(part, *"xnw", **direct)),
        ("indirect ratio", indirectly_standardised_ratio, "xnvug", lambda: phs.ph_ISRatio(part, *"xnvu", **indirect)),
    ):
        ours_time = _seconds(lambda ours=ours, order=order: ours(*(strata[c] for c in order)))
        theirs_time = _seconds(theirs, 1)
        found = ours(*(part[c] for c in order)).iloc[:, :3]
        apart = _apart(found, theirs()[["Value", "lower_95_ci", "upper_95_ci"]])
        rows_of_ours = GROUPS // 10
        _line(f"{name}, 10 strata", ours_time, rows_of_ours, "PHStatsMethods grouped", theirs_time, areas, apart)


def memory() -> None:
    """The most that one call holds at a time: it should grow as the rows do."""
    calls: dict[str, Callable[[Rows], object]] = {
        "Wilson limits": lambda r: proportion(r.x1, r.n1),
        "score limits of a risk ratio": lambda r: risk_ratio(r.x1, r.n1, r.x0, r.n0),
        "Fisher's exact p-value": lambda r: equal_risks_p_value(
            r.small_x, r.small_n, r.small_x0, np.full(len(r.small_x), 400)
        ),
        "q-values in families of 18": lambda r: false_discovery(r.p, by=r.family),
    }
    small, large = Rows(GROUPS), Rows(10 * GROUPS)
    for name, call in calls.items():
        call(Rows(100))
        peaks = []
        for rows in (small, large):
            gc.collect()
            tracemalloc.start()
            call(rows)
            peaks.append(tracemalloc.get_traced_memory()[1] / 2**20)
            tracemalloc.stop()
        grown = f"{peaks[0]:>8.0f} MiB at 100,000 rows{peaks[1]:>9.0f} MiB at 1,000,000"
        print(f"{name:<34}{grown}{peaks[1] / peaks[0]:>7.1f} times")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--full", action="store_true", help="all 100,000 groups for the peer's grouped call too")
    full = options.parse_args().full
    warnings.simplefilter("ignore")
    rows = Rows()
    print(f"pandas {pd.__version__}, numpy {np.__version__}; time a row, ours first; relative difference last")
    for compare in (wilson_beside_rows, score_beside_rows, exact_beside_rows, q_values_beside_families):
        compare(rows)
    ratio = float("inf")
    if phs is None:
        print("PHStatsMethods is not installed here; how to have it is in the first lines of benchmarks/measures.py.")
    else:
        ratio = wilson_beside_a_grouped_call(rows, GROUPS if full else 10_000)
        standardised_beside_grouped_calls(rows)
    memory()
    if ratio < PROMISED:
        raise SystemExit(f"Wilson limits are less than {PROMISED} times as fast as the peer's grouped call.")


if __name__ == "__main__":
    main()
