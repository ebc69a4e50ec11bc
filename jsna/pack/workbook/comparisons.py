"""The rows of ``flags.csv`` as a table that a person can read, beside the codes that programs use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from jsna.chapters.disparity import outcome_name, texts
from jsna.disproportionality import reason_text
from jsna.pack.workbook.cells import clean, settings

LEADING = ("Group", "Measure", "By", "Status", "Why")


def comparison_rows(flags: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a comparison: group, measure and reasons in words, then every column of ``flags.csv`` renamed."""
    frame = pd.DataFrame([dict(f) for f in flags], dtype=object).reindex(columns=list(settings()["flags"]))
    frame = frame.astype(object).where(frame.notna(), "").astype(str)
    words = pd.DataFrame(
        {
            "Measure": frame["outcome"].map(outcome_name),
            "By": frame["characteristic"].map(_dimension),
            "Why": frame["reasons"].map(_reasons),
        }
    )
    whole = pd.concat([words, frame.rename(columns=settings()["flags"])], axis=1)
    return whole[[*LEADING, *(c for c in whole.columns if c not in LEADING)]].map(clean)


def _dimension(code: str) -> str:
    named = texts()["dimensions"].get(code)
    return named["one"] if named else code.replace("_", " ")


def _reasons(codes: str) -> str:
    try:
        return " ".join(reason_text(codes))
    except KeyError:
        return codes.replace("_", " ")
