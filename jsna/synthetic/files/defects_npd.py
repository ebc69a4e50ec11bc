"""Defects of research extracts (section 2.3 of the specification of formats)."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from jsna.codes import labels
from jsna.synthetic.files.census_files import NPD as FORM
from jsna.synthetic.files.defects import add, defect, put, some
from jsna.synthetic.files.output import Tables

NPD = (FORM,)


def _npd(t: Tables, stem: str) -> str:
    """The column of a stem, whatever its case and ending."""
    return next(c for c in t["npd"] if c.casefold().rsplit("_spr", 1)[0] == stem.casefold())


@defect("npd_mistyped_heading", NPD, "2.3", "Headings are in mixed case, and one stem is mistyped (SENprovsion).")
def _(t: Tables, rng: Generator) -> int:
    names = {c: c.title() if i % 2 else c.lower() for i, c in enumerate(t["npd"].columns)}
    names[_npd(t, "SENprovision")] = "SENprovsion_SPR26"
    t["npd"] = t["npd"].rename(columns=names)
    return len(t["npd"])


@defect("npd_plans_called_sls", NPD, "2.3", "Plans are called SLS instead of 3_SS in SENprovisionMajor.")
def _(t: Tables, rng: Generator) -> int:
    column = _npd(t, "SENprovisionMajor")
    return put(t, "npd", np.flatnonzero(t["npd"][column] == "3_SS"), **{column: "SLS"})


@defect("npd_descriptions", NPD, "2.3", "Some rows have a description in place of the ethnicity code.")
def _(t: Tables, rng: Generator) -> int:
    column = _npd(t, "EthnicGroupMinor")
    at = some(rng, t["npd"][column] != "")
    return put(t, "npd", at, **{column: t["npd"][column].map(labels("ethnicity")).to_numpy(object)[at]})


@defect("npd_need_in_provision", NPD, "2.3", "Some rows have a type of need in the provision column.")
def _(t: Tables, rng: Generator) -> int:
    column = _npd(t, "SENprovision")
    return put(t, "npd", some(rng, t["npd"][column] == "K"), **{column: "SEMH"})


@defect("npd_before_birth", NPD, "2.3", "Some pupils are recorded before their birth.")
def _(t: Tables, rng: Generator) -> int:
    column = _npd(t, "YearOfBirth")
    return put(t, "npd", some(rng, t["npd"][column] != "", share=0.002), **{column: "2027"})


@defect(
    "npd_rows_repeated", NPD, "2.3", "Some pupils have a second row of the same school and term, as subsidiary (S)."
)
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, np.ones(len(t["npd"]), bool), share=0.005)
    return add(t, "npd", t["npd"].iloc[at].assign(**{_npd(t, "EnrolStatus"): "S", _npd(t, "OnRoll"): "0"}))


@defect("npd_provisions_disagree", NPD, "2.3", "Some pupils with SEN support are 1_NON in SENprovisionMajor.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["npd"][_npd(t, "SENprovision")] == "K")
    return put(t, "npd", at, **{_npd(t, "SENprovisionMajor"): "1_NON"})


@defect("npd_deciles_mixed", NPD, "2.3", "The decile of half of the pupils stands in a column of the edition of 2015.")
def _(t: Tables, rng: Generator) -> int:
    column = _npd(t, "IDACIDecile_25")
    older = rng.random(len(t["npd"])) < 0.5
    decile = t["npd"][column]
    t["npd"] = (
        t["npd"]
        .assign(**{column: np.where(older, "", decile), column.replace("_25_", "_15_"): np.where(older, decile, "")})
        .astype("str")
    )
    return int(older.sum())
