"""The refresh: plan, see what has changed, make that, put each pack in its place, and report in plain words."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from jsna.area import cache_folder
from jsna.engines.held import let_go
from jsna.errors import ChapterError, OutputError, Problem, WorkbenchError
from jsna.kernels.warm import Kernels
from jsna.pack.place import cannot_write, claimed, is_full, keys_of, part_of, put_in_place
from jsna.params import DATA_VARIABLE, Params
from jsna.refresh import keys, tasks
from jsna.refresh.aside import put_aside
from jsna.refresh.decided import decided
from jsna.refresh.digests import Contents
from jsna.refresh.expected import Expected
from jsna.refresh.log import Log
from jsna.refresh.marks import Marks
from jsna.refresh.plan import Chapter, Pack, plan
from jsna.refresh.pool import Done, Task, Workers, run, warm_up

__all__ = ["DATA_VARIABLE", "Report", "refresh"]

SECONDS_OF_PREPARING, SECONDS_OF_FINISHING = 10.0, 12.0


@dataclass(frozen=True)
class Report:
    """What a refresh made: the packs' folders, which of them were kept as they are, and each chapter that failed."""

    packs: tuple[Path, ...]
    failures: tuple[tuple[str, str, str], ...]
    findings: int = 0
    kept: tuple[Path, ...] = ()

    @property
    def exit_code(self) -> int:
        """3 where a chapter failed, 1 where the audit found something."""
        return 3 if self.failures else int(bool(self.findings))


@dataclass(frozen=True)
class Asked:
    """How a refresh is to be done: all that the command line can say, but for the params files."""

    out: Path
    workers: int = 2
    only: tuple[str, ...] = ()
    audited: bool = False
    force: bool = False
    warm: bool = True
    timeout: int = tasks.CELL_TIMEOUT_SECONDS
    scheduler: str = ""


@dataclass
class Work:
    """One pack of a run: what has to be made, out of what, and what has come of it so far."""

    pack: Pack
    parts: dict[str, keys.Parts]
    make: tuple[Chapter, ...]
    made_from: dict[str, Any]
    why: dict[str, str]
    folders: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    finished: int = 0

    @property
    def staging(self) -> Path:
        return part_of(self.pack.folder)

    @property
    def params(self) -> Params:
        """The area's parameters with official files and an engine's files spelt out, for workers elsewhere."""
        params = self.pack.area.params
        if params.engine:
            params = params.model_copy(update={"engine": params.engine.found_from_anywhere()})
        if params.source == "synthetic" or not params.has_data_folder():
            return params
        return params.model_copy(update={"data": str(params.data_folder().resolve())})


def refresh(
    params_files: list[Path], asked: Asked, *, log: TextIO | None = None, kernels: Kernels | None = None
) -> Report:
    """Make the pack of every area of every params file, so far as it has changed since it was made.

    ``kernels``: those of a server that was started before, where it was certain that there is something to do.

    Everything that can be checked is checked before a chapter runs. A pack takes its place whole or not at all; while
    it is made, and when it is stopped, the pack before it is untouched, and chapters that were finished are kept for
    the next run. Raises the ``WorkbenchError`` family.
    """
    contents = Contents(cache_folder() / "digests.json")
    marks = Marks(cache_folder() / "made-up.json", contents)
    packs = plan(params_files, asked.out.resolve(), list(asked.only), marks.area)
    shared = keys.Surroundings(contents)
    faults: list[WorkbenchError] = []
    parts = [_parts(pack, shared, faults) for pack in packs]
    _raise_together(faults)
    contents.save()
    with ExitStack() as held:
        for pack in packs:
            held.enter_context(claimed(pack.folder))
            held.callback(_tidy, part_of(pack.folder))
        said = held.enter_context(Log(log or sys.stderr, asked.out.resolve()))
        works = [_work(pack, told, asked, shared) for pack, told in zip(packs, parts, strict=True)]
        todo = [work for work in works if work.why]
        _begin(todo, asked)
        for work in works:
            said.line(_what_is_kept(work))
        failures, findings = _made(todo, asked, said, marks, kernels) if todo else ([], 0)
        kept = tuple(w.pack.folder for w in works if not w.why)
        return Report(tuple(p.folder for p in packs), tuple(failures), findings, kept)


def _parts(pack: Pack, shared: keys.Surroundings, faults: list[WorkbenchError]) -> dict[str, keys.Parts]:
    """What the chapters are made from; nothing, and a fault, where something that is named cannot be read."""
    try:
        decided(pack.area, pack.folder)
        return keys.chapter_parts(pack, shared)
    except WorkbenchError as error:
        faults.append(error)
        return {}


def _tidy(staging: Path) -> None:
    """A run that ends leaves its staging folder only where chapters lie in it that the next one can use."""
    if not any(keys_of(staging).glob("*.json")):
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(keys_of(staging), ignore_errors=True)


def _work(pack: Pack, parts: dict[str, keys.Parts], asked: Asked, shared: keys.Surroundings) -> Work:
    """What has to be made of a pack: chapters that are not there as they would be made, and the pack around them."""
    before, manifest = keys.made_from(pack.folder), keys.manifest_of(pack.folder)
    damaged = keys.damaged(pack.folder, manifest)
    known: dict[str, keys.Parts] = dict(before.get("chapters", {}))
    # a notebook that somebody changed stays with --only, but must not pass for the chapter that was made
    whole = {name: told for name, told in known.items() if f"notebooks/{name}.ipynb" not in damaged}
    stay = {c.name: whole[c.name] for c in pack.holds if c.name not in parts and c.name in whole}
    others = {name: told for name, told in (stay | parts).items() if not _reads_others(pack, name)}
    parts = parts | {
        c.name: keys.reading_others(c.name, parts[c.name], others) for c in pack.chapters if c.reads_others
    }
    why: dict[str, str] = {}
    for chapter in pack.chapters:
        name = chapter.name
        if asked.force:
            why[name] = "--force"
        elif name not in known:
            why[name] = "it was not in the pack" if manifest else "there was no pack"
        elif changed := keys.changed(known[name], parts[name]):
            why[name] = f"{' and '.join(changed)} changed"
        elif f"notebooks/{name}.ipynb" in damaged:
            why[name] = "its notebook in the pack was changed or is gone"
    make = tuple(c for c in pack.chapters if c.name in why)
    made_from = {"pack": shared.code["pack"], "chapters": stay | parts}
    if not why:
        if damaged:
            why[""] = f"{damaged[0]} changed or is gone since it was written"
        elif before.get("pack") != made_from["pack"] or set(known) != set(made_from["chapters"]):
            why[""] = "the workbench's code changed"
        elif asked.audited and not manifest.get("audit", {}).get("run"):
            why[""] = "it was not audited"
    return Work(pack, parts, make, made_from, why)


def _reads_others(pack: Pack, name: str) -> bool:
    return any(c.name == name and c.reads_others for c in pack.holds)


def _what_is_kept(work: Work) -> str:
    label = work.pack.label
    if not work.why:
        number = len(work.pack.holds)
        return f"{label}: kept as it is, {number} chapters: notebooks, parameters, data, packages and code are the same"
    stay = len(work.pack.chapters) - len(work.make)
    if "" in work.why:
        return f"{label}: all chapters kept; the pack is made from them again: {work.why['']}"
    kept = f", {stay - work.finished} kept" if stay > work.finished else ""
    finished = f", {work.finished} finished by a run that was stopped" if work.finished else ""
    return f"{label}: {len(work.make)} chapters to make{kept}{finished}"


def _made(
    works: list[Work], asked: Asked, log: Log, marks: Marks, started: Kernels | None
) -> tuple[list[tuple[str, str, str]], int]:
    """Make everything that there is to do; failed chapters, and the number of the audit's findings."""
    with ExitStack() as held:
        warm = asked.warm and not asked.scheduler and any(w.make for w in works)
        kernels = held.enter_context(started or Kernels(warm=warm))
        aside = held.enter_context(put_aside(asked.out.resolve() if asked.scheduler else None))
        workers = held.enter_context(_workers(works, asked))
        _prepared(works, aside, workers, log, marks)
        if kernels.why and not asked.scheduler and asked.warm:
            log.line(f"Kernels start plain, which takes longer: {kernels.why}.")
        expected = Expected(cache_folder() / "seconds.json")
        steps = {t.name: t for n, w in enumerate(works) for t in _tasks(n, w, asked, kernels, expected)}
        log.begin(task.seconds for task in steps.values())
        faults: list[WorkbenchError] = []
        findings = 0
        for done in run(steps.values(), workers):
            number, name = done.name
            work, seconds = works[number], steps[done.name].seconds
            if name:
                _chapter_done(work, name, done, expected, log, seconds)
            else:
                findings += _pack_done(work, done, faults, log, seconds)
        expected.save()
    _raise_together(faults)
    return [(w.pack.label, name, error) for w in works for name, error in w.errors.items()], findings


def _workers(works: list[Work], asked: Asked) -> Any:
    if asked.scheduler:
        from jsna.refresh.cluster import Cluster

        engines = dict.fromkeys(w.params.engine for w in works if w.params.engine and _by_worker(w))
        return Cluster(asked.scheduler, asked.out.resolve(), tuple(engines))
    warm_up()
    # what workers fork from may have been started before a variable, such as a password, was set
    return Workers(asked.workers, dict(os.environ))


def _begin(works: list[Work], asked: Asked) -> None:
    """The staging folder of each pack, with the chapters that need not be made again: out of the pack, or finished by
    a run that was stopped."""
    for work in works:
        try:
            _keep_finished(work, asked)
            for chapter in work.pack.holds:
                here = keys.notebook_in(work.staging, chapter.name)
                there = keys.notebook_in(work.pack.folder, chapter.name)
                if chapter not in work.make and not here.is_file() and there.is_file():
                    shutil.copyfile(there, here)
        except OSError as error:
            raise cannot_write(work.pack.folder.parent, error) from None


def _keep_finished(work: Work, asked: Asked) -> None:
    """Empty the staging folder of all but the chapters that a stopped run finished from the same parts."""
    folder = work.staging / "notebooks"
    finished = []
    for chapter in work.make:
        output = keys.notebook_in(work.staging, chapter.name)
        try:
            told = json.loads(tasks.key_of(output).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        same = not asked.force and told.get("key") == work.parts[chapter.name]
        if same and keys.is_file_with(output, told.get("sha256", "")):
            finished.append(chapter)
    stay = {p for c in finished for o in [keys.notebook_in(work.staging, c.name)] for p in (o, tasks.key_of(o))}
    for place in (work.staging, keys_of(work.staging)):
        for path in sorted(place.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in stay:
                path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    work.make = tuple(c for c in work.make if c not in finished)
    work.finished = len(finished)


def _prepared(works: list[Work], aside: Path, workers: Any, log: Log, marks: Marks) -> None:
    """What all chapters of an area share is checked, made and put aside; the faults of all areas are told together.

    An authority's own records are read here, in this process, which knows them already; of several areas with the same
    official files the first is read first, for the others find what it keeps.
    """
    faults: list[WorkbenchError] = []
    first: dict[str, int] = {}
    given: list[Task] = []
    log.begin([])
    for number, work in enumerate(works):
        ask = tasks.Prepare(work.params, work.make or work.pack.chapters, aside / str(number))
        if work.pack.area.local and not _by_worker(work):
            _take(work, _read_here(work, number, ask, marks), faults, log)
            continue
        before = first.setdefault(work.params.data, number) if work.params.source == "official" else number
        after = frozenset([before]) if before != number else frozenset()
        given.append(Task(number, tasks.prepare, partial(_same, ask), after, number, SECONDS_OF_PREPARING))
    let_go()
    for done in run(given, workers):
        _take(works[done.name], done, faults, log)
    _raise_together(faults)


def _by_worker(work: Work) -> bool:
    """Whether a worker asks the engine that has the pupils. A Spark is started once, in this process."""
    engine = work.params.engine
    return engine is not None and "spark" not in (engine.kind, engine.checked_by.kind if engine.checked_by else "")


def _raise_together(faults: list[WorkbenchError]) -> None:
    if faults:
        raise type(faults[0])(*dict.fromkeys(problem for fault in faults for problem in fault.problems))


def _read_here(work: Work, number: int, ask: tasks.Prepare, marks: Marks) -> Done:
    """An authority's own records, read in this process."""
    try:
        made = tasks.prepare_area(work.pack.area, ask)
    except WorkbenchError as error:
        return Done(number, error=error)
    marks.learn(work.pack.area)
    return Done(number, made)


def _take(work: Work, done: Done, faults: list[WorkbenchError], log: Log) -> None:
    if fault := _fault(work, done, "read the data", "The data could not be read"):
        faults.append(fault)
        return
    work.folders = done.result.folders
    for sentence in done.result.told:
        log.line(sentence)


def _fault(work: Work, done: Done, doing: str, what: str) -> WorkbenchError | None:
    """What to say where a task ended without a result; of an unexpected error its kind alone, never its text."""
    if done.lost:
        mend = "Does the memory suffice? Run again, with --jobs 1."
        return ChapterError(Problem(f"A worker ended twice while it {doing}.", work.pack.label, mend=mend))
    if done.error is None or isinstance(done.error, WorkbenchError):
        return done.error
    if isinstance(done.error, OSError):
        if is_full(done.error):
            return cannot_write(work.pack.folder.parent, done.error)
        refused = f"The system refused ({done.error.strerror or type(done.error).__name__})."
        return OutputError(Problem(refused, work.pack.label, done.error.filename))
    kind = reason(f"{type(done.error).__name__}: ")
    return ChapterError(Problem(f"{what}: {kind}", work.pack.label))


def _same(value: Any) -> Any:
    return value


def _tasks(number: int, work: Work, asked: Asked, kernels: Kernels, expected: Expected) -> Iterable[Task]:
    """The chapters of a pack, those that read others after these, and the pack last."""
    names = frozenset((number, c.name) for c in work.make)
    first = frozenset((number, c.name) for c in work.make if not c.reads_others)
    for chapter in work.make:
        job = tasks.Job(
            pack=number,
            chapter=chapter.name,
            notebook=chapter.path,
            output=keys.notebook_in(work.staging, chapter.name),
            parameters=work.pack.area.params.without_places(),
            folders=work.folders | {tasks.EVIDENCE_VARIABLE: str(work.staging / "notebooks")},
            key=work.parts[chapter.name],
            timeout=asked.timeout,
            kernel=kernels.name,
            environment=kernels.environment,
        )
        after = first if chapter.reads_others else frozenset()
        yield Task((number, chapter.name), tasks.make, partial(_same, job), after, number, expected.of(chapter.path))
    yield Task((number, ""), tasks.finish, partial(_finish, work, asked), names, number, SECONDS_OF_FINISHING)


def _finish(work: Work, asked: Asked) -> tasks.Finish:
    """What there is to finish, once the chapters are done: those that failed are named on the pages."""
    made = tuple(
        (chapter, work.errors.get(chapter.name, ""))
        for chapter in work.pack.holds
        if chapter.name in work.errors or keys.notebook_in(work.staging, chapter.name).is_file()
    )
    good = {c.name for c, error in made if not error}
    made_from = work.made_from | {"chapters": {n: p for n, p in work.made_from["chapters"].items() if n in good}}
    return tasks.Finish(work.params, work.staging, work.pack.folder, made, made_from, work.folders, asked.audited)


def _chapter_done(work: Work, name: str, done: Done, expected: Expected, log: Log, seconds: float) -> None:
    label = work.pack.label
    if not done.lost and (fault := _fault(work, done, "", "The chapter could not be run")):
        raise fault
    outcome = done.result
    error = "Lost: " if done.lost else outcome.error
    if error:
        work.errors[name] = reason(error)
        keys.notebook_in(work.staging, name).unlink(missing_ok=True)
        log.did(f"{label}, {name}: failed: {work.errors[name]}", seconds, failed=True)
        return
    expected.learn(outcome.job.notebook, outcome.seconds)
    log.did(f"{label}, {name}: made ({outcome.seconds:.1f} s): {work.why[name]}", seconds)


def _pack_done(work: Work, done: Done, faults: list[WorkbenchError], log: Log, seconds: float) -> int:
    """Put a finished pack in its place; the number of findings of its audit.

    A pack that could not be finished leaves the one before in its place, and the others go on.
    """
    label = work.pack.label
    fault = _fault(work, done, "wrote the pack", "The pack could not be finished")
    if fault is None:
        try:
            put_in_place(work.staging, work.pack.folder)
        except WorkbenchError as error:
            fault = error
    if fault is not None:
        faults.append(fault)
        log.did(f"{label}: the pack could not be finished; the one before is untouched", seconds, failed=True)
        return 0
    findings, words = done.result
    log.did(f"{label}: pack in place", seconds)
    for sentence in words:
        log.line(sentence)
    return findings


OWN_WORDS = {
    "CellTimeoutError": "a step took longer than --timeout allows",
    "DeadKernelError": "its kernel ended at once, as it does when the computer's memory runs out; try --jobs 1",
    tasks.NO_ANSWER: "its kernel did not start; see docs/refresh.md",
    "Lost": "its worker ended twice, as it does when the computer's memory runs out; try --jobs 1",
}


def reason(error: str) -> str:
    """A failure in one line that holds no data: the workbench's own messages whole, of others only their kind.

    >>> reason("ZeroDivisionError: 17 pupils / 0")
    'unexpected fault of kind ZeroDivisionError; see docs/faults.md'
    """
    kind, _, message = error.partition(": ")
    if not error:
        return ""
    if kind in OWN_WORDS:
        return OWN_WORDS[kind]
    own = {c.__name__ for c in _family(WorkbenchError)}
    return _first_line(message) if kind in own else f"unexpected fault of kind {kind}; see docs/faults.md"


def _family(kind: type) -> set[type]:
    return {kind} | {s for c in kind.__subclasses__() for s in _family(c)}


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else text
