"""What kind of area a code or a column is of, and of which vintage."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pandas as pd

from geo.errors import PlaceError
from jsna.errors import Problem, did_you_mean
from jsna.files.packaged import packaged_yaml

NEVER_A_CODE = re.compile(r"[ELMNSWK]9{8}")


@cache
def kinds() -> dict[str, dict]:
    """The kinds of area, smallest first, as geo/data/kinds.yml has them."""
    return packaged_yaml("geo.data", "kinds.yml")


@dataclass(frozen=True)
class Geography:
    """A kind of area and its vintage (two digits of the year, or nothing when it is not known).

    >>> str(Geography.of("lsoa21")), Geography.of("ward").vintage
    ('lsoa21', '')
    """

    kind: str
    vintage: str = ""

    @classmethod
    def of(cls, text: str | Geography) -> Geography:
        """From a word such as ``lsoa21`` or ``postcode``. Raises ``PlaceError`` when the kind is not known."""
        if isinstance(text, Geography):
            return text
        found = re.fullmatch(r"([a-z]+)(\d\d)?", text)
        allowed = [*kinds(), "postcode"]
        if not found or found[1] not in allowed:
            raise PlaceError(
                Problem(
                    "The kind of area is not known.",
                    value=text,
                    expected=f"one of {allowed}, with two digits of the year or without",
                    mend=did_you_mean(text, allowed),
                )
            )
        return cls(found[1], found[2] or "")

    def __str__(self) -> str:
        return self.kind + self.vintage

    @property
    def words(self) -> str:
        """For sentences: ``LSOA (2021)``."""
        name = kinds()[self.kind]["name"] if self.kind in kinds() else self.kind
        return f"{name} (20{self.vintage})" if self.vintage else name


@dataclass(frozen=True)
class Column:
    """A code column that was recognised: ``name``, the ``label`` column beside it ("" = none) and ``geography``."""

    name: str
    label: str
    geography: Geography


def clean_codes(codes: Iterable[object]) -> pd.Series:
    """Codes as trimmed upper-case text with empty text for missing ones; the index of a Series is kept.

    >>> clean_codes([" e01015693", None]).tolist()
    ['E01015693', '']
    """
    series = codes if isinstance(codes, pd.Series) else pd.Series(list(codes), dtype="object")
    text = series.astype("string").str.strip().str.upper().fillna("")
    return text.astype("object")


def is_of_kind(codes: pd.Series, kind: str) -> pd.Series:
    """True where a clean code is written like those of ``kind`` and is no pseudo code (E99999999).

    >>> is_of_kind(pd.Series(["E01015693", "E05014735", "E99999999"]), "lsoa").tolist()
    [True, False, False]
    """
    text = codes.astype("string")
    fits = text.str.fullmatch(kinds()[kind]["codes"]).fillna(False)
    return (fits & ~text.str.fullmatch(NEVER_A_CODE.pattern).fillna(False)).astype(bool)


def kind_of_codes(codes: Iterable[object]) -> str:
    """The kind that most of the codes have, or "" when none has it for more than half.

    >>> kind_of_codes(["E05014735", "E05014736", "E01015693"])
    'ward'
    """
    clean = clean_codes(codes)
    shares = {kind: is_of_kind(clean, kind).mean() for kind in kinds()} if len(clean) else {}
    best = max(shares, key=lambda kind: shares[kind], default="")
    return best if best and shares[best] > 0.5 else ""


def code_columns(columns: Iterable[str]) -> list[Column]:
    """The code columns among ``columns``, smallest kind first, in the Open Geography Portal's and R's spellings.

    ``LSOA21CD``, ``lsoa21_code``, ``WD25CD``, ``ward22_code``, ``LAD24CD``, ``ltla24_code``, ``lsoa21`` and ``oslaua``
    style names without a year are the portal's; what ends in ``NMW`` (Welsh) or ``_ACTIVE`` is never taken.

    >>> [(c.name, c.label, str(c.geography)) for c in code_columns(["FID", "LAD25CD", "WD25CD", "WD25NM"])]
    [('WD25CD', 'WD25NM', 'ward25'), ('LAD25CD', '', 'la25')]
    """
    names = list(columns)
    lower = {str(name).strip().lower(): name for name in names}
    found = []
    for order, (kind, spec) in enumerate(kinds().items()):
        for text, name in lower.items():
            match = re.fullmatch(rf"(?P<stem>{'|'.join(spec['stems'])})(?P<year>\d\d)?_?(?:cd|code)", text)
            if match:
                stem = match["stem"] + (match["year"] or "")
                label = next((lower[w] for w in (f"{stem}nm", f"{stem}_name", f"{stem}name") if w in lower), "")
                found.append((order, Column(name, label, Geography(kind, match["year"] or ""))))
    return [column for _, column in sorted(found, key=lambda pair: pair[0])]


def first_in_use(codes: Iterable[object], kind: str) -> pd.Series:
    """From when on each code can have been in use: ``"2011"``, ``"2021"``, ``"2016 or before"``, or "" where unknown.

    Read off the running number alone (geo/data/kinds.yml); it does not say when a code went out of use.

    >>> first_in_use(["E01033768", "E01033769", "E05002193", "E05014735"][2:], "ward").tolist()
    ['2016 or before', '2023']
    """
    clean = clean_codes(codes)
    made = pd.Series("", index=clean.index, dtype="object")
    for prefix, starts in kinds()[kind]["begins"].items():
        own = clean.str.startswith(prefix) & is_of_kind(clean, kind)
        for year, start in starts.items():
            made = made.mask(own & (clean >= start), year)
    return made


def likely_vintage(codes: Iterable[object], kind: str) -> str:
    """In words, which vintage a list of codes is at least of, judged by its newest code; "" when nothing is known.

    >>> likely_vintage(["E01015693", "E01033801"], "lsoa")
    '2021'
    """
    years = first_in_use(codes, kind)
    known = years[years != ""]
    return max(known, default="")
