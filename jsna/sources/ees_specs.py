"""What is known of the files of Explore Education Statistics: their columns, their quirks, what their symbols mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import pandas as pd

from jsna.files.headers import bare, plain
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded, Summary, refused, together

COMPULSORY = ["time_period", "time_identifier", "geographic_level", "country_code", "country_name"]
ENGLAND = "E92000001"
MEND = "Compare the row with the published file."


@dataclass(frozen=True)
class FileSpec:
    """One published file: ``filters`` tell rows apart, ``needed`` are indicators it must have, ``words`` hold text.

    ``told_by`` settles which of two files with the same columns it is (a column and its value). ``rows`` are the
    published numbers of rows, one a vintage. ``codes_by_name`` and what follows serve tables that lack the columns of
    place and time.
    """

    key: str
    title: str
    publication: str
    publisher: str
    release: str = ""
    table: str = ""
    filters: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    respelt: Mapping[str, str] = field(default_factory=dict)
    recode: Mapping[str, str] = field(default_factory=dict)
    told_by: Mapping[str, str] = field(default_factory=dict)
    symbols_when: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    never_negative: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    codes_by_name: bool = False
    identifier: str = ""
    level: str = ""

    @property
    def source(self) -> str:
        """For lists of sources: publication, release and file in words."""
        release = f", {self.release}" if self.release else ""
        return f"{self.publication}{release}: {self.title}"

    @cached_property
    def _own(self) -> dict[str, str]:
        """The columns that it must have, by their plain spelling."""
        return {plain(c): c for c in (*self.filters, *self.needed, *self.words)}

    @cached_property
    def _never(self) -> frozenset[str]:
        return frozenset(plain(c) for c in self.lacks)

    def spelt(self, headings: Iterable[str]) -> dict[str, str]:
        """Each heading -> its right spelling: misspelt ones mended, and blanks and case as this file has them.

        Underscores count: ``NewallEHC`` of one release is ``new_all_ehc`` of the next.
        """
        mended = {h: self.respelt.get(h, h) for h in headings}
        return {h: self._own.get(plain(right), right) for h, right in mended.items()}

    def fits(self, headings: Mapping[str, str], first: Mapping[str, str]) -> bool:
        """Whether a file with these headings, given with their plain spelling, and this first row is this one."""
        if self._never & set(headings.values()):
            return False
        if any(first.get(column, value) != value for column, value in self.told_by.items()):
            return False
        respelt = {plain(right) for wrong, right in self.respelt.items() if wrong in headings}
        return self._own.keys() <= respelt | {p for h, p in headings.items() if h not in self.respelt}


@cache
def standard() -> dict[str, Any]:
    """Levels, aliases and symbols of the open data standard, as ees_files/standard.yml has them."""
    return _yaml("standard")


@cache
def known_files() -> dict[str, FileSpec]:
    """Every file that is known, by key, in the order of the lists."""
    made = {}
    for name in ("ehc_plans", "pupils", "sen", "dashboard"):
        publication = _yaml(name)
        shared = {k: v for k, v in publication.items() if k not in ("files", "title", "notes") and "common" not in k}
        for key, own in publication["files"].items():
            both = {**shared, **own}
            both["publication"] = both.get("publication", publication["title"])
            both["respelt"] = {**shared.get("respelt", {}), **own.get("respelt", {})}
            both["notes"] = [*own.get("notes", []), *publication.get("notes", [])]
            made[key] = FileSpec(key=key, **{k: tuple(v) if isinstance(v, list) else v for k, v in both.items()})
    return made


def find_spec(headings: Iterable[str], first: Mapping[str, str] | None = None) -> FileSpec | None:
    """The known file that has these headings, or nothing; of several that fit, the one that asks for most columns.

    ``first`` is the first row by heading, which tells files with the same columns apart.
    """
    spelt = {h: plain(h) for h in headings}
    fit = [s for s in known_files().values() if s.fits(spelt, first or {})]
    return max(fit, key=lambda s: len(s.filters) + len(s.needed) + len(s.words), default=None)


def place_columns() -> set[str]:
    """The columns of the standard that say where and when."""
    levels = standard()["levels"].values()
    return {c for level in levels for c in (level["code"], level["name"])} | set(standard()["others"])


def symbol_meanings(guidance: str) -> dict[str, str]:
    """Symbols whose meaning in a release differs from the guide's, as its data guidance words it: found -> guide's.

    The guidance of SEN in England 2022/23 calls x not applicable and z not available, the reverse of the guide.

    >>> symbol_meanings("'x' Not applicable\\n\\n'z' Not available")
    {'x': 'z', 'z': 'x'}
    >>> symbol_meanings("z - Not applicable\\nx - unavailable")
    {}
    """
    usual = {"z": "z", "x": "x", "c": "c", "low": "low", "k": "low", "u": "u", ":": "x", "~": "low"}
    found = {}
    for line in guidance.splitlines():
        stated = re.fullmatch(r"\W*?(z|x|c|k|u|low|:|~)\W+(\w.{3,80})", line.strip(), re.IGNORECASE)
        if not stated:
            continue
        symbol, words = stated[1].casefold(), stated[2].casefold()
        means = next((m["symbol"] for m in standard()["meanings"] if re.search(m["words"], words)), usual[symbol])
        if means != usual[symbol]:
            found[symbol] = means
    return found


def meta_of(text: pd.DataFrame, where: str, data_columns: Iterable[str] = ()) -> Loaded:
    """The rows of a ``.meta.csv``: column, kind (filter or indicator), label, unit, decimals, grouping_column.

    Put aside: a column named twice, a kind that is neither, and, where ``data_columns`` are given, a column that the
    data lack. A blank label is listed, and the column's name stands in for it.
    """
    blank = pd.Series("", index=text.index, dtype="str")
    column = text["col_name"].str.strip()
    kind = text["col_type"].str.strip().str.casefold()
    data = [bare(c) for c in data_columns]
    unknown = ~column.map(bare).isin(data) if data else pd.Series(False, index=text.index)
    rules = {
        "the same column again": column.duplicated(),
        "neither Filter nor Indicator": ~kind.isin(["filter", "indicator"]),
        "no such column in the data": unknown,
    }
    out, parts = pd.Series(False, index=text.index), []
    for rule, wrong in rules.items():
        rows = wrong & ~out
        parts.append(refused(where, text.index[rows], "col_name", column[rows], rule, MEND))
        out |= rows
    label = text["label"].str.strip()
    unnamed = (label == "") & ~out
    parts.append(refused(where, text.index[unnamed], "label", column[unnamed], "the label is blank", MEND))
    frame = pd.DataFrame(
        {
            "column": column,
            "kind": kind,
            "label": label.mask(unnamed, column),
            "unit": text.get("indicator_unit", blank),
            "decimals": text.get("indicator_dp", blank),
            "grouping_column": text.get("filter_grouping_column", blank),
        }
    )[~out]
    summary = Summary(
        source="Explore Education Statistics: what the columns of a data file are",
        file=where,
        period="",
        rows_read=len(text),
        rows_kept=len(frame),
        rows_refused=int(out.sum()),
    )
    return Loaded(frame.reset_index(drop=True), together(parts), summary)


def _yaml(name: str) -> dict[str, Any]:
    return packaged_yaml("jsna.sources", "ees_files", f"{name}.yml")
