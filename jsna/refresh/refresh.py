"""The refresh: plan, run, write each area's pack, and report in plain words."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TextIO

from jsna.check.report import weights
from jsna.errors import WorkbenchError
from jsna.evidence.catalogue import catalogue, frame_of
from jsna.evidence.cycles import edition_of_pack
from jsna.evidence.cycles.decisions import FILE as DECISIONS
from jsna.evidence.cycles.decisions import Decisions, read_decisions
from jsna.evidence.cycles.notebooks import EVIDENCE_VARIABLE
from jsna.evidence.cycles.packs import earlier_folder
from jsna.evidence.local_values import keep_in
from jsna.evidence.priorities import rules_of
from jsna.local import (
    PIPELINE_LISTS,
    PREPARED_VARIABLE,
    VOICE_LISTS,
    joined_lists,
    keep,
    keep_pattern,
    keep_weights,
    lists_of,
)
from jsna.pack.write import Made, add_audit, put_in_place, staging_folder, write_pack
from jsna.params import BY_ENVIRONMENT, DATA_VARIABLE
from jsna.refresh.needs import check_files
from jsna.refresh.plan import Pack, all_chapters, plan
from jsna.refresh.run import Job, Outcome, run_all, warm_up

__all__ = ["DATA_VARIABLE", "Report", "refresh"]


@dataclass(frozen=True)
class Report:
    """What a refresh made: the packs' folders, and each chapter that failed with its reason."""

    packs: tuple[Path, ...]
    failures: tuple[tuple[str, str, str], ...]
    findings: int = 0

    @property
    def exit_code(self) -> int:
        """3 where a chapter failed, 1 where the audit found something."""
        return 3 if self.failures else int(bool(self.findings))


def refresh(
    params_files: list[Path],
    *,
    out: Path,
    workers: int,
    only: list[str],
    audited: bool = False,
    log: TextIO | None = None,
) -> Report:
    """Make the pack of every area of every params file; ``audited``: and attack each, with the result in its manifest.

    Everything that can be checked is checked before a chapter runs. A pack takes its place whole or not at all; while
    it is made, and when it is stopped, the pack before it is untouched. Raises the ``WorkbenchError`` family.
    """
    log = log or sys.stderr
    packs = plan(params_files, out.resolve(), only)
    warm_up()
    for pack in packs:
        _decided(pack)
        _check_inputs(pack)
    stagings: list[Path] = []
    aside = Path(tempfile.mkdtemp(prefix="jsna-"))
    try:
        stagings = [staging_folder(pack.folder) for pack in packs]
        for pack, staging in zip(packs, stagings, strict=True):
            _carry_over(pack, staging)
        outcomes = _run(packs, stagings, _set_aside(packs, aside, log), workers, log)
        failures, findings = [], 0
        for number, (pack, staging) in enumerate(zip(packs, stagings, strict=True)):
            made = _made(pack, staging, [o for o in outcomes if o.job.pack == number])
            # read again: people may have written into it while the chapters ran
            write_pack(staging, pack.area, made, _decided(pack))
            findings += _audit(pack, staging, log) if audited else 0
            put_in_place(staging, pack.folder)
            failures += [(pack.area.label, m.chapter.name, m.error) for m in made if m.error]
        return Report(tuple(p.folder for p in packs), tuple(failures), findings)
    finally:
        for folder in (*stagings, aside):
            shutil.rmtree(folder, ignore_errors=True)


def _decided(pack: Pack) -> Decisions | None:
    """What people wrote into the decisions of the pack that is there: the new one carries it over.

    A file that cannot be read stops the run before anything is made: nothing that people wrote is lost.
    """
    path = pack.folder / DECISIONS
    if not path.is_file():
        return None
    frame = frame_of(pack.area.code, pack.area.params.frames)
    codes = [item.code for entry in frame.lists for item in entry.items]
    new = [c.code for c in rules_of(pack.area.params.rules).candidates]
    known = catalogue().indicators
    return read_decisions(path, area_code=pack.area.code, priorities=[*codes, *new], known=known)


def _audit(pack: Pack, staging: Path, log: TextIO) -> int:
    """Attack the finished pack, beside the last cycle's where there is one; the number of findings."""
    from jsna.audit.audit import audit

    before = earlier_folder(pack.area)
    earlier = [] if before is None else [before]
    report = audit(staging, earlier)
    found = len(report.findings)
    kinds = dict(sorted(Counter(f.kind for f in report.findings).items()))
    add_audit(staging, {"run": True, "beside": len(earlier), "findings": found, "kinds": kinds})
    if found:
        log.write(
            f"{pack.area.label}: the audit found {found}. Do not publish the pack; `audit` says what and where.\n"
        )
    return found


def _check_inputs(pack: Pack) -> None:
    """Fail before anything runs where an input cannot be used; what all chapters need is read or made once."""
    params = pack.area.params
    if params.frames:
        frame_of(pack.area.code, params.frames)
    rules_of(params.rules)
    if (earlier := earlier_folder(pack.area)) is not None:
        edition_of_pack(earlier, area_code=pack.area.code)
    if "official" in pack.area.brings:
        check_files(pack.area.official, pack.chapters)
        if len(pack.chapters) > 1:
            _ = pack.area.values  # kept on disk: side by side, each chapter would work them out for itself
    else:
        _ = pack.area.pupils, "cases" in pack.area.brings and pack.area.ehc_cases


def _set_aside(packs: tuple[Pack, ...], folder: Path, log: TextIO) -> list[dict[str, str]]:
    """For each pack, where its kernels find data: pupils that were read from an authority's own files lie, without
    names or numbers, in a folder that its owner alone can read, and that goes when the run ends."""
    told = []
    for number, pack in enumerate(packs):
        where: dict[str, str] = {}
        if pack.area.params.source != "synthetic" and pack.area.params.has_data_folder():
            where[DATA_VARIABLE] = str(pack.area.params.data_folder().resolve())
        for key, variable in BY_ENVIRONMENT.items():
            if named := getattr(pack.area.params, key):
                where[variable] = str(Path(named).expanduser().resolve())
        if pack.area.policy.pattern is not None:
            where[PREPARED_VARIABLE] = str(folder / str(number))
            keep_pattern(folder / str(number), pack.area.policy.pattern)
        if pack.area.local:
            where[PREPARED_VARIABLE] = str(folder / str(number))
            keep(folder / str(number), "pupils", pack.area.pupils)
            found = weights(pack.area)
            keep_weights(folder / str(number), found)
            if found["error"]:
                log.write(
                    f"{pack.area.label}: the check finds errors in the data ({found['error']}). The pack is made, and "
                    "says so; see what they are with `check` before anybody reads it.\n"
                )
            if "cases" in pack.area.brings:
                keep(folder / str(number), "cases", pack.area.ehc_cases)
            for kind, loaded in lists_of(pack.area.params, PIPELINE_LISTS).items():
                keep(folder / str(number), kind, loaded)
            for kind, loaded in joined_lists(pack.area.params, VOICE_LISTS).items():
                keep(folder / str(number), kind, loaded)
            keep_in(folder / str(number), pack.area)
        told.append(where)
    return told


def _carry_over(pack: Pack, staging: Path) -> None:
    """With some chapters only, the others that the pack is to hold come from the one that is there."""
    wanted = {c.name for c in pack.chapters}
    for chapter in pack.holds:
        before = pack.folder / "notebooks" / f"{chapter.name}.ipynb"
        if chapter.name not in wanted and before.is_file():
            shutil.copyfile(before, staging / "notebooks" / before.name)


def _run(
    packs: tuple[Pack, ...], stagings: list[Path], folders: list[dict[str, str]], workers: int, log: TextIO
) -> list[Outcome]:
    from tqdm import tqdm

    jobs = [
        Job(
            pack=number,
            chapter=chapter.name,
            notebook=chapter.path,
            output=staging / "notebooks" / f"{chapter.name}.ipynb",
            parameters=pack.area.params.without_places(),
            folders=folders[number] | {EVIDENCE_VARIABLE: str(staging / "notebooks")},
        )
        for number, (pack, staging) in enumerate(zip(packs, stagings, strict=True))
        for chapter in pack.chapters
    ]
    # the pages need nbconvert, which is slow to import: let it come in while the kernels work
    threading.Thread(target=import_module, args=("nbconvert",), daemon=True).start()
    outcomes: list[Outcome] = []
    live = log.isatty()
    with tqdm(total=len(jobs), desc="chapters", unit="chapter", file=log, disable=not live, leave=False) as bar:
        for outcome in (o for part in _in_turn(jobs, packs) for o in run_all(part, workers)):
            outcomes.append(outcome)
            bar.update()
            words = f"failed: {_reason(outcome.error)}" if outcome.error else "made"
            line = f"{packs[outcome.job.pack].area.label}, {outcome.job.chapter}: {words} ({outcome.seconds:.1f} s)"
            if not live or outcome.error:
                bar.write(line, file=log)
    return outcomes


def _in_turn(jobs: list[Job], packs: tuple[Pack, ...]) -> Iterator[list[Job]]:
    """Chapters that read what the others found come after these."""
    late = {(n, c.name) for n, pack in enumerate(packs) for c in pack.chapters if c.reads_others}
    yield [j for j in jobs if (j.pack, j.chapter) not in late]
    yield [j for j in jobs if (j.pack, j.chapter) in late]


def _made(pack: Pack, staging: Path, outcomes: list[Outcome]) -> list[Made]:
    errors = {o.job.chapter: _reason(o.error) for o in outcomes}
    made = []
    for chapter in all_chapters():
        path = staging / "notebooks" / f"{chapter.name}.ipynb"
        error = errors.get(chapter.name, "")
        if error:
            path.unlink(missing_ok=True)
        if error or path.is_file():
            made.append(Made(chapter, error))
    return made


def _reason(error: str) -> str:
    """A failure in one line that holds no data: the workbench's own messages whole, of others only their kind."""
    kind, _, message = error.partition(": ")
    own = {c.__name__ for c in _family(WorkbenchError)}
    if not error:
        return ""
    return _first_line(message) if kind in own else f"unexpected fault of kind {kind}; see docs/faults.md"


def _family(kind: type) -> set[type]:
    return {kind} | {s for c in kind.__subclasses__() for s in _family(c)}


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else text
