"""Small multiples: one small chart a group, all with the same axes, so that heights and slopes can be compared."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from jsna.disclosure import Released
from jsna.exhibits.charts import chart, nothing_to_show, palette, set_type
from jsna.exhibits.labels import TOP_LETTERS, grow, lines_of, thousands
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, must_be_released
from jsna.exhibits.telling import titled

ACROSS = 4
PANEL_INCHES, TITLE_LINE_INCHES = 1.25, 0.16
TITLE_LETTERS, TITLE_LINES = 24, 6


def small_multiples(
    released: Released,
    *,
    id: str,
    title: str,
    panel: str,
    x: str,
    value: str,
    unit: str,
    lower: str = "",
    upper: str = "",
    kind: str = "count",
    panel_label: str = "Group",
    x_label: str = "Year",
    range_label: str = "range",
) -> Exhibit:
    """A line of ``value`` over ``x`` (numbers, such as years) for each ``panel``, with the range between two columns.

    ``released``: one row a panel and x, panels in the order in which they are to stand. All have the same axes. A value
    that is hidden or missing interrupts its line; a panel without any says so. ``kind`` is how numbers are
    written (``count``, ``percent``). Returns a notice where no panel has a value.
    """
    table = must_be_released(released)
    shown = table.frame
    numbers = shown.assign(_v=shown[value].astype("float64"), _x=shown[x].astype("float64"))
    if numbers["_v"].notna().sum() == 0:
        return nothing_to_show(id, title)
    names = list(dict.fromkeys(shown[panel].astype(str)))
    figure, panels = _panels(names)
    top = float(numbers[["_v", *([upper] if upper else [])]].astype("float64").max().max()) * 1.08
    ends = float(numbers["_x"].min()), float(numbers["_x"].max())
    told = {}
    for axes, name in zip(panels, names, strict=True):
        own = numbers[numbers[panel].astype(str) == name].sort_values("_x", kind="stable")
        told[name] = _panel(axes, own, lower, upper)
        axes.set_ylim(min(0.0, float(numbers["_v"].min())), max(top, 1e-9))
        axes.set_xlim(ends[0] - 0.3, ends[1] + 0.3)
        axes.set_xticks(*_marks(numbers["_x"]))
        heights = _heights(*axes.get_ylim())
        axes.set_yticks(heights)
        thousands(axes.yaxis)
    above = lines_of(unit, TOP_LETTERS)
    grow(figure, above)
    figure.suptitle(above, fontsize=9, color=palette()["ink"], x=0.01, ha="left")
    columns = [
        {"name": panel, "label": panel_label, "kind": "text"},
        {"name": x, "label": x_label, "kind": "text"},
        {"name": value, "label": unit, "kind": kind},
    ]
    if lower and upper:
        columns += [
            {"name": lower, "label": f"{range_label}, from", "kind": kind},
            {"name": upper, "label": f"{range_label}, to", "kind": kind},
        ]
    return chart(id, titled(title, _most(told, kind)), _alt(title, told, kind, unit), figure, table, columns, panel)


def _marks(values: pd.Series) -> tuple[list[float], list[str]]:
    """The first and the last point on the axis, and the one halfway where there is room and one."""
    every = sorted(values.unique())
    chosen = [every[0], every[-1]] if len(every) > 1 else every
    if len(every) > 3 and len(every) % 2:
        chosen.insert(1, every[len(every) // 2])
    return chosen, [f"{v:g}" for v in chosen]


def _heights(low: float, high: float) -> list[float]:
    """Round numbers on the axis, none beyond its ends."""
    from matplotlib.ticker import MaxNLocator

    return [float(h) for h in MaxNLocator(nbins=4).tick_values(low, high) if low <= h <= high]


def _panels(names: list[str]) -> tuple[Any, list[Any]]:
    """A figure and one pair of axes a name, up to four in a row, each headed by its name."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    set_type()
    heads = [lines_of(n, TITLE_LETTERS, TITLE_LINES) or " " for n in names]
    across = min(len(names), ACROSS - 1 if ACROSS < len(names) <= 2 * (ACROSS - 1) else ACROSS)
    rows = ceil(len(names) / across)
    lines = max(h.count("\n") + 1 for h in heads)
    height = rows * (PANEL_INCHES + lines * TITLE_LINE_INCHES) + 0.5
    figure = Figure(figsize=(7.4, height), layout="constrained")
    FigureCanvasSVG(figure)
    grid = np.atleast_1d(figure.subplots(rows, across, sharex=True, sharey=True)).ravel()
    for axes, head in zip(grid, heads, strict=False):
        axes.set_title(head, fontsize=8, loc="left", color=palette()["ink"])
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(colors=palette()["ink"], labelsize=7.5)
        axes.grid(axis="y", color=palette()["grid"], lw=0.6)
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    # where the last row is not full, years stand under the panels that have none below
    for axes in grid[max(0, len(names) - across) : len(names)]:
        axes.tick_params(labelbottom=True)
    return figure, list(grid[: len(names)])


def _panel(axes: Any, own: pd.DataFrame, lower: str, upper: str) -> pd.DataFrame:
    """Draw one group; its rows that have a value."""
    colours = palette()
    known = own[own["_v"].notna()]
    if known.empty:
        axes.annotate(
            "not shown", (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=8, color=colours["muted"]
        )
        return known
    if lower and upper:
        low, high = (own[c].astype("float64") for c in (lower, upper))
        axes.fill_between(own["_x"], low, high, color=colours["sequential"][1], lw=0)
    axes.plot(own["_x"], own["_v"], "-", color=colours["main"], lw=2, marker="o", ms=3)
    return known


def _most(told: dict[str, pd.DataFrame], kind: str) -> str:
    """The group that changes most between its first and last value, as the end of a title; empty where none does."""
    ends = {name: rows["_v"].iloc[[0, -1]].tolist() for name, rows in told.items() if len(rows)}
    name = max(ends, key=lambda n: abs(ends[n][1] - ends[n][0]))
    first, last = (format_number(v, kind) for v in ends[name])
    return "" if first == last else f"{name} changes most, from {first} to {last}"


def _alt(title: str, told: dict[str, pd.DataFrame], kind: str, unit: str) -> str:
    """The groups that rise and fall most between their first and last value, and how many cannot be shown."""
    ends = {name: rows["_v"].iloc[[0, -1]].tolist() for name, rows in told.items() if len(rows)}
    words = [
        f"{name}: {format_number(first, kind)} to {format_number(last, kind)}" for name, (first, last) in ends.items()
    ]
    by = sorted(ends, key=lambda n: ends[n][1] - ends[n][0])
    few = [w for n, w in zip(ends, words, strict=True) if len(ends) <= ACROSS or n in (by[0], by[-1])]
    hidden = len(told) - len(ends)
    rest = f" {hidden} cannot be shown." if hidden else ""
    which = "" if len(ends) <= ACROSS else "The least and the most change: "
    return f"Small line charts with the same axes, {len(told)} groups ({unit}): {title}. {which}{'; '.join(few)}.{rest}"
