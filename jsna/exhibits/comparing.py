"""An area among others, as charts and sentences: funnel, intervals of ranks, the area beside every comparator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.disclosure import Released
from jsna.exhibits.charts import canvas, chart, nothing_to_show, palette
from jsna.exhibits.labels import lines_of, name_rows, thousands, unit_above, words_below
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, must_be_released
from jsna.exhibits.telling import titled
from jsna.exhibits.text import listing

if TYPE_CHECKING:
    from jsna.evidence.comparators import BySet
    from jsna.evidence.trends import Trend

_NOISE = "No clear trend: the figures move as noise does"


def figure_text(value: float, unit: str) -> str:
    """A value with its unit, one place after the point.

    >>> figure_text(27.1186, "%"), figure_text(4.25, "per 10,000")
    ('27.1%', '4.3 per 10,000')
    """
    text = format_number(value, "percent")
    return f"{text}{unit}" if unit.startswith("%") else f"{text} {unit}".strip()


def change_text(value: float, unit: str) -> str:
    """A difference of two values, without its sign: of percentages it is in percentage points.

    >>> change_text(-4.99, "%")
    '5.0 percentage points'
    """
    return f"{format_number(abs(value), 'points')} {'percentage points' if unit == '%' else unit}".strip()


def funnel_chart(released: Released, *, id: str, title: str, area: str, unit: str, counted: str) -> Exhibit:
    """Every authority by size, with the funnel's limits; ``area`` (a name) is marked and named.

    ``released`` comes from ``jsna.evidence.funnels.funnel``; ``counted`` says what the denominator counts.
    """
    table = must_be_released(released)
    shown = table.frame
    if shown["value"].notna().sum() == 0:
        return nothing_to_show(id, title)
    colours = palette()
    figure, axes = canvas(14)
    by_size = shown.sort_values("denominator")
    for level, style in (("95", "--"), ("99_8", "-")):
        for side in ("lower", "upper"):
            axes.plot(by_size["denominator"], by_size[f"{side}_{level}"], style, color=colours["muted"], lw=1)
    axes.axhline(float(shown["average"].iloc[0]), color=colours["ink"], lw=1)
    outside = (shown["where"] != "inside").to_numpy()
    ours = (shown["area_name"] == area).to_numpy()
    for rows, mark, fill, size in (
        (~outside & ~ours, "o", "white", 4),
        (outside & ~ours, "s", colours["main"], 4.5),
        (ours, "D", colours["second"], 8),
    ):
        axes.plot(
            shown.loc[rows, "denominator"],
            shown.loc[rows, "value"],
            mark,
            mfc=fill,
            mec=colours["ink" if fill == colours["second"] else "main"],
            ms=size,
            ls="none",
        )
    back = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
    for _, row in shown[ours].iterrows():
        at = (row["denominator"], row["value"])
        on_right = row["denominator"] ** 2 <= shown["denominator"].min() * shown["denominator"].max()  # of a log axis
        side = {"xytext": (8 if on_right else -8, 4), "ha": "left" if on_right else "right"}
        axes.annotate(lines_of(area, 30), at, **side, textcoords="offset points", fontsize=9, zorder=5, bbox=back)
    # Sizes run over two orders of magnitude: on a plain axis all but the largest counties stand in one corner.
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter("")
    thousands(axes.xaxis, axes.yaxis)
    words_below(
        axes,
        f"{counted[:1].upper()}{counted[1:]} (log scale)",
        "– average   - - 95% limits   — 99.8% limits   ○ inside   ■ outside the 95% limits   ◆ this area",
        letters=100,
        free=1,
        fontsize=8.5,
    )
    unit_above(axes, unit)
    own = shown[ours].dropna(subset=["value"])
    where = [f"{area} ({figure_text(row['value'], unit)}) is {_where(row)}" for _, row in own.iterrows()]
    beyond = int(outside.sum())
    alt = (
        f"Funnel chart of {len(shown)} authorities: {title}. Average "
        f"{figure_text(float(shown['average'].iloc[0]), unit)}; {beyond} outside the 95% limits."
        f"{''.join(f' {w}.' for w in where)}"
    )
    columns = [
        {"name": "area_name", "label": "Authority", "kind": "text"},
        {"name": "value", "label": f"Value ({unit})", "kind": "percent"},
        {"name": "denominator", "label": f"{counted[:1].upper()}{counted[1:]}", "kind": "count"},
        {"name": "lower_95", "label": "Lower 95% limit", "kind": "percent"},
        {"name": "upper_95", "label": "Upper 95% limit", "kind": "percent"},
        {"name": "lower_99_8", "label": "Lower 99.8% limit", "kind": "percent"},
        {"name": "upper_99_8", "label": "Upper 99.8% limit", "kind": "percent"},
        {"name": "where", "label": "Where it lies", "kind": "text"},
    ]
    return chart(id, titled(title, listing(where)), alt, figure, table, columns, "area_name")


def _where(row: pd.Series) -> str:
    return "inside the limits" if row["where"] == "inside" else str(row["where"])


def rank_chart(released: Released, *, id: str, title: str, label: str) -> Exhibit:
    """One row a measure (or comparator): the place among all, and the places it could be by chance.

    ``label`` names the column of row names; the table has ``rank``, ``rank_lower``, ``rank_upper`` and ``of``. Rows
    differ in how many areas they have, so the axis runs from the first to the last place.
    """
    table = must_be_released(released)
    shown = table.frame
    if shown["rank"].notna().sum() == 0:
        return nothing_to_show(id, title)
    colours = palette()
    figure, axes = canvas(len(shown), row_height=0.34, extra=1.2)
    at = np.arange(len(shown))
    last = np.fmax(shown["of"].astype("float64") - 1, 1)
    place, lower, upper = ((shown[c].astype("float64") - 1) / last for c in ("rank", "rank_lower", "rank_upper"))
    axes.hlines(at, 0, 1, colours["grid"], lw=1)
    known = lower.notna().to_numpy()
    axes.hlines(at[known], lower[known], upper[known], colours["main"], lw=5, alpha=0.45)
    axes.plot(place[known], at[known], "D", color=colours["main"], mec=colours["ink"], ms=6)
    axes.plot(place[~known], at[~known], "o", mfc="white", mec=colours["main"], ms=6)
    for row in at:
        axes.annotate(_place(shown.iloc[row]), (1.02, row), fontsize=8, va="center", annotation_clip=False)
    axes.set_xlim(-0.02, 1.42)
    axes.set_xticks([0, 0.5, 1], ["first", "middle", "last"])
    axes.spines["bottom"].set_visible(False)
    words_below(
        axes,
        "Place among all areas with a figure",
        "◆ rank, with the places it could be by chance (95%)",
        "○ rank alone: published without counts",
        free=1,
        fontsize=8.5,
    )
    name_rows(axes, shown[label], row_inches=0.34)
    columns = [
        {"name": label, "label": "Measure", "kind": "text"},
        {"name": "rank", "label": "Rank", "kind": "count"},
        {"name": "rank_lower", "label": "Best plausible rank", "kind": "count"},
        {"name": "rank_upper", "label": "Worst plausible rank", "kind": "count"},
        {"name": "of", "label": "Areas with a figure", "kind": "count"},
    ]
    known = shown[shown["rank"].notna()]
    said = dict.fromkeys(f"{row[label]}: {_place(row)}" for _, row in known.iloc[[0, -1]].iterrows())
    alt = f"Chart of ranks with intervals: {title}. {'; '.join(said)}."
    return chart(id, titled(title, list(said)[-1]), alt, figure, table, columns, label)


def _place(row: pd.Series) -> str:
    if pd.isna(row["rank"]):
        return "no figure"
    words = f"{int(row['rank'])} of {int(row['of'])}"
    if pd.isna(row["rank_lower"]):
        return words
    return f"{words} ({int(row['rank_lower'])} to {int(row['rank_upper'])})"


def beside_chart(released: Released, *, id: str, title: str, area: str, unit: str) -> Exhibit:
    """The area's value with its interval, and every comparator's beneath, each with the verdict in words.

    ``released``: rows of ``jsna.evidence.comparators.beside``, released.
    """
    table = must_be_released(released)
    shown = table.frame
    if shown["value"].notna().sum() == 0:
        return nothing_to_show(id, title)
    colours = palette()
    figure, axes = canvas(len(shown) + 1, row_height=0.42, extra=1.1)
    own = shown.iloc[0]
    axes.axvline(own["own_value"], color=colours["second"], lw=1, ls=":")
    if pd.notna(own["own_lower"]):
        axes.axvspan(own["own_lower"], own["own_upper"], color=colours["band"], zorder=0)
        axes.hlines(0, own["own_lower"], own["own_upper"], colours["second"], lw=1.8)
    axes.plot([own["own_value"]], [0], "D", color=colours["second"], mec=colours["ink"], ms=8)
    at = np.arange(len(shown)) + 1
    sets = shown["kind"].isin(["neighbours", "own"]).to_numpy()
    axes.hlines(at, shown["lower"].astype("float64"), shown["upper"].astype("float64"), colours["main"], lw=1.6)
    for rows, mark, fill in ((~sets, "o", colours["main"]), (sets, "s", "white")):
        axes.plot(shown.loc[rows, "value"].astype("float64"), at[rows], mark, mfc=fill, mec=colours["main"], ms=6)
    axes.set_xlim(left=0)
    verdicts = (_beside_row(value, words) for value, words in zip(shown["value"], _said(shown), strict=True))
    how = {"xycoords": ("axes fraction", "data"), "fontsize": 8.5, "va": "center", "annotation_clip": False}
    for row, words in enumerate((figure_text(own["own_value"], ""), *verdicts)):
        axes.annotate(words, (1.02, row), **how)
    words_below(
        axes,
        f"{unit}; shaded: 95% confidence interval of {area}",
        "● a place   □ the median of a set",
        free=1,
        fontsize=8.5,
    )
    thousands(axes.xaxis)
    axes.grid(axis="x", color=colours["grid"], lw=0.6)
    axes.set_axisbelow(True)
    name_rows(axes, [area, *shown["name"]], row_inches=0.42)
    columns = [
        {"name": "name", "label": "Comparator", "kind": "text"},
        {"name": "period", "label": "Period", "kind": "text"},
        {"name": "value", "label": f"Value ({unit})", "kind": "percent"},
        {"name": "own_value", "label": f"{area} ({unit})", "kind": "percent"},
        {"name": "own_lower", "label": "Lower limit", "kind": "percent"},
        {"name": "own_upper", "label": "Upper limit", "kind": "percent"},
        {"name": "said", "label": f"{area} is", "kind": "text"},
    ]
    table = table.with_columns(said=pd.Series(_said(shown), index=shown.index))
    alt = f"Chart of {area} beside comparators: {title}. {beside_sentence(shown, area, unit)}"
    return chart(id, titled(title, _first_verdict(shown, unit)), alt, figure, table, columns, "name")


def _first_verdict(shown: pd.DataFrame, unit: str) -> str:
    """The area's value and how it stands beside the first comparator, as the end of a title."""
    row = shown[shown["value"].notna()].iloc[0]
    own, other = (figure_text(row[c], unit) for c in ("own_value", "value"))
    beside = {"no clear difference": "no clear difference from", "no verdict": ""}
    words = beside.get(str(row["words"]), f"{row['words']} than")
    return f"{own}, {words} {row['name']} ({other})".replace(",  ", ", ")


def _beside_row(value: float, words: str) -> str:
    """What stands to the right of a comparator: its value and the verdict, on two lines at most."""
    return lines_of(f"{figure_text(value, '')}  {words}".strip(), 26, most=2)


def _said(shown: pd.DataFrame) -> list[str]:
    return [
        f"{w}: {r}" if w == "no verdict" and r else str(w) for w, r in zip(shown["words"], shown["reason"], strict=True)
    ]


def beside_sentence(table: pd.DataFrame, area: str, unit: str) -> str:
    """How an area stands beside each comparator, in a sentence, from rows of ``beside``."""
    known = table[table["value"].notna()]
    if known.empty:
        return f"There is no figure to set {area} beside."
    own = known.iloc[0]
    interval = (
        f", between {figure_text(own['own_lower'], unit)} and {figure_text(own['own_upper'], unit)} (95% confidence "
        "interval)"
        if pd.notna(own["own_lower"])
        else ""
    )
    names = known["name"].mask(known["kind"].isin(["neighbours", "own"]), "median of the " + known["name"])
    parts = [
        f"{name} {figure_text(value, unit)} ({words})"
        for name, value, words in zip(names, known["value"], known["words"], strict=True)
    ]
    reasons = [f" No verdict: {r}." for r in dict.fromkeys(known.loc[known["verdict"] == "no verdict", "reason"]) if r]
    return (
        f"{area} {figure_text(own['own_value'], unit)}{interval}, {own['period']}; {listing(parts)}.{''.join(reasons)}"
    )


def by_set_sentence(by_set: BySet, area: str, unit: str) -> str:
    """Does the verdict change with the set of neighbours? Empty where fewer than two sets can be compared."""
    if by_set.changes is None:
        return ""
    known = by_set.table[by_set.table["value"].notna()]
    column = "words" if by_set.judged else "position"
    said = listing([f"{row[column]} ({row['name']}: {figure_text(row['value'], unit)})" for _, row in known.iterrows()])
    ending = "depends on the set" if by_set.changes else "is the same whichever set is taken"
    what = "verdict" if by_set.judged else "side on which it lies (there is no verdict without counts)"
    own = figure_text(known["own_value"].iloc[0], unit)
    return f"{area}, {own}, beside the median of each set of neighbours: {said}. The {what} {ending}."


def trend_sentence(trend: Trend, unit: str) -> str:
    """What a series does since its last break, with the test named, and the change on the year before."""
    result, last = trend.result, trend.last
    if last is None:
        return "There is no figure."
    points, clear = int(result["points"]), trend.verdict in ("rising", "falling")
    breaks = "".join(f" Not comparable with before {p}{f': {why}' if why else ''}." for p, why in trend.breaks[-1:])
    until = f"{last['period']}{' (provisional)' if last['provisional'] else ''}"
    if trend.verdict == "too few points":
        text = f"Too few points for a trend: {points} since {trend.first_used or until}, 5 are needed."
    elif trend.verdict == "not tested":
        text = f"The series was not tested: {result['status']}."
    else:
        word = f"{trend.verdict.capitalize()}, {change_text(result['slope'], unit)} a year" if clear else _NOISE
        text = f"{word} ({trend.first_used} to {until}, {points} points; {result['test']})."
    return f"{text}{breaks}{_last_change(result, unit)}"


def _last_change(result: pd.Series, unit: str) -> str:
    if pd.isna(result["change"]):
        return ""
    way = "up" if result["change"] > 0 else "down"
    words = "level" if result["change"] == 0 else f"{way} {change_text(result['change'], unit)}"
    if pd.isna(result["change_lower"]):
        return f" On the year before: {words} (published without counts, so not tested)."
    limits = [format_number(result[c], "points") for c in ("change_lower", "change_upper")]
    judged = "within chance" if result["change_verdict"] == "within chance" else "more than chance in the counts alone"
    return f" On the year before: {words}, between {limits[0]} and {limits[1]} (95% confidence interval): {judged}."
