"""The pupils of one area, as far as one may ask of them: how many there are of which kind, and never who.

Chapters, plans and checks ask a ``Roll``. Whether the pupils lie in a table in memory or in an engine that counts them
where they are (``jsna.engines``), the same question has the same answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pandas as pd

from jsna.counts.question import Question
from jsna.files.result import Summary
from jsna.roll.engine import EngineRoll
from jsna.roll.frame import FrameRoll
from jsna.sealed import Sealed

__all__ = ["EngineRoll", "FrameRoll", "Roll"]


class Roll(Protocol):
    """The pupils of one authority in their censuses.

    ``summary`` and ``quarantine`` say where they come from and what was put aside; ``periods`` are their censuses,
    oldest first, such as 202526; ``rows`` tells whether there are rows to join other lists to.
    """

    rows: bool

    @property
    def summary(self) -> Summary: ...

    @property
    def quarantine(self) -> pd.DataFrame: ...

    @property
    def periods(self) -> tuple[str, ...]: ...

    def count(self, question: Question) -> Sealed:
        """Sealed counts, as ``jsna.counts.count_pupils`` gives them. Raises ``SourceError``."""
        ...

    def repeats(self) -> Sealed:
        """Sealed counts of pupils who stand in two censuses, as ``jsna.counts.count_repeats`` gives them."""
        ...

    def put_aside(self, folder: Path) -> None:
        """Keep what the chapters of a run need of them in ``folder``, which is for its owner alone."""
        ...
