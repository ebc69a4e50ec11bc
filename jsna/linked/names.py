"""What the counts of a pack are called: the variables and categories that its linked tables share.

Variables: ``sen`` (an outcome such as ``any_sen`` or ``need_ASD``; without it, all pupils), ``ethnicity``,
``language_group``, ``sex``, ``year_group``, ``school_phase``, and ``place`` for everything that follows from the home:
wards, small areas, deprivation. Every characteristic has the categories ``known`` and ``not known`` beside its groups.
"""

from __future__ import annotations

import pandas as pd

from jsna.disclosure import names_of

PUPILS = "pupils"
KNOWN, NOT_KNOWN = "known", "not known"
ALL_PUPILS = "pupils"
PLACES = {"ward_code": "", "idaci_decile": "decile ", "idaci_quintile": "fifth "}
# Categories of two columns that are the same pupils have one name.
ONE_NAME = {"fifth known": "decile known", "fifth not known": "decile not known", "fifth 0": "decile 0"}
WARD = {KNOWN: "home", NOT_KNOWN: "elsewhere"}


def variable_of(column: str) -> str:
    """The variable that a column of the pupil table holds categories of.

    >>> variable_of("sex"), variable_of("ward_code")
    ('sex', 'place')
    """
    return "place" if column in PLACES else column


def category(column: str, group: pd.Series | str) -> pd.Series | str:
    """A group of a column by the name it has among the categories of the variable.

    >>> category("idaci_decile", "3"), category("sex", "F"), category("ward_code", KNOWN)
    ('decile 3', 'F', 'home')
    """
    if isinstance(group, str) and not group:
        return group
    if isinstance(group, pd.Series):
        groups = group.astype("str")
        return groups.map({g: category(column, g) for g in groups.unique()}).astype("object")
    if column == "ward_code":
        return WARD.get(group, group)
    name = f"{PLACES.get(column, '')}{group}"
    return ONE_NAME.get(name, name)


def sen_of(outcome: pd.Series | str) -> pd.Series | str:
    """An outcome as a category of ``sen``; all pupils are nobody in particular."""
    if isinstance(outcome, pd.Series):
        return outcome.astype("str").where(outcome != ALL_PUPILS, "")
    return "" if outcome == ALL_PUPILS else outcome


def pupil_names(
    index: pd.Index, period: pd.Series | str, outcome: pd.Series | str = ALL_PUPILS, **variables: pd.Series | str
) -> pd.Series:
    """The names of counts of pupils.

    >>> pupil_names(pd.RangeIndex(1), "202526", "any_sen", place="decile 3").tolist()
    ['pupils|202526|place=decile 3|sen=any_sen']
    """
    return names_of(index, PUPILS, period=period, sen=sen_of(outcome), **variables)


def group_names(
    index: pd.Index,
    period: pd.Series | str,
    column: str,
    group: pd.Series | str,
    outcome: pd.Series | str = ALL_PUPILS,
) -> pd.Series:
    """The names of counts of the groups of one column of the pupil table; ``group`` ``""``: of everybody."""
    return pupil_names(index, period, outcome, **{variable_of(column): category(column, group)})
