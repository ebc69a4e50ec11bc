"""The table to show where one cannot be: the same counts by wider categories, or without one column."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from jsna.disclosure.cells import PERIOD, System, Table


def coarser_table(system: System, name: str) -> str:
    """A sentence that names the coarser form of a table with the fewest small counts, with how many there would be.

    A column of categories that lie in wider ones can be shown by these; any column can be left out.
    """
    table = next(t for t in system.tables if t.name == name)
    ranked = sorted((_share_small(table, keys), words) for words, keys in _forms(system, table))
    if not ranked:
        return "Leave the table out: there is none coarser."
    return f"Show it {ranked[0][1]} instead."


def _forms(system: System, table: Table) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each coarser form: in words, and the categories of each row."""
    frame = table.counts.unseal("to look for a coarser table")
    kept = [PERIOD] if PERIOD in frame else []
    keys = frame[[*kept, *table.by]].astype(str)
    for column in table.by:
        rest = [c for c in table.by if c != column]
        for wider in _wider(system, column, set(keys[column])):
            yield (
                f"by {' × '.join([*rest, 'wider groups of ' + column])}",
                keys.assign(**{column: keys[column].map(wider)}),
            )
        yield (f"by {' × '.join(rest)}" if rest else "for everybody together"), keys[[*kept, *rest]]


def _wider(system: System, column: str, values: set[str]) -> Iterator[dict[str, str]]:
    """Maps from all of the categories of a column to wider ones."""
    for c in system.classifications:
        if column in (*c.columns, c.variable):
            found = {part: whole for whole, parts in c.splits if whole for part in parts}
            if values <= set(found):
                yield found


def _share_small(table: Table, keys: pd.DataFrame) -> float:
    """The share of counts under 5 when rows of equal categories are added up."""
    values = table.counts.unseal("to look for a coarser table")[list(table.measures)].astype("float64")
    by = [keys[c] for c in keys] or [pd.Series(0, index=keys.index)]
    return float((values.groupby(by).sum() < 5).to_numpy().mean())
