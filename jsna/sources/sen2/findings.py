"""Findings: what a check says, where and how often, with a few rows to look at and never a value of a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from jsna.files.packaged import packaged_yaml

FINDING_COLUMNS = ("number", "name", "severity", "table", "count", "rows", "sentence")
SEVERITIES = ("error", "warning", "query", "note")
ROWS_SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """One check's hits in one table: ``rows`` are rows of the source, ``of`` how many were looked at."""

    number: str
    table: str
    rows: tuple[int, ...]
    of: int
    more: str = ""
    # How many, where the hits are no rows of the source.
    counted: int | None = None

    @property
    def count(self) -> int:
        return len(self.rows) if self.counted is None else self.counted


@cache
def spec(package: str, name: str) -> Mapping[str, Any]:
    """A file of checks."""
    return packaged_yaml(package, name)


def found(
    number: str, table: str, frame: pd.DataFrame, mask: pd.Series, of: int | None = None, more: str = ""
) -> list[Finding]:
    """The rows of ``frame`` in which ``mask`` holds, as at most one finding; missing counts as not."""
    hit = mask.to_numpy(dtype=bool, na_value=False)
    if not hit.any():
        return []
    rows = frame["row"].to_numpy()[hit]
    return [Finding(number, table, tuple(int(r) for r in rows), len(frame) if of is None else of, more)]


def as_frame(findings: Iterable[Finding], checks: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Findings as a table, the gravest first: number, name, severity, table, count, rows (a sample), sentence."""
    rows = [_row(f, checks[f.number]) for f in findings]
    frame = pd.DataFrame(rows, columns=list(FINDING_COLUMNS))
    frame["severity"] = pd.Categorical(frame["severity"], SEVERITIES, ordered=True)
    return frame.sort_values("severity", kind="stable", ignore_index=True)


def _row(finding: Finding, check: Mapping[str, str]) -> dict[str, Any]:
    share = 100 * finding.count / finding.of if finding.of else 0.0
    told = {"count": f"{finding.count:,}", "of": f"{finding.of:,}", "share": f"{share:.1f}", "more": finding.more}
    shown = [str(r) for r in finding.rows[:ROWS_SHOWN]]
    return {
        "number": finding.number,
        "name": check["name"],
        "severity": check["severity"],
        "table": finding.table,
        "count": finding.count,
        "rows": ", ".join(shown) + (", …" if len(finding.rows) > ROWS_SHOWN else ""),
        "sentence": check["sentence"].format(**told),
    }
