"""Sentences: findings, notices, lists, in plain British English."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jsna.exhibits.model import Exhibit

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count_of(number: int, one: str, many: str) -> str:
    """A number with what it counts, in words up to ten.

    >>> count_of(1, "card is", "cards are"), count_of(12, "card is", "cards are")
    ('one card is', '12 cards are')
    """
    said = NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"
    return f"{said} {one if number == 1 else many}"


def listing(names: Sequence[str]) -> str:
    """Names as a list in a sentence.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def finding(name: str, sentence: str, detail: Sequence[str] = ()) -> Exhibit:
    """What the figures show, in one sentence, with the figures that support it below."""
    items = "".join(f"<li>{escape(d)}</li>" for d in detail)
    body = f'<p class="finding-sentence">{escape(sentence)}</p>' + (f"<ul>{items}</ul>" if items else "")
    return Exhibit(name, "finding", sentence, body=body, notes=tuple(detail))


def heading(name: str, title: str) -> Exhibit:
    """A heading within a chapter's section."""
    return Exhibit(name, "heading", title)


def notice(name: str, reason: str, mend: str) -> Exhibit:
    """Why something is not shown, and what would mend it."""
    return Exhibit(name, "notice", reason, body=f"<p>Not shown: {escape(reason)} {escape(mend)}</p>", notes=(mend,))
