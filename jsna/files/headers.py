"""Headings: compared without the accidents of spacing and spelling, and matched to canonical names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jsna.errors import Problem, SourceError, did_you_mean

DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
# Marks without width, which copying from web pages and word processors leaves behind.
UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))


def plain(heading: object) -> str:
    """A heading as it is compared: one blank for any white space (line breaks too), one kind of dash, lower case.

    >>> plain("Date of Birth\\n(ccyy-mm-dd) ")
    'date of birth (ccyy-mm-dd)'
    >>> plain("Main education establishment – URN") == plain("main education establishment - urn")
    True
    """
    text = unicodedata.normalize("NFKC", str(heading)).translate(DASHES).translate(UNSEEN)
    return " ".join(text.split()).casefold()


def bare(heading: object) -> str:
    """As ``plain``, without blanks, underscores and punctuation: for names that are spelt with or without them.

    A percent sign is a word, because a share is another column than its count.

    >>> bare("SEN_Provision") == bare("sen provision") == bare("SENprovision")
    True
    >>> bare("% headcount"), bare("headcount")
    ('percentheadcount', 'headcount')
    """
    return re.sub(r"[\W_]+", "", plain(heading).replace("%", "percent"))


# The spellings that readers know are asked for again with every file; headings and cells of files are not kept.
_spelling = lru_cache(maxsize=1 << 14)(bare)


@dataclass(frozen=True)
class Matched:
    """``columns`` leads from canonical names to the headings found; ``twice`` holds canonical names that several
    headings claim, with these; ``others`` are the headings that no name claims."""

    columns: dict[str, str]
    twice: dict[str, list[str]]
    others: list[str]


def match(headings: Sequence[str], aliases: Mapping[str, Iterable[str]]) -> Matched:
    """Which heading stands for which canonical name. ``aliases`` gives the spellings of each name, the best first.

    Where several headings fit one name, the spelling named first in ``aliases`` is taken and ``twice`` says so.

    >>> match(["Gender", "DoB", "Shoe size"], {"sex": ["sex", "gender"], "dob": ["dob"]}).columns
    {'sex': 'Gender', 'dob': 'DoB'}
    """
    found: dict[str, list[str]] = {}
    by_bare: dict[str, list[str]] = {}
    for heading in headings:
        by_bare.setdefault(bare(heading), []).append(heading)
    for name, spellings in aliases.items():
        keys = dict.fromkeys(_spelling(s) for s in (*spellings, name))
        hits = [h for key in keys for h in by_bare.get(key, [])]
        if hits:
            found[name] = list(dict.fromkeys(hits))
    taken = {h for hits in found.values() for h in hits}
    return Matched(
        columns={name: hits[0] for name, hits in found.items()},
        twice={name: hits for name, hits in found.items() if len(hits) > 1},
        others=[h for h in headings if h not in taken],
    )


def need_columns(found: Iterable[str], needed: Sequence[str], where: str) -> None:
    """Raise one ``SourceError`` naming every column that is missing, each with the nearest one found."""
    present = list(found)
    missing = [c for c in needed if c not in present]
    if missing:
        raise SourceError(
            *(
                Problem(
                    f"The column {c!r} is missing or was renamed.",
                    where=where,
                    mend=did_you_mean(c, present) or "Is this the file that its name says?",
                )
                for c in missing
            )
        )
