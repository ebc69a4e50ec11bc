"""Tables that may be shown: the one kind of value that exhibits and the pack accept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

SYMBOLS = {
    "c": "hidden to protect people (confidential)",
    "z": "not applicable",
    "x": "not available",
    "u": "low reliability: too few pupils for a rate",
    "low": "rounds to zero but is not zero",
}
ROUNDED = {f"r{base}": f"(nearest {base})" for base in (10, 20, 50, 100)}


def with_symbols(text: pd.Series, symbols: pd.Series) -> pd.Series:
    """Texts of a column with the symbol in place of what is not shown; a rounded number says to what it is rounded.

    >>> with_symbols(pd.Series(["7", "", "1170"]), pd.Series(["", "c", "r10"])).tolist()
    ['7', 'c', '1170 (nearest 10)']
    """
    shown = [with_symbol(value, symbol) for value, symbol in zip(text.tolist(), symbols.tolist(), strict=True)]
    return pd.Series(shown, index=text.index, name=text.name, dtype=text.dtype)


def with_symbol(value: Any, symbol: str) -> Any:
    """As ``with_symbols``, for one value."""
    return f"{_whole(value)} {ROUNDED[symbol]}" if symbol in ROUNDED else symbol or value


def _whole(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Released:
    """A protected table.

    ``frame`` holds values, missing wherever something is hidden or absent; ``symbols`` has the same shape and says why
    (one of ``SYMBOLS``, or empty), or to what a value is rounded (one of ``ROUNDED``). ``source`` names the data;
    ``synthetic`` is true when no real child is in it.
    """

    frame: pd.DataFrame
    symbols: pd.DataFrame
    source: str
    synthetic: bool = False
    notes: tuple[str, ...] = field(default=())

    def rows(self, mask) -> Released:
        """The rows where ``mask`` is true, symbols with them."""
        return Released(
            self.frame[mask].reset_index(drop=True),
            self.symbols[mask].reset_index(drop=True),
            self.source,
            self.synthetic,
            self.notes,
        )

    def with_columns(self, **columns: pd.Series) -> Released:
        """The table with further columns of words, such as labels, that need no symbol."""
        return Released(
            self.frame.assign(**columns),
            self.symbols.assign(**dict.fromkeys(columns, "")),
            self.source,
            self.synthetic,
            self.notes,
        )

    @property
    def hidden_cells(self) -> int:
        """How many cells are hidden to protect people."""
        return int((self.symbols == "c").sum().sum())

    def text(self) -> pd.DataFrame:
        """Values and symbols in one frame of objects: what a CSV reader should see, never an empty cell."""
        merged = self.frame.astype(object)
        return pd.DataFrame({c: with_symbols(merged[c], self.symbols[c]) for c in merged}, index=merged.index)
