"""Which counts a local measure is made of: ``local_values.yml`` beside the ways of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pandas as pd

from jsna.evidence.catalogue import Indicator, Local, refuse_across
from jsna.files.packaged import packaged_yaml

ALIASES = {"annual_reviews": "reviews", "ehc_cases": "cases", "survey_responses": "survey"}
OF_PUPILS = {"any_sen": "all_sen", "sen_support": "sen_support", "ehc_plan": "ehc_plan", "no_sen": "no_sen"}
OF_SEN_ALONE = ("need_", "two_needs")
COUNTED_GROUPS = ("all", "no_sen", "sen_support", "ehc_plan", "all_sen")
WAY_COLUMNS = ("place", "indicator", "group", "brings", "measure", "numerator", "denominator", "rests_on")


@cache
def specification() -> dict[str, Any]:
    """What each source counts, by source, as ``local_values.yml`` has it."""
    return packaged_yaml("jsna.evidence.local_values", "local_values.yml")


def names_of(brings: str) -> dict[str, tuple[str, ...]]:
    """``{measure: (numerator, denominator)}``: the names of what a source's measures count.

    >>> names_of("absence")["severely_absent"]
    ('severe', 'enrolments')
    """
    return {measure: tuple(names) for measure, names in specification()[brings]["measures"].items()}


def question_of(number: str) -> str:
    """The indicator that a survey's question is known to ask about, else the question's own number.

    >>> question_of("Listened_To"), question_of("voi-02"), question_of("Q7")
    ('VOI-01', 'VOI-02', 'Q7')
    """
    known = {name: i for i, names in specification()["survey"]["questions"].items() for name in (i.casefold(), *names)}
    return known.get(str(number).strip().casefold(), str(number))


def who_of(code: str) -> str:
    """Who answered a survey, from the code of a file; a code that could not be read is of nobody known.

    >>> who_of("YP"), who_of("")
    ('young_people', 'not_known')
    """
    return specification()["survey"]["respondents"].get(str(code), "not_known")


def source_of(way: Local) -> str:
    """The source that a way of the catalogue is made from.

    >>> source_of(Local(brings="annual_reviews", measure="transfer_in_time"))
    'reviews'
    """
    return ALIASES.get(way.brings, way.brings)


def keys_of(way: Local) -> tuple[str, str] | None:
    """The counts ``name@group`` that a way divides ("" for a number by itself); nothing for an unknown measure.

    >>> keys_of(Local(brings="pupils", measure="need_ASD", of="ehc_plan"))
    ('need_ASD@ehc_plan', 'pupils@ehc_plan')
    >>> keys_of(Local(brings="absence", measure="severely_absent", group="no_sen"))
    ('severe@no_sen', 'enrolments@no_sen')
    """
    source = source_of(way)
    if source == "pupils":
        return _of_pupils(way)
    if source == "survey":
        who = "parents" if way.group == "all" else way.group
        return f"{way.measure}: positive@{who}", f"{way.measure}: answered@{who}"
    named = names_of(source).get(way.measure) if source in specification() else None
    if named is None:
        return None
    # A group of the indicator's own, such as a need, is told by the measure; counts are by SEN provision.
    group = way.group if way.group in COUNTED_GROUPS else "all"
    keys = [name if "@" in name else f"{name}@{group}" for name in named]
    return keys[0], keys[1] if len(keys) > 1 else ""


def _of_pupils(way: Local) -> tuple[str, str]:
    base = OF_PUPILS.get(way.of, "all")
    if way.measure in OF_PUPILS:
        return f"pupils@{OF_PUPILS[way.measure]}", f"pupils@{base}"
    inside = "all_sen" if base == "all" and way.measure.startswith(OF_SEN_ALONE) else base
    return f"{way.measure}@{inside}", f"pupils@{base}"


def ways_of(indicators: Iterable[Indicator]) -> pd.DataFrame:
    """Every local way in the catalogue's order, with the counts it is made of; "" where its measure is not known.

    Raises ``CodeListError`` for a source that counts other children than the indicator does.
    """
    rows = []
    for indicator in indicators:
        for way in indicator.local:
            source, keys = source_of(way), keys_of(way) or ("", "")
            refuse_across(specification().get(source, {}).get("basis", indicator.basis), indicator.basis)
            told = specification().get(source, {}).get("rests_on", {})
            rests = [_in_group(told[k.partition("@")[0]], k) for k in keys if k.partition("@")[0] in told]
            place = (len(rows), indicator.id, way.group, source, way.measure)
            rows.append((*place, *keys, rests[0] if rests else ""))
    return pd.DataFrame(rows, columns=list(WAY_COLUMNS))


def _in_group(name: str, key: str) -> str:
    return f"{name}@{key.partition('@')[2]}"
