"""The checks that real readers of SEN2 returns run, and further ones: who and where, plans and placements, joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from jsna.sources.sen2.assemble import Assembled, Census
from jsna.sources.sen2.carried import Carried
from jsna.sources.sen2.findings import Finding, as_frame, found, spec
from jsna.sources.sen2.joins import by_key, open_on, plans, text_by
from jsna.sources.sen2.layout import layout, tables
from jsna.sources.sen2.persons import UNKNOWN_SEX


@dataclass(frozen=True)
class Checked:
    """What the checks look at. ``frames`` are the nine tables; ``schools`` is the register, or None."""

    frames: Mapping[str, pd.DataFrame]
    carried: Carried
    assembled: Assembled
    census: Census
    schools: pd.DataFrame | None = None

    def lacks(self, table: str, *columns: str) -> bool:
        """Whether the sector tool's CSVs, which have few columns of places, have not got one of these at all."""
        return self.carried.form == "modules" and not set(columns) <= set(self.carried.parts[table].frame.columns)


def run_checks(carried: Carried, assembled: Assembled, census: Census, schools: pd.DataFrame | None) -> pd.DataFrame:
    """All checks on a return, as a table of findings: number, name, severity, table, count, rows, sentence.

    ``schools`` is the register: urn, type, has_sen_unit, has_resourced_provision (of ``read_schools``); without it
    the checks 7b, 8a and 8b are not run.
    """
    from jsna.sources.sen2 import checks_dates

    frames = {name: loaded.frame for name, loaded in assembled.tables.items()}
    c = Checked(frames, carried, assembled, census, schools)
    parts = (_carrier, _persons, _requests, _open, _places, _register, _needs, _joins, *checks_dates.CHECKS)
    compared, absent = checks_spec()["compares_with"], {*carried.missing, *carried.never}
    findings = [f for part in parts for f in part(c) if not absent & set(compared.get(f.number, ()))]
    return as_frame(findings, checks_spec()["checks"])


def checks_spec() -> Mapping:
    """The checks' names, severities, sentences and thresholds."""
    return spec("jsna.sources.sen2", "checks.yml")


def _carrier(c: Checked) -> list[Finding]:
    hits = [Finding("21", t, (), 0, t, counted=1) for t in c.carried.missing]
    if c.carried.strange:
        hits.append(Finding("22", "", (), 0, ", ".join(c.carried.strange[:12]), counted=len(c.carried.strange)))
    if c.census.year > layout()["years"]["last"]:
        hits.append(Finding("26", "sen2", (), 0, str(c.census.year), counted=1))
    header = c.frames["sen2"]
    if len(header) == 1 and pd.notna(day := header["reference_date"].iloc[0]) and day.year != c.census.year:
        hits += found("23", "sen2", header, pd.Series(True, index=header.index), more=f"{day:%d %B %Y}")
    short = c.carried.form == "modules"
    for name, table in tables().items():
        part, frame = c.carried.parts[name], c.frames[name]
        for column, rows in ({} if short else c.assembled.other_year[name]).items():
            hits.append(Finding("20a", name, tuple(int(r) for r in rows), len(frame), column))
        hits += [
            Finding("20b", name, (), len(frame), column.name, counted=len(frame))
            for column in table.columns.values()
            if column.essential
            and column.in_year(c.census.year)
            and len(frame)
            and not (short and column.name in layout()["not_in_modules"])
            and not _filled(part.frame, frame, column.name)
        ]
        hits += _cells(c, name)
        if unnamed := tuple(int(r) for r in c.assembled.unnamed[name]):
            hits.append(Finding("1e", name, unnamed, part.rows_read))
        if again := tuple(int(r) for r in c.assembled.repeated[name]):
            hits.append(Finding("1c", name, again, part.rows_read))
    return hits


def _filled(text: pd.DataFrame, frame: pd.DataFrame, column: str) -> bool:
    """Whether a column has a value in any row; columns that became others at the door are judged by these."""
    became = {"sex": "sex", "person_birth_date": "age", "ethnicity": "ethnicity_detailed"}
    if column in became or column in frame:
        values = frame[became.get(column, column)]
        return bool((values.notna() & ~values.astype("str").isin(["", UNKNOWN_SEX])).any())
    return column in text and bool((text[column] != "").any())


def _cells(c: Checked, name: str) -> list[Finding]:
    """Refused cells by column; those with a check of their own are told there."""
    aside = c.assembled.tables[name].quarantine
    hits = []
    for column, cells in aside[aside["column"] != ""].groupby("column", sort=True):
        number = {"sen_setting": "6c", "sen_type": "10b", "upn": "2d"}.get(str(column), "25")
        hits.append(Finding(number, name, tuple(int(r) for r in cells["row"]), len(c.frames[name]), str(column)))
    return hits


def _persons(c: Checked) -> list[Finding]:
    person = c.frames["person"]
    nobody = person["id_basis"] == "table"
    twice = person["person_id"].duplicated(keep=False) & ~nobody
    hits = found("1d", "person", person, twice)
    hits += found("2a", "person", person, nobody & (person["upn_unknown"] != ""))
    hits += found("2b", "person", person, nobody & (person["upn_unknown"] == ""))
    hits += found("2c", "person", person, person["upn_problem"].isin(["wrong check letter", "unknown LA"]))
    hits += found("4a", "person", person, person["age"].isna())
    hits += found("4c", "person", person, person["ethnicity_detailed"] == "")
    hits += found("4d", "person", person, person["sex"] == UNKNOWN_SEX)
    hits += found("4b", "person", person, (person["age"] < 0) | (person["age"] > 24))
    return hits


def _requests(c: Checked) -> list[Finding]:
    requests = c.frames["requests"]
    lacking = (requests["person_id"] == "") | requests["received_date"].isna()
    keys = ["person_id", "received_date"]
    return [
        *found("1a", "requests", requests, lacking),
        *found("1b", "requests", requests, requests.duplicated(keys, keep=False) & ~lacking),
    ]


def _open(c: Checked) -> list[Finding]:
    """What is open on the day of the census: several plans of one person, plans and placements without each other."""
    day = c.census.day
    placements = c.frames["placementdetail"]
    placements = placements[open_on(placements["entry_date"], placements["leaving_date"], day)]
    active = plans(c.frames)
    standing = active[~(active["cease_date"] < day).fillna(False) & (active["person_id"] != "")]
    several = standing.groupby("person_id")["request_key"].transform("nunique") > 1
    placed = placements[placements["person_id"] != ""]
    from_several = placed.groupby("person_id")["request_key"].transform("nunique") > 1
    hits = found("3a", "activeplans", standing, several)
    hits += found("3b", "placementdetail", placed, from_several)
    moved_in = active["transfer_la"] != ""
    without = ~active["request_key"].isin(c.frames["namedplan"]["request_key"].dropna())
    hits += found("5c", "activeplans", active, without & moved_in)
    hits += found("5d", "activeplans", active, without & ~moved_in)
    named = c.frames["namedplan"]
    named = named[open_on(named["start_date"], named["cease_date"], day) & named["request_key"].notna()]
    unplaced = ~named["request_key"].isin(placements["request_key"].dropna())
    moved = named["request_key"].isin(active.loc[moved_in, "request_key"].dropna())
    return [
        *hits,
        *found("5a", "namedplan", named, unplaced & moved),
        *found("5b", "namedplan", named, unplaced & ~moved),
    ]


def _places(c: Checked) -> list[Finding]:
    hits = []
    for name in ("plandetail", "placementdetail"):
        frame = c.frames[name]
        told = sum((frame[column] != "").astype("int64") for column in ("urn", "ukprn", "sen_setting"))
        untold = frame["sen_unit_indicator"].isna() | frame["resourced_provision_indicator"].isna()
        at_school = (frame["urn"] != "") | (frame["ukprn"] != "")
        # Without its UKPRN a place at a provider that has no URN looks like none.
        hits += found("6d" if c.lacks(name, "ukprn") else "6a", name, frame, told == 0)
        hits += found("6b", name, frame, told > 1)
        if not c.lacks(name, "sen_unit_indicator", "resourced_provision_indicator"):
            hits += found("7a", name, frame, untold & at_school)
        hits += _ranks(c, name, frame)
    return hits


def _ranks(c: Checked, name: str, frame: pd.DataFrame) -> list[Finding]:
    """Ranks among the places of one plan; of placements, those that are open on the day of the census."""
    plan = tables()[tables()[name].parent].key
    if name == "placementdetail":
        frame = frame.loc[open_on(frame["entry_date"], frame["leaving_date"], c.census.day)]
    frame = frame.loc[frame[plan].notna()]
    first, second = (frame["placement_rank"] == 1).fillna(False), (frame["placement_rank"] == 2).fillna(False)
    firsts = first.groupby(frame[plan]).transform("sum")
    return [
        *found("9a", name, frame, second & (firsts == 0), of=frame[plan].nunique()),
        *found(
            "9b",
            name,
            frame,
            first & (firsts > 1) & ~frame[first].duplicated(plan).reindex(frame.index, fill_value=True),
        ),
    ]


def _register(c: Checked) -> list[Finding]:
    if c.schools is None:
        return []
    register = c.schools.drop_duplicates("urn").set_index("urn")
    hits = []
    for name in ("plandetail", "placementdetail"):
        frame = c.frames[name]
        known = frame["urn"].isin(register.index)
        kind = text_by(frame["urn"], register["type"])
        odd = kind.isin(checks_spec()["register"]["unlikely_types"])
        wrong = pd.Series(False, index=frame.index)
        for indicator, column in (
            ("sen_unit_indicator", "has_sen_unit"),
            ("resourced_provision_indicator", "has_resourced_provision"),
        ):
            none = ~by_key(frame["urn"], register[column].astype("boolean")).fillna(True).astype("bool")
            wrong |= frame[indicator].fillna(False).astype("bool") & known & none
        hits += found("7b", name, frame, wrong)
        hits += found("8a", name, frame, odd, more=", ".join(sorted(kind[odd].unique())))
        hits += found("8b", name, frame, ~known & (frame["urn"] != ""))
    return hits


def _needs(c: Checked) -> list[Finding]:
    need, active = c.frames["senneed"], c.frames["activeplans"]
    hits = found(
        "10a", "activeplans", active, ~active["activeplan_key"].isin(need.loc[need["sen_type"] != "", "activeplan_key"])
    )
    linked = need[need["activeplan_key"].notna()]
    plan = linked["activeplan_key"]
    first, second = (linked["sen_type_rank"] == 1).fillna(False), (linked["sen_type_rank"] == 2).fillna(False)
    firsts = first.groupby(plan).transform("sum")
    same = linked.duplicated(["activeplan_key", "sen_type"]) & (linked["sen_type"] != "")
    again = linked[first].duplicated("activeplan_key").reindex(linked.index, fill_value=False)
    hits += found("10c", "senneed", linked, second & (firsts == 0))
    hits += found("10d", "senneed", linked, same)
    hits += found("10e", "senneed", linked, again)
    for name, table in tables().items():
        for column in table.columns.values():
            early = [code for code, since in column.codes_since.items() if since > c.census.year]
            hits += (
                found("10f", name, c.frames[name], c.frames[name][column.name].isin(early), more=", ".join(early))
                if early
                else []
            )
    return hits


def _joins(c: Checked) -> list[Finding]:
    hits = []
    for name in tables():
        rows = tuple(int(r) for r in c.assembled.orphans[name])
        if rows:
            hits.append(Finding("11a", name, rows, len(c.frames[name])))
    f = c.frames
    hits += found("11b", "person", f["person"], ~f["person"]["person_key"].isin(f["requests"]["person_key"].dropna()))
    agreed = f["requests"]["request_outcome"] == "Y"
    assessed = f["requests"]["request_key"].isin(f["assessment"]["request_key"].dropna())
    hits += found("11c", "requests", f["requests"], agreed & ~assessed)
    assessment = f["assessment"]
    issued = (assessment["assessment_outcome"] == "Y") & assessment["assessment_outcome_date"].notna()
    named = assessment["assessment_key"].isin(f["namedplan"]["assessment_key"].dropna())
    hits += found("11d", "assessment", assessment, issued & ~named)
    detailed = f["namedplan"]["namedplan_key"].isin(f["plandetail"]["namedplan_key"].dropna())
    hits += found("11e", "namedplan", f["namedplan"], ~detailed)
    placed = f["activeplans"]["activeplan_key"].isin(f["placementdetail"]["activeplan_key"].dropna())
    hits += found("11f", "activeplans", f["activeplans"], ~placed)
    for name, parent in (
        ("assessment", "request_key"),
        ("namedplan", "assessment_key"),
        ("activeplans", "request_key"),
    ):
        second = f[name].duplicated(parent) & f[name][parent].notna()
        hits += found("11g", name, f[name], second)
    return hits
