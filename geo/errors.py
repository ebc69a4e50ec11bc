"""The one error of this room: something about places cannot be used."""

from __future__ import annotations

from jsna.errors import SourceError


class PlaceError(SourceError):
    """A boundary, lookup or index file, or a list of codes, cannot be used as it is; all problems are named at once.

    >>> str(PlaceError("Two wards overlap."))
    'Two wards overlap.'
    """
