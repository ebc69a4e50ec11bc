"""How often does each rule accuse wrongly, and how often does it miss? A simulated borough, many times over.

    python benchmarks/validity.py --quick     100 replicates of each scenario
    python benchmarks/validity.py             1,000 replicates; writes docs/validity.md
    python benchmarks/validity.py --weak-spot 1,000 replicates of three scenarios; writes its section on the weak spot

Everything is seeded: the same call gives the same tables.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import multiprocessing
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from boroughs import BASES, CENSUSES, CONFOUNDED, GROUPS, SEED, SPOT_BASE, Scenario, borough, scenarios
from numpy.typing import NDArray
from tqdm import tqdm
from validity_priors import named_table, priors_table
from validity_tables import (
    OURS,
    Results,
    bars,
    equal_rate_table,
    found_table,
    interval_table,
    luck_needed,
    null_table,
    our_verdicts,
    percent,
    size_table,
    trifles_table,
    weak_spot,
)

from jsna.disproportionality.adjusted import modelled
from jsna.disproportionality.flags import flags, judge
from jsna.disproportionality.patterns import lined_up
from jsna.disproportionality.pooled import Prior, learn_prior
from jsna.disproportionality.prior_file import national_prior
from jsna.disproportionality.rule import OVER, UNDER, make_rule
from jsna.disproportionality.study import Study

COLUMNS = {"group": "group", "total": "pupils", "cluster": "school", "known": "known"}
DEMOGRAPHIC, DEPRIVATION = ("sex", "year"), ("quintile",)
LOOSE = 0.25  # the rule is run with a loose rate, so that its cut-off can be moved afterwards


Priors = dict[str, dict[float, Prior]]  # by whence they are ("learned", "national") and base


def one(scenario: Scenario, replicate: int, priors: Priors) -> dict[str, NDArray]:
    """What the rule and the peers need to know of one replicate: a row a group."""
    made = borough(scenario, np.random.default_rng(_seed(scenario, replicate)))
    patterns = lined_up(made.cells, adjust=["census", *DEMOGRAPHIC, *DEPRIVATION], **COLUMNS)
    census = made.cells["census"].cat.codes.to_numpy()
    study = Study(
        patterns=patterns,
        count=made.cells["identified"].to_numpy(),
        period=census,
        periods=pd.Index(range(CENSUSES)),
        period_column="census",
        demographic=DEMOGRAPHIC,
        deprivation=DEPRIVATION,
    )
    rule = make_rule(false_discovery_rate=LOOSE)
    table = judge(study, rule, made.repetition, None)[0].iloc[:GROUPS]
    answer = _answer(table, "own")
    for whence, by_base in priors.items():
        if scenario.base in by_base and scenario.name in WITH[whence]:
            given = judge(study, rule, made.repetition, by_base[scenario.base])[0].iloc[:GROUPS]
            answer |= _answer(given, whence)
    one_year = modelled(study.fit("adjusted", CENSUSES - 1), errors="cr1").iloc[:GROUPS]
    three = modelled(study.fit("adjusted"), errors="cr1").iloc[:GROUPS]
    counts = {}
    for t in range(CENSUSES):
        here = census == t
        counts[f"n_{t}"] = patterns.sum_by_group(np.where(here, patterns.total, 0))[:GROUPS]
        counts[f"x_{t}"] = patterns.sum_by_group(np.where(here, study.count, 0))[:GROUPS]
    return {
        "truth": made.truth,
        "planted": made.planted,
        "jumping": np.arange(GROUPS) == made.jumping,
        **answer,
        **counts,
        "events": table["events"].to_numpy(),
        "expected": table["expected"].to_numpy(),
        "dispersion": table["dispersion"].to_numpy(),
        "year_log_ratio": np.log(one_year["risk_ratio"].to_numpy()),
        "year_error": one_year["log_standard_error"].to_numpy(),
        "year_row_error": _row_error(one_year),
        "three_log_ratio": np.log(three["risk_ratio"].to_numpy()),
        "three_error": three["log_standard_error"].to_numpy(),
        "three_row_error": _row_error(three),
    }


def _seed(scenario: Scenario, replicate: int) -> list[int]:
    return [SEED, *(ord(c) for c in scenario.name), round(1000 * scenario.base), replicate]


def _row_error(table: pd.DataFrame) -> NDArray:
    return (table["log_standard_error"] / np.sqrt(table["design_effect"])).to_numpy()


def _answer(table: pd.DataFrame, prior: str) -> dict[str, NDArray]:
    status = table["status"].to_numpy()
    return {
        f"{prior}_direction": np.select([status == OVER, status == UNDER], [1, -1], 0),
        f"{prior}_q": table["q_value"].to_numpy(),
        f"{prior}_ratio": table["pooled_risk_ratio"].to_numpy(),
        f"{prior}_lower": table["pooled_lower"].to_numpy(),
        f"{prior}_upper": table["pooled_upper"].to_numpy(),
        f"{prior}_insufficient": status == "insufficient data",
        f"{prior}_watch": status == "watch",
    }


SPOT = (CONFOUNDED, "sparse", "weak spot")
FEWER = {"sparse": 0.2}  # share of the replicates that the run of the weak spot alone makes of a scenario
WITH = {"learned": (CONFOUNDED, "mixed", "sparse", "one group differs", "weak spot"), "national": SPOT}
NATION = (CONFOUNDED, "mixed", "sparse")


def teach(areas: int, workers: int) -> dict[float, Prior]:
    """The prior that a nation of ``areas`` teaches, for each base: a third each null, mixed and sparse."""
    chosen = {(s.name, s.base): s for s in scenarios()}
    jobs = [(chosen[NATION[i % 3], base], 1_000_000 + i, {}) for base in BASES for i in range(areas)]
    rows: dict[float, list] = {base: [] for base in BASES}
    for scenario, d in run(jobs, workers).items():
        rows[scenario.base].append([d[k].ravel() for k in ("events", "expected", "dispersion")])
    return {base: learn_prior(*np.concatenate(part, axis=1)) for base, part in rows.items()}


def _task(job: tuple[Scenario, int, Priors]) -> dict[str, NDArray]:
    return one(*job)


def run(jobs: list[tuple[Scenario, int, Priors]], workers: int) -> dict[Scenario, dict[str, NDArray]]:
    """Every replicate of every scenario: arrays of replicates by groups."""
    context = multiprocessing.get_context("forkserver")
    collected: dict[Scenario, list] = {job[0]: [] for job in jobs}
    with context.Pool(workers) as pool:
        answers = pool.imap(_task, jobs, chunksize=5)
        for job, answer in zip(
            jobs, tqdm(answers, total=len(jobs), unit="borough", disable=None, mininterval=2), strict=True
        ):
            collected[job[0]].append(answer)
    return {s: {k: np.array([r[k] for r in rows]) for k in rows[0]} for s, rows in collected.items()}


def report(results: Results, priors: Priors, replicates: int, seconds: float, day: str) -> str:
    """The whole of docs/validity.md."""
    used = ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "pandas"))
    parts = {
        "replicates": f"{replicates:,}",
        "seed": str(SEED),
        "day": day,
        "versions": f"Python {platform.python_version()}, {used}",
        "minutes": f"{seconds / 60:.0f}",
        "bars": bars(results),
        "null": null_table(results),
        "sparse": found_table(results, "sparse"),
        "mixed": found_table(results, "mixed"),
        "missing": found_table(results, "sparse, ethnicity missing"),
        "trifles": trifles_table(results),
        "equal": equal_rate_table(results)[0],
        "size_17": size_table(results, 0.17),
        "size_03": size_table(results, 0.03),
        "intervals": interval_table(results)[0],
        **_spot_parts(results, priors, ""),
    }
    return _filled(_TEMPLATE.read_text(encoding="utf-8"), parts)


def spot_report(text: str, results: Results, priors: Priors, replicates: int, day: str) -> str:
    """``text``, that of docs/validity.md, with its section on the weak spot anew."""
    start, end = _spot(text)
    template = _TEMPLATE.read_text(encoding="utf-8")
    first, last = _spot(template)
    run = f"This section is of a run of its own on {day}, with {replicates:,} boroughs of a scenario where it says\n"
    run += "nothing else, by their seeds the same as elsewhere on this page.\n\n"
    made = _filled(template[first:last], _spot_parts(results, priors, run))
    return text[:start] + made + text[end:]


def _spot(text: str) -> tuple[int, int]:
    """Where the section on the weak spot begins and ends."""
    start = text.index("## The weak spot")
    return start, text.index("\n## ", start)


def _spot_parts(results: Results, priors: Priors, run: str) -> dict[str, str]:
    expected, found, luck = luck_needed(results)
    return {
        "weak": weak_spot(results)[0],
        "weak_expected": f"{expected:.0f}",
        "weak_found": f"{found:.0f}",
        "weak_luck": f"{luck:.1f}",
        "weak_luck_borough": f"{100 * (1 - (1 - luck / 100) ** GROUPS):.0f}",
        "learned": "; ".join(f"{percent(base)}: {_weights(p)}" for base, p in priors["learned"].items()),
        "national": _weights(priors["national"][SPOT_BASE]),
        "priors": priors_table(results),
        "named": named_table(results),
        "spot_run": run,
    }


def _weights(prior: Prior) -> str:
    return ", ".join(f"{s}: {w:.2f}" for s, w in zip(prior.spreads, prior.weights, strict=True))


def _filled(words: str, parts: dict[str, str]) -> str:
    for name, text in parts.items():
        words = words.replace("{" + name + "}", text if name == "spot_run" else text.rstrip("\n"))
    return words


def same_as_flags(scenario: Scenario, replicates: int = 5) -> None:
    """The study judges with a loose cut-off moved afterwards: on some replicates, hold it against ``flags`` itself."""
    for i in range(replicates):
        made = borough(scenario, np.random.default_rng(_seed(scenario, i)))
        said = (
            flags(
                made.cells,
                group="group",
                outcomes=["identified"],
                total="pupils",
                period="census",
                cluster="school",
                demographic=DEMOGRAPHIC,
                deprivation=DEPRIVATION,
                known="known",
                repetition={"identified": made.repetition},
            )
            .table["status"]
            .to_numpy()[:GROUPS]
        )
        direct = np.select([said == OVER, said == UNDER], [1, -1], 0)
        d = {k: v[None] for k, v in one(scenario, i, {}).items()}
        if (our_verdicts(d)[OURS].flags[0] != direct).any():
            raise SystemExit(f"The study and flags() differ in replicate {i} of {scenario}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 replicates; writes nothing")
    parser.add_argument("--replicates", type=int, help="of each scenario (default 1,000)")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--weak-spot", action="store_true", help="the section on the weak spot alone")
    parser.add_argument("--write", type=Path, help="where the report goes (default docs/validity.md of a full run)")
    options = parser.parse_args()
    replicates = options.replicates or (100 if options.quick else 1_000)
    start = time.perf_counter()
    for base in BASES:
        same_as_flags(Scenario("sparse", base, truth="sparse"))
    priors: Priors = {
        "learned": teach(30 if options.quick else 150, options.workers),
        "national": {SPOT_BASE: national_prior("ehc_plan", "ethnicity")},
    }
    day = time.strftime("%d %B %Y")
    chosen = [s for s in scenarios() if not options.weak_spot or (s.base == SPOT_BASE and s.name in SPOT)]
    share = FEWER if options.weak_spot else {}
    jobs = [(s, r, priors) for s in chosen for r in range(round(replicates * share.get(s.name, 1)))]
    results = run(jobs, options.workers)
    if options.weak_spot:
        text = spot_report(_REPORT.read_text(encoding="utf-8"), results, priors, replicates, day)
        print(text[slice(*_spot(text))])
    else:
        text = report(results, priors, replicates, time.perf_counter() - start, day)
        print(text)
    target = options.write or (None if options.quick or options.replicates else _REPORT)
    if target:
        target.write_text(text, encoding="utf-8")


_REPORT = Path(__file__).resolve().parents[1] / "docs" / "validity.md"
_TEMPLATE = Path(__file__).parent / "validity.md"

if __name__ == "__main__":
    main()
