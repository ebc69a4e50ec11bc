"""One run for all of England: the values of every authority, and a page with Scorecard and Dashboard for each."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from jsna.area import Area
from jsna.codes import code_list
from jsna.errors import ChapterError, ParamsError, Problem, SourceError, WorkbenchError
from jsna.pack.place import put_in_place, staging_folder
from jsna.params import Params, check_params, read_params
from jsna.refresh.pool import ended
from jsna.sources.folder import OfficialFolder

if TYPE_CHECKING:
    from jsna.evidence.values import Values
    from jsna.pack.national import Page

NAME = "england"


@dataclass(frozen=True)
class Report:
    """Where the run lies, each authority whose page was not made with the reason, and what the files did not give."""

    folder: Path
    areas: int
    failures: tuple[tuple[str, str], ...]
    absent: int

    @property
    def exit_code(self) -> int:
        return 3 if self.failures else 0


@dataclass(frozen=True)
class _Inputs:
    """What every page is made from: read once, and handed to each worker."""

    params: Params
    folder: Path
    values: Values
    pages: Path


def national(
    where: Path, *, out: Path, areas: list[str] | None = None, workers: int = 2, log: TextIO | None = None
) -> Report:
    """Make the national run of a params file, or of a folder of official files (then of all authorities).

    It lies in ``out``/england/<cycle>, takes its place whole or not at all, and until then what was there before is
    untouched. An indicator whose file is missing or damaged has no figure, and the run says so; a page that fails does
    not stop the others. Raises the ``WorkbenchError`` family, ``ChapterError`` where not one page can be made.
    """
    log = log or sys.stderr
    params = plan(where, areas or [])
    folder = OfficialFolder(params.data_folder().resolve())
    final = out.resolve() / NAME / params.cycle
    staging = staging_folder(final)
    try:
        (staging / "notebooks").rmdir()
        values = _values(folder, params, log)
        inputs = _Inputs(params, folder.path, values, staging / "areas")
        inputs.pages.mkdir()
        pages = sorted(_made(inputs, workers, log), key=lambda page: params.areas.index(page.code))
        if all(page.error for page in pages):
            raise ChapterError(Problem("No page could be made; nothing was changed."), *{p.error: 0 for p in pages})
        _write(staging, inputs, pages)
        put_in_place(staging, final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    failures = tuple((_name(p.code), p.error) for p in pages if p.error)
    return Report(final, len(pages), failures, values.absent["indicator"].nunique())


def plan(where: Path, areas: list[str]) -> Params:
    """The parameters of the run: of the file ``where``, or those for every authority with ``where`` as the folder.

    ``areas``, where there are any, are made instead. Raises ``ParamsError`` for what is neither, for a file that is
    about other than official files, and for authorities that are unknown or ended.
    """
    if where.is_dir():
        given: dict[str, Any] = {"areas": list(code_list("local_authority").index), "data": str(where)}
        params = check_params(given | {"source": "official"}, where=where.name)
    else:
        params = read_params(where)
    if params.source != "official":
        raise ParamsError(
            Problem(
                "A national run is made from official files alone.",
                where=f"{where.name}, source",
                value=params.source,
                expected="official",
                mend="Use params/england.yml, or name the folder of official files.",
            )
        )
    return check_params(params.model_dump() | {"areas": areas}, where="--areas") if areas else params


def _values(folder: OfficialFolder, params: Params, log: TextIO) -> Values:
    from jsna.evidence.values import official_values

    started = time.monotonic()
    values = official_values(folder, params.confidence)
    if values.frame.empty:
        raise SourceError(
            Problem(
                "No indicator could be read from this folder.",
                where=folder.path.name,
                mend="`jsna init` with --open says which official files it lacks; `jsna fetch` downloads them.",
            ),
            *(Problem(reason) for reason in values.absent["reason"].drop_duplicates()),
        )
    read = f"{values.frame['indicator'].nunique()} indicators read from {len(values.sources)} tables"
    log.write(f"{read} ({time.monotonic() - started:.1f} s)\n")
    return values


def _made(inputs: _Inputs, workers: int, log: TextIO) -> list[Page]:
    """Each authority's page as it is made, with a bar, or a line each where nobody watches."""
    from tqdm import tqdm

    pages = []
    live = log.isatty()
    with tqdm(
        total=len(inputs.params.areas), desc="authorities", unit="page", file=log, disable=not live, leave=False
    ) as bar:
        for page, seconds in _run(inputs, workers):
            pages.append(page)
            bar.update()
            words = f"not made: {page.error}" if page.error else "made"
            if not live or page.error:
                bar.write(f"{_name(page.code)}: {words} ({seconds:.1f} s)", file=log)
    return pages


def _run(inputs: _Inputs, workers: int) -> Iterator[tuple[Page, float]]:
    """Pages in the order in which they are made: here, or by several processes side by side."""
    codes = inputs.params.areas
    if workers == 1 or len(codes) == 1:
        official = OfficialFolder(inputs.folder)
        yield from (_make(inputs, official, code) for code in codes)
        return
    context = multiprocessing.get_context("spawn")
    try:
        with ended(ProcessPoolExecutor(min(workers, len(codes)), context, _start_worker, (inputs,))) as pool:
            for future in as_completed([pool.submit(_make_in_worker, code) for code in codes]):
                yield future.result()
    except BrokenProcessPool:
        raise ChapterError(
            Problem(
                "A process that makes pages was ended from outside; nothing was changed.",
                mend="Run again with --jobs 1, which needs less memory.",
            )
        ) from None


_worker: dict[str, Any] = {}


def _start_worker(inputs: _Inputs) -> None:
    # the run itself hears Ctrl-C, ends its workers, and says so once
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.update(inputs=inputs, official=OfficialFolder(inputs.folder))


def _make_in_worker(code: str) -> tuple[Page, float]:
    return _make(_worker["inputs"], _worker["official"], code)


def _make(inputs: _Inputs, official: OfficialFolder, code: str) -> tuple[Page, float]:
    """Write one authority's page; what went wrong is its own, in one line that holds no data."""
    from jsna.chapters.scorecard import dashboard_exhibit, scorecard_exhibit
    from jsna.pack.national import Page, area_page, write_text

    started = time.monotonic()
    area = Area(inputs.params.one_area(code))
    # read once for all authorities: each of them would read its own
    area.__dict__["official"] = official
    own = inputs.values.frame["area_code"] == code
    figures = inputs.values.frame.loc[own & inputs.values.frame["value"].notna(), "indicator"].nunique()
    error = ""
    try:
        parts = [
            ("Scorecard", scorecard_exhibit(area, inputs.values)),
            ("Dashboard", dashboard_exhibit(area, inputs.values)),
        ]
        write_text(inputs.pages / f"{area.slug}.html", area_page(area, parts))
    except WorkbenchError as failure:
        error = str(failure).splitlines()[0]
    except Exception as failure:  # a fault of one authority's figures must not take the other pages with it
        error = f"unexpected fault of kind {type(failure).__name__}; see docs/faults.md"
    return Page(code, area.slug, int(figures), error), time.monotonic() - started


def _write(staging: Path, inputs: _Inputs, pages: list[Page]) -> None:
    from jsna.pack.national import index_page, write_manifest, write_text, write_values

    write_values(staging / "indicators.csv", inputs.values, inputs.params.areas)
    write_text(staging / "index.html", index_page(inputs.params, inputs.values, pages))
    write_manifest(staging, inputs.params, inputs.values, pages)


def _name(code: str) -> str:
    return str(code_list("local_authority").loc[code, "name"])
