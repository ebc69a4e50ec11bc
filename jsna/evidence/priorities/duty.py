"""Which evidence is there for each protected characteristic, and how will the gaps be closed? For the equality duty."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from jsna.disproportionality.rule import FLAGGED, INSUFFICIENT


@cache
def characteristics() -> dict[str, Any]:
    """The protected characteristics, and what speaks to each."""
    return yaml.safe_load(files("jsna.evidence.priorities").joinpath("duty.yml").read_text(encoding="utf-8"))


def duty_table(flags: pd.DataFrame) -> pd.DataFrame:
    """One row a characteristic: ``name``, ``compared`` (comparisons with enough children), ``flagged``, ``evidence``
    and ``gap``, both in words, one of them empty.

    Source of the duty: Equality Act 2010, section 149; of the characteristics: section 4.
    """
    rows = []
    for told in characteristics().values():
        here = flags[flags["characteristic"].isin(told["by"]) & (flags["status"] != INSUFFICIENT)]
        flagged = int(here["status"].isin(FLAGGED).sum())
        if len(here):
            said = f"{len(here)} comparisons were made; in {flagged} of them a group is flagged (flags.csv)."
        else:
            said = ""
        gap = "" if said else f"No comparison in this pack. {told['close']}"
        rows.append({"name": told["name"], "compared": len(here), "flagged": flagged, "evidence": said, "gap": gap})
    return pd.DataFrame(rows)
