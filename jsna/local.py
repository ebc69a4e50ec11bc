"""An authority's own data, as its params name them: read once in a run, and kept for the chapters of that run."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from jsna.codes import local_authority
from jsna.disclosure import PackPattern
from jsna.errors import ParamsError, Problem, SourceError, WorkbenchError
from jsna.files.result import Loaded, Summary, refused, together
from jsna.params import Params, Table
from jsna.sources.cases import cases_of_list
from jsna.sources.homes import Homes
from jsna.sources.identity import read_key
from jsna.sources.pupil_table import Context, PupilTable

if TYPE_CHECKING:
    from jsna.sources.extracts import Extract
    from jsna.sources.sen2.read import Sen2

T = TypeVar("T")
PREPARED_VARIABLE = "JSNA_PREPARED"
"""Names the folder in which a refresh keeps what it has read, for the chapters of this run alone."""
PIPELINE_LISTS = ("annual_reviews", "disputes")
"""The extracts, beside the case list, of which the EHC pipeline's stages are counted."""
VOICE_LISTS = (
    *("survey_responses", "survey_questions", "survey_profile", "survey_reach"),
    *("survey_themes", "survey_quotes", "survey_actions", "plan_audits"),
)
"""The extracts in which families speak, and the audits of plans."""


def pupils_of(params: Params) -> PupilTable:
    """The canonical pupils of the params' one area. Raises the ``WorkbenchError`` family, all faults together."""
    from jsna.sources.pupils import read_pupils

    problems = _missing(params)
    if problems:
        raise ParamsError(*problems)
    schools = _schools(params) if params.schools else None
    context = Context(params.areas[0], read_key(params.paths("key_file")[0]), homes_of(params), schools)
    if isinstance(params.pupils, Table):
        return _from_database(params, params.pupils, context)
    return read_pupils(params.paths("pupils"), context, params.census_date)


@dataclass(frozen=True)
class Read:
    """Sources that were read, what their readers found to look at, and the errors of those that could not be read."""

    sources: Sequence[Loaded] = ()
    findings: Sequence[pd.DataFrame] = ()
    errors: Sequence[WorkbenchError] = ()


def read_all(params: Params) -> Read:
    """Everything that the params name, each for itself: one that cannot be read does not hide the others."""
    sources: list[Loaded] = []
    findings: list[pd.DataFrame] = []
    errors: list[WorkbenchError] = []
    for read in (*(() if params.engine else (_read_pupils,)), _read_sen2, _read_extracts):
        try:
            loaded, found = read(params)
            sources += loaded
            findings += found
        except WorkbenchError as error:
            errors.append(error)
    return Read(sources, findings, errors)


def _read_pupils(params: Params) -> tuple[list[Loaded], list[pd.DataFrame]]:
    table = pupils_of(params)
    return [table.loaded], [table.findings]


def _read_sen2(params: Params) -> tuple[list[Loaded], list[pd.DataFrame]]:
    returns = sen2_of(params) if params.sen2 else []
    found = [
        r.findings.assign(
            check=f"SEN2 {r.year}, " + r.findings["name"].astype("str"),
            severity=r.findings["severity"].astype("str").map({"error": "error"}).fillna("look"),
            column=r.findings["table"],
            sentence=f"SEN2 {r.year}: " + r.findings["sentence"],
            place=_rows(r.findings["rows"], r.tables["requests"].summary.file.partition(",")[0]),
            mend="",
        )
        for r in returns
    ]
    return [loaded for r in returns for loaded in r.tables.values()], found


def _read_extracts(params: Params) -> tuple[list[Loaded], list[pd.DataFrame]]:
    extracts = extracts_of(params)
    found = [
        e.findings.assign(
            check=f"{e.kind}, " + e.findings["rule"].astype("str"),
            severity=e.findings["severity"].map({"E": "error", "W": "look"}),
            place=_rows(e.findings["rows"], e.loaded.summary.file),
            mend="",
        )
        for e in extracts
    ]
    return [e.loaded for e in extracts], found


def _rows(rows: pd.Series, file: str) -> pd.Series:
    """Where a finding is: the file, and the rows if any are named."""
    return rows.astype("str").map(lambda told: f"{file}, rows {told}" if told else file)


def _schools(params: Params) -> pd.DataFrame:
    from jsna.sources.schools import read_schools

    return read_schools(_single(params, "schools")).frame


def _single(params: Params, key: str) -> Path:
    """The one file that ``key`` names; a folder will do, if one table lies in it."""
    path = params.paths(key)[0]
    inside = _tables(path) if path.is_dir() else []
    return inside[0] if len(inside) == 1 else path


def _missing(params: Params) -> list[Problem]:
    problems = []
    if not params.pupils:
        mend = "Name the files: pupils: [census/2026]. See docs/own-data.md."
        problems.append(Problem("No School Census is named.", where="pupils", mend=mend))
    if not params.key_file:
        mend = "Make a key once with `jsna init`, and name its file: key_file: ~/jsna-keys/luton.key."
        problems.append(Problem("The project's key is not named.", where="key_file", mend=mend))
    return problems


def _from_database(params: Params, table: Table, context: Context) -> PupilTable:
    from jsna.sources.census_flat import raw_of
    from jsna.sources.database import read_table
    from jsna.sources.pupil_table import canonical

    read = read_table(
        table.url,
        table.table,
        table.columns,
        where=table.where,
        password_env=table.password_env,
        password_file=table.password_file,
    )
    rows, name = read.summary.rows_read, read.summary.file
    form = "School Census, a table of a database"
    notes = read.summary.notes
    raw = raw_of(read.frame, name, rows, read.quarantine, form, read.summary.sha256, notes, params.census_date)
    return canonical([raw], context)


def cases_of(params: Params) -> Loaded | None:
    """Requests for EHC needs assessments from the SEN2 returns, else from a case list; nothing where neither is named.

    Raises the ``WorkbenchError`` family when what is named cannot be read.
    """
    if params.sen2:
        from jsna.sources.sen2.timeliness import cases

        made = cases(*sen2_of(params))
        if not params.extracts:
            return made
        note = "A case list among the extracts is checked, and not used: the SEN2 returns tell of the same requests."
        return replace(made, summary=replace(made.summary, notes=(*made.summary.notes, note)))
    lists = [e for e in extracts_of(params) if e.kind == "ehc_cases"]
    return cases_of_list(lists[0].loaded) if lists else None


def sen2_of(params: Params) -> list[Sen2]:
    """The SEN2 returns that the params name: a file, a folder with one return, or a folder with a folder a return."""
    from jsna.sources.homes import lsoas_of
    from jsna.sources.sen2.read import read_sen2

    key, homes = read_key(params.paths("key_file")[0]), homes_of(params)
    place = None if homes.directory is None else lambda postcode: lsoas_of(postcode, homes)
    number = str(local_authority(params.areas[0])["dfe_number"])
    schools = _schools(params) if params.schools else None
    paths = [p for path in params.paths("sen2") for p in _each(path)]
    return _together(
        [
            lambda p=p: read_sen2(p, key, la=number, place=place, schools=schools, likely_year=_year_in(p.name))
            for p in paths
        ]
    )


def extracts_of(params: Params) -> list[Extract]:
    """The operational extracts that the params name: files, or folders of them."""
    from jsna.sources.extracts import read_extract

    if not params.extracts:
        return []
    key = read_key(params.paths("key_file")[0])
    files = [p for path in params.paths("extracts") for p in ([path] if path.is_file() else _tables(path))]
    return _together([lambda p=p: read_extract(p, key=key) for p in files])


def lists_of(params: Params, kinds: Sequence[str]) -> dict[str, Loaded]:
    """The extracts of these kinds, each once; those that this run has put aside, where it has read them before."""
    if prepared():
        return lists_of_run(kinds)
    return {e.kind: e.loaded for e in (extracts_of(params)) if e.kind in kinds}


def lists_of_run(kinds: Sequence[str]) -> dict[str, Loaded]:
    """The lists of these kinds that this run has put aside; none outside of a run."""
    return {kind: loaded for kind in kinds if (loaded := kept(kind)) is not None}


def joined_lists(params: Params, kinds: Sequence[str]) -> dict[str, Loaded]:
    """The extracts of these kinds, those of one kind as one list: each wave of a survey may be a file of its own."""
    if prepared():
        return lists_of(params, kinds)
    read = [e for e in (extracts_of(params)) if e.kind in kinds]
    return {k: joined([e.loaded for e in read if e.kind == k]) for k in dict.fromkeys(e.kind for e in read)}


def joined(loaded: Sequence[Loaded]) -> Loaded:
    """Lists of one kind as one; a row that stands in several of them counts once, and the others are put aside."""
    if len(loaded) == 1:
        return loaded[0]
    each = [one.summary for one in loaded]
    files = np.repeat([s.file for s in each], [len(one.frame) for one in loaded])
    rows = np.concatenate([one.frame.index.to_numpy() for one in loaded])
    frame = pd.concat([one.frame for one in loaded], ignore_index=True)
    again = frame.duplicated().to_numpy()
    says, mend = "the same row stands in another file", "Name each list once."
    twice = [
        refused(name, rows[again & (files == name)], "", [""] * int((again & (files == name)).sum()), says, mend)
        for name in dict.fromkeys(files[again])
    ]
    summary = replace(
        each[0],
        file=", ".join(s.file for s in each),
        rows_read=sum(s.rows_read for s in each),
        rows_kept=int((~again).sum()),
        rows_refused=sum(s.rows_refused for s in each) + int(again.sum()),
        sha256=" ".join(s.sha256 for s in each),
        notes=tuple(note for s in each for note in s.notes),
    )
    return Loaded(
        frame[~again].reset_index(drop=True), together([*(one.quarantine for one in loaded), *twice]), summary
    )


def _year_in(name: str) -> int | None:
    found = re.search(r"20\d\d", name)
    return int(found[0]) if found else None


def _each(path: Path) -> list[Path]:
    """The returns in a path: itself, or each of the folders or single files that lie side by side in it."""
    if path.is_file():
        return [path]
    inside = [p for p in sorted(path.iterdir()) if not p.name.startswith(".")]
    folders = [p for p in inside if p.is_dir()]
    single = [p for p in inside if p.suffix.casefold() in (".xml", ".xlsx")]
    return folders or single or [path]


def _tables(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.suffix.casefold() in (".csv", ".xlsx")]


def _together(readings: Sequence[Callable[[], T]]) -> list[T]:
    """The result of each reading; the faults of all are raised together."""
    made, problems = [], []
    for read in readings:
        try:
            made.append(read())
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        raise SourceError(*problems)
    return made


def homes_of(params: Params) -> Homes:
    """What pupils of the params' one area are placed with.

    For the embedded area all is at hand but the postcode directory. For another, and for pupils who live beyond the
    border, the official files in ``data`` say wards and deprivation; without them these are not known.
    """
    from geo.places import AREA_CODE
    from geo.postcodes import read_postcodes

    directory = read_postcodes(_single(params, "postcodes")).frame if params.postcodes else None
    embedded = params.areas[0] == AREA_CODE
    if not embedded and not params.has_data_folder():
        raise ParamsError(
            Problem(
                "Wards and deprivation of this area are not embedded.",
                where="data",
                mend="Name a folder of official files in data: (lookups and indices of deprivation); see `jsna fetch`.",
            )
        )
    lsoas = _embedded_lsoas() if embedded else pd.DataFrame()
    if params.has_data_folder():
        official = _official_lsoas(params)
        lsoas = pd.concat([lsoas, official[~official["lsoa21"].isin(lsoas.get("lsoa21", []))]], ignore_index=True)
    return Homes(lsoas, directory, _changes(embedded))


def _embedded_lsoas() -> pd.DataFrame:
    from geo.places import embedded_lsoas

    own = embedded_lsoas().rename(columns={"idaci_2025_rank": "idaci_rank", "idaci_2025_decile": "idaci_decile"})
    return own[["lsoa21", "ward_code", "idaci_rank", "idaci_decile"]].assign(idaci_edition="2025")


def _official_lsoas(params: Params) -> pd.DataFrame:
    from jsna.sources.folder import OfficialFolder

    folder = OfficialFolder(params.data_folder())
    deprived = folder.idaci().frame.rename(columns={"lsoa": "lsoa21", "rank": "idaci_rank", "decile": "idaci_decile"})
    wards = folder.lsoa_ward().frame
    own = wards[wards["district_code"].isin(folder.districts_of(params.areas[0]))].set_index("lsoa")["ward_code"]
    return deprived.assign(ward_code=deprived["lsoa21"].map(own).fillna(""), idaci_edition="2025")


def _changes(embedded: bool) -> pd.Series | None:
    """LSOAs of 2011 that are no more, with their one successor in 2021, or "" where they were split."""
    if not embedded:
        return None
    from geo.places import embedded_lookup

    rows = embedded_lookup("lsoa11", "lsoa21").rows
    gone = rows[~rows["source"].isin(rows["target"])]
    several = gone["source"].duplicated(keep=False)
    return gone.assign(target=gone["target"].mask(several, "")).drop_duplicates("source").set_index("source")["target"]


def keep(folder: Path, name: str, loaded: Loaded) -> None:
    """Put a source aside for the chapters of a run, where its owner alone can read it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    loaded.frame.to_parquet(folder / f"{name}.parquet")  # with its index, which says the rows of the file
    loaded.quarantine.astype("str").to_parquet(folder / f"{name}-quarantine.parquet", index=False)
    (folder / f"{name}.json").write_text(json.dumps(asdict(loaded.summary)), encoding="utf-8")


def keep_weights(folder: Path, weights: dict[str, int]) -> None:
    """Put aside how many errors and things to look at the check of the pupils found."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "check.json").write_text(json.dumps(weights), encoding="utf-8")


def kept_weights() -> dict[str, int]:
    """What this run's check of the pupils found, by severity; empty outside of a run."""
    path = Path(os.environ.get(PREPARED_VARIABLE, "")) / "check.json"
    return json.loads(path.read_text(encoding="utf-8")) if prepared() and path.is_file() else {}


def keep_values(folder: Path, frame: pd.DataFrame, absent: pd.DataFrame, sources: Sequence[Summary]) -> None:
    """Put the area's own values, already protected, aside for the chapters of a run."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    frame.to_parquet(folder / "values.parquet", index=False)
    absent.astype("str").to_parquet(folder / "values-absent.parquet", index=False)
    (folder / "values.json").write_text(json.dumps([asdict(s) for s in sources]), encoding="utf-8")


def kept_values() -> tuple[pd.DataFrame, pd.DataFrame, tuple[Summary, ...]] | None:
    """The values that this run has put aside, what is absent and their sources; or nothing."""
    folder = Path(os.environ.get(PREPARED_VARIABLE, ""))
    if not prepared() or not (folder / "values.json").is_file():
        return None
    _own(folder)
    told = json.loads((folder / "values.json").read_text(encoding="utf-8"))
    sources = tuple(Summary(**{**s, "notes": tuple(s["notes"])}) for s in told)
    return pd.read_parquet(folder / "values.parquet"), pd.read_parquet(folder / "values-absent.parquet"), sources


def keep_pattern(folder: Path, pattern: PackPattern) -> None:
    """Put what is hidden in the pack aside for the chapters of a run."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pattern.save(folder / "pattern.parquet")


def kept_pattern() -> PackPattern | None:
    """What is hidden in the pack of this run, or nothing."""
    path = Path(os.environ.get(PREPARED_VARIABLE, "")) / "pattern.parquet"
    return PackPattern.load(path) if prepared() and path.is_file() else None


def prepared() -> bool:
    """Whether this process runs in a refresh that has read all sources before: then nothing is read again."""
    return bool(os.environ.get(PREPARED_VARIABLE))


def prepared_folder() -> Path | None:
    """The folder in which this run has put things aside; nothing outside of a run."""
    if not prepared():
        return None
    folder = Path(os.environ[PREPARED_VARIABLE])
    if folder.is_dir():
        _own(folder)
    return folder


def kept(name: str) -> Loaded | None:
    """A source that this run has put aside, or nothing."""
    named = os.environ.get(PREPARED_VARIABLE, "")
    folder = Path(named)
    if not named or not (folder / f"{name}.json").is_file():
        return None
    _own(folder)
    told: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    quarantine = pd.read_parquet(folder / f"{name}-quarantine.parquet")
    summary = Summary(**{**told, "notes": tuple(told["notes"])})
    return Loaded(pd.read_parquet(folder / f"{name}.parquet"), quarantine, summary)


def _own(folder: Path) -> None:
    if os.name != "nt" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise ParamsError(Problem("Others can read what this run has put aside.", where=PREPARED_VARIABLE))
