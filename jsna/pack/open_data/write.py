"""The folder `open-data` of a pack: its files, each passed by the screener, and a README that says what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill

from jsna.area import Area
from jsna.pack.open_data.pair import DATA_SUFFIX, META_SUFFIX, Pair
from jsna.pack.open_data.places import Places, places_at_hand
from jsna.pack.open_data.screener import Screening, screened
from jsna.pack.open_data.table import OpenTable, words
from jsna.pack.open_data.tables import SYNTHETIC, Made, open_tables

FOLDER, README = "open-data", "README.txt"
WIDTH = 100
SYMBOLS = "c: hidden to protect people. x: not available. z: not applicable. u: too few for a reliable rate."
MADE_UP = "SYNTHETIC: no real children. These files show how open data would look. They are figures of no area."


def write_open_data(staging: Path, area: Area, flags: Sequence[Mapping[str, str]], figures_csv: str) -> None:
    """Write ``open-data`` into a pack that is being made, from the rows of ``flags.csv`` and ``tables/figures.csv``.

    A pack for named readers gets no such folder, nor one that has nothing for it. A file that would fail the screener
    is not written; README.txt names the rule.
    """
    if area.restricted:
        return
    places = places_at_hand(Path(area.params.data).expanduser() if area.params.data else None)
    made = open_tables(area, flags, figures_csv, places)
    if not made.tables:
        return
    folder = staging / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    results = {table.name: screen_table(table, places) for table in made.tables}
    for table in made.tables:
        if not results[table.name].failed:
            _csv(folder / f"{table.name}{DATA_SUFFIX}", table.data)
            _csv(folder / f"{table.name}{META_SUFFIX}", table.meta)
    text = "\n".join(_readme(area, made, results)) + "\n"
    (folder / README).write_text(text, encoding="utf-8", newline="\n")


def screen_table(table: OpenTable, places: Places) -> Screening:
    """What the screener says of a file before it is written."""
    name = table.name
    return screened(Pair(f"{name}{DATA_SUFFIX}", f"{name}{META_SUFFIX}", table.data, table.meta, places))


def _csv(path: Path, table) -> None:
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _readme(area: Area, made: Made, results: Mapping[str, Screening]) -> Iterator[str]:
    """What each file holds, what is hidden, what is left out and why."""
    yield from _lines(f"Open data of {area.label}, cycle {area.params.cycle}")
    yield ""
    yield from _lines(_origin(area))
    yield from _lines(area.protection)
    yield from _lines(
        "c: hidden to protect people. x: not available. z: not applicable. u: too few for a reliable rate."
    )
    yield ""
    for table in made.tables:
        yield from _of_table(table, results[table.name])
        yield ""
    if made.left_out:
        yield "Left out of these files; all of it stands in flags.csv and tables/figures.csv of the pack:"
        for reason, many in made.left_out.items():
            yield from _lines(f"- {many} {reason}")
        yield ""
    yield from _lines("How to publish these files, and what was checked: docs/open-data.md of the workbench.")


def _origin(area: Area) -> str:
    if area.synthetic:
        return MADE_UP
    if "official" in area.brings:
        return "Every figure here has been published by an official body before; the pack says which."
    return f"Made from the records of {area.name}, after the pack was protected."


def _of_table(table: OpenTable, result: Screening) -> Iterator[str]:
    if result.failed:
        yield from _lines(
            f"{table.name}: NOT WRITTEN. It would not pass the screener at the stage “{result.stopped_at}”:"
        )
        for finding in result.failed:
            yield from _lines(f"- {finding}")
        return
    yield from _lines(f"{table.name}{DATA_SUFFIX}, {len(table.data)} rows, with {table.name}{META_SUFFIX}")
    yield from _lines(words()["files"][table.name.removeprefix(SYNTHETIC)])
    for rule in dict.fromkeys(finding.what for finding in result.warned):
        yield from _lines(f"- The screener passes it and says: {rule}")


def _lines(text: str) -> list[str]:
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False).splitlines()
