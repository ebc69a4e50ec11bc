"""What every rule says of the same simulated boroughs, how often that is wrong, and the tables of docs/validity.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from boroughs import BASES, CENSUSES, CONFOUNDED, NULLS, PLANTED, SIZES, SMALL, WEAK_GROUP, WEAK_RATIO, Scenario
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammainc, ndtr

from jsna.disproportionality import peers
from jsna.disproportionality.rule import make_rule
from jsna.measures import risk_ratio


@dataclass(frozen=True)
class Verdict:
    """What a rule says, replicates by groups: its flags (1 over, −1 under, 0 none), and how strongly which way."""

    flags: NDArray
    sign: NDArray
    strength: NDArray

    def at(self, cut: float) -> NDArray:
        """The flags were everything flagged whose strength is at least ``cut``."""
        return np.where(self.strength >= cut, self.sign, 0)


OURS, LEARNED = "the rule of this workbench", "the same, prior learned from 150 areas"
NATIONAL = "the same, prior of EHC plans by ethnic group in England"
PEERS = {
    "chi-square per group": "chi_square",
    "Data to Insight": "council_tool",
    "95% intervals not overlapping": "intervals_apart",
    "99.8% limits": "beyond_limits",
    "IDEA ratio 2, cell 10, n 30": "idea",
    "IDEA, three years": "idea_three_years",
    "80% and 125% of overall": "four_fifths",
    "80% index against the highest": "index_against_highest",
    "percentage-point gap": "point_gap",
}


def verdicts(d: dict[str, NDArray]) -> dict[str, Verdict]:
    """Every rule on the same boroughs. Rules of one year see the latest census."""
    shape = d["truth"].shape
    family = np.repeat(np.arange(shape[0]), shape[1])
    x, n = [d[f"x_{t}"] for t in range(CENSUSES)], [d[f"n_{t}"] for t in range(CENSUSES)]
    x_0 = [c.sum(axis=1, keepdims=True) - c for c in x]
    n_0 = [c.sum(axis=1, keepdims=True) - c for c in n]
    pair = x[-1].ravel(), n[-1].ravel()
    four = *pair, x_0[-1].ravel(), n_0[-1].ravel()
    overall = [np.broadcast_to(c[-1].sum(axis=1, keepdims=True), shape).ravel() for c in (x, n)]
    years = [np.stack([c.ravel() for c in part], axis=1) for part in (x, n, x_0, n_0)]
    made = {
        "chi_square": peers.chi_square(*four),
        "council_tool": peers.council_tool(*pair, family=family),
        "intervals_apart": peers.intervals_apart(*four),
        "beyond_limits": peers.beyond_limits(*pair, *overall),
        "idea": peers.idea(*four),
        "idea_three_years": peers.idea_three_years(*years),
        "four_fifths": peers.four_fifths(*pair, family=family),
        "index_against_highest": peers.index_against_highest(*pair, family=family),
        "point_gap": peers.point_gap(*pair, family=family),
    }
    answers = {name: _verdict(made[key], shape) for name, key in PEERS.items()}
    return answers | _adjusted_verdicts(d, shape) | our_verdicts(d)


def _verdict(found: pd.DataFrame, shape: tuple[int, ...]) -> Verdict:
    sign = found["direction"].map({"over": 1, "under": -1, "": 0}).to_numpy(int).reshape(shape)
    strength = found["strength"].fillna(-np.inf).to_numpy().reshape(shape)
    return Verdict(np.where(found["flagged"].to_numpy().reshape(shape), sign, 0), sign, strength)


def _adjusted_verdicts(d: dict[str, NDArray], shape: tuple[int, ...]) -> dict[str, Verdict]:
    answers = {}
    for name, kind, error in (
        ("adjusted, 1.33 / 0.75 and p < 0.05", "year", "row_error"),
        ("adjusted over three years, pupils independent", "three", "row_error"),
        ("adjusted over three years, clustered", "three", "error"),
    ):
        log_ratio, spread = d[f"{kind}_log_ratio"], d[f"{kind}_{error}"]
        z = np.abs(log_ratio) / spread
        found = peers.adjusted_threshold(np.exp(log_ratio).ravel(), 2 * ndtr(-z).ravel())
        beyond = np.isfinite(z) & ((log_ratio >= np.log(1.33)) | (log_ratio <= np.log(0.75)))
        sign = np.where(beyond, np.sign(log_ratio), 0).astype(int)
        answers[name] = Verdict(_verdict(found, shape).flags, sign, np.where(beyond, z, -np.inf))
    return answers


def our_verdicts(d: dict[str, NDArray]) -> dict[str, Verdict]:
    """The rule of this workbench, with the prior of one area and with learned ones."""
    answers = {}
    for name, prior in ((OURS, "own"), (LEARNED, "learned"), (NATIONAL, "national")):
        if f"{prior}_q" in d:
            sign = d[f"{prior}_direction"]
            strength = np.where(sign != 0, -d[f"{prior}_q"], -np.inf)
            answers[name] = Verdict(np.where(strength >= -make_rule().false_discovery_rate, sign, 0), sign, strength)
    return answers


# What is counted. A flag is false where the true ratio lies within 1/1.1 to 1.1, or on the other side of 1.


def false_flags(flagged: NDArray, truth: NDArray) -> NDArray:
    """Which flags are false."""
    small = np.abs(np.log(truth)) <= np.log(1.1)
    return (flagged != 0) & (small | (np.sign(np.log(truth)) != flagged))


def boroughs_with_false(flagged: NDArray, truth: NDArray) -> float:
    """Percentage of boroughs with any false flag."""
    return 100 * false_flags(flagged, truth).any(axis=1).mean()


def false_discovery_rate(flagged: NDArray, truth: NDArray) -> float:
    """Mean percentage of a borough's flags that are false (0 where there is none)."""
    found = (flagged != 0).sum(axis=1)
    return 100 * (false_flags(flagged, truth).sum(axis=1) / np.maximum(found, 1)).mean()


def power(flagged: NDArray, planted: NDArray, where: NDArray | None = None) -> float:
    """Percentage of planted groups flagged on the right side."""
    there = np.isin(planted, PLANTED) if where is None else where
    right = (flagged == np.sign(np.log(np.where(there, planted, 1.0)))) & there
    return 100 * right.sum() / max(there.sum(), 1)


def sign_errors(flagged: NDArray, truth: NDArray) -> float:
    """Flags on the wrong side of a ratio beyond 1.1 either way, per 100 flags."""
    wrong = (flagged != 0) & (np.sign(np.log(truth)) == -flagged) & (np.abs(np.log(truth)) > np.log(1.1))
    return 100 * wrong.sum() / max((flagged != 0).sum(), 1)


def covered(lower: NDArray, upper: NDArray, truth: NDArray, use: NDArray) -> float:
    """Percentage of intervals that hold the truth."""
    good = use & np.isfinite(lower)
    return 100 * ((lower <= truth) & (truth <= upper))[good].mean()


def cut_for(verdict: Verdict, truth: NDArray, share: float = 5.0) -> float:
    """The cut-off at which ``share`` percent of null boroughs have a false flag."""
    worst = np.where(verdict.sign != 0, verdict.strength, -np.inf).max(axis=1)
    worst = np.sort(worst)[::-1]
    return float(np.nextafter(worst[int(len(worst) * share / 100)], np.inf))


# Tables. Each is a list of rows of text, printed and written to docs/validity.md.

Results = dict[Scenario, dict[str, NDArray]]


def of(results: Results, name: str, base: float) -> dict[str, NDArray]:
    return next(d for s, d in results.items() if s.name == name and s.base == base)


def percent(base: float) -> str:
    return f"{100 * base:.0f}%"


def table(head: list[str], rows: Iterable[list[object]]) -> str:
    text = [[cell if isinstance(cell, str) else f"{cell:.1f}" for cell in row] for row in rows]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in text)]) + "\n"


def null_table(results: Results) -> str:
    """Boroughs with any false flag where nothing differs."""
    columns = [(name, base) for base in BASES for name in NULLS]
    found = {c: verdicts(of(results, *c)) for c in columns}
    rows = []
    for rule in found[columns[0]]:
        made = [boroughs_with_false(found[c][rule].flags, of(results, *c)["truth"]) for c in columns]
        rows.append([rule, *made])
    return table(["rule", *(f"{name.removeprefix('null, ')}, {percent(b)}" for name, b in columns)], rows)


def found_table(results: Results, name: str) -> str:
    """False discovery, power, wrong signs and boroughs with a false flag where some groups differ."""
    d = {base: of(results, name, base) for base in BASES}
    found = {base: verdicts(d[base]) for base in BASES}
    rows = []
    for rule in found[BASES[0]]:
        row: list[object] = [rule]
        for base in BASES:
            flagged, truth = found[base][rule].flags, d[base]["truth"]
            beyond = (truth >= 1.25) | (truth <= 0.8)
            hit = power(flagged, d[base]["planted"]) if "mixed" not in name else power(flagged, truth, beyond)
            row += [false_discovery_rate(flagged, truth), hit, sign_errors(flagged, truth)]
        rows.append(row)
    head = [f"{what}, {percent(base)}" for base in BASES for what in ("FDR", "power", "wrong signs per 100")]
    return table(["rule", *head], rows)


def trifles_table(results: Results) -> str:
    """Boroughs with a false flag where all true ratios lie within 8% of 1, flags of the one-year jump."""
    rows, d = [], {}
    for base in BASES:
        for name in ("trifles", "one-year jump"):
            d[name, base] = of(results, name, base)
    found = {key: verdicts(part) for key, part in d.items()}
    for rule in found["trifles", BASES[0]]:
        row: list[object] = [rule]
        for base in BASES:
            row.append(boroughs_with_false(found["trifles", base][rule].flags, d["trifles", base]["truth"]))
            jumping = d["one-year jump", base]["jumping"]
            row.append(100 * (found["one-year jump", base][rule].flags[jumping] > 0).mean())
        rows.append(row)
    head = [f"{what}, {percent(b)}" for b in BASES for what in ("trifles: false flag", "jump flagged")]
    return table(["rule", *head], rows)


def equal_rate_table(results: Results) -> tuple[str, dict[float, dict[str, float]]]:
    """Power where every rule's cut-off is moved until 5% of confounded null boroughs have a false flag."""
    powers: dict[float, dict[str, float]] = {}
    for base in BASES:
        null, sparse = of(results, CONFOUNDED, base), of(results, "sparse", base)
        at_null, at_sparse = verdicts(null), verdicts(sparse)
        powers[base] = {
            rule: power(at_sparse[rule].at(cut_for(at_null[rule], null["truth"])), sparse["planted"])
            for rule in at_sparse
        }
    rows = [[rule, *(powers[base][rule] for base in BASES)] for rule in powers[BASES[0]]]
    return table(["rule", *(f"power, {percent(base)}" for base in BASES)], rows), powers


def size_table(results: Results, base: float) -> str:
    """Power of the rule by the group's size and its true ratio."""
    wide = [of(results, name, base) for name in ("sparse", "one group differs", "sparse, ethnicity missing")]
    flagged = np.concatenate([our_verdicts(d)[OURS].flags for d in wide])
    planted = np.concatenate([d["planted"] for d in wide])
    bands = [(0, 100), (100, 200), (200, 350), (350, 600), (600, 1200), (1200, 3000), (3000, 20000)]
    rows = []
    for low, high in bands:
        inside = (low <= SIZES) & (high > SIZES)
        label = (
            f"{SIZES[inside].min():,}" if inside.sum() == 1 else f"{SIZES[inside].min():,} to {SIZES[inside].max():,}"
        )
        row: list[object] = [label]
        for ratio in PLANTED:
            there = (planted == ratio) & inside
            row.append(f"{power(flagged, planted, there):.0f} ({int(there.sum())})")
        rows.append(row)
    return table(["pupils", *(f"ratio {r}" for r in PLANTED)], rows)


def interval_table(results: Results) -> tuple[str, float, float]:
    """Coverage of 95% intervals, error of small groups, and what is called insufficient or watched."""
    rows, least, worst = [], 100.0, 0.0
    for scenario, d in results.items():
        use = ~d["jumping"]
        small = use & (d["n_2"] < SMALL) & (d["x_2"] >= 0)
        crude = _crude(d)
        pupils = covered(crude[1], crude[2], d["truth"], use)
        spread = 1.959964 * d["three_error"]
        clustered = covered(
            np.exp(d["three_log_ratio"] - spread), np.exp(d["three_log_ratio"] + spread), d["truth"], use
        )
        ours = covered(d["own_lower"], d["own_upper"], d["truth"], use)
        both = small & (crude[0] > 0) & np.isfinite(crude[0])
        truth = np.log(d["truth"][both])
        error = [float(np.sqrt(np.mean((np.log(e[both]) - truth) ** 2))) for e in (crude[0], d["own_ratio"])]
        least, worst = min(least, ours), max(worst, error[1] / error[0])
        rows.append(
            [
                f"{scenario.name}, {percent(scenario.base)}",
                pupils,
                clustered,
                ours,
                f"{error[0]:.2f}",
                f"{error[1]:.2f}",
                f"{error[1] / error[0]:.2f}",
                100 * d["own_insufficient"].mean(),
                100 * d["own_watch"].mean(),
            ]
        )
    head = ["scenario", "crude interval", "adjusted, clustered", "pooled", "error, crude", "error, pooled", "ratio"]
    return table([*head, "insufficient data", "watch"], rows), least, worst


def _crude(d: dict[str, NDArray]) -> tuple[NDArray, NDArray, NDArray]:
    """Crude ratio and score interval of the latest census, as if pupils were independent."""
    x, n = d["x_2"], d["n_2"]
    four = (a.ravel() for a in (x, n, x.sum(axis=1, keepdims=True) - x, n.sum(axis=1, keepdims=True) - n))
    made = risk_ratio(*four)
    estimate, lower, upper = (made[c].to_numpy().reshape(x.shape) for c in ("estimate", "lower", "upper"))
    return estimate, lower, upper


def weak_spot(results: Results) -> tuple[str, dict[str, float]]:
    """A group of 260 at 3% whose true ratio is 2: power as each rule stands, and with its cut-off moved to 5%."""
    weak, null = of(results, "weak spot", 0.03), of(results, CONFOUNDED, 0.03)
    at_weak, at_null = verdicts(weak), verdicts(null)
    there = np.zeros_like(weak["truth"], bool)
    there[:, WEAK_GROUP] = True
    powers, rows = {}, []
    for rule, verdict in at_weak.items():
        stands = power(verdict.flags, weak["planted"], there)
        false = boroughs_with_false(at_null[rule].flags, null["truth"])
        powers[rule] = stands
        moved = power(verdict.at(cut_for(at_null[rule], null["truth"])), weak["planted"], there)
        rows.append([rule, false, stands, moved])
    ceiling = oracle(weak, null)
    powers["ceiling"] = ceiling
    rows.append(["ceiling: a test that knows every group's variance exactly", 5.0, "", ceiling])
    return table(["rule", "null boroughs with a false flag", "power as it stands", "power at 5%"], rows), powers


def signed_root(x: NDArray, e: NDArray) -> NDArray:
    """Signed root of the likelihood ratio of x events where e are expected, were they Poisson."""
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.where(x > 0, x * np.log(x / e), 0.0) - (x - e)
    return np.sign(x - e) * np.sqrt(2 * np.maximum(half, 0))


def oracle(weak: dict[str, NDArray], null: dict[str, NDArray], groups: slice = slice(None)) -> float:
    """Signed root of the likelihood ratio over the true dispersion, which only a simulation knows.

    Its power at the weak group with the cut-off at which 5% of null boroughs have one of ``groups`` beyond it.
    """
    truth = np.var((null["events"] - null["expected"]) / np.sqrt(null["expected"].mean(axis=0)), axis=0)

    def statistic(d: dict[str, NDArray]) -> NDArray:
        return signed_root(d["events"], d["expected"]) / np.sqrt(truth)

    cut = np.quantile(np.abs(statistic(null)[:, groups]).max(axis=1), 0.95)
    return 100 * float((statistic(weak)[:, WEAK_GROUP] >= cut).mean())


def luck_needed(results: Results, wanted: float = 0.65) -> tuple[float, float, float]:
    """What the goal at the weak spot asks: pupils expected and identified once repetition and schools are allowed for,
    and how often luck alone would then pass a cut-off that finds the ``wanted`` share of ratios of 2, one-sided.
    """
    weak = of(results, "weak spot", 0.03)
    expected = float(np.mean(weak["expected"][:, WEAK_GROUP] / weak["dispersion"][:, WEAK_GROUP]))
    found = WEAK_RATIO * expected
    # The regularised gamma function of c at m is the chance of c or more events where m are expected, for any c.
    cut = brentq(lambda c: gammainc(c, found) - wanted, 0.1, 10 * found)
    return expected, found, 100 * float(gammainc(cut, expected))


def bars(results: Results) -> str:
    """Every bar of the study beside what was measured."""
    rows: list[list[object]] = []

    def add(what: str, bar: str, measured: float, met: bool) -> None:
        rows.append([what, bar, measured, "yes" if met else "no"])

    for base in BASES:
        worst = max(boroughs_with_false(our_verdicts(d)[OURS].flags, d["truth"]) for d in _nulls(results, base))
        add(f"null boroughs with a false flag, worst scenario, {percent(base)}", "at most 5", worst, worst <= 5)
        for name in ("sparse", "mixed"):
            d = of(results, name, base)
            flagged = our_verdicts(d)[OURS].flags
            rate, wrong = false_discovery_rate(flagged, d["truth"]), sign_errors(flagged, d["truth"])
            add(f"false discovery rate, {name}, {percent(base)}", "at most 5 (and 1 for chance)", rate, rate <= 6)
            add(f"wrong signs per 100 flags, {name}, {percent(base)}", "at most 0.5", wrong, wrong <= 0.5)
        d = of(results, "sparse", base)
        least = {0.17: 85.0, 0.03: 56.0}[base]
        got = power(our_verdicts(d)[OURS].flags, d["planted"])
        add(f"power, sparse, {percent(base)}", f"at least {least:.0f}", got, got >= least)
        d = of(results, "one-year jump", base)
        jumped = 100 * float((our_verdicts(d)[OURS].flags[d["jumping"]] > 0).mean())
        add(f"one-year jump flagged, {percent(base)}", "at most 8", jumped, jumped <= 8)
    _, powers = equal_rate_table(results)
    for base in BASES:
        best = max(v for rule, v in powers[base].items() if rule not in (OURS, LEARNED, NATIONAL))
        lead = powers[base][OURS] - best
        add(f"power at equal false-flag rate, lead over the best peer, {percent(base)}", "at least 0", lead, lead >= 0)
    _, least_covered, worst_error = interval_table(results)
    add("coverage of pooled intervals, worst scenario", "at least 93", least_covered, least_covered >= 93)
    add(
        "error of small groups, pooled over crude, worst scenario (%)",
        "at most 70",
        100 * worst_error,
        worst_error <= 0.7,
    )
    spot = weak_spot(results)[1][OURS]
    add("goal: weak spot, power", "65", spot, spot >= 65)
    return table(["what", "bar", "measured", "met"], rows)


def _nulls(results: Results, base: float) -> list[dict[str, NDArray]]:
    return [of(results, name, base) for name in NULLS]
