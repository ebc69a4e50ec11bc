"""Charts: dots with intervals, forests and bars, in one visual language, the same bytes every run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from jsna.disclosure import Released
from jsna.exhibits.labels import ROW_INCHES, grow, lines_of, name_rows, thousands, words_below
from jsna.exhibits.model import SYNTHETIC, Exhibit
from jsna.exhibits.tables import behind, format_number, must_be_released
from jsna.exhibits.telling import brief, extremes, span, titled
from jsna.exhibits.text import count_of, notice
from jsna.files.packaged import packaged_yaml

RATIO_LIMITS = (0.2, 5.0)
BAND = (0.80, 1.25)
KEY_LETTERS = 72  # in a line of the words under ratios, whose type is smaller
VALUE_PLACE = 1.01  # of the axes' width: where a row's value stands


@cache
def palette() -> dict[str, Any]:
    """The colours."""
    return packaged_yaml("jsna.exhibits", "palette.yml")


def set_type() -> None:
    """The type of every picture: one that comes with matplotlib, drawn as shapes, so that no font can be missing, and
    a dollar sign in a name is one."""
    from matplotlib import rcParams

    type_of = {"font.family": "DejaVu Sans", "font.size": 9, "text.parse_math": False}
    rcParams.update({"svg.hashsalt": "jsna", "svg.fonttype": "path"} | type_of)


def canvas(rows: int, *, width: float = 7.4, row_height: float = ROW_INCHES, extra: float = 1.1):
    """A figure for ``rows`` rows of text and its axes, drawn without a window."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    set_type()
    figure = Figure(figsize=(width, rows * row_height + extra), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=palette()["ink"])
    return figure, axes


def mark_synthetic(figure, synthetic: bool) -> None:
    """The words in the corner of a picture of synthetic data; once is enough."""
    if synthetic:
        figure.supxlabel(SYNTHETIC, fontsize=8, color=palette()["muted"], x=0.99, ha="right")


def as_svg(figure, synthetic: bool) -> bytes:
    """The figure's bytes; a synthetic one is marked in the picture itself."""
    mark_synthetic(figure, synthetic)
    stream = io.BytesIO()
    # savefig would draw everything twice
    figure.canvas.print_svg(stream, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    # a tenth of the file is indents, which phones would load and no reader sees
    return b"\n".join(line.strip() for line in stream.getvalue().splitlines())


def _ordered(table: Released, column: str, order: str) -> Released:
    if order == "given":
        return table
    at = table.frame[column].astype("float64").sort_values(ascending=False, na_position="last", kind="stable").index
    pick = lambda frame: frame.loc[at].reset_index(drop=True)  # noqa: E731
    return Released(pick(table.frame), pick(table.symbols), table.source, table.synthetic, table.notes)


def nothing_to_show(name: str, title: str) -> Exhibit:
    """What stands in the place of a chart of which every value is hidden or missing."""
    return notice(name, f"{title}: no figure can be shown.", "All are hidden, or none was supplied.")


def dot_interval(
    released: Released,
    *,
    id: str,
    title: str,
    group: str,
    value: str,
    lower: str,
    upper: str,
    unit: str,
    reference_line: float | None = None,
    reference_label: str = "",
    order: str = "value",
    highlight: str = "",
) -> Exhibit:
    """One dot a group with its interval; ``reference_line`` is a comparator's value, ``highlight`` a group's label."""
    table = _ordered(must_be_released(released), value, order)
    shown = table.frame
    if shown[value].notna().sum() == 0:
        return nothing_to_show(id, title)
    colours = palette()
    figure, axes = canvas(len(shown))
    at = np.arange(len(shown))
    ours = (shown[group].astype(str) == highlight).to_numpy() if highlight else np.zeros(len(shown), bool)
    for rows, colour, marker in ((~ours, colours["main"], "o"), (ours, colours["second"], "D")):
        if not rows.any():
            continue  # the layout keeps room for marks that are not clipped, even for none
        axes.hlines(
            at[rows], shown.loc[rows, lower].astype(float), shown.loc[rows, upper].astype(float), colour, lw=1.6
        )
        edge = {"mec": colours["ink"], "clip_on": False}
        axes.plot(shown.loc[rows, value].astype(float), at[rows], marker, color=colour, ms=6, **edge)
    _hidden_marks(axes, table, value)
    axes.set_xlim(left=0)
    if reference_line is not None:
        _reference(axes, reference_line, reference_label)
    words_below(axes, f"{unit}, with 95% confidence interval")
    axes.grid(axis="x", color=colours["grid"], lw=0.6)
    axes.set_axisbelow(True)
    thousands(axes.xaxis)
    name_rows(axes, shown[group])
    axes.tick_params(axis="y", pad=7)  # a dot at 0 stands half over the edge
    kind = "percent" if "%" in unit else "count"
    _values_beside(axes, shown[value].astype("float64"), kind)
    columns = [
        {"name": group, "label": "Group", "kind": "text"},
        {"name": value, "label": f"Value ({unit})", "kind": kind},
        {"name": lower, "label": "Lower limit", "kind": kind},
        {"name": upper, "label": "Upper limit", "kind": kind},
    ]
    alt = f"Dot chart with intervals: {title}. {_ours(shown, ours, group, value, unit, kind)}"
    alt = f"{alt}{extremes(shown, group, value, unit, kind)}"
    ending = _beside_reference(shown, ours, group, value, unit, kind, reference_line, reference_label)
    return chart(id, titled(title, ending or span(shown, group, value, unit, kind)), alt, figure, table, columns, group)


def _ours(shown: pd.DataFrame, ours: np.ndarray, group: str, value: str, unit: str, kind: str) -> str:
    """The highlighted group's value as a sentence; empty without one."""
    own = shown[ours].dropna(subset=[value])
    return "".join(f"{row[group]}: {brief(row[value], unit, kind)}. " for _, row in own.iterrows())


def _beside_reference(
    shown: pd.DataFrame, ours: np.ndarray, group: str, value: str, unit: str, kind: str, at: float | None, label: str
) -> str:
    """The highlighted group's value and the comparator's, as the end of a title; empty without both."""
    own = shown[ours].dropna(subset=[value])
    if own.empty or at is None:
        return ""
    row = own.iloc[0]
    return f"{brief(row[value], unit, kind)} ({row[group]}), {brief(at, unit, kind)} ({label})"


def _reference(axes, at: float, label: str) -> None:
    """A dashed line, named over the picture on the side where there is room."""
    left, right = axes.get_xlim()
    side, shift = ("left", 3) if at <= (left + right) / 2 else ("right", -3)
    axes.axvline(at, color=palette()["ink"], lw=1, ls="--")
    words = lines_of(label, 30)
    grow(axes.figure, words)
    axes.annotate(
        words,
        (at, 1),
        xycoords=("data", "axes fraction"),
        xytext=(shift, 2),
        textcoords="offset points",
        fontsize=8,
        ha=side,
    )


def _values_beside(axes, values: pd.Series, kind: str) -> None:
    """Each row's value in figures, to the right of the picture."""
    for row, value in enumerate(values):
        axes.annotate(
            format_number(value, kind),
            (VALUE_PLACE, row),
            xycoords=("axes fraction", "data"),
            fontsize=8,
            va="center",
            annotation_clip=False,
        )


def _hidden_marks(axes, table: Released, value: str) -> None:
    for at in np.flatnonzero(table.frame[value].isna()):
        axes.annotate(
            table.symbols[value].iloc[at] or "x",
            (0, at),
            xytext=(4, -3),
            textcoords="offset points",
            fontsize=8,
            color=palette()["muted"],
        )


def chart(id, title, alt, figure, table: Released, columns, row_header, kind: str = "chart") -> Exhibit:
    """A drawn figure as an exhibit, with the table behind it."""
    html, text = behind(table, columns, title, row_header)
    return Exhibit(
        id,
        kind,
        title,
        alt=alt,
        body=html,
        svg=as_svg(figure, table.synthetic),
        table_csv=text,
        source=table.source,
        notes=table.notes,
        synthetic=table.synthetic,
    )


MARKS = {
    "over-identified": ("D", "second", 6.5),
    "under-identified": ("D", "second", 6.5),
    "watch": ("s", "main", 5.5),
}


def forest(
    released: Released,
    *,
    id: str,
    title: str,
    group: str,
    ratio: str,
    lower: str,
    upper: str,
    status: str,
    axis: str,
    ratio_label: str = "Ratio",
    beside: str | None = None,
    beside_label: str = "",
) -> Exhibit:
    """Ratios on a log axis with intervals, marked by status; ``beside`` is a second ratio, drawn as a cross.

    Diamonds: over- or under-identified; squares: to watch; hollow circles: all others. ``axis`` says what the ratio is.
    """
    table = _ordered(must_be_released(released), ratio, "value")
    shown = table.frame
    values = shown[ratio].astype("float64").replace(np.inf, np.nan)
    if values.notna().sum() == 0:
        return nothing_to_show(id, title)
    colours = palette()
    figure, axes = canvas(len(shown), extra=1.3)
    low, high = _ratio_axis(axes)
    at = np.arange(len(shown))
    ends = shown[lower].astype("float64").clip(low, high), shown[upper].astype("float64").clip(low, high)
    axes.hlines(at, *ends, colours["main"], lw=1.6)
    for rows, off, mark in (
        (shown[lower].astype(float) < low, low, "<"),
        (shown[upper].astype(float) > high, high, ">"),
    ):
        axes.plot(np.full(int(rows.sum()), off), at[rows], mark, color=colours["main"], ms=5)
    if beside is not None:
        axes.plot(shown[beside].astype("float64").clip(low, high), at, "x", color=colours["muted"], ms=5, zorder=3)
    middle = values.clip(low, high)
    plain = ~shown[status].isin(list(MARKS)).to_numpy()
    axes.plot(middle[plain], at[plain], "o", mfc="white", mec=colours["main"], ms=6)
    for word, (mark, colour, size) in MARKS.items():
        rows = (shown[status] == word).to_numpy()
        axes.plot(middle[rows], at[rows], mark, color=colours[colour], mec=colours["ink"], ms=size, zorder=4)
    for at_row in np.flatnonzero(values.isna()):
        axes.annotate(
            table.symbols[ratio].iloc[at_row] or "x", (low, at_row), fontsize=8, color=colours["muted"], va="center"
        )
    cross = f"× {beside_label}" if beside else ""
    key = "◆ over- or under-identified   ■ to watch   ○ other"
    keys = [f"{key}   {cross}".strip()] if len(cross) < 30 else [key, cross]
    words = f"{axis} (log scale, 95% interval; shaded: 0.80 to 1.25)"
    words_below(axes, words, *keys, letters=KEY_LETTERS, free=2, fontsize=8.5)
    name_rows(axes, shown[group])
    _values_beside(axes, values, "ratio")
    columns = [
        {"name": group, "label": "Group", "kind": "text"},
        {"name": ratio, "label": ratio_label, "kind": "ratio"},
        {"name": lower, "label": "Lower limit", "kind": "ratio"},
        {"name": upper, "label": "Upper limit", "kind": "ratio"},
        *([{"name": beside, "label": beside_label[:1].upper() + beside_label[1:], "kind": "ratio"}] if beside else []),
        {"name": status, "label": "Status", "kind": "text"},
    ]
    known = shown.assign(value=values).dropna(subset=["value"])
    alt = f"Forest plot of ratios: {title}. {extremes(known, group, 'value', '', 'ratio')}"
    return chart(id, title, alt, figure, table, columns, group)


def _ratio_axis(axes) -> tuple[float, float]:
    """A log axis of ratios, with the band within which a difference is too small to flag."""
    low, high = RATIO_LIMITS
    axes.set_xscale("log")
    axes.axvspan(*BAND, color=palette()["band"], zorder=0)
    axes.axvline(1, color=palette()["ink"], lw=1)
    ticks = [0.25, 0.5, 0.8, 1, 1.25, 2, 4]
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlim(low * 0.95, high * 1.05)
    return low, high


def specification_dots(
    released: Released, *, id: str, title: str, group: str, ratio: str, asks: str, columns: Sequence[dict[str, str]]
) -> Exhibit:
    """Every analysis of a group as a dot, the smallest ratio first: filled where it asks the flag's own question.

    ``asks`` is a column of true and false; ``columns`` are those of the table behind the chart.
    """
    table = must_be_released(released)
    shown = table.frame
    if shown[ratio].notna().sum() == 0:
        return nothing_to_show(id, title)
    names = list(dict.fromkeys(shown[group]))
    figure, axes = canvas(len(names), row_height=0.62, extra=1.2)
    low, high = _ratio_axis(axes)
    for row, name in enumerate(names):
        own = shown[shown[group] == name].assign(_v=lambda f: f[ratio].astype("float64").clip(low, high))
        own = own.dropna(subset=["_v"]).sort_values("_v")
        height = row + np.linspace(0.3, -0.3, len(own))
        same = own[asks].astype(bool).to_numpy()
        axes.plot(own["_v"][~same], height[~same], "o", mfc="white", mec=palette()["muted"], ms=3.5)
        axes.plot(own["_v"][same], height[same], "o", color=palette()["main"], ms=4.5)
    words_below(
        axes,
        "Ratio under each choice of analysis (log scale); shaded: 0.80 to 1.25",
        "● the flag’s own question: this group against all others",
        "○ another comparator, or a wider group",
        letters=KEY_LETTERS,
        free=2,
        fontsize=8.5,
    )
    name_rows(axes, names)
    values = shown[ratio].astype("float64")
    ends = f"ratios from {format_number(values.min(), 'ratio')} to {format_number(values.max(), 'ratio')}"
    alt = f"Dots of every analysis: {title}. {count_of(len(names), 'group', 'groups').capitalize()}; {ends}."
    return chart(id, titled(title, ends), alt, figure, table, columns, group)


def bars(
    released: Released, *, id: str, title: str, group: str, value: str, unit: str, order: str = "given"
) -> Exhibit:
    """One bar a group, from zero, with its value written beside it."""
    table = _ordered(must_be_released(released), value, order)
    shown = table.frame
    if shown[value].notna().sum() == 0:
        return nothing_to_show(id, title)
    kind = "percent" if "%" in unit else "count"
    figure, axes = canvas(len(shown))
    at, values = np.arange(len(shown)), shown[value].astype("float64")
    axes.barh(at, values.fillna(0), color=palette()["main"], height=0.66)
    for row, number in zip(at, values, strict=True):
        text = table.symbols[value].iloc[row] if pd.isna(number) else format_number(number, kind)
        axes.annotate(
            text, (0 if pd.isna(number) else number, row), xytext=(4, -3), textcoords="offset points", fontsize=8
        )
    axes.set_xlim(0, (float(values.max()) or 1.0) * 1.14)
    words_below(axes, unit)
    thousands(axes.xaxis)
    name_rows(axes, shown[group])
    columns = [
        {"name": group, "label": "Group", "kind": "text"},
        {"name": value, "label": unit[:1].upper() + unit[1:], "kind": kind},
    ]
    alt = f"Bar chart: {title}. {extremes(shown, group, value, unit, kind)}"
    return chart(id, titled(title, span(shown, group, value, unit, kind)), alt, figure, table, columns, group)
