"""Ofsted's Annex A lists of children with SEND: list 1 (EHC plans), list 2 (SEN support), and the sector's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.files.archive import member_names, open_stream
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import first_row, read_delimited
from jsna.files.values import booleans, dates, numbers, tidy, without_decimal_zero
from jsna.files.workbook import read_sheets, table_of
from jsna.sources.ages import age_on, before_academic_year
from jsna.sources.identity import HIDDEN, is_identifier, masked, pseudonyms, upn_problems
from jsna.sources.pupil_fields import NOT_OBTAINED, UNKNOWN_SEX
from jsna.sources.sen2.findings import Finding, as_frame, found, spec
from jsna.sources.sen2.layout import find_columns
from jsna.sources.sen2.persons import SEXES

LISTS = ("list_1", "list_2")
PRIVATE = ("id", "upn", "uln", "birth")
LEAST_COLUMNS = 6
HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class AnnexA:
    """Both lists, read (one may be None), and findings: number, name, severity, table, count, rows, sentence."""

    list_1: Loaded | None
    list_2: Loaded | None
    findings: pd.DataFrame


@dataclass(frozen=True)
class _Part:
    """One list as text: its rows by canonical column, rows already refused, and headings that nothing claims."""

    name: str
    where: str
    text: pd.DataFrame
    rows_read: int
    aside: pd.DataFrame
    strange: tuple[str, ...]


def read_annex_a(path: Path | Sequence[Path], key: bytes, *, as_of: pd.Timestamp) -> AnnexA:
    """The lists from a workbook with a sheet a list, or from CSVs (one, several, a folder); known by their headings.

    ``as_of`` is the day the lists were drawn up: ages and "in the future" are judged by it, never by today. Frames
    have ``row``, person_id (keyed hash of UPN, else ULN, else the list's own id), id_basis, age (31 August before the
    academic year), age_exact (on ``as_of``), sex, ethnicity and the columns of ``annex_a.yml``; no date of birth.

    Raises ``SourceError`` when there is neither list, or one of them twice.
    """
    paths = [path] if isinstance(path, Path) else [Path(p) for p in path]
    parts = [part for p in paths for part in _parts(p)]
    names = [part.name for part in parts]
    if not parts:
        raise SourceError(
            Problem(
                "There is no Annex A list with SEND.",
                where=", ".join(p.name for p in paths),
                expected="headings such as Unique ID, UPN, SEN primary need",
                mend="Give the workbook with the sheets List_1 and List_2, or a CSV a list.",
            )
        )
    if len(set(names)) < len(names):
        raise SourceError(
            Problem("A list is there twice.", where=", ".join(p.name for p in paths), value=[p.where for p in parts])
        )
    digests = sorted(sha256_of(p) for p in _files(paths))
    read = {p.name: _load(p, key, as_of, digests[0] if len(digests) == 1 else "") for p in parts}
    findings = [f for loaded, facts in read.values() for f in facts]
    loaded = {name: pair[0] for name, pair in read.items()}
    return AnnexA(loaded.get("list_1"), loaded.get("list_2"), as_frame(findings, _rules()))


@cache
def _spec() -> Mapping[str, Any]:
    return spec("jsna.sources", "annex_a.yml")


@cache
def _rules() -> dict[str, Mapping[str, str]]:
    """Rules under their numbers in each list: 101a, 201a and so on."""
    return {
        f"{name[-1]}{number}": rule
        for number, rule in _spec()["rules"].items()
        for name in LISTS
        if rule.get("only", name) == name
    }


def _columns(name: str) -> dict[str, list[str]]:
    return {c: s["aliases"] for c, s in _spec()["columns"].items() if s.get("only", name) == name}


def _which(headings: Sequence[str]) -> str:
    """The list that headings are those of, "" for none: list 1 alone has dates of plans."""
    claimed = find_columns(headings, _columns("list_1")).columns
    if len(claimed) < LEAST_COLUMNS or "primary_need" not in claimed:
        return ""
    return "list_1" if "initial_plan_date" in claimed else "list_2"


def _files(paths: Sequence[Path]) -> list[Path]:
    return [f for p in paths for f in (sorted(x for x in p.rglob("*") if x.is_file()) if p.is_dir() else [p])]


def _parts(path: Path) -> list[_Part]:
    if path.is_dir():
        return [part for p in _files([path]) if not p.name.startswith((".", "~$")) for part in _parts(p)]
    with open_stream(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return _from_text(path, None, head)
    if head.startswith(b"PK") and not any(n.startswith("xl/") for n in member_names(path)):
        members = [m for m in member_names(path) if m.casefold().endswith((".csv", ".txt"))]
        return [part for m in members for part in _from_text(path, m, _member_head(path, m))]
    return _from_workbook(path)


def _member_head(path: Path, member: str) -> bytes:
    with open_stream(path, member) as stream:
        return stream.read(HEAD_BYTES)


def _from_text(path: Path, member: str | None, head: bytes) -> list[_Part]:
    where = path.name if member is None else f"{path.name}, {member}"
    try:
        name = _which(first_row(head, where))
    except SourceError:
        return []
    if not name:
        return []
    table = read_delimited(path, member, keep=lambda h: not is_identifier(h))
    return [_part(name, where, table.frame, table.quarantine)]


def _from_workbook(path: Path) -> list[_Part]:
    headings = [s for column in _columns("list_1").values() for s in column]
    parts = []
    for sheet, cells in read_sheets(path).items():
        if not (cells != "").any(axis=None):
            continue
        body = table_of(cells, f"{path.name}, {sheet}", headings, keep=lambda h: not is_identifier(h))
        name = _which([str(h) for h in body.columns])
        # A sheet may hold one list's headings under the other's name: the columns decide.
        if name:
            parts.append(_part(name, f"{path.name}, {sheet}", body, together([])))
    return parts


def _part(name: str, where: str, table: pd.DataFrame, aside: pd.DataFrame) -> _Part:
    claimed = find_columns([str(h) for h in table.columns], _columns(name))
    text = table[list(claimed.columns.values())].set_axis(list(claimed.columns), axis="columns")
    return _Part(name, where, text, len(text) + len(aside), aside, claimed.strange)


def _load(part: _Part, key: bytes, as_of: pd.Timestamp, sha256: str) -> tuple[Loaded, list[Finding]]:
    typed, cells = _typed(part)
    malformed = (upn_problems(typed["upn"]) == "malformed") & (typed["upn"] != "")
    upn = typed["upn"].mask(malformed, "")
    rule = ("not formed as a UPN, so it was not used as one", "Thirteen characters, a letter first.")
    cells = together([cells, refused(part.where, upn.index[malformed], "upn", [HIDDEN] * int(malformed.sum()), *rule)])
    number = upn.mask(upn == "", typed["uln"])
    own = f"annex a/{part.name}/" + typed["unique_id"].mask(
        typed["unique_id"] == "", typed.index.astype("str").to_series(index=typed.index)
    )
    basis = pd.Series("upn", index=upn.index).mask(upn == "", "uln").mask(number == "", "table")
    frame = pd.DataFrame(
        {
            "row": typed.index.to_numpy(),
            "person_id": pseudonyms(number.mask(number == "", own), key),
            "id_basis": pd.Categorical(basis, ("upn", "uln", "table")),
            "age": age_on(typed["birth"], before_academic_year(as_of)),
            "age_exact": age_on(typed["birth"], as_of),
        },
        index=typed.index,
    )
    kept = typed.drop(columns=["unique_id", "upn", "uln", "birth"])
    facts = {"upn": upn, "born": typed["birth"]}
    findings = _check(part.name, pd.concat([frame, kept], axis="columns"), facts, as_of)
    kept["sex"] = kept["sex"].replace("", UNKNOWN_SEX)
    kept["ethnicity"] = kept["ethnicity"].replace("", NOT_OBTAINED)
    frame = pd.concat([frame, kept], axis="columns").reset_index(drop=True)
    absent = [c for c in _columns(part.name) if c not in part.text]
    notes = [f"Read as {part.name.replace('_', ' ')} ({_spec()['lists'][part.name]['title']}), by its headings."]
    notes += [f"Columns not there: {', '.join(absent)}."] if absent else []
    notes += [f"Headings not known and not read: {', '.join(part.strange)}."] if part.strange else []
    summary = Summary(
        source=f"Annex A, {part.name.replace('_', ' ')}",
        file=part.where,
        period=f"{as_of:%d %B %Y}",
        rows_read=part.rows_read,
        rows_kept=len(frame),
        rows_refused=part.rows_read - len(frame),
        sha256=sha256,
        publisher="The local authority",
        licence="Not for publication",
        notes=tuple(notes),
    )
    return Loaded(frame, together([part.aside, cells]), summary), findings


def _typed(part: _Part) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame, asides = {}, []
    for column in _columns(part.name):
        kind = _spec()["columns"][column]["type"]
        blank = pd.Series("", index=part.text.index, dtype="str")
        cells = part.text[column] if column in part.text.columns else blank
        frame[column], bad = _read(cells, kind)
        if bad.any():
            shown = masked(cells[bad]) if kind in PRIVATE else cells[bad].where(cells.str.len() <= 10, masked(cells))
            rule = f"not readable as {kind.replace('_', ' ')}"
            asides.append(refused(part.where, cells.index[bad], column, shown, rule, "Compare it with the guidance."))
    return pd.DataFrame(frame, index=part.text.index), together(asides)


def _read(cells: pd.Series, kind: str) -> tuple[pd.Series, pd.Series]:
    fine = pd.Series(False, index=cells.index)
    kept = without_decimal_zero(tidy(cells))
    if kind in ("birth", "date"):
        return dates(cells)
    if kind == "yes_no":
        return booleans(cells)
    if kind == "flag":
        return (kept != "").astype("boolean"), fine
    if kind == "number":
        value, _, bad = numbers(cells.mask(kept == "", ""))
        return value, bad
    if kind in ("urn", "uln"):
        good = kept.str.fullmatch(r"\d{1,6}" if kind == "urn" else r"\d{10}")
        return kept.where(good, ""), ~good & (kept != "")
    if kind == "upn":
        return kept.str.upper().str.replace(" ", "", regex=False), fine
    if kind in ("sex", "ethnicity", "need"):
        # Some lists number their codes: "a) WBRI".
        code = kept.str.upper().str.replace(r"^[A-Z0-9]{1,2}[).] *", "", regex=True)
        known = code.map(_codes(kind))
        return known.fillna("").astype("str"), known.isna() & (kept != "")
    return kept, fine


@cache
def _codes(kind: str) -> dict[str, str]:
    """Codes and labels in capitals, with the code that each stands for."""
    if kind == "sex":
        return SEXES
    if kind == "need":
        needs = all_versions("need")
        return {n.label.upper(): n.code for n in needs.itertuples()} | {c: c for c in needs["code"]}
    detailed, main = all_versions("ethnicity_detailed"), all_versions("ethnicity")
    labels = {e.label.upper(): e.code for e in main.itertuples()} | {e.plain.upper(): e.code for e in main.itertuples()}
    return labels | {e.code: e.main for e in detailed.itertuples()}


def _check(name: str, frame: pd.DataFrame, facts: Mapping[str, pd.Series], as_of: pd.Timestamp) -> list[Finding]:
    """The rules of one list; ``facts`` are UPN and date of birth, which the frame no longer has."""
    upn, born, age = facts["upn"], facts["born"], frame["age_exact"]
    school_age = (age >= 5) & (age < 16)
    no_main, no_other = frame["main_urn"] == "", frame["subsidiary_phase"] == ""
    masks = {
        "01a": born.isna(),
        "01b": frame["sex"] == "",
        "01c": frame["ethnicity"] == "",
        "01d": frame["primary_need"] == "",
        "02a": age == 25,
        "02b": age >= 26,
        "03": frame["disability"].isna(),
        "05a": born > as_of,
        "07": (age >= 6) & (frame["id_basis"] == "table"),
        "08a": school_age & no_main & no_other,
        "08b": school_age & no_main & ~no_other,
        "09": upn.duplicated(keep=False) & (upn != ""),
    }
    if name == "list_1":
        initial, updated, review = (frame[c] for c in ("initial_plan_date", "updated_plan_date", "last_review_date"))
        masks |= {"05b": initial > as_of, "05c": updated > as_of, "05d": review > as_of}
        masks |= {"06a": initial > updated, "06b": initial > review}
    return [f for number, mask in masks.items() for f in found(f"{name[-1]}{number}", name, frame, mask)]
