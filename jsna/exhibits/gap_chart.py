"""Gaps over the years: a panel a place, a row a year, a mark a group, and the line between them as long as the gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from jsna.disclosure import Released
from jsna.exhibits.charts import chart, nothing_to_show, palette, set_type
from jsna.exhibits.labels import even_lines, grow, lines_of, thousands
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import must_be_released
from jsna.exhibits.telling import brief, titled
from jsna.exhibits.text import listing

MARKS = (("o", "main", 6.5), ("s", "second", 5.8), ("D", "third", 5.4))
PANELS = 4
PLACE_LETTERS, ALONG_LETTERS = 19, 72  # in a line over a panel; along the axes of all panels
APART = 0.16  # of a row: by so much marks stand above and below it where they would hide one another


def gap_chart(
    released: Released,
    *,
    id: str,
    title: str,
    panel: str,
    period: str,
    groups: Mapping[str, str],
    unit: str,
    breaks: Sequence[str] = (),
    kind: str = "percent",
    joined: bool = True,
) -> Exhibit:
    """Small multiples of dumbbells: a panel for each place, a row for each period, a mark for each group.

    ``released``: a row a place and period; ``groups`` maps at most three columns of values to their names, in the order
    of the key; one without a column is left out, and the others keep their marks. Where ``<column>_lower`` and
    ``<column>_upper`` are there, their interval is drawn. ``breaks``: periods before which a dotted line says that
    figures are not comparable. Not ``joined``: no line from mark to mark. Panels stand in the order of the table, at
    most four.
    """
    table = must_be_released(released)
    shown = table.frame
    marks = {g: mark for g, mark in zip(groups, _marks(), strict=False) if g in shown}
    groups = {g: name for g, name in groups.items() if g in shown}
    values = shown[list(groups)].astype("float64")
    if values.isna().all(axis=None):
        return nothing_to_show(id, title)
    places = list(dict.fromkeys(shown[panel]))[:PANELS]
    periods = list(dict.fromkeys(shown.sort_values(period, kind="stable")[period].astype(str)))
    apart = APART if not joined or _hidden(shown, marks) else 0.0
    figure, all_axes = _panels(len(places), len(periods))
    grow(figure, "\n" * max(0, max(lines_of(p, PLACE_LETTERS, 7).count("\n") for p in places) - 1))
    ends = _ends(shown, groups)
    for axes, place in zip(all_axes, places, strict=True):
        own = shown[shown[panel] == place].set_index(period).reindex(periods)
        _panel(axes, own, marks, place, ends, joined, apart)
        _breaks(axes, [periods.index(b) for b in breaks if b in periods[1:]])
    all_axes[0].set_yticks(range(len(periods)), periods)
    all_axes[0].set_ylim(len(periods) - 0.4, -0.6)
    all_axes[0].xaxis.set_major_locator(_marks_along(len(places), ends[1]))
    thousands(all_axes[0].xaxis)
    _unit_below(all_axes, unit if ends[0] <= 0 else f"{unit} (the axis does not start at 0)")
    _key(figure, groups, marks)
    columns = _columns(shown, panel, period, groups, kind)
    alt = _alt(shown, panel, period, groups, title, unit, kind, places)
    ending = _newest(shown[shown[panel] == places[0]], period, groups, unit, kind)
    return chart(id, titled(title, f"{ending} ({places[0]})" if ending else ""), alt, figure, table, columns, period)


def _panels(count: int, rows: int):
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    set_type()
    figure = Figure(figsize=(7.4, rows * 0.27 + 1.6), layout="constrained")
    FigureCanvasSVG(figure)
    axes = np.atleast_1d(figure.subplots(1, count, sharex=True, sharey=True))
    for one in axes:
        for side in ("top", "right", "left"):
            one.spines[side].set_visible(False)
        one.tick_params(colors=palette()["ink"])
        one.tick_params(axis="y", length=0)
        one.grid(axis="x", color=palette()["grid"], lw=0.6)
        one.set_axisbelow(True)
    return figure, list(axes)


def _ends(shown: pd.DataFrame, groups: Mapping[str, str]) -> tuple[float, float]:
    """The ends of the axis, with room for every interval and for the marks: from 0, unless all lies in the far half."""
    drawn = [c for g in groups for c in (g, f"{g}_lower", f"{g}_upper") if c in shown]
    values = shown[drawn].astype("float64")
    lowest, highest = float(values.min().min()), max(float(values.max().max()), 1e-9)
    start = 0.0 if lowest < highest / 2 else 10 * np.floor((lowest - 5) / 10)
    return start - 0.02 * (highest - start), highest + 0.06 * (highest - start)


def _hidden(shown: pd.DataFrame, marks: Mapping[str, tuple]) -> bool:
    """Whether in some row the intervals of two groups overlap, so that on one line one would hide the other."""
    drawn = [g for g in marks if f"{g}_lower" in shown]
    pairs = [(a, b) for n, a in enumerate(drawn) for b in drawn[n + 1 :]]
    return any(
        ((shown[f"{a}_lower"] <= shown[f"{b}_upper"]) & (shown[f"{b}_lower"] <= shown[f"{a}_upper"])).any()
        for a, b in pairs
    )


def _panel(axes, own: pd.DataFrame, marks: Mapping[str, tuple], place: str, ends, joined: bool, apart: float) -> None:
    at = np.arange(len(own))
    values = own[list(marks)].astype("float64")
    if joined:
        axes.hlines(at, values.min(axis=1), values.max(axis=1), palette()["grid"], lw=2.4, zorder=1)
    shifts = np.linspace(-apart, apart, len(marks)) if len(marks) > 1 else [0.0]
    for (group, (mark, colour, size)), shift in zip(marks.items(), shifts, strict=True):
        if f"{group}_lower" in own:
            ends_of = (own[f"{group}_{end}"].astype("float64") for end in ("lower", "upper"))
            axes.hlines(at + shift, *ends_of, colour, lw=1.6, zorder=2)
        axes.plot(values[group], at + shift, mark, color=colour, mec="white", mew=0.7, ms=size, zorder=3)
    for row in np.flatnonzero(values.isna().all(axis=1)):
        axes.annotate(
            "no figure", (0, row), xytext=(4, -3), textcoords="offset points", fontsize=7.5, color=palette()["muted"]
        )
    axes.set_xlim(*ends)
    axes.set_title(lines_of(place, PLACE_LETTERS, 7), fontsize=9, loc="left", fontweight="bold")


def _marks_along(panels: int, highest: float):
    """So many numbers along each panel's axis as have room beside one another."""
    from matplotlib.ticker import MaxNLocator

    letters = len(f"{highest:,.0f}") + 2
    return MaxNLocator(nbins=min(5, max(1, ALONG_LETTERS // panels // letters)), steps=[1, 2, 5, 10])


def _unit_below(all_axes, unit: str) -> None:
    """What is counted, under the first panel and on across the others, which keep the lines free for it."""
    words = even_lines(unit, 84)
    all_axes[0].set_xlabel(words, loc="left")
    grow(all_axes[0].figure, words)
    if len(all_axes) > 1:
        all_axes[0].xaxis.label.set_in_layout(False)
        all_axes[-1].set_xlabel("\n".join(" " for _ in words.splitlines()))


def _breaks(axes, rows: Sequence[int]) -> None:
    for row in rows:
        axes.axhline(row - 0.5, color=palette()["muted"], ls=":", lw=1)


def _marks() -> list[tuple[str, str, float]]:
    colours = palette() | {"third": palette()["others"][1]}
    return [(mark, colours[colour], size) for mark, colour, size in MARKS]


def _key(figure, groups: Mapping[str, str], marks: Mapping[str, tuple]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], ls="", marker=mark, color=colour, ms=size, label=lines_of(groups[group], 26, most=5))
        for group, (mark, colour, size) in marks.items()
    ]
    grow(figure, max((h.get_label() for h in handles), key=lambda text: text.count("\n")))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False, fontsize=9)


def _newest(own: pd.DataFrame, period: str, groups: Mapping[str, str], unit: str, kind: str) -> str:
    """The newest figures of a place, as the end of a title; empty where it has none."""
    own = own[own[list(groups)].notna().any(axis=1)].sort_values(period, kind="stable")
    if own.empty:
        return ""
    last = own.iloc[-1]
    parts = [f"{name} {brief(float(last[g]), unit, kind)}" for g, name in groups.items() if pd.notna(last[g])]
    return f"{listing(parts)} in {last[period]}"


def _columns(
    shown: pd.DataFrame, panel: str, period: str, groups: Mapping[str, str], kind: str
) -> list[dict[str, str]]:
    columns = [
        {"name": period, "label": "Period", "kind": "text"},
        {"name": panel, "label": "Place", "kind": "text"},
    ]
    for group, name in groups.items():
        columns.append({"name": group, "label": name, "kind": kind})
        if f"{group}_lower" in shown:
            columns += [
                {"name": f"{group}_lower", "label": f"{name}, lower limit", "kind": kind},
                {"name": f"{group}_upper", "label": f"{name}, upper limit", "kind": kind},
            ]
    return columns


def _alt(
    shown, panel, period, groups: Mapping[str, str], title: str, unit: str, kind: str, places: Sequence[str]
) -> str:
    """Kind of chart, what it shows, and the newest figures of every panel."""
    said = {place: _newest(shown[shown[panel] == place], period, groups, unit, kind) for place in places}
    told = "; ".join(f"{place}: {newest}" for place, newest in said.items() if newest)
    panels = listing([str(place) for place in places])
    return f"Dot chart, a panel for each of {panels}, a row for each year: {title}; {unit}. {told}."
