"""Residents and households by place: the bulk tables of Census 2021, extracts of them, and population by age."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from geo.kinds import clean_codes, is_of_kind, kinds
from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.archive import member_names
from jsna.files.headers import need_columns, plain
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import read_delimited, read_rows
from jsna.files.values import trim, whole_numbers
from jsna.sources.published import LICENCE, read_parquet

ONS = "Office for National Statistics"
CENSUS = "21 March 2021"
MEND = "Compare the row with the publisher's file."
PLACE = ["date", "geography", "geography code"]
COUNTRIES = {"E": "England", "W": "Wales"}


@cache
def known_tables() -> dict[str, dict[str, dict]]:
    """The bulk tables (``nomis``) and extracts (``slices``) that are known, as population.yml has them."""
    return packaged_yaml("jsna.sources", "population.yml")


def leaves_of(categories: Sequence[str]) -> list[str]:
    """The categories that no other extends with a colon: the parts that add up to the whole, each counted once.

    >>> leaves_of(["White", "White: Irish", "White: Roma", "Other"])
    ['White: Irish', 'White: Roma', 'Other']
    """
    return [c for c in categories if not any(other.startswith(f"{c}: ") for other in categories)]


def read_nomis_table(path: Path, geography: str = "", *, countries: str = "E") -> Loaded:
    """A bulk table of Census 2021 (TS021 ethnic group, TS024 main language, or another): one row an area.

    ``path`` is a CSV (pipes and a heading in two rows are understood) or the table's zip, of which ``geography`` names
    the file: oa, lsoa, msoa, ltla, utla, rgn, ctry, ward. Columns: area_code, area_name, geography (the kind of area),
    total, and one column of counts for each **leaf** category, without the table's prefix. Subtotals are checked and
    left out, so that the columns add up to ``total``.

    Refused: rows whose parts do not add up, codes that are none, areas named twice, and areas of countries other than
    ``countries`` ("EW" keeps Wales). Raises ``SourceError`` for a table without its total or with a group missing.
    Cells are perturbed: sums of small areas differ from the published larger one.
    """
    member = _member(path, geography)
    where = path.name if member is None else f"{path.name}, {PurePosixPath(member).name}"
    text, ragged, notes = _nomis_text(path, member, where)
    spec, total, categories = _categories(text, where)
    counts, parts = {}, [ragged]
    for heading, name in {total: "total", **categories}.items():
        counts[name], bad = whole_numbers(text[heading])
        rule = "not a whole number"
        parts.append(refused(where, text.index[bad], name, text.loc[bad, heading], rule, MEND))
    table = pd.DataFrame(counts, index=text.index)
    leaves = leaves_of(list(categories.values()))
    code = clean_codes(text["geography code"]).astype("str")
    level = _level(code)
    if (level == "").all():
        raise SourceError(
            Problem(
                "No code is one of an area. Was the column read as numbers, or does it hold Nomis's own numbers?",
                where=where,
                value=code.iloc[0],
                expected="codes such as E01015693",
                mend="Open the file as text, or download it again.",
            )
        )
    abroad = ~code.str[0].isin([*countries, "K"])
    rules = {
        "not a code of an area": level == "",
        f"an area outside {' and '.join(COUNTRIES.get(c, c) for c in countries)}": abroad,
        "the same area again": code.duplicated(),
        "the parts do not add up to the whole": ~_adds_up(table, leaves),
    }
    out = pd.Series(False, index=text.index)
    for rule, wrong in rules.items():
        rows = wrong & ~out
        parts.append(refused(where, text.index[rows], "geography code", code[rows], rule, MEND))
        out |= rows
    if out.all():
        raise SourceError(Problem("No row can be used.", where=where, value=together(parts)["rule"].iloc[0], mend=MEND))
    frame = pd.DataFrame({"area_code": code, "area_name": trim(text["geography"]), "geography": level})
    frame = frame.join(table[["total", *leaves]].astype("Int64"))[~out]
    dropped = len(categories) - len(leaves)
    notes = (*spec.get("notes", ()), f"{dropped} subtotals were checked and left out.", *notes)
    read = len(text) + len(ragged)
    return _loaded(frame, path, where, spec["title"], CENSUS, read, parts, notes, kind=level[~out].iloc[0])


def read_census_slice(path: Path, key: str | None = None) -> Loaded:
    """An extract of a table of residents or households: long, or one row an area where the extract is wide.

    Long: area_code, category, n, and total where the file has it (and ``measure``, number or percent, where rows are
    mixed). By age: area_code, area_name, total and a column a single year (``0`` to ``90+``). ``key`` is one of
    ``known_tables()["slices"]``; without it the headings decide. Refused: codes of another kind, a key that stands
    twice, ages that do not add up to the total.
    """
    table, ragged, notes = _any_table(path)
    slices = known_tables()["slices"]
    key = key or slice_of(list(table.columns))
    if key not in slices:
        mend = did_you_mean(key or "", slices) or "Headings are compared with jsna/sources/population.yml."
        raise SourceError(
            Problem("The extract is not known.", where=path.name, value=list(table.columns)[:8], mend=mend)
        )
    spec = slices[key]
    figures = _figures(list(table.columns), spec)
    wanted = [spec["code"], *([spec["category"]] if "category" in spec else []), *figures]
    need_columns(table.columns, wanted, path.name)
    code = clean_codes(table[spec["code"]]).astype("str")
    frame, parts = pd.DataFrame({"area_code": code}), [ragged]
    if "name" in spec:
        frame["area_name"] = trim(table[spec["name"]])
    if "category" in spec:
        frame["category"] = trim(table[spec["category"]]).str.replace(r"\s+", " ", regex=True)
        if spec.get("measure_in_category"):
            frame["measure"] = frame["category"].str.extract(r"\((number|percent)\)$", expand=False).fillna("")
            frame["category"] = frame["category"].str.replace(r" \((?:number|percent)\)$", "", regex=True)
    for heading, name in figures.items():
        frame[name] = pd.to_numeric(table[heading], errors="coerce")
        bad = frame[name].isna() | (frame[name] < 0)
        frame[name] = frame[name].mask(bad)
        parts.append(refused(path.name, table.index[bad], heading, table.loc[bad, heading], "not a count", MEND))
    key_columns = [c for c in ("area_code", "category", "measure") if c in frame]
    rules = {
        f"not a code of a {kinds()[spec['kind']]['name']}": ~_is_kind(code, spec["kind"]),
        "the same key again": frame.duplicated(key_columns),
    }
    if spec.get("ages"):
        rules["the ages do not add up to the total"] = (
            frame.drop(columns=["area_code", "area_name", "total"]).sum(axis="columns") != frame["total"]
        )
    if spec.get("measure_in_category"):
        rules["neither a number nor a percentage"] = frame["measure"] == ""
    out = pd.Series(False, index=table.index)
    for rule, wrong in rules.items():
        rows = wrong & ~out
        parts.append(refused(path.name, table.index[rows], spec["code"], code[rows], rule, MEND))
        out |= rows
    if out.all():
        raise SourceError(Problem("No row can be used.", where=path.name, value=together(parts)["rule"].iloc[0]))
    read = len(table) + len(ragged)
    notes = (*spec.get("notes", ()), *notes)
    if read != spec["rows"]:
        notes = (*notes, f"The file has {read} rows, the published one {spec['rows']}: is it a part, or newer?")
    period = spec.get("period", CENSUS)
    return _loaded(frame[~out], path, path.name, spec["title"], period, read, parts, notes, kind=spec["kind"])


def slice_of(headings: Sequence[str]) -> str:
    """The key of the extract that has these headings, "" when none has."""
    for key, spec in known_tables()["slices"].items():
        wanted = [spec[k] for k in ("code", "name", "category", "count", "total") if k in spec]
        wanted += ["0", "90+"] if spec.get("ages") else []
        wide = [h for h in headings if h.startswith(spec["wide"])] if "wide" in spec else [True]
        if wide and set(wanted) <= set(headings):
            return key
    return ""


def nomis_spec(headings: Sequence[str]) -> dict[str, Any]:
    """What is known of the bulk table with these headings: prefix, title, leaves; a table not known has the first two.

    Raises ``SourceError`` when no column states a total.
    """
    totals = [h for h in headings if "total" in plain(h).split(": ")[-2:][0] or plain(h).startswith("total")]
    if not totals:
        raise SourceError(Problem("The table has no column of totals.", value=list(headings)[:6]))
    prefix = re.sub(r"(?i)total.*$", "", totals[0])
    for spec in known_tables()["nomis"].values():
        if plain(prefix) == plain(spec["prefix"]):
            return {**spec, "total": totals[0]}
    return {"prefix": prefix, "title": f"Census 2021: {prefix.rstrip(': ') or 'a bulk table'}", "total": totals[0]}


def _categories(text: pd.DataFrame, where: str) -> tuple[dict[str, Any], str, dict[str, str]]:
    """The table's spec, the heading of its total, and heading -> category for the rest."""
    figures = [c for c in text.columns if plain(c) not in PLACE]
    spec = nomis_spec(figures)
    prefix, total = spec["prefix"], spec["total"]
    named = {h: _category(h, prefix) for h in figures if h != total}
    leaves = leaves_of(list(named.values()))
    if "leaves" in spec and len(leaves) != spec["leaves"]:
        raise SourceError(
            Problem(
                f"The table has {len(leaves)} groups.",
                where=where,
                value=leaves[:30],
                expected=f"{spec['leaves']}",
                mend="A column is missing or was renamed: download it again.",
            )
        )
    return spec, total, named


def _category(heading: str, prefix: str) -> str:
    name = re.sub(r"(?i); ?measures?: ?value$", "", heading)
    return " ".join(name.removeprefix(prefix).split())


def _adds_up(table: pd.DataFrame, leaves: list[str]) -> pd.Series:
    """Whether the leaves of a row add up to its total and to each of its subtotals; a missing cell never does."""
    good = table[leaves].sum(axis="columns", min_count=len(leaves)).eq(table["total"])
    for column in table.columns.difference([*leaves, "total"]):
        own = [c for c in leaves if c.startswith(f"{column}: ")]
        good &= table[own].sum(axis="columns", min_count=len(own)).eq(table[column])
    return good.fillna(False).astype(bool)


def _nomis_text(path: Path, member: str | None, where: str) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The table as text with its place columns named as Nomis does, however its heading is broken."""
    try:
        read = read_delimited(path, member, headings=PLACE)
        frame = read.frame.rename(columns={c: plain(c) for c in read.frame.columns if plain(c) in PLACE})
        need_columns(frame, PLACE[1:], where)
        if frame["geography code"].iloc[0] or not frame.iloc[0].str.contains("[A-Za-z]").any():
            return frame, read.quarantine, read.notes
        problem = SourceError(Problem("The heading stands in several lines that do not fit together.", where=where))
    except SourceError as error:
        problem = error
    made = _heading_in_two(read_rows(path, member), where)
    if made is None:
        raise problem
    return *made, ("The heading stood in more than one line and was put together.",)


def _heading_in_two(rows: list[list[str]], where: str) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Rows of cells whose heading a spreadsheet broke over lines, as a table and the rows of another width."""
    first = next((i for i, row in enumerate(rows) if any(re.fullmatch(r"[EWK]\d{8}", c) for c in row)), 0)
    start = next((i for i, row in enumerate(rows[:first]) if any(plain(c).startswith("geography") for c in row)), None)
    if start is None:
        return None
    width = len(rows[start])
    heading = [" ".join(row[i] for row in rows[start:first] if i < len(row) and row[i]) for i in range(width)]
    heading = [plain(h) if plain(h) in PLACE else h for h in heading]
    if not set(PLACE[1:]) <= set(heading):
        return None
    body = {i + 1: row for i, row in enumerate(rows) if i >= first and any(row)}
    good = {i: row for i, row in body.items() if len(row) == width}
    other = [i for i in body if i not in good]
    rule = f"the heading has {width} cells, this row has another number"
    aside = refused(where, other, "", [f"{len(body[i])} cells" for i in other], rule, MEND)
    return pd.DataFrame.from_dict(good, orient="index", columns=heading, dtype="str"), aside


def _member(path: Path, geography: str) -> str | None:
    if path.suffix.casefold() != ".zip":
        return None
    tables = [m for m in member_names(path) if m.casefold().endswith(".csv") and "metadata" not in m.casefold()]
    fit = [
        m for m in tables if PurePosixPath(m).stem.casefold().endswith(f"-{geography.casefold()}" if geography else "")
    ]
    if len(fit) == 1:
        return fit[0]
    levels = sorted(PurePosixPath(m).stem.rpartition("-")[2] for m in tables)
    what = "The zip holds several tables: say which geography." if not geography else "The zip lacks this geography."
    raise SourceError(Problem(what, where=path.name, value=geography or None, expected=", ".join(levels)))


def _level(code: pd.Series) -> pd.Series:
    """The kind of area of each code, "" where it is none: oa, lsoa, msoa, ward, la, region, country."""
    level = pd.Series("", index=code.index, dtype="str").mask(
        code.str.fullmatch(r"[EW]92000001|K0[1-4]000001"), "country"
    )
    for kind in kinds():
        level = level.mask((level == "") & _is_kind(code, kind), kind)
    return level


def _is_kind(code: pd.Series, kind: str) -> pd.Series:
    return is_of_kind(code.astype("object"), kind)


def _figures(headings: list[str], spec: dict[str, Any]) -> dict[str, str]:
    """Heading -> column of the frame, for what holds counts."""
    total = {spec["total"]: "total"} if "total" in spec else {}
    if "count" in spec:
        return {spec["count"]: "n", **total}
    if spec.get("ages"):
        return {**total, **{h: h for h in headings if re.fullmatch(r"\d{1,2}|90\+", h)}}
    wide = [h for h in headings if h.startswith(spec["wide"])]
    return {h: h for h in leaves_of(wide)}


def _any_table(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    if path.suffix.casefold() == ".parquet":
        frame = read_parquet(path)
        return frame.set_axis(pd.RangeIndex(2, len(frame) + 2)), together([]), ()
    read = read_delimited(path)
    return read.frame, read.quarantine, read.notes


def _loaded(
    frame: pd.DataFrame,
    path: Path,
    where: str,
    title: str,
    period: str,
    read: int,
    parts: list[pd.DataFrame],
    notes: Sequence[str],
    kind: str,
) -> Loaded:
    summary = Summary(
        source=title,
        file=where,
        period=period,
        rows_read=read,
        rows_kept=len(frame),
        rows_refused=read - len(frame),
        sha256=sha256_of(path),
        publisher=ONS,
        licence=LICENCE,
        kind=kind,
        notes=tuple(notes),
    )
    return Loaded(frame.reset_index(drop=True), together(parts), summary)
