"""Figures that official bodies published of the same children: those beside protected ones, and a folder of them."""

from __future__ import annotations

import csv
import fnmatch
import gzip
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from jsna.audit.facts import Cell, Count, Facts
from jsna.audit.meaning import base_of, group_name, is_of_pupils, measure, number, period_of
from jsna.audit.rules import rules
from jsna.errors import Problem, SourceError

Official = dict[Count, tuple[float, Cell]]
PUBLISHED = "official figures"


def take_official(facts: Facts) -> list[tuple[str, str, int]]:
    """Reckon with official counts of the same measure, period and basis as the pack's own; the rest is named.

    Of one basis are the measures of pupils of a census, or a measure by itself. Official counts are of another basis
    than the pack's own where one that stands in both differs.
    """
    by_basis: dict[tuple[str, str], list[Count]] = defaultdict(list)
    for count in facts.official:
        by_basis["pupils" if is_of_pupils(count.outcome) else count.outcome, count.period].append(count)
    left = []
    for (basis, period), counts in by_basis.items():
        if any(_differs(facts, c) for c in counts):
            why = f"official figures of {basis}, {period}: of other children than the pack's own"
            left.append(("", why, len(counts)))
            continue
        for count in counts:
            facts.shown.setdefault(count, facts.official[count])
            base = count.of(base_of(count.outcome))
            facts.mention(count, base if base != count else None)
            facts.mention(base)
    return left


def _differs(facts: Facts, count: Count) -> bool:
    value = facts.official[count][0]
    own = facts.shown.get(count)
    changed = facts.changed.get(count, [])
    return (own is not None and own[0] != value) or any(not t.lower <= value <= t.upper for t in changed)


def read_official(folder: Path, area_code: str) -> Official:
    """Counts of one area in a folder of official files, sub-folders too, by the forms in `tables.yml`.

    Raises ``SourceError`` for a folder that is not there or holds none of these files.
    """
    paths = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else []
    found: Official = {}
    known = [(p, form) for p in paths for form in rules()["official_files"] if _fits(p, form)]
    for path, form in known:
        for count, value, row, column in _counts(path, form, area_code):
            found.setdefault(count, (value, Cell(PUBLISHED, path.name, row, column)))
    if not known:
        raise SourceError(
            Problem(
                "No file is of a known form." if folder.is_dir() else "The folder of official figures is not there.",
                where="--official",
                value=folder.name,
                expected=", ".join(form["file"] for form in rules()["official_files"]),
                mend="docs/audit.md says which official files the audit can read.",
            )
        )
    return found


def _fits(path: Path, form: dict) -> bool:
    return fnmatch.fnmatch(path.name.removesuffix(".gz"), form["file"]) and not path.name.startswith(".")


def _counts(path: Path, form: dict, area_code: str) -> Iterator[tuple[Count, float, int, str]]:
    only, area, measures = form.get("only", {}), form.get("area"), form["counts"]
    for row_number, row in enumerate(_rows(path), start=2):
        if (area and row.get(area) != area_code) or any(row.get(c) != v for c, v in only.items()):
            continue
        for column, told in measures.items():
            value = number(row.get(column) or "")
            if value is None or value != int(value) or value < 0:
                continue
            name = row.get(told[1:], "") if told.startswith("@") else told
            outcome = measure(name) if not name.startswith("all of ") else f"all of {measure(name[7:])}"
            period = period_of(row.get(form["period"], ""))
            characteristic = _named(form.get("characteristic", ""), row)
            characteristic = rules()["characteristics"].get(characteristic, characteristic).replace("-", "_")
            group = group_name(_named(form.get("group", ""), row))
            parts = (characteristic, group) if characteristic and group else ("", "")
            yield Count(outcome, period, *parts), value, row_number, column


def _named(setting: str, row: dict[str, str]) -> str:
    return (row.get(setting[1:]) or "").strip() if setting.startswith("@") else setting


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        yield from csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error):
        raise SourceError(
            Problem("An official file cannot be read.", where=path.name, expected="a CSV file in UTF-8, or gzip of one")
        ) from None
