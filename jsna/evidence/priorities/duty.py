"""Which evidence is there for each protected characteristic, and how will the gaps be closed? For the equality duty."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from jsna.disproportionality.rule import FLAGGED, INSUFFICIENT, NOT_SHOWN, WATCH
from jsna.files.packaged import packaged_yaml


@cache
def characteristics() -> dict[str, Any]:
    """The protected characteristics, and what speaks to each."""
    return packaged_yaml("jsna.evidence.priorities", "duty.yml")


def duty_table(flags: pd.DataFrame) -> pd.DataFrame:
    """One row a characteristic: ``name``, ``compared`` (comparisons that could be judged), ``flagged``, ``evidence``
    and ``gap``, both in words; without evidence the gap says how to close it.

    Source of the duty: Equality Act 2010, section 149; of the characteristics: section 4.
    """
    rows = []
    for told in characteristics().values():
        here = flags[flags["characteristic"].isin(told["by"]) & (flags["status"] != INSUFFICIENT)]
        status = here["status"]
        hidden = int((status == NOT_SHOWN).sum())
        judged, flagged, watched = len(here) - hidden, int(status.isin(FLAGGED).sum()), int((status == WATCH).sum())
        said = (
            f"{judged} comparisons could be judged: in {flagged} a group is flagged, in {watched} to watch (flags.csv)."
            if judged
            else ""
        )
        gap = "" if judged else f"No comparison in this pack. {told['close']}"
        if judged and hidden:
            gap = f"In {hidden} more the numbers are hidden, so that nothing is said of these groups."
        elif judged:
            gap = "What the figures cannot say: why groups differ, and what children need."
        rows.append({"name": told["name"], "compared": judged, "flagged": flagged, "evidence": said, "gap": gap})
    return pd.DataFrame(rows)
