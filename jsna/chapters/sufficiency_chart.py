"""A line of the past and a fan of what may come: the range that holds 80 times in 100, and the one that holds 95."""

from __future__ import annotations

from math import ceil

import pandas as pd

from jsna.disclosure import Released
from jsna.exhibits.charts import canvas, chart, nothing_to_show, palette
from jsna.exhibits.labels import ROW_INCHES, beside_upright, spread, thousands, unit_above
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, must_be_released
from jsna.exhibits.telling import titled

COLUMNS = (
    {"name": "period", "label": "Period", "kind": "text"},
    {"name": "value", "label": "Number", "kind": "count"},
    *(
        {"name": f"{e}_{p}", "label": f"{p}% range, {w}", "kind": "count"}
        for p in (80, 95)
        for e, w in (("lower", "from"), ("upper", "to"))
    ),
    {"name": "scenario", "label": "What it is", "kind": "text"},
)

ROWS, LABEL_POINTS, POINTS = 11, 11, 72  # rows of text that a picture is high; height of a label; points in an inch
MOST_YEARS, BREAK_LETTERS = 13, 36  # named under the axis; in a line that says what changed


def fan(released: Released, *, id: str, title: str, what: str, breaks: dict[str, str]) -> Exhibit:
    """Observed numbers as a line, the projection as a line in two ranges, each labelled where it ends.

    ``released`` has a row a period: ``period``, ``year``, ``value``, the four limits and ``scenario`` (``observed`` or
    ``trend``). ``what`` is counted. ``breaks``: periods before which something changed, and what.
    """
    table = must_be_released(released)
    shown = table.frame
    past, ahead = shown[shown["scenario"] == "observed"], shown[shown["scenario"] == "trend"]
    if past["value"].notna().sum() == 0 or ahead.empty:
        return nothing_to_show(id, title)
    colours, (figure, axes) = palette(), canvas(ROWS)
    start = past[past["value"].notna()].iloc[-1]
    joined = pd.concat(
        [start.to_frame().T.assign(**{c: start["value"] for c in ahead if c[:5] in ("lower", "upper")}), ahead]
    )
    years = joined["year"].astype("float64")
    for tail, shade in ((95, colours["sequential"][1]), (80, colours["sequential"][2])):
        low, high = (joined[f"{e}_{tail}"].astype("float64") for e in ("lower", "upper"))
        axes.fill_between(years, low, high, color=shade, lw=0)
    axes.plot(
        past["year"].astype("float64"),
        past["value"].astype("float64"),
        "-",
        color=colours["main"],
        lw=2.4,
        marker="o",
        ms=4,
    )
    axes.plot(years, joined["value"].astype("float64"), "--", color=colours["ink"], lw=2)
    last = ahead.iloc[-1]
    axes.set_ylim(0, (float(shown[["value", "upper_95"]].max().max()) or 1.0) * 1.08)
    _ends(axes, last)
    _breaks(axes, shown, breaks)
    every = shown["year"].astype("int64").tolist()
    marked = sorted(every, reverse=True)[:: ceil(len(every) / MOST_YEARS)]
    axes.set_xticks(marked, [str(y) for y in marked], fontsize=8)
    unit_above(axes, what)
    axes.set_xlabel("January")
    thousands(axes.yaxis)
    axes.grid(axis="y", color=colours["grid"], lw=0.6)
    told = {k: format_number(last[k], "count") for k in ("value", "lower_80", "upper_80", "lower_95", "upper_95")}
    first = past[past["value"].notna()].iloc[0]
    alt = (
        f"Line chart with a fan: {title}. {format_number(first['value'], 'count')} in {first['period']}, "
        f"{format_number(start['value'], 'count')} in {start['period']}; "
        f"{told['value']} projected in {last['period']}, 80% range {told['lower_80']} to {told['upper_80']}, "
        f"95% range {told['lower_95']} to {told['upper_95']}."
    )
    words = shown["scenario"].map({"observed": "observed", "trend": "projected, if today’s pattern goes on"})
    ahead_words = f"{told['lower_80']} to {told['upper_80']} in {last['period']} (80% range)"
    ending = f"{format_number(start['value'], 'count')} in {start['period']}, {ahead_words}"
    return chart(id, titled(title, ending), alt, figure, table.with_columns(scenario=words), list(COLUMNS), "period")


def _ends(axes, last: pd.Series) -> None:
    """Labels at the right: the ends of both ranges and the projection, moved apart where they would meet."""
    told = {
        "lower_95": "95 in 100: from",
        "lower_80": "80 in 100: from",
        "value": "projected",
        "upper_80": "80 in 100: to",
        "upper_95": "95 in 100: to",
    }
    low, high = axes.get_ylim()
    size = (high - low) * LABEL_POINTS / (ROWS * ROW_INCHES * POINTS)
    heights = spread([float(last[c]) for c in told], [size] * len(told), low, high)
    for (column, words), height in zip(told.items(), heights, strict=True):
        axes.annotate(
            f"{words} {format_number(last[column], 'count')}",
            (float(last["year"]), height),
            xytext=(8, 0),
            textcoords="offset points",
            fontsize=8.5 if column == "value" else 8,
            fontweight="bold" if column == "value" else "normal",
            va="center",
            color=palette()["ink"],
            annotation_clip=False,
        )


def _breaks(axes, shown: pd.DataFrame, breaks: dict[str, str]) -> None:
    """A dotted upright before each period in which something changed, and what: one below the other."""
    first = shown["year"].min()
    years = shown.drop_duplicates("period").set_index("period")["year"]
    known = {float(years[p]): said for p, said in breaks.items() if p in years and years[p] != first}
    for level, (year, said) in enumerate(sorted(known.items())):
        axes.axvline(year - 0.5, color=palette()["muted"], ls=":", lw=1)
        ground = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
        how = {"fontsize": 7.5, "color": palette()["muted"], "bbox": ground, "va": "top"}
        beside_upright(axes, year - 0.5, 0.97 - 0.2 * level, said, letters=BREAK_LETTERS, **how)
