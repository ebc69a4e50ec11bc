"""Every row of figures.csv on a page, each with its numbers and its source file: where a proposal leads in one step."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from jsna.area import Area

SHOWN = ("Measure", "Group", "Period", "Value", "Lower limit", "Upper limit", "Numerator", "Denominator")


def figures_page(figures_csv: str, sources: Sequence[Mapping[str, Any]], area: Area) -> str:
    """The page: a row a figure, with the file that it was read from and that file's digest."""
    from jsna.pack.page import style, template

    rows = [
        {
            "id": f"{row['Indicator']}-{row['Group']}",
            "cells": [row[c] for c in SHOWN],
            "source": row["Source"],
            "files": files_of(row["Source"], sources),
        }
        for row in csv.DictReader(io.StringIO(figures_csv))
    ]
    return template("figures.html.j2").render(
        css=style(),
        heads=SHOWN,
        rows=rows,
        area_name=area.label,
        cycle=area.params.cycle,
        synthetic=area.synthetic,
    )


def files_of(source: str, sources: Sequence[Mapping[str, Any]]) -> list[str]:
    """The files of a source with the beginning of their digests, as the manifest lists them whole."""
    return [
        f"{row['file']} (SHA-256 {str(row['sha256'])[:12]}…)"
        for row in sources
        if row.get("file") and (str(row.get("source")) in source or source in str(row.get("source")))
    ]
