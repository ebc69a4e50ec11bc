"""Cells of a database as the text that a file would have, and values of a filter as the database has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

_SAID = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
TEXT, YES, WHOLE, NUMBER, DATE = "text", "yes or no", "whole number", "number", "date"


def text_of(kind: str, cells: Iterable[Any]) -> list[str]:
    """Cells of one column as text: dates ISO (with the time of day where there is one), yes and no 1 and 0, whole
    numbers without a decimal point, nothing at all "".

    >>> import datetime as dt
    >>> text_of("date", [dt.date(2026, 1, 15), None]), text_of("yes or no", [True, False, None])
    (['2026-01-15', ''], ['1', '0', ''])
    >>> text_of("number", [Decimal("132.00"), Decimal("1E+2"), 27.5, float("nan")])
    ['132', '100', '27.5', '']
    """
    write = _WRITERS[kind]
    return ["" if cell is None else write(cell) for cell in cells]


def filter_value(kind: str, value: str | int) -> Any:
    """A filter's value in the kind of its column. Raises ``ValueError`` or ``KeyError`` where it is none.

    >>> filter_value("whole number", "2026"), filter_value("text", 2026), filter_value("date", "2026-01-15")
    (2026, '2026', datetime.date(2026, 1, 15))
    """
    text = str(value).strip()
    if kind == WHOLE:
        return int(text)
    if kind == NUMBER:
        return Decimal(str(float(text)))
    if kind == DATE:
        return dt.date.fromisoformat(text)
    if kind == YES:
        return _SAID[text.casefold()]
    if kind != TEXT:
        raise ValueError
    return text


def _number(cell: Decimal | float) -> str:
    if isinstance(cell, float):
        if cell != cell:
            return ""
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if not cell.is_finite():
        return "" if cell.is_nan() else str(cell)
    plain = format(cell, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _date(cell: Any) -> str:
    if not isinstance(cell, dt.datetime):
        return cell.isoformat()
    return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")


_WRITERS: dict[str, Callable[[Any], str]] = {
    TEXT: str,
    YES: lambda cell: "1" if cell else "0",
    WHOLE: lambda cell: str(int(cell)),
    NUMBER: _number,
    DATE: _date,
}
