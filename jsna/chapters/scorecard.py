"""The quarterly Scorecard and the comparison with the country, each on one page, and the promises of the board.

``scorecard_exhibit`` and ``dashboard_exhibit`` need no notebook: a run over all authorities reads the values once and
calls them for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from jsna.area import Area
from jsna.chapters import scorecard_sentences as sentences
from jsna.chapters import scorecard_words as words
from jsna.chapters.base import frame_of_area, with_extras
from jsna.disclosure import Released
from jsna.evidence.catalogue import Frame, Target, catalogue
from jsna.evidence.comparators import Comparator, comparators_of
from jsna.evidence.coverage import awaiting
from jsna.evidence.scorecard import Place, latest_figures, pool_of, selection, settings, standing, unguarded
from jsna.evidence.values import Values
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.scorecard_table import scorecard_table
from jsna.exhibits.text import finding, listing, notice


@dataclass(frozen=True)
class Board:
    """A page's figures: ``rows`` one a measure with a figure, ``awaited`` those without, ``sets`` of neighbours."""

    area: Area
    frame: Frame
    values: Values
    rows: pd.DataFrame
    awaited: pd.DataFrame
    sets: tuple[Comparator, ...]


def board(area: Area, place: Place, values: Values | None = None) -> Board:
    """The figures of the Scorecard or the Dashboard of an area; ``values`` spares it to read its own."""
    values = values or area.values
    frame = frame_of_area(area)
    chosen = selection(place, frame)
    own = values.frame[values.frame["area_code"] == area.code]
    if place == "dashboard" and "official" in area.brings:
        own = own[own["origin"] == "official"]
    rows = latest_figures(own, chosen)
    there = rows["period"].notna()
    sets = tuple(c for c in comparators_of(area) if c.is_set)
    shown = rows[there].reset_index(drop=True)
    promised = {(t.indicator, t.group) for t in frame.targets if t.kind == "rank"}
    ranks = pd.Series(
        [place == "dashboard" or k in promised for k in zip(shown["indicator"], shown["group"], strict=True)],
        dtype=bool,
    )
    beside = standing(own, _pool(values), shown, sets, ranks=ranks, confidence=area.params.confidence)
    shown = shown.join(beside)
    if shown[[f"set_{n}_value" for n in range(len(sets)) if f"set_{n}_value" in shown]].isna().all(axis=None):
        sets = ()  # no neighbour has a figure: a column of nothing helps nobody
    return Board(area, frame, values, shown, awaiting(rows[~there], values.absent, area.brings), sets)


def _pool(values: Values) -> pd.DataFrame:
    """What all areas are set beside, made once in the life of ``values`` (kept as cached properties are)."""
    kept = values.__dict__
    if "_pool_of_pages" not in kept:
        kept["_pool_of_pages"] = pool_of(values.frame)
    return kept["_pool_of_pages"]


def scorecard_exhibit(area: Area, values: Values | None = None) -> Exhibit:
    """The quarterly Scorecard of an area on one page."""
    made = board(area, "scorecard", values)
    first = made.sets[:1]
    columns = [
        _column("measure", "Measure"),
        _figures("latest", "Latest (period)"),
        _figures("interval", "95% interval"),
        _column("move", "Change on the year before"),
        _column("trend", "Trend", "trend"),
        _figures("england", "England"),
        *(_figures(f"set_{n}", words.median_of(s)) for n, s in enumerate(first)),
        _column("by_england", "Beside England"),
        *(_column(f"by_set_{n}", f"Beside {words.called(s)}") for n, s in enumerate(first)),
    ]
    return _page(made, "scorecard", f"SEND Scorecard, {area.label}", columns, {})


def dashboard_exhibit(area: Area, values: Values | None = None) -> Exhibit:
    """The comparison of an area with the country on one page, from public data alone where the area has them."""
    made = board(area, "dashboard", values)
    columns = [
        _column("measure", "Measure"),
        _figures("latest", f"{area.name} (period)"),
        _column("trend", "Trend", "trend"),
        _figures("region_words", area.region_name),
        _figures("england", "England"),
        *(_figures(f"set_{n}", words.median_of(s)) for n, s in enumerate(made.sets)),
        _figures("rank_words", "Rank among authorities"),
        _column("by_england", "Beside England"),
        _column("by_set", "Does the verdict change with the neighbour set?"),
    ]
    cells = {
        "trend": _each(made, words.direction_words),
        "by_set": _each(made, lambda row: words.by_set(row, made.sets)),
    }
    return _page(made, "dashboard", f"SEND Dashboard, {area.label}", columns, cells)


def figures_exhibit(made: Board) -> Exhibit:
    """Every indicator's latest figure: what the next cycle compares its own with."""
    columns = [
        _column("measure", "Measure"),
        _figures("latest", "Latest (period)"),
        _figures("interval", "95% interval"),
        _figures("england", "England"),
        _column("by_england", "Beside England"),
    ]
    shown = _page(made, "figures", f"Every indicator’s latest figure, {made.area.label}", columns, {})
    return replace(shown, folded=True, extras={}) if shown.kind == "table" else shown


def _page(
    made: Board, name: str, title: str, columns: list[dict[str, str]], own_cells: dict[str, list[str]]
) -> Exhibit:
    if made.rows.empty:
        return notice(name, f"{title}: no measure has a figure.", "Bring official files or the area’s own records.")
    numbers = words.source_numbers(made.rows)
    targets = {(t.indicator, t.group): t for t in made.frame.targets}
    revised, mixed = _revised(made), made.rows["origin"].nunique() > 1
    cells = {
        "series": _each(made, words.series_words),
        "version": _each(made, lambda row: str(catalogue()[row.indicator].version)),
        "measure": _each(made, lambda row: words.measure_words(row, numbers, targets.get((row.indicator, row.group)))),
        "latest": _each(
            made,
            lambda row: words.latest_words(row, (row.indicator, row.group) in revised, mixed and row.origin == "local"),
        ),
        "interval": _each(made, words.interval_words),
        "promise": _each(made, lambda row: words.promise_words(row, targets.get((row.indicator, row.group))) or "none"),
        "move": _each(made, words.change_words),
        "trend": _each(made, words.trend_words),
        "trend_alt": _each(made, words.history_words),
        "england": _each(made, words.england_words),
        "by_england": _each(made, lambda row: words.verdict_word(row, "england")),
        "region_words": _each(made, words.region_words),
        "rank_words": _each(made, words.rank_words),
        **{f"set_{n}": _each(made, lambda row, n=n: words.median_words(row, n)) for n in range(len(made.sets))},
        **{
            f"by_set_{n}": _each(made, lambda row, n=n: words.verdict_word(row, f"set_{n}"))
            for n in range(len(made.sets))
        },
        **{
            n: _each(made, lambda row, n=n: words.plain_words(row, n.removesuffix("_plain")))
            for n in words.CSV
            if n.endswith("_plain")
        },
        **own_cells,
    }
    table = _released(made, numbers)
    table = table.with_columns(**{k: pd.Series(v, dtype="object") for k, v in cells.items()})
    return scorecard_table(
        table.with_columns(trend_history=made.rows["history"]),
        id=name,
        title=title,
        columns=columns,
        row_header="measure",
        section="section",
        beneath="beneath",
        csv_columns=[
            *(_column(n, label) for n, label in _csv_labels(made.frame).items()),
            *(_column(n, label) for n, label in words.FOR_THE_NEXT_CYCLE.items() if name == "figures"),
            *columns,
        ],
        legend=_legend(made, [cell for c in columns for cell in cells[c["name"]] if c["name"] != "measure"], name),
        after=words.awaiting_html(made.awaited),
        extras={"one_page": True},
    )


def _csv_labels(frame: Frame) -> dict[str, str]:
    return words.CSV | {"promise": words.promises_called(frame.targets)}


def _column(name: str, label: str, kind: str = "text") -> dict[str, str]:
    return {"name": name, "label": label, "kind": kind}


def _figures(name: str, label: str) -> dict[str, str]:
    return _column(name, label, "number")


def _each(made: Board, cell: Any) -> list[str]:
    return [cell(row) for row in made.rows.itertuples()]


def _released(made: Board, numbers: dict[str, str]) -> Released:
    """The figures as a table that exhibits accept.

    Each was published, or passed the gate when it was made from the area's own rows; a hidden one stays hidden, with
    all that was worked out from it.
    """
    frame = made.rows.drop(columns="history")
    symbols = pd.DataFrame("", index=frame.index, columns=frame.columns).mask(frame.isna(), "x")
    hidden = frame["symbol"] != ""
    symbols.loc[hidden, "value"] = frame.loc[hidden, "symbol"]
    sources = "; ".join(f"[{number}] {name}" for name, number in numbers.items())
    return Released(frame, symbols, sources, synthetic=made.area.synthetic)


def _revised(made: Board) -> set[tuple[str, str]]:
    """The measures whose latest figure stands otherwise in another issue of its table."""
    other = made.values.vintages
    own = other[other["area_code"] == made.area.code]
    latest = made.rows.merge(own[["indicator", "group", "period"]], on=["indicator", "group", "period"])
    return set(zip(latest["indicator"], latest["group"], strict=True))


def _legend(made: Board, cells: list[str], name: str) -> list[str]:
    """The sentences that explain a page: intervals, verdicts, marks, and what must not be read alone."""
    told = settings()["words"]
    marks = {mark for cell in cells for mark in cell.split(" ")[1:]}
    reasons = settings()["no_verdict"]
    alone = [catalogue()[n].name for n in unguarded(made.rows["indicator"])]
    tested = int((made.rows["england_verdict"] != "no verdict").sum())
    return [
        told["intro"],
        *([told["untested"]] if name == "scorecard" else []),
        told["tested"].format(n=tested),
        *(told[n] for n, why in (("judged", "published"), ("other_year", "other_year")) if reasons[why] in cells),
        *([told["position"]] if name == "dashboard" and made.rows["rank"].notna().any() else []),
        *(said for mark, said in settings()["marks"].items() if mark in marks),
        *([told["unguarded"].format(names=listing(alone))] if alone else []),
        *([] if "official" in made.values.frame["origin"].unique() else [told["carried"]]),
        *([told["synthetic"]] if made.area.synthetic else []),
    ]


def scorecard_finding(area: Area) -> Exhibit:
    """What the Scorecard says, in one sentence, with the measures that stand out."""
    made = board(area, "scorecard")
    return _finding(made, "scorecard", "Scorecard")


def dashboard_finding(area: Area) -> Exhibit:
    """What the Dashboard says, in one sentence, and where the verdict depends on who the neighbours are."""
    return _finding(board(area, "dashboard"), "dashboard", "Dashboard")


def _finding(made: Board, name: str, page: str) -> Exhibit:
    if made.rows.empty:
        return notice(
            f"{name}-finding", f"The {page} has no figure.", "Bring official files or the area’s own records."
        )
    sentence = sentences.page_sentence(made.area.label, page, made.rows)
    if made.area.synthetic:
        sentence = f"Synthetic data: {words.lower_first(sentence)}"
    detail = [
        *sentences.standing_out(made.rows, "worse"),
        *sentences.standing_out(made.rows, "better"),
        sentences.trend_sentence(made.rows),
        *sentences.set_sentences(made.rows, made.sets),
    ]
    return finding(f"{name}-finding", sentence, detail=detail)


def promises(area: Area) -> Exhibits:
    """What the board promised and what the figures say, each with a card."""
    made = board(area, "scorecard")
    rows = {(row.indicator, row.group): row for row in made.rows.itertuples()}
    return Exhibits(
        tuple(
            _promise(made, target, rows.get((target.indicator, target.group)), first=at == 0)
            for at, target in enumerate(made.frame.targets)
        )
    )


def _promise(made: Board, target: Target, row: Any, first: bool) -> Exhibit:
    indicator = catalogue()[target.indicator]
    name = f"promise-{target.indicator.lower()}"
    called = words.lower_first(words.promises_called(made.frame.targets))
    origin = [sentences.frame_sentence(made.frame, called)] if first else []
    if row is None:
        awaited = made.awaited.set_index("indicator")["mend"].get(target.indicator, "")
        return finding(name, sentences.promise_without_figure(target, indicator, awaited), detail=origin)
    sentence, detail = sentences.promise_sentence(row, target, indicator, made.sets)
    shown = finding(name, sentence, detail=[*detail, *origin])
    return with_extras(shown, card=_card(made, target, row, shown))


def _card(made: Board, target: Target, row: Any, shown: Exhibit) -> dict[str, Any]:
    indicator = catalogue()[target.indicator]
    return {
        "id": f"{shown.id}-card",
        "question": indicator.question,
        "headline": shown.title,
        "frames": row.frames.split(" "),
        "area": made.area.label,
        "period": row.period,
        "promise": target.words,
        "indicator": target.indicator,
        "group": target.group,
        "trend": words.trend_words(row),
        "comparator": sentences.comparator_sentence(row, made.sets),
        "confidence": sentences.confidence(row),
        "source": row.source,
        "balancing": [catalogue()[b].name for b in indicator.balancing],
        "synthetic": made.area.synthetic,
        "disclosure": made.area.protection,
    }
