"""Outcomes of all pupils or all plans together: the newest figure, its trend, and its place among others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jsna.area import Area
from jsna.chapters.base import frame_of_area, with_extras
from jsna.chapters.outcomes import break_notes, missing, outcome_id, publish, source_rows, where
from jsna.chapters.outcomes_words import FEW, footnotes, of_how_many, texts
from jsna.evidence.catalogue import Target, catalogue
from jsna.evidence.comparators import NO_VERDICT, beside, years_of_rank
from jsna.evidence.outcomes import assumed_counts, by_status, figures, plausible_ranks
from jsna.evidence.scorecard import settings
from jsna.evidence.trends import trends
from jsna.exhibits.charts import dot_interval
from jsna.exhibits.comparing import rank_chart, trend_sentence
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import finding
from jsna.exhibits.trend_chart import trend

AGES_16_17 = ("16", "17")
PLACE_WORDS = {"higher": "highest", "lower": "lowest"}


def statement(area: Area, indicator: str, group: str = "all") -> Exhibit:
    """The newest figure beside England and the neighbours, with its interval or the reason for none."""
    rows = _rows(area, indicator, group)
    own = rows[rows["place"] == area.name]
    if own.empty:
        return missing(area, indicator)
    said, last, unit = texts()["together"][indicator], own.iloc[-1], _unit(indicator)
    level = area.params.confidence
    table = beside(area.values, area, indicator, group, period=str(last["period"]), confidence=level)
    england = table.loc[(table["kind"] == "england") & table["value"].notna(), "value"]
    value = f"fewer than {FEW} of {int(last['denominator']):,}" if _few(last) else f"{_number(last['value'])}{unit}"
    shown = said["said"].format(value=value, area=_whose(area, group))
    compared = f"; England {_number(england.iloc[0])}{unit}" if len(england) else ""
    detail = (
        _certainty(last),
        *_others(table, unit, catalogue()[indicator].direction),
        *_trend(area, indicator, group),
        *([said["note"]] if "note" in said else []),
        *footnotes(own, catalogue()[indicator]),
    )
    made = finding(
        f"{_id(indicator, group)}-finding", of_how_many(f"In {last['period']}, {shown}{compared}."), detail=detail
    )
    return with_extras(made, sources=source_rows(area, rows))


def over_time(area: Area, indicator: str, group: str = "all") -> Exhibit:
    """Every published year: the area, England, the region and each set of neighbours."""
    rows = figures(area.values, indicator, (group,), where(area))
    own = rows[(rows["place"] == area.name) & rows["value"].notna()]
    if len(own) < 2:
        return missing(area, indicator)
    said = texts()["together"][indicator]
    shown = by_status(rows, (group,)).rename(columns={group: "value", f"{group}_symbol": "value_symbol"})
    return trend(
        publish(area, shown[["period", "place", "value", "value_symbol"]], rows, notes=break_notes(rows, indicator)),
        id=f"{_id(indicator, group)}-trend",
        title=f"{said['title']}{_of_group(group)}",
        x="period",
        series="place",
        value="value",
        highlight=area.name,
        breaks=tuple(own.loc[own["break_before"].astype(bool), "period"]),
        break_label="",
        unit=said["unit"],
    )


def beside_others(area: Area, indicator: str, group: str = "all") -> Exhibit:
    """The newest figure with its interval beside England, the region and every neighbour's."""
    codes = list(dict.fromkeys(code for place in where(area) for code in place.codes))
    rows = area.values.of(indicator, group, codes)
    own = rows[(rows["area_code"] == area.code) & rows["value"].notna()]
    if own.empty or own["lower"].isna().all():
        return missing(area, indicator)
    period = own.iloc[-1]["period"]
    now = rows[rows["period"] == period].drop_duplicates("area_code")
    now = now.assign(area_name=now["area_name"].mask(now["area_code"] == area.code, area.name))
    england = now.loc[now["area_name"] == "England", "value"]
    said = texts()["together"][indicator]
    shown = now[["area_name", "value", "lower", "upper", "symbol"]].rename(columns={"symbol": "value_symbol"})
    return dot_interval(
        publish(area, shown.reset_index(drop=True), now),
        id=f"{_id(indicator, group)}-beside",
        title=f"{said['title']}{_of_group(group)}, {period}",
        group="area_name",
        value="value",
        lower="lower",
        upper="upper",
        unit=said["unit"],
        reference_line=float(england.iloc[0]) if len(england) else None,
        reference_label="England",
        highlight=area.name,
    )


def rank_years(area: Area, indicator: str, group: str = "all") -> Exhibit:
    """The area's rank in each year, and of the newest the places it could be under the assumption that is stated."""
    found = years_of_rank(area.values, area, indicator, group)
    if found.empty:
        return missing(area, indicator)
    assumed = _assumed_ranks(area, indicator, group, int(found["year"].iloc[-1]))
    limits = {"rank_lower": np.nan, "rank_upper": np.nan} if assumed is None else assumed
    newest = found["year"] == found["year"].max()
    found = found.assign(**{c: np.where(newest, limits[c], np.nan) for c in ("rank_lower", "rank_upper")})
    said = texts()["together"][indicator]
    ranged = "" if assumed is None else f"; range of {assumed.name} under the assumption below"
    return rank_chart(
        publish(area, found, _rows(area, indicator, group), notes=(_plausible(area, assumed, None),)),
        id=f"{_id(indicator, group)}-ranks",
        title=f"{said['title']}: the rank of {area.name} in each year{ranged}",
        label="period",
    )


def rank_finding(area: Area, indicator: str, group: str = "all") -> Exhibit:
    """The rank, what the board has promised of it, and which ranks are plausible under a stated assumption."""
    found = years_of_rank(area.values, area, indicator, group)
    if found.empty:
        return missing(area, indicator)
    last, target = found.iloc[-1], _target(area, indicator, group)
    before = "; ".join(f"{r.period}: {int(r.rank)} of {int(r.of)}" for r in found.iloc[:-1].tail(3).itertuples())
    aim = f"The board’s aim: {_small(target.words)}." if target else ""
    sentence = (
        f"In {last['period']}, {area.name} ranked {int(last['rank'])} of {int(last['of'])} authorities with a figure "
        f"(1 is the {PLACE_WORDS[catalogue()[indicator].direction]}); one rank alone says little."
    )
    assumed = _assumed_ranks(area, indicator, group, int(last["year"]))
    detail = (f"Before, {before}." if before else "", aim, _plausible(area, assumed, target))
    return finding(f"{_id(indicator, group)}-rank", sentence, detail=tuple(d for d in detail if d))


def _assumed_ranks(area: Area, indicator: str, group: str, year: int) -> pd.Series | None:
    """The ranks that are plausible if as many were counted as had plans; nothing where that cannot be said."""
    official = area.params.has_data_folder() or "official" in area.brings
    if not official or "ehc" not in area.official.found:
        return None
    assumed = assumed_counts(area.official.ehc("caseload").frame, year, AGES_16_17)
    found = plausible_ranks(area.values, indicator, group, area.code, assumed, area.params.confidence)
    return None if found is None or pd.isna(found["rank_lower"]) else found


def _plausible(area: Area, found: pd.Series | None, target: Target | None) -> str:
    """The assumption and the ranks that follow from it, in words, and what they say of the promise."""
    if found is None:
        return texts()["no_counts"]
    lower, upper, of = (int(found[c]) for c in ("rank_lower", "rank_upper", "of"))
    words = {"year": found.name, "assumed": int(found["assumed_denominator"]), "area": area.name}
    said = texts()["rank_assumption"].strip().format(**words, lower=lower, upper=upper, of=of)
    if target is None:
        return said
    key = "inside" if upper <= target.top else "outside" if lower > target.top else "either"
    return f"{said} {texts()['rank_verdicts'][key].format(area=area.name, top=target.top)}"


def _small(words: str) -> str:
    return f"{words[:1].lower()}{words[1:].rstrip('.')}"


def _target(area: Area, indicator: str, group: str) -> Target | None:
    every = frame_of_area(area).targets
    return next((t for t in every if (t.indicator, t.kind, t.group) == (indicator, "rank", group)), None)


def _rows(area: Area, indicator: str, group: str) -> pd.DataFrame:
    rows = figures(area.values, indicator, (group,), where(area))
    return rows[rows["value"].notna()].reset_index(drop=True)


def _id(indicator: str, group: str) -> str:
    return f"{outcome_id(indicator)}-{group.replace('_', '-')}"


def _of_group(group: str) -> str:
    return texts()["subsets"].get(group, "")


def _whose(area: Area, group: str) -> str:
    """The area as a sentence names it, with the part of its pupils that a group stands for."""
    return f"{area.name}{texts()['subsets_of_area'].get(group, '')}"


def _unit(indicator: str) -> str:
    return "%" if catalogue()[indicator].unit == "%" else ""


def _number(value: float) -> str:
    return format_number(value, "percent")


def _few(row: Any) -> bool:
    return row["way"] == "counts" and row["numerator"] < FEW


def _certainty(last: pd.Series) -> str:
    """The interval of the newest figure, or why there is none."""
    if pd.isna(last["lower"]):
        return texts()["no_counts"]
    counted = pd.notna(last["denominator"]) and not _few(last)
    counts = f"{int(last['numerator']):,} of {int(last['denominator']):,}; " if counted else ""
    said = f"{counts}between {_number(last['lower'])} and {_number(last['upper'])} (95% confidence interval)."
    return said[:1].upper() + said[1:]


def _others(table: pd.DataFrame, unit: str, direction: str) -> tuple[str, ...]:
    """Every comparator's figure, the verdict where one can be given, and the area's rank among the authorities."""
    known = table[table["value"].notna()]
    said = [_beside(row, unit) for row in known.to_dict("records")]
    england = known[known["kind"] == "england"]
    if len(england) and pd.notna(england["rank"].iloc[0]):
        said.append(_rank(england.iloc[0], direction))
    words = "; ".join(said)
    return (f"{words[:1].upper()}{words[1:]}.",) if said else ()


def _beside(row: dict[str, Any], unit: str) -> str:
    median = "median of the " if row["kind"] in ("neighbours", "own") else ""
    verdict = "" if row["verdict"] == NO_VERDICT else f" ({row['words']})"
    return f"{median}{row['name']} {_number(row['value'])}{unit}{verdict}"


def _rank(england: pd.Series, direction: str) -> str:
    """The rank with those that are plausible; without counts the quarter alone, as the Dashboard has it."""
    rank, of, end = int(england["rank"]), int(england["of"]), PLACE_WORDS.get(direction, "highest")
    if pd.isna(england["rank_lower"]):
        quarters = settings()["quarters"]
        part = quarters[min(len(quarters) * (rank - 1) // of, len(quarters) - 1)]
        return f"in the {part} of {of} authorities (the first has the {end} figures)"
    plausible = f"plausibly {int(england['rank_lower'])} to {int(england['rank_upper'])}"
    return f"rank {rank} of {of} authorities, {plausible} (1 is the {end})"


def _trend(area: Area, indicator: str, group: str) -> tuple[str, ...]:
    """What the series does since its last break, and its last change."""
    found = trends(area.values, indicator, group, area, confidence=area.params.confidence)
    return (trend_sentence(found, catalogue()[indicator].unit),) if found is not None else ()
