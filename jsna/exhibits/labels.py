"""Words in a picture: broken over lines so that they keep to their place, and moved apart where they would meet."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROW_INCHES, LINE_INCHES = 0.27, 0.165
NAME_LETTERS, AXIS_LETTERS, TOP_LETTERS = 36, 58, 84  # in a line: beside a row, under the axis, over the axes
MOST_LINES = 4


def lines_of(text: object, letters: int, most: int = MOST_LINES) -> str:
    """A text over at most ``most`` lines; what does not fit ends in "…", and stands whole in the table behind.

    >>> lines_of("Speech, language", 10)
    'Speech,\\nlanguage'
    >>> lines_of("Speech, language and communication", 14, most=2)
    'Speech,\\nlanguage and …'
    """
    return "\n".join(textwrap.wrap(str(text), letters, max_lines=most, placeholder=" …"))


def even_lines(text: str, letters: int = AXIS_LETTERS, most: int = MOST_LINES) -> str:
    """As ``lines_of``, the lines of about the same length, so that no word stands alone.

    >>> even_lines("shaded: from 0.80 to 1.25", 22)
    'shaded: from\\n0.80 to 1.25'
    """
    lines = max(1, len(textwrap.wrap(text, letters)))
    narrow = next((w for w in range(len(text) // lines, letters) if 0 < len(textwrap.wrap(text, w or 1)) <= lines), 0)
    return lines_of(text, narrow or letters, most)


def name_rows(axes: Any, names: Sequence[object], *, letters: int = NAME_LETTERS, row_inches: float = ROW_INCHES):
    """Rows from the top down, named on the left; the picture grows where a name needs more lines than a row has."""
    labels = [lines_of(name, letters) for name in names]
    axes.set_yticks(range(len(names)), labels)
    lines = max((label.count("\n") + 1 for label in labels), default=1)
    figure = axes.figure
    figure.set_figheight(figure.get_figheight() + len(labels) * max(0.0, lines * LINE_INCHES - row_inches))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def grow(figure: Any, *texts: str) -> None:
    """Make a picture higher by the lines that each text has beyond its first, so that these take no room from it."""
    lines = sum(text.count("\n") for text in texts)
    if lines:
        figure.set_figheight(figure.get_figheight() + lines * LINE_INCHES)


def unit_above(axes: Any, unit: str) -> None:
    """What the upright axis counts, written level over its top: nobody has to turn the head."""
    words = lines_of(unit, TOP_LETTERS)
    axes.set_title(words, loc="left", fontsize=9)
    grow(axes.figure, words)


def words_below(axes: Any, *parts: str, letters: int = AXIS_LETTERS, free: int = 0, **how: Any) -> None:
    """What the level axis counts, and the key of marks: each part from a line of its own, broken where it is long.

    ``free``: lines beyond the first for which the picture has room already.
    """
    words = "\n".join(even_lines(part, letters) for part in parts if part)
    axes.set_xlabel(words, **how)
    grow(axes.figure, "\n" * max(0, words.count("\n") - free))


def thousands(*axes: Any) -> None:
    """Numbers on an axis with commas, whatever their size: 10,000, and never 1e4."""
    for axis in axes:
        axis.set_major_formatter(lambda value, _: f"{value:,.10g}".replace("-", "−"))


def spread(heights: Sequence[float], sizes: Sequence[float], low: float, high: float) -> NDArray[np.float64]:
    """The middles of labels as near to ``heights`` (least squares) as they can stand without meeting.

    ``sizes``: how high each label is, in the same unit; ``low`` and ``high``: where they may stand, if all have room.

    >>> spread([1.0, 1.0, 9.0], [2.0, 2.0, 2.0], 0.0, 10.0).tolist()
    [1.0, 3.0, 9.0]
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(heights, kind="stable")
    size = np.asarray(sizes, float)[order]
    ahead = np.concatenate([[0.0], np.cumsum((size[1:] + size[:-1]) / 2)])
    free = isotonic_regression(np.asarray(heights, float)[order] - ahead).x
    first, last = low + size[0] / 2, high - size[-1] / 2 - ahead[-1]
    made = np.empty(len(order))
    made[order] = np.clip(free, first, max(first, last)) + ahead
    return made


def beside_upright(axes: Any, at: float, share: float, text: str, *, letters: int = 24, **how: Any) -> None:
    """A text beside an upright line at ``at``: on its right in the left half of the axes, else on its left, so that
    it stays inside. ``share``: of the axes' height, where it stands."""
    left, right = axes.get_xlim()
    on_right = at <= (left + right) / 2
    axes.annotate(
        lines_of(text, letters),
        (at, share),
        xycoords=("data", "axes fraction"),
        xytext=(3 if on_right else -3, 0),
        textcoords="offset points",
        ha="left" if on_right else "right",
        **how,
    )
