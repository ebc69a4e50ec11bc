"""What the words and figures in a cell mean: numbers, rounded figures, names of measures, groups and periods."""

from __future__ import annotations

import re

from jsna.audit.rules import rules
from jsna.audit.sheets import number_text

FINEST = 1e-6


def number(text: str) -> float | None:
    """The number that a cell shows, or nothing for a word, a symbol or a period."""
    plain = number_text(text)
    return float(plain) if re.fullmatch(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", plain) else None


def rounded_to(text: str) -> tuple[float, float, float] | None:
    """A number that says to what it is rounded, and the least and the most that it stands for; halves go up.

    >>> rounded_to("1,170 (nearest 10)"), rounded_to("1170")
    ((1170.0, 1165.0, 1174.0), None)
    """
    match = re.fullmatch(r"([\d,]+) \(nearest (\d+)\)", text.strip())
    if not match:
        return None
    value, base = float(match[1].replace(",", "")), int(match[2])
    return value, max(0.0, value - base // 2), value + base - base // 2 - 1


def interval(text: str, scale: float = 1.0) -> tuple[float, float] | None:
    """What a rounded figure allows, each half a unit of its last place away.

    >>> interval("12.5")
    (12.45, 12.55)
    """
    value = number(text)
    if value is None:
        return None
    decimals = len(number_text(text).partition(".")[2].partition("e")[0])
    half = max(0.5 * 10.0**-decimals, FINEST)
    return round((value - half) * scale, 9), round((value + half) * scale, 9)


def measure(text: str) -> str:
    """A measure's code for the names that tables give it.

    >>> measure("Any SEN"), measure("need-asd")
    ('any_sen', 'need_asd')
    """
    plain = re.sub(r"\s*\[\d+\]$", "", text).strip()
    return rules()["outcomes"].get(plain, plain).lower().replace("-", "_")


def group_name(text: str) -> str:
    """A group's name in one form: small letters, no footnote marks."""
    return re.sub(r"\s*\[\d+\]$", "", text).strip().lower()


def period_of(text: str) -> str:
    """A census's school year for the names that tables give it; anything else as it stands.

    >>> period_of("January 2026"), period_of("2023 to 2025")
    ('202526', '2023 to 2025')
    """
    match = re.fullmatch(r"Jan(?:uary)? (\d{4})", text.strip())
    return f"{int(match[1]) - 1}{match[1][2:]}" if match else text.strip()


def is_of_pupils(outcome: str) -> bool:
    """Whether a measure counts pupils of a school census."""
    return outcome == "pupils" or bool(re.match(rules()["pupil_measures"], outcome))


def base_of(outcome: str, official: bool = False) -> str:
    """Of whom a measure counts some. Two official measures are never taken to be of the same children.

    >>> base_of("any_sen"), base_of("six_weeks"), base_of("ehc_05")
    ('pupils', 'decided', 'all of ehc_05')
    """
    if outcome == "pupils" or is_of_pupils(outcome):
        return "pupils"
    own = f"all of {outcome}"
    return own if official else rules()["bases"].get(outcome, own)
