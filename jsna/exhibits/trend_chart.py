"""Trends: a line a series over the periods, each with a mark and dash of its own, named where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from math import ceil
from typing import Any

import pandas as pd

from jsna.disclosure import Released
from jsna.exhibits.charts import canvas, chart, nothing_to_show, palette
from jsna.exhibits.labels import ROW_INCHES, beside_upright, lines_of, spread, thousands, unit_above
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import must_be_released
from jsna.exhibits.telling import amount, brief, broken, over_time, titled

DASHES, MARKS = ("--", ":", "-."), ("s", "^", "D", "v", "P", "X", "*")
ROWS, POINTS = 10, 72  # rows of text that a picture is high, if names need no more; points in an inch
NAME_LETTERS, NAME_POINTS = 30, 10.5  # of a line's name: letters in a line, and its height
MOST_PERIODS = 16  # named under the axis


def trend(
    released: Released,
    *,
    id: str,
    title: str,
    x: str,
    series: str,
    value: str,
    highlight: str,
    breaks: Sequence[str] = (),
    break_label: str = "new collection",
    unit: str = "%",
) -> Exhibit:
    """A line a series, labelled at its end; ``highlight`` is drawn strongest, ``breaks`` mark changes of method.

    A period without a value interrupts the line. ``break_label`` stands at each break; empty: the notes say what it is.
    """
    table = must_be_released(released)
    shown = table.frame.assign(_v=table.frame[value].astype("float64"))
    if shown["_v"].notna().sum() == 0:
        return nothing_to_show(id, title)
    periods = sorted(shown[x].astype(str).unique())
    wide = shown.pivot(index=x, columns=series, values="_v").reindex(periods).dropna(axis="columns", how="all")
    names = {name: lines_of(name, NAME_LETTERS) for name in wide}
    lines = sum(name.count("\n") + 1 for name in names.values())
    rows = max(ROWS, ceil(lines * NAME_POINTS / POINTS / ROW_INCHES))
    figure, axes = canvas(rows)
    top = (float(wide.max().max()) or 1.0) * 1.12
    axes.set_ylim(min(0.0, float(wide.min().min()) * 1.12), top)
    colours = _lines(axes, wide, highlight)
    _periods(axes, periods)
    _names(axes, wide, names, colours, rows * ROW_INCHES * POINTS)
    cuts = [b for b in breaks if b in periods[1:]]
    _breaks(axes, [periods.index(b) for b in cuts], break_label)
    unit_above(axes, unit)
    thousands(axes.yaxis)
    axes.grid(axis="y", color=palette()["grid"], lw=0.6)
    columns = [
        {"name": x, "label": "Period", "kind": "text"},
        {"name": series, "label": "Series", "kind": "text"},
        {"name": value, "label": f"Value ({unit})", "kind": "percent"},
    ]
    main = (wide[highlight] if highlight in wide else wide.iloc[:, 0]).dropna()
    first, last = (f(main.iloc[at], unit, "percent") for f, at in ((brief, 0), (amount, -1)))
    alt = f"Line chart: {title}. {main.name}: {first} in {main.index[0]}, {last} in {main.index[-1]}.{broken(cuts)}"
    ending = over_time(main, cuts, unit)
    name = "" if str(main.name) in title else f" ({main.name})"
    return chart(id, titled(title, f"{ending}{name}"), alt, figure, table, columns, x)


def _lines(axes: Any, wide: pd.DataFrame, highlight: str) -> dict[str, str]:
    """Draw every series, the highlighted one last and strongest; the colour of each. Of 22 no two have mark and dash
    alike: in grey, or to a reader who sees fewer colours, most of the palette is equally dark."""
    colours = palette()
    names = (c for c in wide if c != highlight)
    others = zip(names, cycle(colours["others"]), cycle(DASHES), cycle(MARKS), strict=False)
    drawn = [(name, colour, dash, mark, 1.6, 4.2) for name, colour, dash, mark in others]
    if highlight in wide:
        drawn.append((highlight, colours["main"], "-", "o", 2.6, 4))
    for name, colour, dash, mark, width, size in drawn:
        axes.plot(range(len(wide)), wide[name], dash, color=colour, lw=width, marker=mark, ms=size, clip_on=False)
    return {name: colour for name, colour, *_ in drawn}


def _periods(axes: Any, periods: Sequence[str]) -> None:
    """The names of the periods, the newest always among them; of many only some."""
    step = ceil(len(periods) / MOST_PERIODS)
    marked = list(range(len(periods)))[::-1][::step]
    many = len(marked) > 9
    axes.set_xticks(marked, [lines_of(periods[i], 7 if many and len(periods[i]) > 7 else 9) for i in marked])
    axes.tick_params(axis="x", labelsize=7.5 if many else 9)
    axes.set_xlim(-0.5, len(periods) - 0.5)


def _names(axes: Any, wide: pd.DataFrame, names: dict[str, str], colours: dict[str, str], points: float) -> None:
    """Names beside the lines' ends, moved apart where they would meet, each led to from the end of its line."""
    low, high = axes.get_ylim()
    one = (high - low) / points  # a point, in the unit of the axis
    upwards = list(names)[::-1]  # where lines end alike, names are read from the top in their order
    last = {name: wide[name].last_valid_index() for name in upwards}
    ends = [float(wide.at[last[name], name]) for name in upwards]
    sizes = [(names[name].count("\n") + 1) * NAME_POINTS * one for name in upwards]
    right = len(wide) - 0.5
    for name, end, height in zip(upwards, ends, spread(ends, sizes, low, high), strict=True):
        from_ = wide.index.get_loc(last[name])
        how = {"color": colours[name], "lw": 0.8, "clip_on": False, "zorder": 1}
        axes.plot([from_, len(wide) - 1, right], [end, end, height], "-", **how)
        axes.annotate(
            names[name],
            (right, height),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=8.5,
            va="center",
            color=palette()["ink"],
            annotation_clip=False,
        )


def _breaks(axes: Any, at: Sequence[int], label: str) -> None:
    """A dotted upright before each period in which the method changed, with the label beside it, one over the other."""
    for level, period in enumerate(at):
        axes.axvline(period - 0.5, color=palette()["muted"], ls=":", lw=1)
        if label:
            ground = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
            how = {"fontsize": 7.5, "color": palette()["muted"], "bbox": ground, "va": "bottom"}
            beside_upright(axes, period - 0.5, 0.02 + 0.07 * level, label, **how)
