"""The pictures of the easy-read page: our own drawings, and people of whom some are filled in."""

from __future__ import annotations

from functools import cache

from markupsafe import Markup

from jsna.files.packaged import packaged_yaml

IN_A_ROW, MOST_PEOPLE = 5, 20
_PERSON = (
    '<g transform="translate({x} {y})"{filled}><circle cx="6" cy="5" r="3.6"/>'
    '<path d="M1 19v-4a5 5 0 0 1 10 0v4z"/></g>'
)


@cache
def pictures() -> dict[str, dict[str, str]]:
    """What ``pictures.yml`` says: ``drawings`` by name, and which stands ``beside`` which sentence."""
    return packaged_yaml("jsna.pack", "pictures.yml")


def beside(key: str) -> Markup:
    """The drawing beside the sentence of ``key``, by the longest beginning of it that has one. Raises ``KeyError``."""
    stems = [key.rsplit(".", n)[0] for n in range(key.count(".") + 1)]
    name = next((pictures()["beside"][s] for s in stems if s in pictures()["beside"]), None)
    if name is None:
        raise KeyError(key)
    return _svg(pictures()["drawings"][name], 64, 64)


def people(part: int, of: int) -> Markup | None:
    """``of`` people in rows of five, ``part`` of them filled in; None for more than can be counted at a glance.

    >>> people(1, 4).count("<g "), people(1, 4).count("fill="), people(1, 40)
    (4, 2, None)
    """
    if of > MOST_PEOPLE:
        return None
    drawn = "".join(
        _PERSON.format(
            x=14 * (n % IN_A_ROW) + 2, y=22 * (n // IN_A_ROW) + 2, filled=' fill="currentColor"' if n < part else ""
        )
        for n in range(of)
    )
    return _svg(drawn, 14 * min(of, IN_A_ROW) + 2, 22 * -(-of // IN_A_ROW) + 2, "people")


def _svg(inside: str, width: int, height: int, kind: str = "drawing") -> Markup:
    """A picture that a screen reader passes over: the sentence beside it says the same."""
    shown = f'class="{kind}" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false" fill="none"'
    return Markup(f"<svg {shown}>{inside}</svg>")  # of our own drawings and of whole numbers alone
