"""Tasks done by several workers: those that wait for others come after them, and a worker that dies is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

TRIES = 2
PRELOADED = ["jsna", "papermill", "nbconvert", "jsna.refresh.tasks", "jsna.pack.write", "jsna.linked.pattern"]


@dataclass(frozen=True)
class Task:
    """``function(argument())`` by a worker once the tasks ``after`` are done; ``seconds`` it is expected to take.

    ``argument`` is called here and not before, so that it can use what came of the earlier ones.
    """

    name: Hashable
    function: Callable[[Any], Any]
    argument: Callable[[], Any]
    after: frozenset[Hashable] = frozenset()
    rank: int = 0
    seconds: float = 1.0


@dataclass(frozen=True)
class Done:
    """What a task gave, or the exception that it ended with; ``lost`` where its worker died, every time."""

    name: Hashable
    result: Any = None
    error: BaseException | None = None
    lost: bool = False


class Workers:
    """Processes on this computer, started when they are first needed, and ended with the block."""

    def __init__(self, number: int, environment: dict[str, str] | None = None) -> None:
        self.number = number
        self.environment = dict(environment or {})
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self.end(at_once=kind is not None)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self.number, _context(), _started, (self.environment,))
        return self._executor.submit(function, argument)

    def replace(self) -> None:
        """After a worker has died: new ones, when they are needed."""
        self.end(at_once=True)

    def end(self, *, at_once: bool) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            end(executor, at_once=at_once)


def run(tasks: Iterable[Task], workers: Any) -> Iterator[Done]:
    """Each task as it is done: by rank, and within a rank those first that take longest.

    As many are given out as there are workers, so that no more than these are in the air when one dies: they are tried
    once more. A task that raises does not stop the others.
    """
    waiting = {task.name: task for task in tasks}
    tries: dict[Hashable, int] = {}
    ended: set[Hashable] = set()
    flying: dict[Future, Task] = {}
    while waiting or flying:
        ready = [t for t in waiting.values() if not t.after & waiting.keys() and not t.after - ended]
        for task in sorted(ready, key=lambda t: (t.rank, -t.seconds))[: workers.number - len(flying)]:
            del waiting[task.name]
            tries[task.name] = tries.get(task.name, 0) + 1
            flying[_given(task, workers)] = task
        done, _ = wait(flying, return_when=FIRST_COMPLETED)
        broken = False
        for future in done:
            task, error = flying.pop(future), future.exception()
            if isinstance(error, BrokenExecutor):
                broken = True
                if tries[task.name] < TRIES:
                    waiting[task.name] = task
                    continue
                ended.add(task.name)
                yield Done(task.name, error=error, lost=True)
            else:
                ended.add(task.name)
                yield Done(task.name, None if error else future.result(), error)
        if broken:
            for future, task in flying.items():
                future.cancel()
                if tries[task.name] < TRIES:
                    waiting[task.name] = task
                else:
                    ended.add(task.name)
                    yield Done(task.name, error=BrokenExecutor(), lost=True)
            flying.clear()
            workers.replace()


def _given(task: Task, workers: Any) -> Future:
    """The task handed to a worker; where the workers break at that moment, a future that says so."""
    try:
        return workers.submit(task.function, task.argument())
    except BrokenExecutor as error:
        future: Future = Future()
        future.set_exception(error)
        return future


def warm_up() -> None:
    """Let what workers need be imported once, in a process of its own, while the run is planned; they fork from that.

    Where processes cannot fork (Windows) nothing is done, and each worker imports for itself.
    """
    if _context().get_start_method() != "forkserver":
        return
    from multiprocessing import forkserver

    # what is started now must neither hear Ctrl-C nor speak: the runner ends its workers itself, and says so once;
    # a chapter's faults come back as its outcome
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    said = {stream: os.dup(stream) for stream in (1, 2)}
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        for stream in said:
            os.dup2(nowhere.fileno(), stream)
        try:
            forkserver.ensure_running()
        finally:
            for stream, was in said.items():
                os.dup2(was, stream)
                os.close(was)
            signal.signal(signal.SIGINT, heard)


def _context() -> Any:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _started(environment: dict[str, str]) -> None:
    """A worker begins: it hears no Ctrl-C, for the runner ends it, and does not outlive the runner."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(environment)
    threading.Thread(target=_end_with_the_runner, daemon=True).start()


def _end_with_the_runner() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def end(pool: ProcessPoolExecutor, *, at_once: bool) -> None:
    """End a pool's workers: when they are done with what they do, or at once."""
    if at_once:
        for process in list((pool._processes or {}).values()):
            process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def ended(pool: ProcessPoolExecutor) -> Iterator[Executor]:
    """A pool whose workers are ended with the block: at once where it is left by an error or by Ctrl-C."""
    try:
        yield pool
    except BaseException:
        end(pool, at_once=True)
        raise
    end(pool, at_once=False)
