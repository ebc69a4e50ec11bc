"""A corpus of broken censuses: each made from the twelve pupils by one change, with what must come of it.

``outcome`` is "clean" (the table is the one worked out by hand), "found" (a table, with the words in what is pointed
out or put aside) or "error" (nothing is read, with the words in the message). ``kept`` is how many pupils count.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import census_samples as cs
import openpyxl

from jsna.sources.identity import make_upn

CLI = True
# What stands in the samples and must never be printed: a name, the start of every pupil number, homes, birthdays, key.
PERSONAL = [
    "Surname",
    "999906",
    "XL1 1A",
    "XL5 5X",
    "XL9",
    "A street",
    "31/08/2015",
    "2015-08-31",
    "Zoë",
    cs.KEY.hex()[:12],
]


@dataclass(frozen=True)
class Case:
    """One broken census. ``names`` is the file that must be named, ``cli`` whether the command line is run on it."""

    name: str
    make: Callable[[Path], Path]
    outcome: str
    words: tuple[str, ...]
    kept: int = 11
    names: str = ""
    cli: bool = False
    date: str = cs.DAY


CASES: list[Case] = []


def contains(text: str, words: tuple[str, ...]) -> list[str]:
    """The words that are not in the text; of "this|that", one of the two must be."""
    plain = " ".join(text.split())
    return [w for w in words if not any(part in plain for part in w.split("|"))]


def case(name: str, make: Callable[[Path], Path], outcome: str, *words: str, **more) -> None:
    CASES.append(Case(name, make, outcome, words, **more))


def changed(rows: list[dict[str, str]], change: Callable[[list[dict[str, str]]], object]) -> list[dict[str, str]]:
    """The rows that ``change`` returns, or, where it changes them in their place, these."""
    made = change(rows)
    return made if isinstance(made, list) and all(isinstance(row, dict) for row in made) else rows


def flat(change: Callable[[list[dict[str, str]]], object], name: str = "pupils.csv", spelling: int = 0, **how):
    """A flat extract whose rows are changed."""

    def make(folder: Path) -> Path:
        rows = cs.flat_rows(spelling=spelling)
        return cs.write_flat(folder / name, changed(rows, change), **how)

    return make


def cell(row: int, column: str, value: str, name: str = "pupils.csv", **how):
    """A flat extract in which one cell of a pupil (from 1) has another value."""
    return flat(lambda rows: rows[row - 1].update({column: value}), name, **how)


def every(column: str, change: Callable[[str], str], **how):
    return flat(lambda rows: [{**row, column: change(row[column])} for row in rows], **how)


def blade(change: Callable[[dict], object]):
    def make(folder: Path) -> Path:
        tables = cs.collect_tables()
        change(tables)
        return cs.write_blades(folder / "census", tables)

    return make


def in_blade(table: str, row: int, **cells: str):
    return blade(lambda tables: tables[table][row - 1].update(cells))


def xml(change: Callable[[str], str], **of):
    def make(folder: Path) -> Path:
        path = cs.write_xml_authority(folder / "la.xml", **of)
        return cs.put(path, change(path.read_text()))

    return make


def npd(change: Callable[[list[dict[str, str]]], object], name: str = "npd.csv", **named):
    def make(folder: Path) -> Path:
        rows = cs.npd_rows(**named)
        return cs.put(folder / name, cs.csv_text(changed(rows, change)))

    return make


def raw(content: bytes | Callable[[bytes], bytes], name: str = "pupils.csv"):
    """A file of these bytes, or of what becomes of the bytes of a flat extract."""

    def make(folder: Path) -> Path:
        whole = cs.csv_text(cs.flat_rows()).encode()
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(whole) if callable(content) else content)
        return path

    return make


def workbook(change: Callable[[openpyxl.Workbook], object], name: str = "pupils.xlsx"):
    def make(folder: Path) -> Path:
        path = cs.write_workbook(folder / name, {"Pupils": cs.flat_rows()})
        book = openpyxl.load_workbook(path)
        change(book)
        book.save(path)
        return path

    return make


def american(iso_or_british: str) -> str:
    day, month, year = iso_or_british.split("/")
    return f"{month}/{day}/{year}"


def swap(first: str, second: str):
    return flat(lambda rows: [{**row, first: row[second], second: row[first]} for row in rows])


# Pupil numbers -------------------------------------------------------------------------------------------------------
case("number cut", cell(2, "UPN", "C99990602"), "found", "not formed as one", "row 3", kept=11, cli=CLI)
case("all numbers cut", every("UPN", lambda u: u[:8]), "found", "from a spreadsheet", kept=11)
case("number as a power", every("UPN", lambda u: "9.99E+12"), "found", "not formed as one", kept=11)
case("wrong check letter", cell(2, "UPN", "A999906020002"), "found", "wrong check letter", "row 3")
case("number in lower case", every("UPN", str.lower), "found", "letters in lower case")
case("number missing", cell(2, "UPN", ""), "found", "no pupil number", "row 3")
case("unknown authority", cell(2, "UPN", make_upn("000", "9060", "20", "002")), "found", "an authority that never was")
case(
    "number twice",
    flat(lambda rows: rows[1].update(UPN=rows[0]["UPN"])),
    "found",
    "the same pupil number again",
    "1 record repeats",
    kept=10,
    cli=CLI,
)
case(
    "invented among real", cell(2, "UPN", "P207000016049"), "error", "invented ones", "practice files", kept=0, cli=CLI
)

# Needs and provision -------------------------------------------------------------------------------------------------
case("rank three", in_blade("senneeds", 3, sentyperank="3"), "found", "no rank (1 or 2)", "row 4")
case("rank as a decimal", in_blade("senneeds", 2, sentyperank="2.0"), "clean")
case("rank in words", in_blade("senneeds", 1, sentyperank="first"), "found", "no rank (1 or 2)", "row 2")
case("two first needs", in_blade("senneeds", 2, sentyperank="1"), "found", "have one rank", "row 4")
case(
    "a need of nobody", in_blade("senneeds", 1, pupilonrolltableid="77"), "found", "not in the table of pupils", "row 2"
)
case("second need alone", in_blade("senneeds", 1, sentyperank="2"), "found", "a secondary need and no primary one")
case(
    "third need",
    blade(
        lambda t: t["senneeds"].append(
            t["senneeds"][1]
            | {"senneedstableid": "9", "senneedsorderseqcolumn": "3", "sentyperank": "3", "sentype": "PD"}
        )
    ),
    "found",
    "a third type of need",
    "row 11",
)
case("need without provision", cell(1, "SENNeed1", "SLCN"), "found", "not counted as a need", "row 2", cli=CLI)
case("provision without need", cell(2, "SENNeed1", ""), "found", "has no type of need", "row 3", cli=CLI)
case("not assessed with a plan", cell(3, "SENNeed1", "NSA"), "found", "not yet assessed (NSA)", "row 4")
case(
    "need in the provision",
    cell(2, "SENprovision", "SLCN"),
    "found",
    "a type of need stands",
    "row 3",
    kept=10,
    cli=CLI,
)
case("no such need", cell(2, "SENNeed1", "XYZ"), "found", "no code of a type of need", "row 3")
case("no such provision", cell(2, "SENprovision", "Y"), "found", "no code of SEN provision", "row 3", kept=10)
case("provision empty", cell(2, "SENprovision", ""), "found", "neither with SEN nor without", "row 3", kept=10, cli=CLI)
case(
    "all provisions empty",
    every("SENprovision", lambda v: ""),
    "error",
    "No pupil",
    "no SEN provision",
    kept=0,
    cli=CLI,
)
case("provision of old", cell(2, "SENprovision", "A"), "found", "no longer in force", "row 3")
case("need of old", cell(2, "SENNeed1", "BESD"), "found", "ended in 2014", "row 3")
case("same need twice", cell(2, "SENNeed2", "SLCN"), "found", "counts once", "row 3")
case(
    "a reason for exclusion",
    blade(
        lambda t: t.update(
            termlyexclusionsonroll=[
                {
                    "termlyexclusionsonrolltableid": "1",
                    "NativeId": "8219060",
                    "termlyexclusionsonrollorderseqcolumn": "1",
                    "sourceid": "1",
                    "pupilonrolltableid": "1001",
                    "category": "SUSP",
                    "reason1": "DS",
                }
            ]
        )
    ),
    "clean",
)

# Who the pupils are --------------------------------------------------------------------------------------------------
case("ethnicity by its label", cell(2, "Ethnicity", "Somali"), "clean")
case(
    "ethnicity in other words", cell(2, "Ethnicity", "from Somalia"), "found", "no ethnicity code", "never as any other"
)
case("no such ethnicity", cell(2, "Ethnicity", "OTHR"), "found", "no ethnicity code", "OTHR", "row 3", cli=CLI)
case("ethnicity empty", every("Ethnicity", lambda v: ""), "found", "11 pupils have no ethnicity code", "export setting")
case("language in other words", cell(2, "Language", "Somali dialect"), "found", "no language code", "row 3")
case("sex in words", every("Gender", lambda v: {"F": "Female", "M": "Male"}[v]), "clean")
case("sex in figures", every("Gender", lambda v: {"F": "2", "M": "1"}[v]), "found", "neither M nor F", cli=CLI)
case(
    "sex and gender disagree",
    flat(lambda rows: [{**row, "Sex": "M" if i == 0 else row["Gender"]} for i, row in enumerate(rows)]),
    "found",
    "the columns sex and gender say different things",
    "row 2",
)
case("sex and gender fill each other", blade(lambda t: [r.update(gender=r["sex"]) for r in t["pupilonroll"]]), "clean")
case("status of no list", cell(2, "EnrolStatus", "Q"), "found", "no code of an enrolment status", "row 3", kept=10)
case("no status", cell(2, "EnrolStatus", ""), "found", "no enrolment status", "row 3")
case("free meals in words", cell(2, "FSME on Census Day", "perhaps"), "found", "neither yes nor no", "fsm", "row 3")
case(
    "free meals end first",
    in_blade("fsmperiod", 2, fsmenddate="2020-Jan-01 00:00:00"),
    "found",
    "ends before it starts",
)
case(
    "free meals without an end that is a date",
    in_blade("fsmperiod", 2, fsmenddate="31/02/2026"),
    "found",
    "end that cannot",
)
case("kind of school of no list", in_blade("school", 1, phase="QQ"), "found", "no code of a kind of school")

# Ages and years ------------------------------------------------------------------------------------------------------
case("birthday as a serial", cell(2, "DoB", "42248"), "clean")
case("birthday with two digits", cell(2, "DoB", "01/09/15"), "found", "read without guessing", "row 3", cli=CLI)
case("birthday that never was", cell(2, "DoB", "31/02/2015"), "found", "read without guessing", "row 3")
case("birthday of a filler", cell(2, "DoB", "01/01/1900"), "found", "read without guessing", "row 3")
case("birthday after the census", cell(2, "DoB", "01/09/2027"), "found", "born after the census", "row 3")
case("months first", every("DoB", american), "found", "month first, as in America", "day first", kept=9, cli=CLI)
case("year groups as dates", cell(1, "NCyearActual", "06-Jun"), "found", "not a year group", "06-Jun", "row 2", cli=CLI)
case("year group empty", cell(1, "NCyearActual", ""), "found", "no year group that is followed")
case("far from the year group", cell(1, "NCyearActual", "9"), "found", "more than a year older or younger", "row 2")
case(
    "neither age nor year",
    flat(lambda r: r[0].update(DoB="", NCyearActual="")),
    "found",
    "neither a date of birth",
    kept=10,
)
case("last year's file", flat(lambda rows: None), "found", "Most pupils are a year too old", date="2025-01-16", cli=CLI)
case("day of the census nowhere", flat(lambda rows: None), "error", "census_date: 2026-01-15", kept=0, date="")
case(
    "days that are none",
    flat(lambda r: [{**x, "Census date": "Spring"} for x in r]),
    "error",
    "day of the census",
    kept=0,
)
case(
    "a day missing",
    flat(lambda rows: [{**row, "Census date": "" if i == 1 else cs.DAY} for i, row in enumerate(rows)]),
    "found",
    "do not say the day|does not say the day",
    "row 3",
)
case("autumn", flat(lambda r: None), "error", "not a January census", kept=0, date="2025-10-02", cli=CLI)
case(
    "autumn tables",
    blade(lambda t: [r.update(referencedate="2025-Oct-02 00:00:00") for r in t["schoolcensus"]]),
    "error",
    "not a January census",
    "2025-10-02",
    kept=0,
    names="pupilonroll",
)
case(
    "summer",
    xml(lambda text: text.replace("SPR", "SUM")),
    "error",
    "Term SUM",
    "spring census",
    kept=0,
    names="la.xml",
    cli=CLI,
)

# Homes and schools ---------------------------------------------------------------------------------------------------
case("no postcode at all", cell(1, "Postcode", "A street"), "found", "not formed as a postcode", "row 2", cli=CLI)
case("no fixed home", cell(1, "Postcode", "ZZ99 3VZ"), "found", "no fixed home", "row 2")
case("postcode not in the directory", cell(1, "Postcode", "XL5 5XX"), "found", "not in the postcode directory", "row 2")
case("postcode in lower case", every("Postcode", lambda p: p.lower().replace(" ", "")), "clean")
case(
    "one home for a whole school",
    flat(lambda rows: [{**rows[0], "UPN": make_upn("999", "9060", "21", f"{i:03}")} for i in range(12)]),
    "found",
    "is it the school's own?",
    kept=12,
)
case(
    "number of the school as a power",
    every("NativeID", lambda v: "8.22E+06"),
    "found",
    "no establishment number",
    "as text",
)
case("another authority", every("NativeID", lambda v: "823" + v[3:]), "found", "another authority", "areas:", cli=CLI)
case(
    "another authority's tables",
    blade(
        lambda t: [
            r.update(NativeId="823" + r["NativeId"][3:], **({"lea": "823"} if "lea" in r else {}))
            for k in t.values()
            for r in k
        ]
    ),
    "found",
    "another authority",
    names="pupilonroll",
)
case(
    "strange lsoas",
    flat(lambda rows: [{**{k: v for k, v in r.items() if k != "Postcode"}, "LSOA": "Luton 007A"} for r in rows]),
    "found",
    "no code of an LSOA",
)

# Columns -------------------------------------------------------------------------------------------------------------
case(
    "column renamed",
    flat(lambda rows: [{("Ethnic origin" if k == "Ethnicity" else k): v for k, v in r.items()} for r in rows]),
    "error",
    "A column is missing",
    "Did you mean 'Ethnic origin'",
    kept=0,
    cli=CLI,
)
case(
    "columns missing",
    flat(lambda rows: [{k: v for k, v in r.items() if k not in ("Language", "Gender", "Postcode")} for r in rows]),
    "error",
    "language",
    "sex or gender",
    "postcode or lsoa21",
    kept=0,
)
case("no heading row", raw(lambda b: b.split(b"\n", 1)[1]), "error", "is the heading row missing", kept=0, cli=CLI)
case("title rows", raw(lambda b: b"Spring census\n\n" + b), "clean")
case("headings over two lines", raw(lambda b: b.replace(b"SENprovision", b'"SEN\nprovision"', 1)), "clean")
case("sex and ethnicity swapped", swap("Gender", "Ethnicity"), "found", "neither M nor F", "no ethnicity code")
case(
    "provision and need swapped",
    swap("SENprovision", "SENNeed1"),
    "error",
    "a type of need stands where",
    kept=0,
    cli=CLI,
)
case(
    "birthday and postcode swapped",
    swap("DoB", "Postcode"),
    "found",
    "read without guessing",
    "not formed as a postcode",
    kept=9,
    cli=CLI,
)
case(
    "a heading twice", raw(lambda b: b.replace(b"SENNeed2", b"SENNeed1", 1)), "error", "two columns", "SENNeed1", kept=0
)
case(
    "a row that has slipped",
    raw(lambda b: re.sub(rb"Surname0001,(31/08/2015),F,WBRI", rb"Surname0001,F,WBRI,\1", b)),
    "found",
    "read without guessing",
    "no ethnicity code",
    "row 2",
    cli=CLI,
)

# Rows ----------------------------------------------------------------------------------------------------------------
case(
    "totals",
    flat(lambda rows: [*rows, dict.fromkeys(rows[0], "") | {"UPN": "Total: 12"}]),
    "found",
    "a row of totals",
    "row 14",
    cli=CLI,
)
case(
    "headings again",
    flat(lambda rows: [*rows[:4], {k: k for k in rows[0]}, *rows[4:]]),
    "found",
    "a heading row in the midst",
    "row 6",
)
case(
    "two lists",
    raw(lambda b: b + cs.csv_text([dict(reversed(r.items())) for r in cs.flat_rows()]).encode()),
    "error",
    "two lists stand in one table",
    "row 14",
    kept=0,
    cli=CLI,
)
case(
    "a comma in a cell",
    raw(lambda b: b.replace(b"Surname0001", b"Surname, Forename", 1)),
    "found",
    "this row has another number",
    "row 2",
    kept=10,
    cli=CLI,
)
case("cut in a row", raw(lambda b: b[:-40]), "found", "this row has another number", "row 13", kept=11)
case("empty lines", raw(lambda b: b.replace(b"\n", b"\n\n")), "clean")

# Bytes ---------------------------------------------------------------------------------------------------------------
case("empty", raw(b""), "error", "empty", kept=0, cli=CLI)
case("blanks", raw(b" \n\n"), "error", "empty", kept=0)
case("headings alone", raw(lambda b: b.split(b"\n")[0] + b"\n"), "error", "no rows", kept=0)
case("a huge line", raw(lambda b: b + b"x" * (2 << 20)), "error", "longer than", kept=0, cli=CLI)
case(
    "no encoding",
    raw(lambda b: b.replace(b"Surname0001", b"\x81\x8d", 1)),
    "error",
    "neither UTF-8 nor Windows-1252",
    kept=0,
)
case("two encodings", raw(lambda b: b.replace(b"Surname0001", "Zoë".encode("cp1252"), 1)), "clean")
case("utf-16 without a mark", raw(lambda b: b.decode().encode("utf-16-le")), "clean")
case("zero bytes", raw(lambda b: b[:300] + b"\0\0" + b[300:]), "error", "zero byte", kept=0)
case(
    "an open quotation mark",
    raw(lambda b: b.replace(b"Surname0001", b'"Surname0001', 1)),
    "error",
    "quotation mark",
    kept=0,
)
case(
    "two delimiters",
    raw(lambda b: b.split(b"\n", 1)[0] + b"\n" + b.split(b"\n", 1)[1].replace(b",", b";")),
    "error",
    "as many cells",
    kept=0,
)
case("a pdf", raw(b"%PDF-1.7 " + b"x" * 99), "error", "looks like a PDF", kept=0)
case("a web page", raw(b"<!DOCTYPE html><p>Log in"), "error", "a web page", kept=0, cli=CLI)
case("a workbook called csv", raw(lambda b: _xlsx()), "error", "Excel workbook", kept=0)
case("a text called xlsx", raw(lambda b: b, "pupils.xlsx"), "error", "Excel workbook", kept=0, names="pupils.xlsx")
case(
    "an old workbook",
    raw(b"\xd0\xcf\x11\xe0" + bytes(600), "pupils.xls"),
    "error",
    "Old and binary Excel",
    "Save it as .xlsx",
    kept=0,
)
case(
    "a workbook cut short",
    raw(lambda b: _xlsx()[:3000], "pupils.xlsx"),
    "error",
    "cut short|cannot be read",
    kept=0,
    names="pupils.xlsx",
    cli=CLI,
)
case("gzip cut short", raw(lambda b: gzip.compress(b)[:-20], "pupils.csv.gz"), "error", "cut short", kept=0)
case("gzip that is none", raw(lambda b: b, "pupils.csv.gz"), "error", "cannot be read", kept=0)
case(
    "a zip cut short",
    raw(lambda b: _zip(cs.collect_tables())[:-60], "census.zip"),
    "error",
    "cannot be read",
    kept=0,
    names="census.zip",
    cli=CLI,
)
case(
    "a zip of something else",
    raw(lambda b: _zip({}, ("la.xml", "<a/>")), "census.zip"),
    "error",
    "unpack all else",
    kept=0,
    names="census.zip",
)
case(
    "a parquet file",
    raw(b"PAR1" + bytes(99), "pupils.parquet"),
    "error",
    "ending in .parquet are not read",
    kept=0,
    names="pupils.parquet",
)


def _xlsx() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.save(out)
    return out.getvalue()


def _zip(tables: dict, *others: tuple[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for kind, rows in tables.items():
            archive.writestr(f"{kind}.csv", cs.csv_text(rows))
        for name, text in others:
            archive.writestr(name, text)
    return out.getvalue()


# Workbooks -----------------------------------------------------------------------------------------------------------
def _second_list(book: openpyxl.Workbook) -> None:
    sheet = book.create_sheet("Last year")
    for row in book["Pupils"].iter_rows(values_only=True):
        sheet.append(row)


case(
    "two lists in a workbook",
    workbook(_second_list),
    "error",
    "Several sheets are lists of pupils",
    "Last year",
    kept=0,
    names="pupils.xlsx",
)
case(
    "formulas",
    workbook(lambda b: b["Pupils"].cell(2, 3, "=A1")),
    "error",
    "formulas",
    "paste it as values",
    kept=0,
    names="pupils.xlsx",
)
case(
    "no list in a workbook",
    workbook(lambda b: b["Pupils"].delete_rows(1)),
    "error",
    "No sheet has the headings",
    kept=0,
    names="pupils.xlsx",
)
case(
    "a heading twice in a workbook",
    workbook(lambda b: b["Pupils"].cell(1, 2, "UPN")),
    "error",
    "stands over several columns",
    "UPN",
    kept=0,
    names="pupils.xlsx",
)
case("hidden rows", workbook(lambda b: setattr(b["Pupils"].row_dimensions[3], "hidden", True)), "clean")

# Tables of COLLECT ---------------------------------------------------------------------------------------------------
case(
    "no table of needs",
    blade(lambda t: t.pop("senneeds")),
    "error",
    "The table senneeds of the census is missing",
    kept=0,
    names="census",
    cli=CLI,
)
case(
    "no table of pupils",
    blade(lambda t: t.pop("pupilonroll")),
    "error",
    "The table pupilonroll of the census is missing",
    kept=0,
    names="census",
)
case("no table of meals", blade(lambda t: t.pop("fsmperiod")), "found", "does not say whether they are eligible")
case(
    "no ethnicity in the table of pupils",
    blade(lambda t: [r.pop("ethnicity") for r in t["pupilonroll"]]),
    "error",
    "A column is missing",
    "ethnicity",
    kept=0,
    names="pupilonroll.csv",
)
case(
    "neither sex nor gender",
    blade(lambda t: [r.pop("sex") for r in t["pupilonroll"]]),
    "error",
    "sex or gender",
    kept=0,
    names="pupilonroll.csv",
)
case(
    "provision misspelt",
    blade(lambda t: [r.update(senprovison=r.pop("senprovision")) for r in t["pupilonroll"]]),
    "error",
    "Did you mean 'senprovison'",
    kept=0,
    names="pupilonroll.csv",
)
case(
    "ids twice",
    blade(lambda t: t["pupilonroll"].extend(t["pupilonroll"][:3])),
    "error",
    "two deliveries lie in one file",
    "row 14",
    kept=0,
    names="pupilonroll.csv",
    cli=CLI,
)
case(
    "needs of another delivery",
    blade(lambda t: [r.update(NativeId="8219099") for r in t["senneeds"]]),
    "error",
    "of another delivery",
    kept=0,
    names="senneeds.csv",
    cli=CLI,
)
case(
    "pupils of no return",
    in_blade("pupilonroll", 1, schoolcensustableid="77"),
    "found",
    "belongs to no return",
    "row 2",
    kept=10,
)
case(
    "a table of pupils cut in a row",
    lambda folder: _cut(blade(lambda t: None)(folder), "pupilonroll"),
    "found",
    "this row has another number",
    kept=11,
)


def _cut(folder: Path, table: str) -> Path:
    path = folder / f"2026_spring_{table}.csv"
    path.write_bytes(path.read_bytes()[:-30])
    return folder


def _twice(folder: Path) -> Path:
    made = cs.write_blades(folder / "census", cs.collect_tables())
    return cs.put(made / "copy of pupils.csv", (made / "2026_spring_pupilonroll.csv").read_text()).parent


case(
    "a table twice",
    _twice,
    "error",
    "pupilonroll stands 2 times in one delivery",
    kept=0,
    names="copy of pupils.csv",
    cli=CLI,
)

# XML -----------------------------------------------------------------------------------------------------------------
case("xml cut short", xml(lambda text: text[:-300]), "error", "not whole XML", "line", kept=0, names="la.xml", cli=CLI)
case(
    "a document type",
    xml(lambda t: t.replace("<Message", '<!DOCTYPE a [<!ENTITY b "c">]><Message', 1)),
    "error",
    "document type",
    kept=0,
    names="la.xml",
)
case(
    "an unknown entity",
    xml(lambda t: t.replace("A street", "A&nbsp;street", 1)),
    "error",
    "not whole XML",
    kept=0,
    names="la.xml",
)
case(
    "another encoding than declared",
    lambda f: raw(xml(lambda t: t.replace("A street", "Zoë", 1))(f).read_text().encode("cp1252"), "la.xml")(f),
    "error",
    "not whole XML",
    kept=0,
    names="la.xml",
)
case(
    "two messages",
    xml(lambda t: t + t.split("\n", 1)[1]),
    "error",
    "goes on after its end",
    "a file of its own",
    kept=0,
    names="la.xml",
)
case(
    "no pupils",
    xml(lambda t: re.sub(r"<PupilsOnRoll>.*?</PupilsOnRoll>", "", t, flags=re.S)),
    "error",
    "No pupils on roll",
    kept=0,
    names="la.xml",
)
case(
    "a SEN2 return",
    xml(lambda t: re.sub(r"<Pupils>.*?</Pupils>", "", t, flags=re.S).replace(">SC<", ">SEN2<")),
    "error",
    "not a School Census",
    "sen2:",
    kept=0,
    names="la.xml",
    cli=CLI,
)
case("another collection", xml(lambda t: t.replace(">SC<", ">EYC<")), "error", "Collection EYC", kept=0, names="la.xml")
case(
    "xml without a day",
    xml(lambda t: re.sub(r"<ReferenceDate>.*?</ReferenceDate>", "", t)),
    "error",
    "day of the census",
    kept=0,
    names="la.xml",
)
case(
    "xml without schools", xml(lambda t: re.sub(r"<(Estab|URN)>.*?</\1>", "", t)), "found", "no school that can be told"
)
case(
    "two ranks the same in xml",
    xml(lambda t: t.replace("<SENtypeRank>2<", "<SENtypeRank>1<")),
    "found",
    "have one rank",
)
case(
    "a leaver with the number of a pupil",
    xml(
        lambda t: t.replace(
            "</PupilsOnRoll>",
            "</PupilsOnRoll><PupilsNoLongerOnRoll><PupilNoLongerOnRoll><PupilIdentifiers><UPN>x</UPN></PupilIdentifiers></PupilNoLongerOnRoll></PupilsNoLongerOnRoll>",
            1,
        )
    ),
    "clean",
)

# Research extracts ---------------------------------------------------------------------------------------------------
case(
    "a field misspelt",
    npd(lambda r: [{k.replace("SENprovision_", "SENprovsion_"): v for k, v in x.items()} for x in r]),
    "error",
    "A field is missing for spring 2026",
    "Did you mean 'SENprovsion'",
    kept=0,
    names="npd.csv",
    cli=CLI,
)
case(
    "autumn alone",
    npd(lambda r: [{k.replace("_SPR", "_AUT"): v for k, v in x.items()} for x in r]),
    "error",
    "No spring census is in the file",
    kept=0,
    names="npd.csv",
)
case(
    "plans under another name",
    npd(lambda r: [x.update(SENprovisionMajor_SPR26="SLS") for x in r if x["SENprovision_SPR26"] == "E"]),
    "found",
    "no code of SENprovisionMajor",
    names="npd.csv",
    cli=CLI,
)
case(
    "provisions that disagree",
    npd(lambda r: r[1].update(SENprovisionMajor_SPR26="1_NON")),
    "found",
    "say different things",
    "row 3",
    names="npd.csv",
)
case(
    "description in a research extract",
    npd(lambda r: r[1].update(EthnicGroupMinor_SPR26="From Somalia")),
    "found",
    "no ethnicity code",
    "row 3",
    names="npd.csv",
)
case(
    "need in the provision of an extract",
    npd(lambda r: r[1].update(SENprovision_SPR26="SEMH")),
    "found",
    "a type of need stands",
    kept=10,
    names="npd.csv",
)
case(
    "before birth",
    npd(lambda r: r[1].update(YearOfBirth_SPR26="2027")),
    "found",
    "born after the census",
    "row 3",
    names="npd.csv",
)
case(
    "rows of leavers",
    npd(lambda r: [*({**x, "OnRoll_SPR26": "1"} for x in r), {**r[0], "OnRoll_SPR26": "0"}]),
    "found",
    "no longer on roll",
    names="npd.csv",
)
case(
    "missing in the words of an extract",
    npd(lambda r: [r[0].update(EthnicGroupMinor_SPR26="INVA"), r[1].update(EthnicGroupMinor_SPR26="MISS")]),
    "found",
    "2 pupils have no ethnicity code",
    names="npd.csv",
)
case(
    "one year without a field",
    npd(lambda r: [{**x, **{k.replace("26", "25"): v for k, v in x.items() if "Ethnic" not in k}} for x in r]),
    "error",
    "spring 2025",
    "ethnicity",
    kept=0,
    names="npd.csv",
)


# Folders -------------------------------------------------------------------------------------------------------------
def _nothing(folder: Path) -> Path:
    made = folder / "census"
    made.mkdir(parents=True)
    return made


def _stray(folder: Path) -> Path:
    made = cs.write_blades(folder / "census", cs.collect_tables())
    return cs.put(made / "readme.txt", "Notes on the export\nby the data team\n").parent


def _same_twice(folder: Path) -> Path:
    cs.write_xml_authority(folder / "census" / "la.xml")
    return cs.write_flat(folder / "census" / "pupils.csv", cs.flat_rows()).parent


def _one_broken(folder: Path) -> Path:
    cs.write_xml_schools(folder / "census")
    (folder / "census" / "8219061_SC2_821LL26_001.xml").write_text("<Message>")
    cs.put(folder / "census" / "more.csv", "a,b\n1,2\n")
    return folder / "census"


case("an empty folder", _nothing, "error", "holds no census", kept=0, names="census", cli=CLI)
case(
    "a file that is no census in the folder",
    _stray,
    "error",
    "no form of the School Census",
    kept=0,
    names="readme.txt",
)
case(
    "one census in two forms",
    _same_twice,
    "error",
    "The same census is named twice",
    "Take one of them out",
    kept=0,
    names="la.xml",
    cli=CLI,
)
case(
    "two broken files of a folder",
    _one_broken,
    "error",
    "not whole XML",
    "more.csv",
    kept=0,
    names="8219061_SC2_821LL26_001.xml",
)
