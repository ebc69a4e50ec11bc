"""What a worker does for a refresh: prepare what all chapters of an area need, make one chapter, finish a pack.

Each takes and gives plain values, so that it can be done in another process, or on another machine that sees the same
folders.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsna.evidence.cycles.notebooks import EVIDENCE_VARIABLE
from jsna.kernels.warm import PLAIN
from jsna.local import PREPARED_VARIABLE
from jsna.pack.place import is_full, keys_of
from jsna.params import BY_ENVIRONMENT, DATA_VARIABLE, Params
from jsna.refresh.plan import Chapter
from jsna.warehouse import ENGINE_VARIABLE

FOLDERS = (DATA_VARIABLE, PREPARED_VARIABLE, EVIDENCE_VARIABLE, ENGINE_VARIABLE, *BY_ENVIRONMENT.values())
CELL_TIMEOUT_SECONDS = 900
START_TIMEOUT_SECONDS = 90
NO_ANSWER = "NoAnswer"


@dataclass(frozen=True)
class Job:
    """One chapter for one area.

    ``folders`` are environment variables that tell the kernel where data lie; ``key`` what the chapter is made from,
    which is kept beside the executed notebook.
    """

    pack: int
    chapter: str
    notebook: Path
    output: Path
    parameters: dict[str, Any]
    folders: dict[str, str]
    key: dict[str, str] = field(default_factory=dict)
    timeout: int = CELL_TIMEOUT_SECONDS
    kernel: str = PLAIN
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a job; ``error`` is empty when it went well."""

    job: Job
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Prepare:
    """What has to be there before the chapters of an area run; ``folder`` is where it is put aside."""

    params: Params
    chapters: tuple[Chapter, ...]
    folder: Path


@dataclass(frozen=True)
class Prepared:
    """``folders`` for the kernels, what a user should be told, and whether the pupils are made up."""

    folders: dict[str, str]
    told: tuple[str, ...]
    synthetic: bool


@dataclass(frozen=True)
class Finish:
    """A pack whose chapters are made: everything else is made from them in ``staging``."""

    params: Params
    staging: Path
    final: Path
    made: tuple[tuple[Chapter, str], ...]
    made_from: dict[str, Any]
    folders: dict[str, str]
    audited: bool


@contextmanager
def told_by_environment(folders: Mapping[str, str]) -> Iterator[None]:
    """Where data lie, for one task alone: what a worker was told for one area must not reach the next."""
    before = {variable: os.environ.pop(variable, None) for variable in FOLDERS}
    os.environ.update(folders)
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


def prepare(asked: Prepare) -> Prepared:
    """Check an area's inputs and put aside what all its chapters share. Raises the ``WorkbenchError`` family."""
    from jsna.area import Area
    from jsna.engines.held import let_go

    try:
        return prepare_area(Area(asked.params), asked)
    finally:
        let_go()


def prepare_area(area: Any, asked: Prepare) -> Prepared:
    """As ``prepare``, for an area that has been opened.

    Pupils that were read from an authority's own files lie, without names or numbers, in a folder that its owner alone
    can read, and that goes when the run ends; of those that an engine counts, the counts.
    """
    from jsna.check.report import weights
    from jsna.evidence.local_values import keep_in
    from jsna.evidence.voice.gathered import voice_lists
    from jsna.local import PIPELINE_LISTS, VOICE_LISTS, joined_lists, keep, keep_pattern, keep_weights, lists_of
    from jsna.refresh.asked import ask_ahead

    _check_inputs(area, asked.chapters)
    if area.params.engine:
        ask_ahead(area)
    params, folder = area.params, asked.folder
    where = {
        variable: str(Path(named).expanduser().resolve())
        for key, variable in BY_ENVIRONMENT.items()
        if (named := getattr(params, key))
    }
    told: list[str] = []
    if params.source != "synthetic" and params.has_data_folder():
        where[DATA_VARIABLE] = str(params.data_folder().resolve())
    if area.policy.pattern is not None:
        where[PREPARED_VARIABLE] = str(folder)
        keep_pattern(folder, area.policy.pattern)
    if params.source == "synthetic" and len(asked.chapters) > 1:
        # side by side, each chapter would read the lists and work out the values for itself
        where[PREPARED_VARIABLE] = str(folder)
        for kind, loaded in voice_lists(area).items():
            keep(folder, kind, loaded)
        keep_in(folder, area)
    if area.local:
        where[PREPARED_VARIABLE] = str(folder)
        found = weights(area)
        keep_weights(folder, found)
        if found["error"]:
            told.append(
                f"{area.label}: the check finds errors in the data ({found['error']}). The pack is made, and "
                "says so; see what they are with `check` before anybody reads it."
            )
        if "cases" in area.brings:
            keep(folder, "cases", area.ehc_cases)
        for kind, loaded in lists_of(params, PIPELINE_LISTS).items():
            keep(folder, kind, loaded)
        for kind, loaded in joined_lists(params, VOICE_LISTS).items():
            keep(folder, kind, loaded)
        keep_in(folder, area)
        if params.engine:
            where[ENGINE_VARIABLE] = params.engine.found_from_anywhere().model_dump_json()
        area.roll.put_aside(folder)
    return Prepared(where, tuple(told), bool(area.synthetic))


def _check_inputs(area: Any, chapters: tuple[Chapter, ...]) -> None:
    """Fail before anything runs where an input cannot be used; what all chapters need is read or made once."""
    from jsna.evidence.catalogue import frame_of
    from jsna.evidence.cycles import edition_of_pack
    from jsna.evidence.cycles.packs import earlier_folder
    from jsna.evidence.priorities import rules_of
    from jsna.refresh.needs import check_files

    params = area.params
    if params.frames:
        frame_of(area.code, params.frames)
    rules_of(params.rules)
    if (earlier := earlier_folder(area)) is not None:
        edition_of_pack(earlier, area_code=area.code)
    if "official" in area.brings:
        check_files(area.official, chapters)
        if len(chapters) > 1:
            _ = area.values  # kept on disk: side by side, each chapter would work them out for itself
    else:
        _ = area.roll.summary, "cases" in area.brings and area.ehc_cases


def make(job: Job) -> Outcome:
    """Execute one chapter's notebook in a kernel of its own, and put it where it belongs whole or not at all.

    Where data lie reaches the kernel by the environment, so that no path is written into the notebook.
    """
    started = time.monotonic()
    with told_by_environment(job.folders | job.environment):
        executed, error = _execute(job, job.kernel)
        if error.startswith(NO_ANSWER) and job.kernel != PLAIN:
            executed, error = _execute(job, PLAIN)
    if not error:
        keep_notebook(executed, job.output, job.key)
    return Outcome(job, time.monotonic() - started, error)


def _execute(job: Job, kernel: str) -> tuple[Any, str]:
    """The notebook as executed, and the error or nothing.

    It is not written anywhere: what is not an exhibit has not passed the gate, and papermill would write it anew before
    and after each cell, which took a tenth of a chapter's time.
    """
    import logging
    import warnings

    import papermill
    from nbclient.exceptions import CellTimeoutError
    from papermill.exceptions import PapermillExecutionError

    from jsna.kernels.client import Manager

    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            executed = papermill.execute_notebook(
                str(job.notebook),
                None,
                parameters=job.parameters,
                kernel_name=kernel,
                cwd=str(job.notebook.parent),
                progress_bar=False,
                log_output=False,
                autosave_cell_every=0,
                shutdown_kernel="immediate",
                extra_arguments=["--IPKernelApp.log_level=40"],
                start_timeout=START_TIMEOUT_SECONDS,
                execution_timeout=job.timeout,
                kernel_manager_class=Manager,
            )
        except PapermillExecutionError as failure:
            return None, f"{failure.ename}: {failure.evalue}"
        except CellTimeoutError:  # for Python an error of the system, as a full disk is; but a fault of the chapter
            return None, "CellTimeoutError: "
        except OSError as failure:
            if is_full(failure):
                raise
            return None, f"{type(failure).__name__}: {failure}"
        except Exception as failure:  # papermill, nbclient and the kernel raise many kinds; each is this chapter's own
            # Jupyter's bare RuntimeError is that of a kernel which did not answer; a chapter's own came above
            kind = NO_ANSWER if type(failure) is RuntimeError else type(failure).__name__
            return None, f"{kind}: {failure}"
    return executed, ""


def keep_notebook(executed: Any, output: Path, key: Mapping[str, str]) -> None:
    """The executed notebook at its place in the pack, with nothing but its exhibits; beside it what it is made from.

    The key comes last and names the notebook's content: a key that is there stands for a notebook that is whole.
    """
    import nbformat

    from jsna.pack.harvest import scrub

    text = nbformat.writes(scrub(executed)) + "\n"
    _replace(output, text)
    told = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "key": dict(key)}
    _replace(key_of(output), json.dumps(told))


def key_of(output: Path) -> Path:
    """Where the key of an executed chapter lies until its pack is in place: in a folder beside the pack's parts."""
    return keys_of(output.parents[1]) / f"{output.stem}.json"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def finish(asked: Finish) -> tuple[int, tuple[str, ...]]:
    """Everything of a pack but its chapters, in the staging folder; the number of findings of the audit, and words.

    Raises ``OutputError`` where it cannot be written.
    """
    from jsna.area import Area
    from jsna.engines.held import let_go
    from jsna.pack.place import cannot_write
    from jsna.pack.write import Made, write_pack
    from jsna.refresh.decided import decided

    with told_by_environment(asked.folders):
        area = Area(asked.params)
        try:
            # read again: people may have written into it while the chapters ran
            made = [Made(chapter, error) for chapter, error in asked.made]
            write_pack(asked.staging, area, made, decided(area, asked.final), asked.made_from)
            return _audit(asked, area) if asked.audited else (0, ())
        except OSError as error:
            raise cannot_write(asked.final.parent, error) from None
        finally:
            let_go()


def _audit(asked: Finish, area: Any) -> tuple[int, tuple[str, ...]]:
    """Attack the finished pack, beside the last cycle's where there is one."""
    from jsna.audit.audit import audit
    from jsna.evidence.cycles.packs import earlier_folder
    from jsna.pack.write import add_audit

    before = earlier_folder(area)
    earlier = [] if before is None else [before]
    report = audit(asked.staging, earlier)
    found = len(report.findings)
    kinds = dict(sorted(Counter(f.kind for f in report.findings).items()))
    add_audit(asked.staging, {"run": True, "beside": len(earlier), "findings": found, "kinds": kinds})
    words = f"{area.label}: the audit found {found}. Do not publish the pack; `audit` says what and where."
    return found, (words,) if found else ()
