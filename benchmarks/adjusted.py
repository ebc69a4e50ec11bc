"""Adjusted risk ratios with school-clustered errors: all pupils of England here beside a twentieth in statsmodels.

    python benchmarks/adjusted.py [--pupils 9100000] [--schools 24000]

Invented pupils of nineteen groups, with sex, fourteen year groups, fifths of deprivation, a school and a status, are
written to a parquet file; the pupils of every twentieth school to another. One run of three processes, one after the
other: the twentieth by rows in statsmodels (a Poisson GLM with clustered errors), the twentieth here, and all pupils
here. Seconds are from opening the file to the last error: reading is in everybody's time, and here counting rows into
cells too, which DuckDB does on two threads; imports are in nobody's. Memory is each process's peak. Exit 1 unless all
pupils here take at most the seconds of the twentieth in statsmodels and under 3 GiB, and estimates and errors of the
twentieth differ by at most 1e-10 (of an estimate under 0.01: 1e-12).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SEED, GROUPS, YEARS, PUPILS, SCHOOLS, SHARE = 20261124, 19, 14, 9_100_000, 24_000, 20
ADJUST = ["sex", "year_group", "idaci_quintile"]
GOAL_GIB, GOAL_APART, SMALL = 3.0, 1e-10, 0.01


def pupils(number: int, schools: int) -> pd.DataFrame:
    """Pupils with a group, covariates, a school (of sizes as unlike as real ones) and a status."""
    random = np.random.default_rng(SEED)
    size = np.exp(random.normal(0, 0.7, schools))
    school = np.sort(random.choice(schools, number, p=size / size.sum()).astype("int32"))
    group = random.choice(GROUPS, number, p=np.r_[0.62, np.full(GROUPS - 1, 0.38 / (GROUPS - 1))]).astype("int8")
    sex, year = random.integers(0, 2, number, dtype="int8"), random.integers(0, YEARS, number, dtype="int8")
    quintile = random.integers(0, 5, number, dtype="int8")
    effect = np.exp(random.normal(0, 0.3, schools))
    risk = 0.12 * np.where(sex == 1, 1.9, 1.0) * np.exp(0.1 * (2 - quintile)) * effect[school]
    risk *= np.where(group == 3, 1.5, 1.0)
    frame = {"group": group, "sex": sex, "year_group": year, "idaci_quintile": quintile, "school": school}
    return pd.DataFrame({**frame, "identified": (random.random(number) < risk).astype("int8")})


def write(folder: Path, number: int, schools: int) -> None:
    """All pupils, and those of every twentieth school."""
    frame = pupils(number, schools)
    frame.to_parquet(folder / "all.parquet", index=False)
    frame[frame["school"] % SHARE == 0].to_parquet(folder / "twentieth.parquet", index=False)


def cells(file: Path) -> dict[str, float]:
    """Log ratio of each group to group 0, with its clustered error, from counts of cells."""
    import duckdb

    from jsna.disproportionality import adjusted

    columns = ", ".join(f'"{c}"' for c in ["group", *ADJUST, "school"])
    counted = "count(*)::integer as pupils, sum(identified)::integer as identified"
    with duckdb.connect(config={"threads": 2}) as connection:
        frame = connection.execute(f"select {columns}, {counted} from read_parquet(?) group by all", [str(file)]).df()
    made = adjusted(
        frame,
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


def rows(file: Path) -> dict[str, float]:
    """The same from statsmodels, one row a pupil."""
    import statsmodels.api as sm

    frame = pd.read_parquet(file)
    design = pd.get_dummies(frame[["group", *ADJUST]].astype("category"), drop_first=True, dtype="float64")
    model = sm.GLM(frame["identified"].to_numpy(float), sm.add_constant(design), family=sm.families.Poisson())
    clusters = {"groups": frame["school"].to_numpy(), "use_correction": False}
    made = model.fit(cov_type="cluster", cov_kwds=clusters, tol=1e-12)
    schools = frame["school"].nunique()
    named = [f"group_{i}" for i in range(1, GROUPS)]
    return _answer(made.params[named].to_numpy(), made.bse[named].to_numpy() * np.sqrt(schools / (schools - 1)))


def _answer(log_ratio: np.ndarray, error: np.ndarray) -> dict[str, float]:
    return {f"{n}_{i}": float(v) for n, c in (("b", log_ratio), ("e", error)) for i, v in enumerate(c)}


def apart(ours: dict[str, float], peer: dict[str, float], kind: str) -> float:
    """The largest relative difference of estimates (``b``) or errors (``e``); under 0.01, the difference over 0.01.

    >>> round(apart({"b_0": 1.1, "b_1": 0.0}, {"b_0": 1.0, "b_1": 0.001}, "b"), 3)
    0.1
    """
    return max(abs(ours[k] - peer[k]) / max(abs(peer[k]), SMALL) for k in ours if k.startswith(kind))


def alone(way: str, file: Path) -> dict:
    """One way in a process of its own: its answer, seconds, and peak memory in GiB."""
    done = subprocess.run([sys.executable, __file__, "--way", way, str(file)], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{way} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:300]}")
    made = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{way:18} {file.stem:10} {made['rows']:>10,} pupils {made['seconds']:7.2f} s {made['cpu']:7.1f} cpu s "
        f"{made['gib']:6.2f} GiB"
    )
    return made


def run_way(way: str, file: Path) -> None:
    sys.path.insert(0, str(ROOT))
    import duckdb  # noqa: F401 - loading a library is in neither's time
    import pyarrow.parquet as pq
    import scipy.sparse  # noqa: F401
    import statsmodels.api  # noqa: F401

    import jsna.disproportionality  # noqa: F401

    before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    start = time.perf_counter()
    answer = {"cells": cells, "statsmodels rows": rows}[way](file)
    seconds, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    told = {"rows": pq.ParquetFile(file).metadata.num_rows, "seconds": seconds, "answer": answer}
    print(json.dumps(told | {"cpu": sum(used[:2]) - before, "gib": used.ru_maxrss / 2**20}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pupils", type=int, default=PUPILS)
    parser.add_argument("--schools", type=int, default=SCHOOLS)
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        run_way(options.way[0], Path(options.way[1]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "import sys; from pathlib import Path; from adjusted import write; "]
        command[-1] += f"write(Path(sys.argv[1]), {options.pupils}, {options.schools})"
        subprocess.run([*command, folder], check=True, cwd=ROOT / "benchmarks")
        everybody, some = Path(folder) / "all.parquet", Path(folder) / "twentieth.parquet"
        peer, ours, large = alone("statsmodels rows", some), alone("cells", some), alone("cells", everybody)
    far = {kind: apart(ours["answer"], peer["answer"], kind) for kind in "be"}
    print(
        f"the twentieth: {peer['seconds'] / ours['seconds']:.0f} times as fast; largest relative difference of", end=" "
    )
    print(f"estimates {far['b']:.1e}, of errors {far['e']:.1e}")
    ratio = peer["seconds"] / large["seconds"]
    print(f"a twentieth in statsmodels takes {ratio:.1f} times as long as all pupils here (goal: at least 1)")
    missed = ["time"] * (ratio < 1) + ["memory"] * (large["gib"] >= GOAL_GIB)
    missed += ["agreement"] * (max(far.values()) > GOAL_APART)
    print(f"goals missed: {', '.join(missed) or 'none'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
