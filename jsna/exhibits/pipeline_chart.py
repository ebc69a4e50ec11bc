"""A process at a glance: one cell a stage and group, its ratio written in it, marked where it stands out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

from jsna.disclosure import SYMBOLS, Released
from jsna.disproportionality.rule import WATCH
from jsna.exhibits.charts import canvas, chart, nothing_to_show, palette
from jsna.exhibits.labels import lines_of, name_rows
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, must_be_released
from jsna.exhibits.text import listing

HIGHER, LOWER = "▲", "▼"
UNSURE = "insufficient data"
COLUMN_INCHES, LABEL_INCHES, ROW_INCHES = 0.58, 1.9, 0.25
NARROWEST_INCHES = 6.4
HEAD_LETTERS = (9, 10)  # in a line over a column: as a rule, and where a word needs more
NAMED = 5  # cells that the alternative text names, the furthest from 1


def matrix(
    released: Released,
    *,
    id: str,
    title: str,
    group: str,
    stage: str,
    ratio: str,
    status: str,
    stages: Sequence[str],
    columns: Sequence[dict[str, str]],
    row_header: str,
) -> Exhibit:
    """Ratios by group (rows) and stage (columns, those of ``stages``, in that order), and all rows in the table.

    ``ratio`` is written in each cell: with ▲ or ▼ and a tint where ``status`` is "watch", in brackets where the figures
    are too few to tell, or as its symbol where it is not shown. Nothing is said by colour alone.
    """
    table = must_be_released(released)
    if table.frame[ratio].notna().sum() == 0:
        return nothing_to_show(id, title)
    texts = _cells(table, ratio, status)
    shown = table.frame.assign(_text=texts["text"], _mark=texts["mark"])
    chosen = shown[shown[stage].isin(stages)]
    if chosen[ratio].notna().sum() == 0:
        return nothing_to_show(id, title)
    groups = list(dict.fromkeys(chosen[group]))
    wide = chosen.pivot(index=group, columns=stage, values=["_text", "_mark"]).reindex(groups)
    # a group that has no row at a stage has nobody there
    text, mark = wide["_text"].reindex(columns=stages).fillna("z"), wide["_mark"].reindex(columns=stages).fillna("")
    figure = _drawn(text, mark)
    alt = _alt(title, chosen, group, stage, ratio, len(groups), len(stages))
    return chart(id, title, alt, figure, table, columns, row_header)


def _cells(table: Released, ratio: str, status: str) -> pd.DataFrame:
    """What is written in each cell, and its mark: ▲, ▼, "?" (too few to tell) or nothing."""
    values, told = table.frame[ratio].astype("float64"), table.frame[status]
    watched = (told == WATCH) & values.notna()
    mark = pd.Series("", index=values.index)
    mark = mark.mask(watched & (values > 1), HIGHER).mask(watched & (values < 1), LOWER)
    mark = mark.mask((told == UNSURE) & values.notna(), "?")
    number = values.map(lambda v: format_number(v, "ratio"))
    text = number.mask(mark.isin([HIGHER, LOWER]), mark + " " + number).mask(mark == "?", "(" + number + ")")
    symbol = table.symbols[ratio].replace("", "x")
    return pd.DataFrame({"text": text.where(values.notna(), symbol), "mark": mark})


def _drawn(text: pd.DataFrame, mark: pd.DataFrame) -> Any:
    from matplotlib.patches import Rectangle

    colours = palette()
    longest = max(len(word) for s in text.columns for word in s.split())
    wrapped = [lines_of(s, min(max(HEAD_LETTERS), max(min(HEAD_LETTERS), longest)), most=7) for s in text.columns]
    head = max(w.count("\n") + 1 for w in wrapped)
    columns, rows = len(text.columns), len(text)
    width = max(LABEL_INCHES + COLUMN_INCHES * columns, NARROWEST_INCHES)
    figure, axes = canvas(rows, width=width, row_height=ROW_INCHES, extra=0.75 + 0.14 * head)
    tint = {HIGHER: (colours["second"], 0.30), LOWER: (colours["main"], 0.18)}
    for i, group in enumerate(text.index):
        for j, stage in enumerate(text.columns):
            said, marked = text.at[group, stage], mark.at[group, stage]
            if marked in tint:
                colour, alpha = tint[marked]
                axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colour, alpha=alpha, lw=0))
            faint = marked == "?" or said in SYMBOLS
            axes.text(
                j,
                i,
                said,
                ha="center",
                va="center",
                fontsize=7.5,
                color=colours["others"][2] if faint else colours["ink"],
                fontweight="bold" if marked in tint else "normal",
            )
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_xticks(range(columns), wrapped, fontsize=7.5)
    axes.xaxis.tick_top()
    name_rows(axes, text.index, letters=30, row_inches=ROW_INCHES)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.tick_params(axis="y", labelsize=8)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    for at in range(rows + 1):
        axes.axhline(at - 0.5, color=colours["grid"], lw=0.6)
    legend = (
        f"Ratio to all others. {HIGHER} higher, {LOWER} lower than all others: to watch. (In brackets): too few to "
        "tell. Other numbers: no clear difference, or a small one."
    )
    used = sorted(set(text.to_numpy().ravel()) & set(SYMBOLS))
    legend = " ".join([legend, *(f"{s}: {SYMBOLS[s]}." for s in used)])
    axes.set_xlabel("\n".join(textwrap.wrap(legend, int((width - LABEL_INCHES) * 15))), fontsize=8, loc="left")
    return figure


def _alt(title: str, chosen: pd.DataFrame, group: str, stage: str, ratio: str, groups: int, stages: int) -> str:
    """The kind of picture, its size, and the cells that stand out, the furthest from 1 first."""
    marked = chosen[chosen["_mark"].isin([HIGHER, LOWER])]
    unsure = int((chosen["_mark"] == "?").sum())
    hidden = int(chosen[ratio].isna().sum())
    values = marked[ratio].astype("float64").clip(lower=1e-9)
    order = values.where(values > 1, 1 / values).sort_values(ascending=False, kind="stable").index
    first = [
        f"{row[group]} at “{row[stage]}” {format_number(row[ratio], 'ratio')}"
        for _, row in marked.loc[order[:NAMED]].iterrows()
    ]
    some = "" if len(marked) <= NAMED else f", the {NAMED} furthest from 1 being"
    stand = f"{len(marked)} to watch{some}: {listing(first)}" if len(marked) else "none to watch"
    return (
        f"Matrix of ratios to all others: {title}. {groups} group{'' if groups == 1 else 's'} by {stages} "
        f"stage{'' if stages == 1 else 's'}; {stand}; {unsure} too few to "
        f"tell; {hidden} not shown."
    )
