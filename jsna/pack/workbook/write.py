"""Puts ``evidence.xlsx`` together: cover, contents, notes, then one table a sheet."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from jsna import WORKBENCH_VERSION
from jsna.area import Area, period_name
from jsna.disclosure import SYMBOLS
from jsna.disproportionality.rule import FLAGGED, WATCH
from jsna.pack.workbook.cells import NOT_AVAILABLE, Table, clean, rows_of, settings, typed
from jsna.pack.workbook.choose import chosen, sheet_names
from jsna.pack.workbook.comparisons import comparison_rows
from jsna.pack.workbook.layout import COVER_WIDTH, lay_out_cover, lay_out_list, lay_out_table
from jsna.pack.zipped import made_in, settled

FILE = "evidence.xlsx"
COVER, CONTENTS, NOTES = "Cover", "Contents", "Notes"


@dataclass
class Notes:
    """The workbook's notes in the order in which they are first referred to."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str) -> str:
        """The mark of a note, which is taken up when it is new.

        >>> notes = Notes()
        >>> notes.mark("a"), notes.mark("b"), notes.mark("a")
        ('[note 1]', '[note 2]', '[note 1]')
        """
        if text not in self.texts:
            self.texts.append(text)
        return f"[note {self.texts.index(text) + 1}]"


@dataclass(frozen=True)
class Sheet:
    """A sheet to be written: ``lines`` stand between the title and the table."""

    name: str
    title: str
    table: Table
    lines: tuple[str, ...]
    source: str


def write_workbook(
    staging: Path,
    area: Area,
    exhibits: Sequence[Mapping[str, Any]],
    flags: Sequence[Mapping[str, Any]] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    titles: Mapping[str, str] | None = None,
) -> Path:
    """Write ``evidence.xlsx`` into ``staging`` and say where it is; equal inputs give equal bytes.

    ``exhibits``: all of the pack, each with its ``chapter``; ``flags``: the rows of ``flags.csv``; ``sources``: what
    was read, for the time the data are of; ``titles``: the chapters' titles by name. A chapter, or all flags, may be
    missing: the sheets are those that there is something for.
    """
    notes = Notes(list(settings("words")["general"]))
    sheets, left_out = _sheets(area, exhibits, flags, titles or {}, notes)
    path = staging / FILE
    path.write_bytes(_bytes(area, sheets, notes, sources, left_out))
    return path


def _sheets(
    area: Area,
    exhibits: Sequence[Mapping[str, Any]],
    flags: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
    notes: Notes,
) -> tuple[list[Sheet], list[str]]:
    words, where = settings("words"), f"{area.label}, {area.params.cycle}"
    findings = _findings(exhibits, titles)
    compared = comparison_rows(flags)
    standing = compared[compared["Status"].isin([*FLAGGED, WATCH])].reset_index(drop=True)
    choices = chosen(exhibits)
    kept, left_out = choices[: settings()["most"]], choices[settings()["most"] :]
    fixed = [words["findings"]["name"], words["standing"]["name"]]
    last = words["comparisons"]["name"]
    names = sheet_names([c.name for c in kept], [COVER, CONTENTS, NOTES, *fixed, last])
    made: list[Sheet] = []
    if len(findings):
        made.append(
            _sheet(fixed[0], f"{words['findings']['title']}: {where}", findings, notes, synthetic=area.synthetic)
        )
    if len(standing):
        made.append(_comparisons(fixed[1], words["standing"]["title"], standing, where, notes, area))
    for choice, name in zip(kept, names, strict=True):
        rows = rows_of(choice.exhibit["table_csv"])
        if len(rows):
            made.append(_of_exhibit(choice.exhibit, name, rows, choice.first, notes, area))
    if len(compared):
        made.append(_comparisons(last, words["comparisons"]["title"], compared, where, notes, area))
    return made, [str(c.exhibit.get("title") or c.exhibit["id"]) for c in left_out]


def _findings(exhibits: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> pd.DataFrame:
    """The chapters' main findings, as the first page of the pack has them."""
    main = [e for e in exhibits if e.get("kind") == "finding" and not (e.get("extras") or {}).get("minor")]
    chapters = [str(e.get("chapter", "")) for e in main]
    return pd.DataFrame(
        {
            "Finding": [str(e.get("title") or e.get("id", "")) for e in main],
            "Chapter": [titles.get(c, c) for c in chapters],
        }
    )


def _of_exhibit(
    exhibit: Mapping[str, Any], name: str, rows: pd.DataFrame, first: Sequence[str], notes: Notes, area: Area
) -> Sheet:
    words = settings("words")
    source, own = _sources_of(str(exhibit.get("source") or ""))
    title = _with_letters(exhibit.get("title")) or str(exhibit["id"])
    marks = " ".join(notes.mark(said) for n in exhibit.get("notes") or () if (said := _with_letters(n)))
    same = words["same_as"].format(id=exhibit["id"])
    synthetic = bool(exhibit.get("synthetic", area.synthetic))
    made = _sheet(name, f"{title} {marks}".strip(), rows, notes, own=own, first=first, same=same, synthetic=synthetic)
    return Sheet(made.name, made.title, made.table, made.lines, words["source"].format(source=source) if source else "")


def _with_letters(text: Any) -> str:
    """The text, or nothing where it has no letter and no digit that could be read."""
    plain = clean(text or "")
    return plain if re.search(r"[A-Za-z0-9]", plain) else ""


def _comparisons(name: str, title: str, rows: pd.DataFrame, where: str, notes: Notes, area: Area) -> Sheet:
    words = settings("words")
    note = notes.mark(words["general"][words["flags_note"] - 1])
    about = notes.mark(words["general"][1])
    same = words["same_as_flags"]
    return _sheet(name, f"{title}: {where} {about} {note}", rows, notes, same=same, synthetic=area.synthetic)


def _sheet(
    name: str,
    title: str,
    rows: pd.DataFrame,
    notes: Notes,
    *,
    own: Mapping[str, str] | None = None,
    first: Sequence[str] = (),
    same: str = "",
    synthetic: bool = False,
) -> Sheet:
    """A sheet of rows of texts. ``own``: what the table's own note numbers mean."""
    words = settings("words")
    meant = dict(own or {})
    table = typed(rows, lambda n: notes.mark(meant[n]) if n in meant else f"({n})", first=first)
    lines = [words["synthetic"]] if synthetic else []
    lines += [same] if same else []
    lines += [f"{s} = {said}." for s, said in _symbols_in(table.frame).items()]
    return Sheet(name, title, table, tuple(lines), "")


def _sources_of(text: str) -> tuple[str, dict[str, str]]:
    """A source, and what its numbers mean where it is a list such as ``[1] …; [2] …``.

    >>> _sources_of("[1] Census; [2] Cases")
    ('', {'1': 'Source: Census.', '2': 'Source: Cases.'})
    """
    parts = re.findall(r"\[(\d+)\] (.*?)(?=; \[\d+\] |$)", text)
    if not parts:
        return clean(text).rstrip("."), {}
    form = settings("words")["source"]
    return "", {number: form.format(source=clean(said).rstrip(".")) for number, said in parts}


def all_symbols() -> dict[str, str]:
    """Every letter or word that stands in place of a number, and what it means."""
    return SYMBOLS | settings("words")["symbols"]


def _symbols_in(frame: pd.DataFrame) -> dict[str, str]:
    cells = frame.map(lambda v: str(v).rpartition(" ")[2] if isinstance(v, str) else "")
    there = set(pd.unique(cells.to_numpy().ravel()))
    return {s: said for s, said in all_symbols().items() if s in there}


def _bytes(
    area: Area, sheets: Sequence[Sheet], notes: Notes, sources: Sequence[Mapping[str, Any]], left_out: Sequence[str]
) -> bytes:
    from gptables import Cover, produce_workbook

    words, title = settings("words"), _title(area)
    made = io.BytesIO()
    cover = Cover(
        title=title,
        intro=_intro(area),
        about=_about(area, sheets, sources, left_out),
        contact=[words["contact"]],
        cover_label=COVER,
        width=COVER_WIDTH,
    )
    tables = {NOTES: _notes_table(notes), **{s.name: _gptable(s, n) for n, s in enumerate(sheets, start=1)}}
    with warnings.catch_warnings():
        # it warns that its own way of notes is not used, and of what pandas will change
        warnings.simplefilter("ignore")
        book = produce_workbook(
            made,  # type: ignore[arg-type]
            tables,
            cover=cover,
            contentsheet_label=CONTENTS,
            contentsheet_options={
                "title": f"{words['contents']}: {title}",
                "instructions": words["contents_instructions"],
            },
            auto_width=False,
            workbook_options={"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
    lay_out_cover(book.get_worksheet_by_name(COVER), [title, "", *cover.intro, "", *cover.about, "", *cover.contact])
    notes_sheet = tables[NOTES]
    lay_out_list(book.get_worksheet_by_name(CONTENTS), [str(t.title) for t in tables.values()])
    lay_out_list(book.get_worksheet_by_name(NOTES), list(notes_sheet.table.iloc[:, 1]))
    for sheet in sheets:
        lay_out_table(book.get_worksheet_by_name(sheet.name), sheet.table.frame, tables[sheet.name].data_range[0])
    book.set_properties({"title": title, "subject": words["what"], "author": "", "created": made_in(area.params.cycle)})
    book.close()
    return settled(made.getvalue())


def _gptable(sheet: Sheet, number: int):
    from gptables import GPTable

    at_the_top = {"columns": list(sheet.table.frame.columns), "format": {"valign": "top"}, "include_names": True}
    formats = [{"column": at_the_top}]
    formats += [
        {"column": {"columns": [heading], "format": {"num_format": form, "align": "right"}, "include_names": False}}
        for heading, form in sheet.table.formats.items()
    ]
    return GPTable(
        table=sheet.table.frame,
        table_name=f"table_{number:02d}",
        title=sheet.title,
        instructions=settings("words")["instructions"],
        legend=list(sheet.lines),
        source=sheet.source or None,
        index_columns={2: 0},
        additional_formatting=formats,
    )


def _notes_table(notes: Notes):
    from gptables import GPTable

    words = settings("words")
    numbered = [(f"note {n}", text) for n, text in enumerate(notes.texts, start=1)]
    letters = [(f"letter {s}" if len(s) == 1 else f"word {s}", said) for s, said in all_symbols().items()]
    frame = pd.DataFrame([*numbered, *letters], columns=["Note", "What it says"], dtype=object)
    return GPTable(
        table=frame.map(clean),
        table_name="table_notes",
        title=words["notes_title"],
        instructions=words["notes_instructions"],
        index_columns={2: 0},
        additional_formatting=[{"column": {"columns": list(frame.columns), "format": {"valign": "top"}}}],
    )


def _title(area: Area) -> str:
    return clean(settings("words")["title"].format(area=area.label, cycle=area.params.cycle))


def _intro(area: Area) -> list[str]:
    words = settings("words")
    marks = [words[m] for m, true in (("restricted", area.restricted), ("synthetic", area.synthetic)) if true]
    return [*marks, words["what"], words["made_by"].format(version=WORKBENCH_VERSION)]


def _about(
    area: Area, sheets: Sequence[Sheet], sources: Sequence[Mapping[str, Any]], left_out: Sequence[str]
) -> list[str]:
    words = settings("words")
    about = words["about"]
    periods = list(dict.fromkeys(f"{s['source']}, {_periods(s['period'])}" for s in sources if s.get("period")))
    shown = [*periods[:6], *([f"and {len(periods) - 6} more (sheet Data sources)"] if len(periods) > 6 else [])]
    lines = [about["data"].format(periods="; ".join(shown)) if shown else about["no_period"]]
    lines += [about["disclosure"].format(policy=area.protection), about["symbols"].format(letters=", ".join(SYMBOLS))]
    lines += [about["licence"]]
    lines += [words["left_out"].format(tables="; ".join(left_out))] if left_out else []
    return [clean(line) for line in lines]


def _periods(text: Any) -> str:
    """Time periods as people write them.

    >>> _periods("202324 to 202526"), _periods("202526 to 202526")
    ('January 2024 to January 2026', 'January 2026')
    """
    first, _, last = re.sub(r"\b20\d{4}\b", lambda m: period_name(m[0]), str(text)).partition(" to ")
    return first if last in ("", first) else f"{first} to {last}"


__all__ = ["FILE", "NOT_AVAILABLE", "write_workbook"]
