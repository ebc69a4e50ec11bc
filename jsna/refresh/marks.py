"""Whether an authority's own files are practice files of the workbench, as found when they were last read.

An area's folder of packs depends on it (a synthetic area never lies where a real one does), and to find it out all
pupils have to be read: an unchanged run would take as long as reading takes.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from jsna.area import Area
from jsna.errors import WorkbenchError
from jsna.params import Params, Table
from jsna.refresh import digests


class Marks:
    """Kept in ``place`` under a digest of the files' content and of the code that reads them."""

    def __init__(self, place: Path, contents: digests.Contents) -> None:
        self._place, self._contents = place, contents
        self._known: dict[str, bool] = {}
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(place.read_text(encoding="utf-8"))
            self._known = {str(k): v for k, v in told.items() if isinstance(v, bool)} if isinstance(told, dict) else {}

    def area(self, params: Params) -> Area:
        """The area of these params; with what is known of its pupils' files, if they are the same."""
        key = self._key(params)
        return Area(params, self._known.get(key) if key else None)

    def learn(self, area: Area) -> None:
        """Keep what has been found out of an area whose pupils were read."""
        if key := self._key(area.params):
            self._known[key] = bool(area.pupils.summary.synthetic)
            digests.replace_text(self._place, json.dumps(self._known))

    def _key(self, params: Params) -> str:
        """Nothing for a database or an engine, whose content is not seen here, and for files that are not there."""
        if params.source != "local" or params.engine or isinstance(params.pupils, Table):
            return ""
        try:
            paths = params.paths("pupils")
        except WorkbenchError:
            return ""
        return digests.digest(digests.code()["chapters"], *(self._contents.of_path(p) for p in paths))
