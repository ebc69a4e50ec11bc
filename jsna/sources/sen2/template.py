"""The Excel data-entry template: one sheet with a block a table, each below its title."""

from __future__ import annotations

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.headers import bare
from jsna.sources.sen2.carried import ID, Carried, Part, empty, link_by_person_and_request, wide_aliases
from jsna.sources.sen2.layout import find_columns, tables

SHEET = "Data Entry Template"


def is_template(sheets: dict[str, pd.DataFrame]) -> bool:
    """Whether a workbook is the template: a sheet with the titles of at least three of its blocks."""
    return any(len(_titles(sheet)) >= 3 for sheet in sheets.values())


def read_template(sheets: dict[str, pd.DataFrame], where: str) -> Carried:
    """The return from the template's sheet. The first row with text below a block's title holds its headings; the
    block ends at the next title or after its last row with text. Raises ``SourceError`` for blocks that stand twice.
    """
    name, sheet = next((n, s) for n, s in sheets.items() if len(_titles(s)) >= 3)
    titles = _titles(sheet)
    twice = sorted({t for _, t in titles if [x for _, x in titles].count(t) > 1})
    if twice:
        raise SourceError(Problem("A block of the template stands twice.", where=f"{where}, {name}", value=twice))
    ends = [row for row, _ in titles[1:]] + [sheet.index[-1] + 1]
    frames, strange, rows = {}, [], {}
    for (row, table), end in zip(titles, ends, strict=True):
        block = sheet.loc[row + 1 : end - 1]
        frames[table], more = _block(block, table)
        strange += [f"{h} (in {table})" for h in more]
        rows[table] = len(frames[table])
    found = set(frames)
    linked = link_by_person_and_request(frames)
    if "sen2" in linked:
        linked["sen2"][ID] = [str(n) for n in range(1, rows["sen2"] + 1)]
    return Carried(
        form="template",
        reason=f"its sheet {name!r} has the titles of the template's blocks",
        parts={
            t: Part(linked.get(t, empty(t)), f"{where}, {name}, {tables()[t].block}", rows.get(t, 0)) for t in tables()
        },
        missing=tuple(t for t in tables() if t not in found),
        strange=tuple(strange),
        notes=("Cells with formulas are taken at the values last saved: the template works out some itself.",),
    )


def _titles(sheet: pd.DataFrame) -> list[tuple[int, str]]:
    known = {bare(t.block): t.name for t in tables().values()}
    hits = []
    for row, cells in zip(sheet.index, sheet.to_numpy(), strict=True):
        filled = [c for c in cells if c.strip()]
        if len(filled) == 1 and bare(filled[0]) in known:
            hits.append((row, known[bare(filled[0])]))
    return hits


def _block(block: pd.DataFrame, table: str) -> tuple[pd.DataFrame, list[str]]:
    filled = block[(block != "").any(axis="columns")]
    if filled.empty:
        return pd.DataFrame(index=filled.index), []
    headings = [" ".join(str(h).split()) for h in filled.iloc[0]]
    found = find_columns([h for h in headings if h], wide_aliases(table))
    positions = {column: headings.index(heading) for column, heading in found.columns.items()}
    body = filled.iloc[1:, list(positions.values())].set_axis(list(positions), axis="columns")
    return body[(body != "").any(axis="columns")], list(found.strange)
