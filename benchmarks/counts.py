"""How fast are all pupils of England counted, beside pandas, polars, DuckDB and numpy, and do three engines agree?

    python benchmarks/counts.py --data FOLDER                 the embedded engine beside its peers
    python benchmarks/counts.py --data FOLDER --engines       also the one SQL text on DuckDB, PostgreSQL and Spark

9.1 million invented pupils in three censuses and 153 authorities (27 million rows, made into FOLDER once, 0.2 GB), by
six columns and their fifteen pairs, for every authority and census. Everything runs in turn, each in a process of its
own, on two threads at most, reading the same files; seconds are from opening them to the last table, without imports.
The embedded engine gives all eighteen counts of each group; its peers give four, which is less work. Exit 1 when a
goal is missed: at least 10 times as fast as pandas, not slower than any other, under 1 GiB, one authority in 0.2 s.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from national_pupils import BY, GROUPINGS, load_postgres, national  # noqa: E402
from refresh import tree_size  # noqa: E402

from jsna.synthetic.national import PUPILS  # noqa: E402

GOAL_PANDAS, GOAL_GIB, GOAL_ONE_SECONDS = 10, 1.0, 0.2
ONE = "E10000016"
PLACE = ("la_code", "time_period")
# From tables, when the clock has stopped: their rows, and pupils with a plan. All ways must come to the same.
Answer = Callable[[], tuple[int, int]]


def _sums(counted) -> tuple[int, int]:
    frame = counted.unseal("to check sums over invented pupils")
    return len(frame), int(frame["ehc_plan"].sum())


def ours(folder: Path) -> Answer:
    from jsna.engines import count_areas, open_engine

    with open_engine("parquet", str(folder)) as engine:
        counted = count_areas(engine, *GROUPINGS)
    return lambda: _sums(counted)


def one_area(folder: Path) -> Answer:
    from jsna.engines import count_area, open_engine

    with open_engine("parquet", str(folder)) as engine:
        counted = count_area(engine, ONE, *GROUPINGS)
    return lambda: _sums(counted)


def duckdb_sets(folder: Path, where: str = "") -> Answer:
    """Grouping sets as one would write them by hand."""
    import duckdb

    place = ", ".join(PLACE)
    sets = ", ".join(f"({place}, {', '.join(g)})" for g in GROUPINGS)
    counts = (
        "count(*) n, count(*) filter (sen_provision <> 'N') s, count(*) filter (sen_provision = 'K') k, "
        "count(*) filter (sen_provision = 'E') e"
    )
    with duckdb.connect(config={"threads": 2}) as connection:
        source = f"read_parquet('{folder}/*.parquet') {where}"
        table = connection.sql(
            f"select {place}, {', '.join(BY)}, {counts} from {source} group by grouping sets ({sets})"
        ).to_arrow_table()
    return lambda: (len(table), int(table["e"].to_numpy().sum()))


def duckdb_one_area(folder: Path) -> Answer:
    return duckdb_sets(folder, f"where la_code = '{ONE}'")


def polars_lazy(folder: Path) -> Answer:
    """All tables of one scan by the streaming engine, text as categories: the fastest of five ways that were tried."""
    import polars as pl

    rows = pl.scan_parquet(f"{folder}/*.parquet").select(*PLACE, *BY, "sen_provision")
    status = pl.col("sen_provision")
    rows = rows.with_columns(pl.col(pl.String).cast(pl.Categorical))
    counts = [
        pl.len().alias("n"),
        (status != "N").sum().alias("s"),
        (status == "K").sum().alias("k"),
        (status == "E").sum().alias("e"),
    ]
    made = pl.collect_all([rows.group_by(*PLACE, *g).agg(*counts) for g in GROUPINGS], engine="streaming")
    return lambda: (sum(map(len, made)), sum(int(t["e"].sum()) for t in made))


def _arrow(folder: Path):
    import pyarrow.parquet as pq

    text = [*PLACE, *(c for c in BY if c != "idaci_decile"), "sen_provision"]
    table = pq.read_table(
        sorted(folder.glob("*.parquet")), columns=[*PLACE, *BY, "sen_provision"], read_dictionary=text
    )
    return table.unify_dictionaries()


def pandas_groupby(folder: Path) -> Answer:
    """A groupby a table, text as categories."""
    rows = _arrow(folder).to_pandas()
    rows["n"] = 1
    for name, code in (("k", "K"), ("e", "E")):
        rows[name] = rows["sen_provision"] == code
    made = []
    for grouping in GROUPINGS:
        table = rows.groupby([*PLACE, *grouping], observed=True, sort=False)[["n", "k", "e"]].sum()
        table["s"] = table["k"] + table["e"]
        made.append(table)
    return lambda: (sum(map(len, made)), sum(int(t["e"].sum()) for t in made))


def numpy_dense(folder: Path) -> Answer:
    """One bincount a table over the whole country on one thread; a ward tells its authority."""
    table = _arrow(folder)
    codes, sizes = {}, {}
    for name in [*PLACE, *BY, "sen_provision"]:
        cells = table[name].combine_chunks()
        if hasattr(cells, "dictionary"):
            codes[name], sizes[name] = cells.indices.to_numpy(), len(cells.dictionary)
        else:
            codes[name] = cells.to_numpy().astype("int32")
            sizes[name] = int(codes[name].max()) + 1
    plan = table["sen_provision"].chunk(0).dictionary.to_pylist().index("E")
    del table
    made = []
    for grouping in GROUPINGS:
        axes = ["time_period", *([] if "ward_code" in grouping else ["la_code"]), *grouping, "sen_provision"]
        key = codes[axes[0]].astype("int64")
        for name in axes[1:]:
            key *= sizes[name]
            key += codes[name]
        counts = np.bincount(key, minlength=int(np.prod([sizes[a] for a in axes]))).reshape(-1, sizes["sen_provision"])
        made.append(counts[counts.any(axis=1)])
    return lambda: (sum(map(len, made)), sum(int(t[:, plan].sum()) for t in made))


WAYS: dict[str, Callable[[Path], Answer]] = {
    "jsna": ours,
    "DuckDB grouping sets": duckdb_sets,
    "polars": polars_lazy,
    "numpy bincount": numpy_dense,
    "pandas groupby": pandas_groupby,
}
ONE_AREA = {"jsna, one authority": one_area, "DuckDB, one authority": duckdb_one_area}


def run_way(name: str, folder: Path) -> None:
    """One way in this process: prints seconds, processor seconds, peak memory (GiB) and the answer."""
    import pyarrow.parquet  # noqa: F401 - loading libraries is in nobody's time

    import_module("jsna.engines.parquet" if "jsna" in name else name.split()[0].strip(",").casefold())
    before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    started = time.perf_counter()
    answer = (WAYS | ONE_AREA)[name](folder)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    made = {"seconds": seconds, "cpu": sum(used[:2]) - before, "gib": used.ru_maxrss / 2**20, "answer": answer()}
    print(json.dumps(made))


def run_engine(kind: str, folder: Path) -> None:
    """The one SQL text on an engine, with the embedded engine's answer beside it: equal, or the first cell named."""
    from contextlib import ExitStack

    from jsna.engines import check_agreement, count_area, count_areas, open_engine
    from jsna.engines.duck import open_duck_parquet

    made: dict[str, float] = {}
    with ExitStack() as stack:
        if kind == "duckdb":
            engine = stack.enter_context(open_duck_parquet(folder))
        elif kind == "postgresql":
            from tests.postgres_server import running

            server = stack.enter_context(running())
            made["load"] = load_postgres(server.owner_url(), folder)
            engine = stack.enter_context(open_engine(kind, server.owner_url(), "pupils"))
        else:
            started = time.perf_counter()
            engine = stack.enter_context(open_engine(kind, "local[2]", str(folder)))
            made["start"] = time.perf_counter() - started
        sampler = Sampler(engine)
        started = time.perf_counter()
        counted = count_areas(engine, *GROUPINGS)
        made["seconds"], made["gib"] = time.perf_counter() - started, sampler.peak()
        started = time.perf_counter()
        count_area(engine, ONE, *GROUPINGS)
        made["one"] = time.perf_counter() - started
        with open_engine("parquet", str(folder)) as embedded:
            check_agreement(count_areas(embedded, *GROUPINGS), counted, ("the embedded engine", kind))
    print(json.dumps(made | {"rows": len(counted)}))


class Sampler:
    """The peak memory of this process, its children and the server's process, while it is not asked."""

    def __init__(self, engine) -> None:
        self.server = 0
        if engine.kind == "postgresql":
            self.server = engine.connection.exec_driver_sql("select pg_backend_pid()").scalar()
        self.most, self.done = 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while not self.done.wait(0.2):
            self.most = max(self.most, tree_size(os.getpid()) + (tree_size(self.server) if self.server else 0))

    def peak(self) -> float:
        self.done.set()
        self.thread.join()
        return self.most / 2**30


def alone(option: str, name: str, folder: Path) -> dict:
    """One way or engine in a process of its own."""
    command = [sys.executable, __file__, "--data", str(folder), option, name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no reason given"])[-1][:200]}
    return json.loads(done.stdout.splitlines()[-1])


def beside(folder: Path, ways: dict, runs: int) -> dict[str, dict]:
    """All ways in turn, ``runs`` times round: the quickest, which other work delayed least, and the largest memory."""
    found: dict[str, list[dict]] = {name: [] for name in ways}
    for _ in range(runs):
        for name in ways:
            found[name].append(alone("--way", name, folder))
    made = {}
    for name, tries in found.items():
        failed = next((t["failed"] for t in tries if "failed" in t), "")
        if failed:
            print(f"{name:24} failed: {failed}")
            continue
        made[name] = {k: min(t[k] for t in tries) for k in ("seconds", "cpu")}
        made[name] |= {"gib": max(t["gib"] for t in tries), "answer": tries[0]["answer"]}
        print(f"{name:24} {made[name]['seconds']:7.2f} s {made[name]['cpu']:7.1f} cpu s {made[name]['gib']:6.2f} GiB")
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder for the files")
    parser.add_argument("--pupils", type=int, default=PUPILS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engines", action="store_true", help="also DuckDB, PostgreSQL and Spark by the one text")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way or options.engine:
        run_way(options.way, options.data) if options.way else run_engine(options.engine, options.data)
        return 0
    folder = national(options.data, options.pupils)
    made = beside(folder, WAYS, options.runs)
    missed = []
    if "jsna" not in made:
        return 1
    rows = made["jsna"]["answer"][0]
    print(f"{rows:,} rows; answers {'equal' if len({tuple(m['answer']) for m in made.values()}) == 1 else 'NOT EQUAL'}")
    missed += ["answers"] * (len({tuple(m["answer"]) for m in made.values()}) > 1)
    for name in [n for n in made if n != "jsna"]:
        ratio, goal = made[name]["seconds"] / made["jsna"]["seconds"], GOAL_PANDAS if "pandas" in name else 1
        print(f"    {name} takes {ratio:.1f} times as long (goal: at least {goal})")
        missed += [name] * (ratio < goal)
    missed += ["memory"] * (made["jsna"]["gib"] >= GOAL_GIB)
    one = beside(folder, ONE_AREA, max(3, options.runs))
    missed += ["one authority"] * (one["jsna, one authority"]["seconds"] >= GOAL_ONE_SECONDS)
    for kind in ("duckdb", "postgresql", "spark") if options.engines else ():
        told = alone("--engine", kind, folder)
        if "failed" in told:
            print(f"{kind}: failed: {told['failed']}")
            missed.append(kind)
            continue
        before = "".join(f", {k} {told[k]:.0f} s" for k in ("load", "start") if k in told)
        print(
            f"{kind}: equal to the last count of {told['rows']:,} rows; {told['seconds']:.0f} s, "
            f"{told['gib']:.1f} GiB, one authority {told['one']:.2f} s{before}"
        )
    print(f"goals missed: {', '.join(missed) or 'none'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
