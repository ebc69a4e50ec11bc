"""What Tau-Argus would hide of the same tables, each protected by itself, for a comparison with the joint engine.

It is no dependency: it is run, where an interpreter has the package ``pytauargus``, on one table at a time, each in a
process and a folder of its own, for it keeps files in both the current and the temporary folder.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.disclosure.cells import System, Table

# A respondent a pupil with a response of one: the package offers no tables of frequencies. The limits of its rule are a
# share of the count; 100% is the most that it takes.
RULE = "FREQ({threshold},100)"
TOTAL, HIDDEN = "Total", "UM"
SECONDS = 120
WORKER = """
import json
from pytauargus import protect
given = json.load(open("given.json"))
found = protect(given["pupils"], given["by"], "one", given["rule"], given["method"] + "(1)", hrc=given["hrc"],
                hierleadstring="@", totcode="Total", workdir="run")
json.dump([[*(r[v] for v in given["by"]), r["status"]] for r in found.tables[0].rows], open("found.json", "w"))
"""


@dataclass(frozen=True, eq=False)
class Choice:
    """Cells of a system that are hidden in some table: those under the threshold, and their companions."""

    small: np.ndarray
    companions: np.ndarray
    tables: int
    failures: tuple[str, ...]


def is_there(python: str) -> str:
    """Why an interpreter cannot run Tau-Argus, or nothing."""
    found = subprocess.run([python, "-c", "import pytauargus"], capture_output=True, text=True, check=False)
    return found.stderr.strip().splitlines()[-1] if found.returncode else ""


def choice(system: System, threshold: int, python: str, wider: dict[str, str]) -> Choice:
    """What it hides. ``wider``: the column of wider categories in which those of a column lie.

    A count that it hides in one table is taken to be hidden in all, to its credit.
    """
    tasks = [task for table in system.tables for task in _tasks(table, system, threshold, wider)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda task: _run(task, python), tasks))
    cells = system.cells.unseal("to find the counts that Tau-Argus hid")
    named = [c for c in cells if c not in ("count", "part")]
    whole = np.flatnonzero(cells["part"] == "")
    index = pd.MultiIndex.from_frame(cells.loc[whole, named])
    hidden, failures = np.zeros(len(system), bool), []
    for task, rows in zip(tasks, found, strict=True):
        if isinstance(rows, str):
            failures.append(f"{task['name']}: {rows}")
            continue
        keys = pd.DataFrame([_categories(task, row) for row in rows]).reindex(columns=named).fillna("")
        at = index.get_indexer(pd.MultiIndex.from_frame(keys))
        status = np.array([row[-1] for row in rows])
        hidden[whole[at[(at >= 0) & np.isin(status, list(HIDDEN))]]] = True
    small = cells["count"].to_numpy() < threshold
    return Choice(hidden & small & system.shown, hidden & ~small & system.shown, len(tasks), tuple(failures))


def _tasks(table: Table, system: System, threshold: int, wider: dict[str, str]):
    """The same counts as pupils, one task a period and kind of measure: provision, and need of those with SEN."""
    frame = table.counts.unseal("to hand it to Tau-Argus")
    needs = [m for m in table.measures if m.startswith("need_")]
    kinds = {"sen": ["no_sen", "sen_support", "ehc_plan"]} | ({"need": needs} if needs else {})
    variable_of = {column: c.variable for c in system.classifications for column in c.columns}
    parts = {column: dict(_lies_in(system, column, wider[column])) for column in table.by if column in wider}
    for (period, rows), (kind, measures) in itertools.product(frame.groupby("time_period"), kinds.items()):
        rows = rows.assign(no_sen=rows["pupils"] - rows["any_sen"]) if kind == "sen" else rows
        long = rows.melt([*table.by], measures, var_name=kind, value_name="n")
        long[kind] = long[kind].str.removeprefix("need_")
        codes, hierarchies = {}, {}
        for column in (*table.by, kind):
            lies_in = parts.get(column, {})
            if kind == "sen" and column == kind:
                lies_in = {"sen_support": "any_sen", "ehc_plan": "any_sen"}
            values = sorted(set(long[column].astype(str)))
            wholes = sorted({lies_in[v] for v in values if v in lies_in})
            codes[column] = {v: f"c{i:04d}" for i, v in enumerate([*wholes, *values])}
            if wholes:
                hierarchies[column] = _hierarchy(values, wholes, lies_in, codes[column])
        coded = pd.DataFrame({f"v{i}": long[c].astype(str).map(m) for i, (c, m) in enumerate(codes.items())})
        pupils = coded.loc[coded.index.repeat(long["n"].astype(int))].assign(one=1.0)
        yield {
            "name": f"{table.name}, {kind}, {period}",
            "given": {
                "pupils": pupils.to_dict("list"),
                "by": list(coded),
                "rule": RULE.format(threshold=threshold),
            },
            "hierarchies": {f"v{list(codes).index(c)}": text for c, text in hierarchies.items()},
            "fixed": {"source": table.source, "period": str(period)} | ({"sen": "any_sen"} if kind == "need" else {}),
            "variables": [variable_of.get(c, c) for c in codes],
            "values": [{code: v for v, code in m.items()} | {TOTAL: ""} for m in codes.values()],
        }


def _lies_in(system: System, column: str, wide: str):
    """Each category of a column and the one of ``wide`` in which it lies."""
    tables = {t.by: t for t in system.tables}
    narrow, wholes = (set(_values(tables[(c,)], c)) for c in (column, wide))
    for c in system.classifications:
        for whole, parts in c.splits:
            if column in c.columns and whole in wholes:
                yield from ((p, whole) for p in parts if p in narrow)


def _values(table: Table, column: str) -> pd.Series:
    return table.counts.unseal("to see its categories")[column].astype(str)


def _hierarchy(values, wholes, lies_in, codes) -> str:
    lines = [codes[v] for v in values if v not in lies_in]
    for whole in wholes:
        lines += [codes[whole], *("@" + codes[v] for v in values if lies_in.get(v) == whole)]
    return "\n".join(lines) + "\n"


def _run(task: dict, python: str) -> list[list[str]] | str:
    """The rows of its answer, or why there is none; MOD first, OPT where that fails."""
    why = ""
    for method in ("MOD", "OPT"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            hierarchies = {v: folder / f"{v}.hrc" for v in task["hierarchies"]}
            for v, path in hierarchies.items():
                path.write_text(task["hierarchies"][v])
            given = task["given"] | {"method": method, "hrc": {v: str(p) for v, p in hierarchies.items()}}
            (folder / "given.json").write_text(json.dumps(given))
            surroundings = {**os.environ, "TMPDIR": name, "TEMP": name, "TMP": name}
            try:
                done = subprocess.run(
                    [python, "-c", WORKER],
                    cwd=folder,
                    env=surroundings,
                    capture_output=True,
                    text=True,
                    timeout=SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                why = f"{method} took over {SECONDS} s"
                continue
            if (folder / "found.json").exists():
                return json.loads((folder / "found.json").read_text())
            why = f"{method} failed: {(done.stderr.strip().splitlines() or [f'exit {done.returncode}'])[-1]}"
    return why


def _categories(task: dict, row: list[str]) -> dict[str, str]:
    """The categories of one row of an answer, by the names of the system's variables."""
    named = zip(task["variables"], task["values"], row[:-1], strict=True)
    return task["fixed"] | {v: values[code] for v, values, code in named if values[code]}
