"""Does the attacker get anything out of packs of many synthetic areas? Light packs, by the real gate, then audited.

python benchmarks/audited_packs.py                          200 packs, one process
python benchmarks/audited_packs.py --packs 3 --first 7000   three of them
python benchmarks/audited_packs.py --processes 2 --keep FOLDER

Each seed makes an area of its own size (about 1,200 to 40,000 pupils a census), with its own threshold and, in turn,
each way of protecting counts. Marks are planted among the pupils. A light pack holds the tables of the chapters that no
slow model is needed for, as the chapters make them.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import hashlib
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from jsna.area import CACHE_VARIABLE, Area
from jsna.audit.audit import Report, audit
from jsna.chapters import data, disparity, ehc, identification, pipeline, population, scorecard
from jsna.counts import NEEDS, OUTCOMES, count_pupils
from jsna.errors import WorkbenchError
from jsna.evidence.comparison import compare
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.pack.flags import COLUMNS
from jsna.params import Params

FIRST_SEED = 7_000
SMALLEST = 0.03
METHODS = ("suppress", "round_5", "midpoint_6", "cell_key")
MARKS = 5
NEEDS_BY = {
    "ethnicity": NEEDS,
    "language_group": NEEDS,
    "sex": NEEDS,
    "idaci_quintile": NEEDS,
    "year_group": ("ASD", "SLCN", "SEMH", "MLD"),
    "school_phase": ("ASD", "SLCN", "SEMH", "MLD"),
}
DIMENSIONS = (*NEEDS_BY, "idaci_decile", "ward_code")


@dataclass
class Result:
    """What came of one pack: counts, findings by kind and attacker, what could not be made, time and memory."""

    seed: int
    scale: float
    method: str
    threshold: int
    tables: int = 0
    shown: int = 0
    hidden: int = 0
    findings: Counter = field(default_factory=Counter)
    attackers: Counter = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    not_analysed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    work: float = 0.0
    of_pattern: float = 0.0
    of_audit: float = 0.0
    peak: float = 0.0

    def line(self) -> str:
        """The pack in a line."""
        found = ", ".join(f"{n} {k}" for k, n in sorted(self.findings.items())) or "nothing found"
        found += f", {len(self.false)} FALSE INTERVALS" if self.false else ""
        failed = f"; {len(self.failed)} not made ({self.failed[0]})" if self.failed else ""
        return (
            f"seed {self.seed}: scale {self.scale:.2f}, {self.method}, under {self.threshold}: {self.tables} tables, "
            f"{self.shown:,} counts shown, {self.hidden:,} hidden; {found}{failed}; {self.seconds:.1f} s, "
            f"{self.work:.1f} s of work (pattern {self.of_pattern:.1f}, audit {self.of_audit:.1f}); {self.peak:,.0f} MB"
        )


def params_of(seed: int, methods: tuple[str, ...]) -> Params:
    """The run of a seed: its size, threshold and method."""
    random = np.random.default_rng(seed)
    scale = round(float(np.exp(random.uniform(np.log(SMALLEST), 0))), 3)
    threshold, method = int(random.integers(5, 11)), methods[seed % len(methods)]
    return Params(seed=seed, scale=scale, suppress_below=threshold, protection=method)  # type: ignore[arg-type]


def with_marks(area: Area, seed: int) -> list[str]:
    """Plant marks in the pupils of the area: their numbers, and a text beside each row. Returns the marks.

    A column of fifths of deprivation is put beside the deciles, as the models have it.
    """
    marks = [f"Quickmark{seed:06d}{chr(65 + n)}" for n in range(MARKS)]
    loaded = area.pupils
    ids = loaded.frame["pupil_id"].drop_duplicates().iloc[:MARKS]
    frame = loaded.frame.assign(
        pupil_id=loaded.frame["pupil_id"].replace(dict(zip(ids, marks, strict=False))),
        idaci_quintile=((loaded.frame["idaci_decile"] + 1) // 2).astype("category"),
        remark=loaded.frame["pupil_id"].map(dict(zip(ids, marks, strict=False))).fillna(""),
    )
    area.__dict__["pupils"] = replace(loaded, frame=frame)
    return marks


def chapters(area: Area) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What a light pack shows, each by its name, made when it is called."""
    for column, title in (("ethnicity", "ethnic group"), ("language_group", "language"), ("idaci_decile", "decile")):
        yield f"pupils by {column}", lambda c=column, t=title: population.shares(population.by(area, c), area, c, t)
    yield "pupils by census", lambda: population.over_time(area)
    yield "completeness", lambda: data.completeness(area)
    yield "outcomes by census", lambda: identification.over_time(area)
    yield "needs", lambda: identification.primary_needs(area)
    for by in DIMENSIONS:
        yield f"outcomes by {by}", lambda b=by: _compared(area, b)
    yield "stages", lambda: _stages(area)
    yield "plans by year", lambda: ehc.timeliness_by_year(area)
    yield "scorecard", lambda: scorecard.scorecard_exhibit(area)
    yield "dashboard", lambda: scorecard.dashboard_exhibit(area)


def _compared(area: Area, by: str) -> Exhibits:
    """Every group of a dimension against all others: the table of each outcome, with its rows of flags."""
    outcomes = (*OUTCOMES, *(f"need_{n}" for n in NEEDS_BY.get(by, ())))
    made = compare(
        area.count([by]),
        disparity.area_dimension(area, by),
        outcomes,
        period=area.periods[-1],
        policy=area.policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        reference=area.params.reference_ethnicity if by == "ethnicity" else None,
    )
    tables = []
    for outcome in outcomes:
        shown = disparity.table(made, outcome)
        flags = disparity.flag_rows(made.of(outcome), area, outcome)
        tables.append(replace(shown, extras={**shown.extras, "flags": flags}))
    return Exhibits(tuple(tables))


def false_intervals(area: Area, report: Report) -> list[str]:
    """The counts whose interval does not hold the true number: the attacker would be wrong, and so would the audit."""
    truth: dict[tuple[str, str, str], int] = {}
    found = report.attack.intervals
    for by in DIMENSIONS:
        known = disparity.area_dimension(area, by)
        frame = count_pupils(area.pupils.frame, [by]).unseal(
            "to see whether the attacker is right about no real children"
        )
        rows = frame[(frame["time_period"].astype(str) == area.periods[-1]) & (frame["grouping"] == by)]
        for outcome in ("pupils", *OUTCOMES, *(f"need_{n}" for n in NEEDS)):
            labels = rows[by].astype(str).map(known.labels).str.lower()
            truth |= {(outcome.lower(), by, g): int(n) for g, n in zip(labels, rows[outcome], strict=True)}
    told = [(c.label(), *ends, truth.get((c.outcome, c.characteristic, c.group))) for c, ends in found.items()]
    by_label = {label: true for label, _, _, true in told}
    for finding in (f for f in report.findings if f.width is not None):
        label, ends = finding.detail.partition(";")[0], finding.secret.split(" to ")
        told.append((label, int(float(ends[0])), int(float(ends[-1])), by_label.get(label)))
    return [label for label, low, high, true in told if true is not None and not low <= true <= high]


def _stages(area: Area) -> Exhibits:
    """The stages of the EHC process, all children and by group."""
    made = pipeline.own(area)
    shown = [
        pipeline.summary(made, area),
        pipeline.overall(made, area),
        *(pipeline.glance(made, by) for by in ("ethnicity", "sex", "age")),
    ]
    return Exhibits((*shown, *pipeline.each_stage(made, area).items))


def write(area: Area, folder: Path, result: Result) -> Path:
    """A light pack of the area; what the gate refuses is noted and left out."""
    exhibits: list[Exhibit] = []
    for name, make in chapters(area):
        try:
            made = make()
        except WorkbenchError as error:
            result.failed.append(f"{name}: {str(error).splitlines()[0]}")
            continue
        exhibits += made.items if isinstance(made, Exhibits) else (made,)
    files = {f"tables/{e.id}.csv": e.table_csv for e in exhibits if e.table_csv}
    pages = "".join(e.html() for e in exhibits)
    cards = [e.extras["card"] for e in exhibits if "card" in e.extras]
    files |= {"index.html": f"<!doctype html><html><body>{pages}</body></html>", "cards.json": json.dumps(cards)}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    with (folder / "flags.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for e in exhibits for row in e.extras.get("flags", ()))
    outputs = {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
    manifest = {
        "area_code": area.code,
        "synthetic": True,
        "parameters": area.params.without_places(),
        "disclosure": _disclosure(area),
        "inputs": [],
        "outputs": outputs,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    result.tables = len(files) - 2
    return folder


def _disclosure(area: Area) -> dict[str, Any]:
    policy = area.policy
    told = {k: v for k, v in asdict(replace(policy, pattern=None)).items() if k != "pattern"}
    return told | ({"counts_rounded": 0} if policy.pattern is not None else {})


def one(task: tuple[int, tuple[str, ...], str]) -> Result:
    """Make and audit the pack of one seed."""
    seed, methods, keep = task
    warnings.simplefilter("ignore")
    params = params_of(seed, methods)
    start, work = time.perf_counter(), time.process_time()
    result = Result(seed, params.scale, params.protection, params.policy().threshold)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[CACHE_VARIABLE] = str(Path(scratch) / "cache")
        area = Area(params)
        marks = with_marks(area, seed)
        before = time.process_time()
        try:
            _ = area.policy
            result.of_pattern = time.process_time() - before
            folder = write(area, Path(scratch) / "pack" / str(seed), result)
        except WorkbenchError as error:
            result.failed.append(str(error).splitlines()[0])
            return replace(result, seconds=time.perf_counter() - start)
        before = time.process_time()
        report = audit(folder, canaries=marks)
        result.of_audit = time.process_time() - before
        if keep:
            shutil.rmtree(Path(keep) / str(seed), ignore_errors=True)
            shutil.copytree(folder, Path(keep) / str(seed))
    result.false = false_intervals(area, report)
    result.shown, result.hidden = report.attack.shown, report.attack.hidden
    result.findings = Counter(f.kind for f in report.findings)
    result.attackers = Counter(f.attacker for f in report.findings if f.width is not None)
    result.not_analysed = [f"{f} {w}".strip() for f, w, _ in report.attack.not_analysed if "column" not in w]
    result.seconds = time.perf_counter() - start
    result.work = time.process_time() - work
    result.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return result


def totals(results: list[Result]) -> list[str]:
    """All packs together."""
    kinds = sum((r.findings for r in results), Counter())
    clean = sum(not r.findings and not r.failed for r in results)
    leaks = sum(n for k, n in kinds.items() if k not in ("exact", "narrow"))
    seconds = sorted(r.seconds for r in results)
    lines = [
        f"{len(results)} packs, of which {clean} whole and without a finding; "
        f"{sum(r.shown for r in results):,} counts shown, {sum(r.hidden for r in results):,} hidden; "
        f"exact {kinds['exact']}, narrow {kinds['narrow']}, leaks {leaks} (of which marks {kinds['canary']}); "
        f"intervals of the attacker that are false {sum(len(r.false) for r in results)}; "
        f"not made {sum(len(r.failed) for r in results)}; seconds a pack: median {np.median(seconds):.1f}, "
        f"longest {seconds[-1]:.1f} (of work {np.median([r.work for r in results]):.1f}); "
        f"peak {max(r.peak for r in results):,.0f} MB"
    ]
    for method in dict.fromkeys(r.method for r in results):
        own = [r for r in results if r.method == method]
        found = sum((r.findings for r in own), Counter())
        lines.append(f"  {method}: {len(own)} packs, {dict(found) or 'nothing found'}")
    for name, counted in (
        ("who", sum((r.attackers for r in results), Counter())),
        ("false interval", Counter(f for r in results for f in r.false)),
        ("not made", Counter(f for r in results for f in r.failed)),
        ("not analysed", Counter(n for r in results for n in r.not_analysed)),
    ):
        lines += [f"  {name}: {what} ({n})" for what, n in counted.most_common(12)]
    return lines


def main() -> int:
    """Run the packs; exit code 1 when anything was found or could not be made."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--packs", type=int, default=200)
    parser.add_argument("--first", type=int, default=FIRST_SEED, metavar="SEED")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--keep", default="", metavar="FOLDER", help="keep the packs, to look at them")
    options = parser.parse_args()
    tasks = [(options.first + n, tuple(options.methods), options.keep) for n in range(options.packs)]
    results = []
    with multiprocessing.get_context("forkserver").Pool(options.processes, maxtasksperchild=20) as pool:
        for result in pool.imap(one, tasks):
            print(result.line(), flush=True)
            results.append(result)
    print("\n".join(totals(results)))
    return int(any(r.findings or r.failed for r in results))


if __name__ == "__main__":
    raise SystemExit(main())
