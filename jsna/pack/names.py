"""An area's name as people say it."""

from __future__ import annotations

import re

_REGISTER = re.compile(r",\s+(?:City|County) of\b")


def spoken(name: str) -> str:
    """The name within a sentence, without what stands after the comma in the register of places.

    >>> [spoken(n) for n in ("Bristol, City of", "Herefordshire, County of (synthetic)", "King's Lynn & West")]
    ['Bristol', 'Herefordshire (synthetic)', "King's Lynn & West"]
    """
    return _REGISTER.sub("", name)
