"""Workers of a Dask cluster that is there already, in the place of processes on this computer.

The workers must see the same folders under the same names, run this very version of the workbench with the same
packages, and do one task at a time (``dask worker --nthreads 1``); where they count an area's pupils themselves, the
engine must let them in. All of that is looked at before anything runs.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsna.errors import ParamsError, Problem
from jsna.refresh import digests

if TYPE_CHECKING:
    from jsna.warehouse import Warehouse

WAIT_SECONDS = 10
WHERE = "--scheduler"
MEND = {
    "code": "Let the worker run the same version of the workbench",
    "packages": "Install the packages of the same lock file there",
    "threads": "Start it with --nthreads 1",
    "folder": "Mount the folder of the packs there under the same name",
}


class Cluster:
    """``with Cluster("tcp://host:8786", out) as workers``: as ``jsna.refresh.pool.Workers``.

    ``engines``: those that workers will ask. Raises ``ParamsError`` where there is no scheduler or no worker, and
    naming every worker that does not fit, or that an engine does not let in.
    """

    def __init__(self, address: str, out: Path, engines: Sequence[Warehouse] = ()) -> None:
        self._address, self._out, self._engines = address, out, tuple(engines)
        self._client: Any = None
        self.number = 0

    def __enter__(self) -> Cluster:
        import logging

        from distributed import Client

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client = Client(self._address, timeout=WAIT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            mend = "Start it with `dask scheduler`, or leave --scheduler out to run on this computer."
            what = f"No Dask scheduler answers here ({type(error).__name__})."
            raise ParamsError(Problem(what, WHERE, self._address, mend=mend)) from None
        try:
            self._look()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, TimeoutError):
                client.close(timeout=WAIT_SECONDS)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        """The task on one of the workers. One that is lost is done again by another: that is Dask's own doing."""
        given = self._client.submit(partial(here, function), argument, pure=False)
        future: Future = Future()
        future.set_running_or_notify_cancel()
        given.add_done_callback(partial(_passed_on, future))
        return future

    def replace(self) -> None:
        """Nothing: the cluster sees to its own workers."""

    def _look(self) -> None:
        sign = self._out / f".seen-{uuid.uuid4().hex[:8]}"
        self._out.mkdir(parents=True, exist_ok=True)
        sign.touch()
        try:
            told = self._client.run(about, str(sign), on_error="return")
        finally:
            sign.unlink(missing_ok=True)
        if not told:
            mend = f"Start some: dask worker {self._address} --nthreads 1."
            raise ParamsError(Problem("The cluster has no workers.", WHERE, self._address, mend=mend))
        names = {w: info.get("name", w) for w, info in self._client.scheduler_info(n_workers=-1)["workers"].items()}
        problems = [p for worker, found in told.items() for p in unfit(str(names.get(worker, worker)), found)]
        problems = problems or self._shut_out(names)
        if problems:
            raise ParamsError(*problems)
        self.number = len(told)

    def _shut_out(self, names: Mapping[str, Any]) -> list[Problem]:
        """Workers that the engines do not let in, each by its name."""
        told = self._client.run(closed_to, self._engines) if self._engines else {}
        return [
            replace(p, where=f"{WHERE}, worker {names.get(worker, worker)}, {p.where}")
            for worker, problems in told.items()
            for p in problems
        ]


def closed_to(engines: Sequence[Warehouse]) -> list[Problem]:
    """What keeps a worker from asking the engines."""
    return [problem for named in engines for problem in named.closed_to_us()]


def about(sign: str, dask_worker: Any = None) -> dict[str, Any]:
    """What a worker says of itself: digests of its code and packages, its threads, whether it sees a file."""
    return {
        "code": digests.code()["pack"],
        "packages": digests.packages(),
        "threads": dask_worker.state.nthreads,
        "folder": Path(sign).is_file(),
    }


def unfit(name: str, found: Any) -> list[Problem]:
    """What keeps a worker from doing its part, by its name.

    >>> unfit("w1", ValueError())[0].what
    'The worker does not have the workbench (ValueError).'
    """
    if isinstance(found, BaseException):
        what = f"The worker does not have the workbench ({type(found).__name__})."
        return [Problem(what, f"{WHERE}, worker {name}", mend=f"{MEND['code']}.")]
    wanted = {"code": digests.code()["pack"], "packages": digests.packages(), "threads": 1, "folder": True}
    words = {
        "code": "The worker runs another version of the workbench.",
        "packages": "The worker has other packages or another Python.",
        "threads": "The worker does several tasks at a time.",
        "folder": "The worker does not see the folder of the packs.",
    }
    return [
        Problem(words[part], f"{WHERE}, worker {name}", mend=f"{MEND[part]}.")
        for part in wanted
        if found.get(part) != wanted[part]
    ]


_kernels: list[Any] = []


def here(function: Callable[[Any], Any], argument: Any) -> Any:
    """The task, in a worker of the cluster: its chapters run in warm kernels of its own, started once."""
    from jsna.kernels.warm import Kernels
    from jsna.refresh.tasks import Job

    if isinstance(argument, Job):
        if not _kernels:
            _kernels.append(Kernels())
        argument = replace(argument, kernel=_kernels[0].name, environment=_kernels[0].environment)
    return function(argument)


def _passed_on(future: Future, given: Any) -> None:
    from concurrent.futures import BrokenExecutor

    if given.status == "cancelled" or given.status == "lost":
        future.set_exception(BrokenExecutor("the worker was lost"))
        return
    error = given.exception()
    if error is None:
        future.set_result(given.result())
    else:
        lost = type(error).__name__ in ("KilledWorker", "CommClosedError", "FutureCancelledError")
        future.set_exception(BrokenExecutor(str(error)) if lost else error)
