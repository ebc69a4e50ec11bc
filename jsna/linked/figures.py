"""How counts of lists are named: ``figure`` says what is counted, ``year`` when, ``case_group`` of whom.

Every source of lists has its own figures: ``cases plans@all``, ``absence enrolments@ehc_plan``. Sums over years go over
the borders of periods, so that the years of a source whose years are added up are categories of ``year``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from jsna.disclosure import Policy, names_of
from jsna.disclosure.cells import PERIOD, Table
from jsna.disclosure.perturbation import CELL_KEY, cell_keyed, perturbed, rounded
from jsna.linked.plan import Split
from jsna.sealed import Sealed

NUMBER = "number"
CELL = ("source", "period")
# What it costs to hide a count, beside others: what a board looks at first is hidden last, and what no table shows
# but a reader can work out (what is left of a whole, those of known group) is hidden first.
FIRST, SHOWN, UNSEEN = 4.0, 1.0, 0.1


def figure(brings: str, key: pd.Series | str) -> pd.Series | str:
    """A count of a source as a category of ``figure``.

    >>> figure("cases", "plans@all")
    'cases plans@all'
    """
    return f"{brings} " + key


def figure_splits(brings: str, sums: Iterable[tuple[str, Sequence[str]]]) -> tuple[Split, ...]:
    """Sums of the keys of a source as splits of ``figure``; without parts, a key that is in no sum."""
    return tuple((f"{brings} {whole}", tuple(f"{brings} {p}" for p in parts)) for whole, parts in sums)


def cell_names(cells: pd.DataFrame) -> pd.Series:
    """The names of cells: ``source``, ``period`` and a column each variable (``""``: everybody)."""
    variables = {c: cells[c] for c in cells if c not in (*CELL, NUMBER, "weight")}
    parts = [
        names_of(rows.index, str(source), period=rows["period"], **{v: c[rows.index] for v, c in variables.items()})
        for source, rows in cells.groupby("source", sort=False)
    ]
    return pd.concat(parts).reindex(cells.index) if parts else pd.Series(dtype="object")


def as_changed(frame: pd.DataFrame, columns: Sequence[str], policy: Policy, within: str | None = None) -> pd.DataFrame:
    """True counts as a policy that changes every count shows them, before anything is worked out from them.

    Under one that hides counts they stay as they are. Where counts are changed by the keys of their cells, those
    without a key in ``cell_key_<column>`` (cases and lists have none) are rounded to the nearest 5 instead.
    """
    if policy.method == "suppress":
        return frame
    keys = [c for c in frame if str(c).startswith(CELL_KEY)]
    plain = frame.drop(columns=keys)
    if policy.method != "cell_key":
        sealed = Sealed(plain, counts=tuple(columns))
        return perturbed(sealed, policy.method, zeros=policy.zeros, within=within).unseal("to work with what is shown")
    made = {c: rounded(frame[c]) for c in columns}
    for column in (c for c in columns if f"{CELL_KEY}{c}" in keys):
        key = frame[f"{CELL_KEY}{column}"]
        made[column] = made[column].mask(key.notna(), cell_keyed(frame[column], key.fillna(0).astype("int64")))
    if within is not None:
        made = {c: values.clip(upper=made.get(within, frame[within])) for c, values in made.items()}
    return plain.assign(**made)


def tables_of(name: str, cells: pd.DataFrame) -> tuple[Table, ...]:
    """Cells (as ``cell_names``, with ``number``, and ``weight`` where not all cost the same) as tables of the plan.

    A table of one row holds all cells of a source and period that cost the same to hide: whatever is in no row is no
    cell, so that nothing is taken for a count of 0 that nobody has counted.
    """
    found = []
    cells = cells if "weight" in cells else cells.assign(weight=SHOWN)
    variables = [c for c in cells if c not in (*CELL, NUMBER, "weight")]
    for (source, period, weight), rows in cells.groupby([*CELL, "weight"], sort=True):
        rows = rows.drop_duplicates([*variables, NUMBER])
        columns = [f"count {n}" for n in range(len(rows))]
        told = rows[variables].to_dict("records")
        measures = {c: {str(v): str(t) for v, t in of.items() if t} for c, of in zip(columns, told, strict=True)}
        frame = pd.DataFrame([rows[NUMBER].to_list()], columns=columns)
        if period:
            frame.insert(0, PERIOD, period)
        label = f"{name}, {source} {period}".strip() + {FIRST: ", first", UNSEEN: ", left"}.get(weight, "")
        found.append(Table(label, str(source), Sealed(frame, tuple(columns)), (), measures, weight=float(weight)))
    return tuple(found)
