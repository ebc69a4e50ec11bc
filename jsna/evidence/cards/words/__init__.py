"""The words of the plain pages, one file a language: read, checked against English, and filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from math import floor
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from jsna.errors import CodeListError, Problem, did_you_mean
from jsna.evidence.records import Model, entries_of, problems_of, yaml_files

ENGLISH = "en-GB"
RARE, NEARLY, LEAST_OF = 0.01, 0.95, 3
FINER = (100, 1_000, 10_000, 100_000)
_BRACES = re.compile(r"\{(\w+)\}")


class Words(Model):
    """The strings of one language. ``checked``: who checked them and when; empty while they are a draft."""

    language: str
    code: str
    direction: Literal["ltr", "rtl"]
    checked: str
    strings: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether every string is there, so that a page can be made."""
        return all(self.strings.values())

    def __call__(self, key: str, **values: object) -> str:
        """The string of ``key`` with ``values`` in its braces."""
        return self.strings[key].format(**values)

    def share(self, share: float | None) -> str:
        """A share as people say it; of none at hand, or one that is no share, that nobody can say.

        >>> [english().share(s) for s in (0.25, 0.148, 0.29, 0.43, 0.97, 1.0, 0.004, 0.0)]  # doctest: +ELLIPSIS
        ['about 1 in 4', 'about 1 in 7', 'about 3 in 10', 'about 4 in 10', 'nearly all', 'all', 'fewer ... 100', 'none']
        """
        if share is None or not 0 <= share <= 1:
            return self("share.unknown")
        if share in (0, 1):
            return self("share.all" if share else "share.none")
        found = one_in(share)
        if found is None:
            return self("share.rare" if share < RARE else "share.nearly")
        part, of = found
        return self("share.one_in", n=of) if part == 1 else self("share.tenths", n=part)


def two_shares(words: Words, one: float | None, other: float | None) -> tuple[str, str]:
    """Two shares as people say them; where the same words would do for both, of 100 or more, so that they differ.

    >>> two_shares(english(), 0.004, 0.007), two_shares(english(), 0.148, 0.139)
    (('about 4 in 1,000', 'about 7 in 1,000'), ('about 15 in 100', 'about 14 in 100'))
    >>> two_shares(english(), 0.25, 0.125), two_shares(english(), 0.004, 0.004)
    (('about 1 in 4', 'about 1 in 8'), ('fewer than 1 in 100', 'fewer than 1 in 100'))
    """
    told = words.share(one), words.share(other)
    if told[0] != told[1] or one is None or other is None or not (0 < one < 1 and 0 < other < 1):
        return told
    for of in FINER:
        first, second = floor(one * of + 0.5), floor(other * of + 0.5)
        if first != second and min(first, second) > 0 and max(first, second) < of:
            return words("share.of", n=first, of=f"{of:,}"), words("share.of", n=second, of=f"{of:,}")
    return told


def one_in(share: float) -> tuple[int, int] | None:
    """The nearest of 1 in 3, 1 in 4 ... 1 in 100, and 3 ... 9 in 10; None under 1 in 100 and from 95 in 100 on.

    >>> one_in(0.27), one_in(0.29), one_in(0.35), one_in(0.5), one_in(0.004)
    ((1, 4), (3, 10), (1, 3), (5, 10), None)
    """
    if not RARE <= share < NEARLY:
        return None
    whole, tenths = floor(1 / share), floor(share * 10 + 0.5)
    choices = [(1, n) for n in (whole, whole + 1) if n >= LEAST_OF]
    choices += [(tenths, 10)] if LEAST_OF <= tenths < 10 else []
    return min(choices, key=lambda c: (abs(c[0] / c[1] - share), c[1])) if choices else (LEAST_OF, 10)


def about_a_group(words: Words, outcome: str, gap: Mapping[str, Any]) -> str:
    """A flagged group beside all others, from the ``inequality`` of a card.

    >>> about_a_group(english(), "any_sen", {"group": "Black Caribbean", "share": 0.25, "others_share": 0.125})
    'Black Caribbean: about 1 in 4 get extra help to learn. Of all other pupils: about 1 in 8.'
    """
    share, others = two_shares(words, gap["share"], gap["others_share"])
    return words(
        "group",
        group=words.strings.get(f"group.{gap['group']}", gap["group"]),
        share=share,
        what=words(f"what.{outcome}"),
        others=others,
    )


@cache
def english() -> Words:
    """The words that all others are checked against."""
    return read_words(files("jsna.evidence.cards.words").joinpath("en.yml"))


@cache
def languages() -> tuple[Words, ...]:
    """Every language of the workbench, English first, whether complete or not. Raises ``CodeListError`` for faults."""
    paths = yaml_files(files("jsna.evidence.cards.words"))
    found = [read_words(p) for p in paths]
    return tuple(sorted(found, key=lambda w: (w.code != ENGLISH, w.code)))


def read_words(path: Traversable | Path) -> Words:
    """The words of one file. Raises one ``CodeListError`` with every key that is unknown, missing, or whose braces
    are not those of the English string."""
    try:
        words = Words.model_validate(dict(entries_of(path, of_mappings=False)))
    except ValidationError as error:
        raise CodeListError(*problems_of(error, path.name)) from None
    if words.code == ENGLISH:
        return words
    own, told = words.strings, english().strings
    problems = [
        Problem("There is no such string.", where=path.name, value=k, mend=did_you_mean(k, told))
        for k in own
        if k not in told
    ]
    problems += [Problem("A string is missing.", where=path.name, value=k) for k in told if k not in own]
    problems += [
        Problem(
            "The braces are not those of the English string.", where=f"{path.name}, {k}", value=text, expected=told[k]
        )
        for k, text in own.items()
        if text and k in told and set(_BRACES.findall(text)) != set(_BRACES.findall(told[k]))
    ]
    if problems:
        raise CodeListError(*problems)
    return words
