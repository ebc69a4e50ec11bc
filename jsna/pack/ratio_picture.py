"""The one picture of the summary: ratios of the groups that stand out, as a PNG that any word processor shows."""

from __future__ import annotations

import io
import textwrap

import pandas as pd

from jsna.exhibits.charts import palette

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

    colours = palette()
    wrapped = ["\n".join(textwrap.wrap(label, LETTERS)) for label in labels]
    lines = max(label.count("\n") for label in wrapped) * 0.35 + 1
    figure = Figure(figsize=(WIDTH, ROW * lines * len(labels) + FOOT), layout="constrained")
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
    axes.set_xlabel(axis, fontsize=9)
    axes.grid(axis="x", color=colours["grid"], lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if mark:
        axes.text(1, 1.02, mark, transform=axes.transAxes, ha="right", fontsize=8, color=colours["ink"])
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=200, metadata={"Software": None})
    return stream.getvalue()
