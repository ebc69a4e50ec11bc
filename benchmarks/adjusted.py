"""Adjusted risk ratios with school-clustered errors: covariate patterns beside statsmodels' pupil rows, in one run.

    python benchmarks/adjusted.py            500,000 pupils, both; then 9 million, patterns alone
    python benchmarks/adjusted.py --peer 9000000   also try statsmodels at that size (it may run out of memory)

Each runs in a process of its own, so that its peak memory is its own. Counting pupils into cells is part of the time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

SEED, GROUPS = 20261124, 18
ADJUST = ["sex", "year_group", "idaci_quintile"]


def pupils(number: int) -> pd.DataFrame:
    """Pupils with a group, covariates, a school and a status; a school for each 600 pupils."""
    random = np.random.default_rng(SEED)
    schools = max(20, number // 600)
    group = random.choice(GROUPS, number, p=np.r_[0.25, np.full(GROUPS - 1, 0.75 / (GROUPS - 1))]).astype("int8")
    sex, year = random.integers(0, 2, number, dtype="int8"), random.integers(0, 11, number, dtype="int8")
    quintile, school = random.integers(0, 5, number, dtype="int8"), random.integers(0, schools, number, dtype="int32")
    effect = np.exp(random.normal(0, 0.3, schools))
    risk = 0.12 * np.where(sex == 1, 1.9, 1.0) * np.exp(0.1 * (2 - quintile)) * effect[school]
    risk *= np.where(group == 3, 1.5, 1.0)
    frame = {"group": group, "sex": sex, "year_group": year, "idaci_quintile": quintile, "school": school}
    return pd.DataFrame({**frame, "identified": (random.random(number) < risk).astype("int8")})


def patterns(frame: pd.DataFrame) -> dict[str, float]:
    """Log ratio of each group to group 0, with its clustered error."""
    import duckdb

    from jsna.disproportionality import adjusted

    columns = ", ".join(["group", *ADJUST, "school"]).replace("group,", '"group",', 1)
    with duckdb.connect() as connection:
        connection.register("pupils", frame)
        counted = "count(*)::bigint as pupils, sum(identified)::bigint as identified"
        cells = connection.execute(f"select {columns}, {counted} from pupils group by all").df()
    made = adjusted(
        cells,
        group="group",
        count="identified",
        total="pupils",
        adjust=ADJUST,
        cluster="school",
        reference=0,
        errors="cr1",
    )
    table = made.table[made.table["comparator"] == 0].sort_values("group")
    return _answer(np.log(table["risk_ratio"].to_numpy()[1:]), table["log_standard_error"].to_numpy()[1:])


def rows(frame: pd.DataFrame) -> dict[str, float]:
    """The same from statsmodels, one row a pupil."""
    import statsmodels.api as sm

    design = pd.get_dummies(frame[["group", *ADJUST]].astype("category"), drop_first=True, dtype="float64")
    model = sm.GLM(frame["identified"].to_numpy(float), sm.add_constant(design), family=sm.families.Poisson())
    clusters = {"groups": frame["school"].to_numpy(), "use_correction": False}
    made = model.fit(cov_type="cluster", cov_kwds=clusters, tol=1e-12)
    schools = frame["school"].nunique()
    named = [f"group_{i}" for i in range(1, GROUPS)]
    return _answer(made.params[named].to_numpy(), made.bse[named].to_numpy() * np.sqrt(schools / (schools - 1)))


def _answer(log_ratio: np.ndarray, error: np.ndarray) -> dict[str, float]:
    return {f"{n}_{i}": float(v) for n, c in (("b", log_ratio), ("e", error)) for i, v in enumerate(c)}


def _alone(engine: str, number: int) -> dict:
    """One engine in a process of its own: its answer, seconds, and peak memory in GiB."""
    command = [sys.executable, __file__, "--engine", engine, "--pupils", str(number)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1])
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"failed": done.stderr[-300:]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["patterns", "rows"])
    parser.add_argument("--pupils", type=int, default=500_000)
    parser.add_argument("--peer", type=int, help="also run statsmodels at this size")
    options = parser.parse_args()
    if options.engine:
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        frame = pupils(options.pupils)
        import statsmodels.api  # noqa: F401 - loading a library is in neither's time

        import jsna.disproportionality  # noqa: F401

        start = time.perf_counter()
        answer = {"patterns": patterns, "rows": rows}[options.engine](frame)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(json.dumps({"seconds": seconds, "peak_gib": peak, "answer": answer}))
        return
    ours, peer = _alone("patterns", options.pupils), _alone("rows", options.pupils)
    apart = max(abs(ours["answer"][k] / peer["answer"][k] - 1) for k in ours["answer"])
    print(f"{options.pupils:,} pupils: patterns {ours['seconds']:.2f} s, {ours['peak_gib']:.2f} GiB at most")
    print(f"{options.pupils:,} pupils: statsmodels rows {peer['seconds']:.2f} s, {peer['peak_gib']:.2f} GiB at most")
    print(f"ratio {peer['seconds'] / ours['seconds']:.0f}; largest relative difference {apart:.1e}")
    large = _alone("patterns", 9_000_000)
    print(f"9,000,000 pupils: patterns {large['seconds']:.2f} s, {large['peak_gib']:.2f} GiB at most")
    if options.peer:
        tried = _alone("rows", options.peer)
        print(f"{options.peer:,} pupils: statsmodels rows: {tried.get('failed') or tried['seconds']}")


if __name__ == "__main__":
    main()
