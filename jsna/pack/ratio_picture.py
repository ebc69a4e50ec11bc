"""The one picture of the summary: ratios of the groups that stand out, as a PNG that any word processor shows."""

from __future__ import annotations

import io

import pandas as pd

from jsna.exhibits.charts import palette, set_type
from jsna.exhibits.labels import LINE_INCHES, lines_of, words_below

LIMITS = (0.15, 6.5)
TICKS = (0.25, 0.5, 0.8, 1, 1.25, 2, 4)
WIDTH, ROW, FOOT = 6.6, 0.25, 0.62  # inches
LETTERS = 38  # of a label, in a line


def ratio_picture(labels: list[str], ratios: pd.DataFrame, axis: str, mark: str = "") -> bytes:
    """A dot and an interval a row, from the top down. ``ratios``: columns ratio, lower and upper, all above 0.

    ``mark`` is written into the corner: a picture of synthetic data says so by itself. Equal inputs, equal bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    set_type()
    colours = palette()
    wrapped = [lines_of(label, LETTERS) for label in labels]
    row = ROW + max(label.count("\n") for label in wrapped) * LINE_INCHES
    figure = Figure(figsize=(WIDTH, row * len(labels) + FOOT), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    at = range(len(labels))
    shown = ratios[["ratio", "lower", "upper"]].astype(float).clip(*LIMITS)
    axes.set_xscale("log")
    axes.axvline(1, color=colours["ink"], lw=1)
    axes.hlines(at, shown["lower"], shown["upper"], colours["main"], lw=1.8)
    axes.plot(shown["ratio"], list(at), "D", color=colours["main"], ms=5.5)
    for row, (upper, ratio) in enumerate(zip(shown["upper"], ratios["ratio"], strict=True)):
        axes.annotate(f"{ratio:.2f}", (upper, row), xytext=(5, -3.5), textcoords="offset points", fontsize=9)
    axes.set_xticks(TICKS, [str(t) for t in TICKS], fontsize=9)
    axes.minorticks_off()
    axes.set_xlim(*LIMITS)
    axes.set_yticks(list(at), wrapped, fontsize=9)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    words_below(axes, axis, fontsize=9)
    axes.grid(axis="x", color=colours["grid"], lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if mark:
        axes.text(1, 1.02, mark, transform=axes.transAxes, ha="right", fontsize=8, color=colours["ink"])
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=200, metadata={"Software": None})
    return stream.getvalue()
