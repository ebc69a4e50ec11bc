"""Persons at the door: number to keyed hash, date of birth to age, postcode to small area, sex from either column."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from jsna.codes import code_list
from jsna.files.result import refused, together
from jsna.sources.ages import age_on, before_academic_year
from jsna.sources.identity import HIDDEN, pseudonyms, upn_problems
from jsna.sources.pupil_fields import NOT_OBTAINED, UNKNOWN_SEX
from jsna.sources.sen2.layout import tables

SEXES = {"1": "M", "2": "F", "0": UNKNOWN_SEX, "9": UNKNOWN_SEX, "M": "M", "F": "F", "MALE": "M", "FEMALE": "F"}
BASES = ("upn", "uln", "table")

Place = Callable[[pd.Series], pd.Series]


def at_the_door(
    typed: pd.DataFrame,
    ids: pd.Series,
    key: bytes,
    *,
    census: pd.Timestamp,
    delivery: str,
    where: str,
    place: Place | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Persons without what names or locates them, and a quarantine of the numbers that were not used.

    ``typed`` is the table of persons with its identifiers, ``ids`` its ids in the source. ``person_id`` is the keyed
    hash of the UPN, else of the ULN, else of the id within the delivery, as ``id_basis`` says. ``age`` is age at 31
    August before the academic year of the census, ``age_census`` in whole years on its day (nullable).
    """
    upn, reason, aside = _upn(typed, where)
    born = typed["person_birth_date"]
    uln = typed["unique_learner_number"]
    fallback = f"sen2/{delivery}/" + ids.mask(ids == "", "row " + typed.index.astype("str").to_series(index=ids.index))
    number = upn.mask(upn == "", uln)
    number = number.mask(number == "", fallback)
    basis = pd.Series("upn", index=typed.index).mask(upn == "", "uln").mask((upn == "") & (uln == ""), "table")
    main = code_list("ethnicity_detailed")["main"]
    frame = pd.DataFrame(
        {
            "person_id": pseudonyms(number, key),
            "id_basis": pd.Categorical(basis, BASES),
            "upn_problem": upn_problems(upn).mask(upn == "", ""),
            "upn_unknown": reason,
            "age": age_on(born, before_academic_year(census)),
            "age_census": age_on(born, census),
            "sex": _sex(typed),
            "ethnicity": typed["ethnicity"].map(main).fillna(NOT_OBTAINED).astype("str"),
            "ethnicity_detailed": typed["ethnicity"],
            "lsoa21": _placed(typed["postcode"], place),
        },
        index=typed.index,
    )
    return frame, aside


def _upn(typed: pd.DataFrame, where: str) -> tuple[pd.Series, pd.Series, pd.DataFrame]:
    """Numbers that are formed as one, the reason for having none, and the cells that are neither."""
    upn, reason = typed["upn"], typed["upn_unknown"]
    reasons = tables()["person"].columns["upn_unknown"].codes
    moved = upn.isin(reasons)
    reason = reason.mask(moved & (reason == ""), upn)
    malformed = (upn_problems(upn) == "malformed") & (upn != "")
    rule = (
        "not formed as a UPN, so it was not used as one",
        "Thirteen characters: a letter, eleven digits, a digit or letter.",
    )
    told = ("a reason for having no UPN stands in its place; it was taken as the reason", "Move it to UPNunknown.")
    rows = typed.index
    parts = [
        refused(where, rows[malformed & ~moved], "upn", [HIDDEN] * int((malformed & ~moved).sum()), *rule),
        refused(where, rows[moved], "upn", upn[moved], *told),
    ]
    return upn.mask(malformed, ""), reason, together(parts)


def _sex(typed: pd.DataFrame) -> pd.Series:
    older = typed["gender_current"].map(SEXES).fillna(UNKNOWN_SEX)
    return typed["sex"].mask(typed["sex"] == "", older).astype("str")


def _placed(postcode: pd.Series, place: Place | None) -> pd.Series:
    if place is None:
        return pd.Series("", index=postcode.index, dtype="str")
    return place(postcode).reindex(postcode.index).fillna("").astype("str")
