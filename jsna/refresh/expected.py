"""How long each chapter is likely to take: as it did the last times, else by the size of its notebook."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from jsna.refresh.digests import replace_text

SECONDS_A_MEGABYTE = 8.0


class Expected:
    """Seconds that chapters took, kept in ``place`` from run to run."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._known: dict[str, float] = {}
        with contextlib.suppress(OSError, ValueError, TypeError):
            self._known = {str(k): float(v) for k, v in json.loads(place.read_text(encoding="utf-8")).items()}

    def of(self, notebook: Path) -> float:
        """Seconds, at least a half: of the last runs, or guessed from what the notebook shows."""
        known = self._known.get(notebook.stem)
        return max(0.5, known if known is not None else notebook.stat().st_size / 1e6 * SECONDS_A_MEGABYTE)

    def learn(self, notebook: Path, seconds: float) -> None:
        """Between what was expected and what it took, so that one odd run does not rule."""
        self._known[notebook.stem] = round((self._known.get(notebook.stem, seconds) + seconds) / 2, 2)

    def save(self) -> None:
        replace_text(self._place, json.dumps(self._known, sort_keys=True))
