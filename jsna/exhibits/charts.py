"""Charts: dots with intervals, forests, bars and trends, in one visual language, the same bytes every run."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from jsna.disclosure import Released
from jsna.exhibits.model import SYNTHETIC, Exhibit
from jsna.exhibits.tables import behind, format_number, must_be_released
from jsna.exhibits.text import notice
from jsna.files.packaged import packaged_yaml

RATIO_LIMITS = (0.2, 5.0)
BAND = (0.80, 1.25)
ROW_INCHES, LINE_INCHES = 0.27, 0.165


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


def as_svg(figure, synthetic: bool) -> bytes:
    """The figure's bytes; a synthetic one is marked in the picture itself."""
    if synthetic:
        figure.supxlabel(SYNTHETIC, fontsize=8, color=palette()["muted"], x=0.99, ha="right")
    stream = io.BytesIO()
    # savefig would draw everything twice
    figure.canvas.print_svg(stream, metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _labels(names: Sequence[str]) -> list[str]:
    return ["\n".join(textwrap.wrap(str(n), 38)[:3]) for n in names]


def name_rows(axes, names: Sequence[str]) -> None:
    """Rows from the top down, named on the left; the picture grows where a name needs more lines than a row has."""
    labels = _labels(names)
    axes.set_yticks(range(len(names)), labels)
    lines = max((label.count("\n") + 1 for label in labels), default=1)
    figure = axes.figure
    figure.set_figheight(figure.get_figheight() + len(labels) * max(0.0, lines * LINE_INCHES - ROW_INCHES))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


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
        axes.hlines(
            at[rows], shown.loc[rows, lower].astype(float), shown.loc[rows, upper].astype(float), colour, lw=1.6
        )
        axes.plot(shown.loc[rows, value].astype(float), at[rows], marker, color=colour, ms=6)
    _hidden_marks(axes, table, value)
    if reference_line is not None:
        axes.axvline(reference_line, color=colours["ink"], lw=1, ls="--")
        axes.annotate(reference_label, (reference_line, -0.6), xytext=(3, 2), textcoords="offset points", fontsize=8)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{unit}, with 95% confidence interval")
    axes.grid(axis="x", color=colours["grid"], lw=0.6)
    axes.set_axisbelow(True)
    name_rows(axes, shown[group])
    kind = "percent" if "%" in unit else "count"
    columns = [
        {"name": group, "label": "Group", "kind": "text"},
        {"name": value, "label": f"Value ({unit})", "kind": kind},
        {"name": lower, "label": "Lower limit", "kind": kind},
        {"name": upper, "label": "Upper limit", "kind": kind},
    ]
    alt = f"Dot chart with intervals: {title}. {_extremes(shown, group, value, unit, kind)}"
    return chart(id, title, alt, figure, table, columns, group)


def _extremes(shown: pd.DataFrame, group: str, value: str, unit: str, kind: str) -> str:
    known = shown.dropna(subset=[value])
    if len(known) == 1:
        return f"{known[group].iloc[0]}: {format_number(float(known[value].iloc[0]), kind)} {unit}."
    top, bottom = known.loc[known[value].astype(float).idxmax()], known.loc[known[value].astype(float).idxmin()]
    return (
        f"Highest: {top[group]}, {format_number(float(top[value]), kind)} {unit}; "
        f"lowest: {bottom[group]}, {format_number(float(bottom[value]), kind)} {unit}."
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
    words = "\n".join(textwrap.wrap(f"{axis} (log scale, 95% interval; shaded: 0.80 to 1.25)", 72))
    key = "◆ over- or under-identified   ■ to watch   ○ other" + (f"   × {beside_label}" if beside else "")
    axes.set_xlabel(f"{words}\n{key}", fontsize=8.5)
    name_rows(axes, shown[group])
    columns = [
        {"name": group, "label": "Group", "kind": "text"},
        {"name": ratio, "label": ratio_label, "kind": "ratio"},
        {"name": lower, "label": "Lower limit", "kind": "ratio"},
        {"name": upper, "label": "Upper limit", "kind": "ratio"},
        *([{"name": beside, "label": beside_label[:1].upper() + beside_label[1:], "kind": "ratio"}] if beside else []),
        {"name": status, "label": "Status", "kind": "text"},
    ]
    known = shown.assign(value=values).dropna(subset=["value"])
    alt = f"Forest plot of ratios: {title}. {_extremes(known, group, 'value', '', 'ratio')}"
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
    axes.set_xlabel(
        "Ratio under each choice of analysis (log scale); shaded: 0.80 to 1.25\n"
        "● the flag’s own question: this group against all others\n○ another comparator, or a wider group",
        fontsize=8.5,
    )
    name_rows(axes, names)
    values = shown[ratio].astype("float64")
    alt = (
        f"Dots of every analysis: {title}. {len(names)} groups; ratios from {format_number(values.min(), 'ratio')} to "
        f"{format_number(values.max(), 'ratio')}."
    )
    return chart(id, title, alt, figure, table, columns, group)


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
    axes.set_xlim(0, max(float(values.max()), 1e-9) * 1.14)
    axes.set_xlabel(unit)
    name_rows(axes, shown[group])
    columns = [
        {"name": group, "label": "Group", "kind": "text"},
        {"name": value, "label": unit[:1].upper() + unit[1:], "kind": kind},
    ]
    alt = f"Bar chart: {title}. {_extremes(shown, group, value, unit, kind)}"
    return chart(id, title, alt, figure, table, columns, group)


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
    colours = palette()
    periods = sorted(shown[x].astype(str).unique())
    figure, axes = canvas(10)
    wide = shown.pivot(index=x, columns=series, values="_v").reindex(periods)
    styles = zip(
        (c for c in wide.columns if c != highlight), colours["others"] * 6, ["--", ":", "-."] * 8, strict=False
    )
    drawn = [(name, colour, style, 1.6) for name, colour, style in styles]
    if highlight in wide:
        drawn.append((highlight, colours["main"], "-", 2.6))
    ends = {}
    for name, colour, style, width in drawn:
        line = wide[name]
        axes.plot(range(len(periods)), line, style, color=colour, lw=width, marker="o", ms=4)
        if line.notna().any():
            ends[name] = (line.last_valid_index(), colour)
    _end_labels(axes, wide, ends, periods)
    for mark in (b for b in breaks if b in periods):
        axes.axvline(periods.index(mark) - 0.5, color=colours["muted"], ls=":", lw=1)
        axes.annotate(
            break_label,
            (periods.index(mark) - 0.5, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=7.5,
            color=colours["muted"],
        )
    axes.set_xticks(range(len(periods)), [textwrap.fill(p, 9) for p in periods])
    axes.tick_params(axis="x", labelsize=9 if len(periods) < 10 else 7.5)
    axes.set_ylim(0, max(float(wide.max().max()), 1e-9) * 1.12)
    axes.set_ylabel(unit)
    axes.grid(axis="y", color=colours["grid"], lw=0.6)
    columns = [
        {"name": x, "label": "Period", "kind": "text"},
        {"name": series, "label": "Series", "kind": "text"},
        {"name": value, "label": f"Value ({unit})", "kind": "percent"},
    ]
    complete = wide.dropna(axis="columns", how="all")
    main = (complete[highlight] if highlight in complete else complete.iloc[:, 0]).dropna()
    alt = (
        f"Line chart: {title}. {main.name}: {format_number(main.iloc[0], 'percent')} in {main.index[0]}, "
        f"{format_number(main.iloc[-1], 'percent')} in {main.index[-1]} ({unit})."
    )
    return chart(id, title, alt, figure, table, columns, x)


def _end_labels(axes, wide: pd.DataFrame, ends: dict[str, tuple[Any, str]], periods: list[str]) -> None:
    """Names at the lines' ends, moved apart where they would overlap."""
    top = float(wide.max().max())
    gap = top * 0.055
    placed: list[float] = []
    for name, (last, colour) in sorted(ends.items(), key=lambda e: wide.loc[e[1][0], e[0]]):
        height = float(wide.loc[last, name])
        height = max(height, placed[-1] + gap) if placed else height
        placed.append(height)
        axes.annotate(
            textwrap.shorten(str(name), 34),
            (len(periods) - 1, height),
            xytext=(8, -3),
            textcoords="offset points",
            fontsize=8.5,
            color=colour,
            annotation_clip=False,
        )
