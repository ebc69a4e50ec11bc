"""The pre-submission workbook: a sheet a table, short headings, ids of person and request on every sheet."""

from __future__ import annotations

import pandas as pd

from jsna.files.headers import bare
from jsna.files.workbook import table_of
from jsna.sources.sen2.carried import Carried, Part, empty, link_by_person_and_request, wide_aliases
from jsna.sources.sen2.layout import find_columns, tables


def is_presubmission(sheets: dict[str, pd.DataFrame]) -> bool:
    """Whether a workbook has the sheets of persons and requests of the pre-submission form."""
    return {"person", "requests"} <= set(_by_table(sheets))


def read_presubmission(sheets: dict[str, pd.DataFrame], where: str) -> Carried:
    """The return from the workbook's sheets. It has no header: year and day of the census must be given."""
    named = _by_table(sheets)
    frames, strange = {}, []
    for table, sheet in named.items():
        spellings = [s for many in wide_aliases(table).values() for s in many]
        if not (sheets[sheet] != "").any(axis=None):
            frames[table] = pd.DataFrame()
            continue
        body = table_of(sheets[sheet], f"{where}, {sheet}", spellings)
        found = find_columns(list(body.columns), wide_aliases(table))
        frames[table] = body[list(found.columns.values())].set_axis(list(found.columns), axis="columns")
        strange += [f"{h} (in {sheet})" for h in found.strange]
    linked = link_by_person_and_request(frames)
    return Carried(
        form="presubmission",
        reason="it has the sheets of the pre-submission workbook",
        parts={
            t: Part(linked.get(t, empty(t)), f"{where}, {named.get(t, t)}", len(linked.get(t, ()))) for t in tables()
        },
        missing=tuple(t for t, spec in tables().items() if spec.sheet and t not in named),
        strange=tuple(strange),
        never=("sen2",),
    )


def _by_table(sheets: dict[str, pd.DataFrame]) -> dict[str, str]:
    by_name = {bare(name): name for name in sheets}
    wanted = {t.name: [bare(t.sheet), bare(t.sheet) + "s"] for t in tables().values() if t.sheet}
    return {t: by_name[n] for t, names in wanted.items() for n in names if n in by_name}
