"""Run chapters with papermill, several at a time, and say what became of each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsna.evidence.cycles.notebooks import EVIDENCE_VARIABLE
from jsna.local import PREPARED_VARIABLE
from jsna.params import BY_ENVIRONMENT, DATA_VARIABLE

FOLDERS = (DATA_VARIABLE, PREPARED_VARIABLE, EVIDENCE_VARIABLE, *BY_ENVIRONMENT.values())
CELL_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Job:
    """One chapter for one area: plain values only, so that it crosses process borders.

    ``folders`` are environment variables that tell the kernel where data lie.
    """

    pack: int
    chapter: str
    notebook: Path
    output: Path
    parameters: dict[str, Any]
    folders: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """What became of a job; ``error`` is empty when it went well."""

    job: Job
    seconds: float
    error: str = ""


def warm_up() -> None:
    """Let papermill be imported once, in a process of its own, while the inputs are checked; workers fork from that.

    Where processes cannot fork (Windows) nothing is done, and each worker imports for itself.
    """
    context = _context()
    if context.get_start_method() == "forkserver":
        from multiprocessing import forkserver

        # what is started now must neither hear Ctrl-C nor speak: the runner ends its workers itself, and says so once;
        # a chapter's faults come back as its outcome
        heard, said = signal.signal(signal.SIGINT, signal.SIG_IGN), os.dup(2)
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            try:
                forkserver.ensure_running()
            finally:
                os.dup2(said, 2)
                os.close(said)
                signal.signal(signal.SIGINT, heard)


def _context() -> Any:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["papermill"])
    return context


@contextmanager
def ended(pool: ProcessPoolExecutor) -> Iterator[ProcessPoolExecutor]:
    """A pool whose workers are ended with the block: at once where it is left by an error or by Ctrl-C."""
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run_all(jobs: list[Job], workers: int) -> Iterator[Outcome]:
    """Each job's outcome as it is done. A failed chapter does not stop the others."""
    if not jobs:
        return
    with ended(ProcessPoolExecutor(max_workers=min(workers, len(jobs)), mp_context=_context())) as pool:
        futures = {pool.submit(run_one, job): job for job in jobs}
        for future in as_completed(futures):
            failure = future.exception()
            if failure is None:
                yield future.result()
            else:
                yield Outcome(futures[future], 0.0, f"its worker process died ({type(failure).__name__})")


def run_one(job: Job) -> Outcome:
    """Execute one chapter's notebook in a kernel of its own.

    Where data lie reaches the kernel by the environment, so that no path is written into the notebook.
    """
    import logging
    import warnings

    import papermill
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    # Chapters already run side by side: threads of linear algebra on top of that only wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A worker makes chapters of several areas: what one was told must not reach the next.
    for variable in FOLDERS:
        os.environ.pop(variable, None)
    os.environ.update(job.folders)
    started = time.monotonic()
    error = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            papermill.execute_notebook(
                str(job.notebook),
                str(job.output),
                parameters=job.parameters,
                kernel_name="python3",
                cwd=str(job.notebook.parent),
                progress_bar=False,
                log_output=False,
                shutdown_kernel="immediate",
                extra_arguments=["--IPKernelApp.log_level=40"],
                execution_timeout=CELL_TIMEOUT_SECONDS,
            )
        except PapermillExecutionError as failure:
            error = f"{failure.ename}: {failure.evalue}"
        except Exception as failure:  # papermill, nbclient and the kernel raise many kinds; each is this chapter's own
            error = f"{type(failure).__name__}: {failure}"
    return Outcome(job, time.monotonic() - started, error)
