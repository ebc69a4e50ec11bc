"""Own numbers over the residents of the official population file: children the authority is responsible for alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from jsna.errors import Problem, SourceError, WorkbenchError
from jsna.evidence.catalogue import Counts, Indicator, refuse_across
from jsna.evidence.local_values.specification import specification
from jsna.evidence.values.tables import read_table
from jsna.evidence.values.ways import gather

if TYPE_CHECKING:
    from jsna.area import Area

SOURCE = "population"
OVER = "{period}, over residents of mid-{year}."


def over_residents(
    rows: pd.DataFrame, area: Area, indicators: dict[str, Indicator]
) -> tuple[pd.DataFrame, list[tuple[str, str, str, str]]]:
    """``rows`` with residents as ``denominator`` where a rate has only a number of its own, and a note of both dates.

    Rows that get none are left out, and why is told (indicator, group, reason, mend). The residents are those of the
    one year that the catalogue names for published figures too. Numbers of another basis than residents may lie under
    are refused.
    """
    rates = {name for name, i in indicators.items() if i.kind != "count"}
    lacking = rows["no_denominator"] & rows["indicator"].isin(rates)
    parts, told = [rows[~lacking]], []
    for name, part in rows[lacking].groupby("indicator", sort=False):
        under = _population_of(indicators[str(name)])
        try:
            if under is None:
                raise SourceError(Problem("No count is named that it could be divided by."))
            refuse_across(specification()[part["brings"].iloc[0]]["basis"], under.basis)
            residents, year = _residents(area, under)
        except WorkbenchError as error:
            reason, mend = (" ".join(dict.fromkeys(t for t in texts if t)) for texts in _told(error))
            told += [(str(name), group, reason, mend) for group in dict.fromkeys(part["group"])]
            continue
        note = part["period"].map(lambda period, y=year: OVER.format(period=period, year=y))
        parts.append(part.assign(denominator=part["denominator"].mask(part["symbol"] == "", residents), note=note))
    return pd.concat(parts, ignore_index=True), told


def _population_of(indicator: Indicator) -> Counts | None:
    named = [way.denominator for way in indicator.official if way.denominator and way.denominator.source == SOURCE]
    return named[0] if named else None


def _residents(area: Area, under: Counts) -> tuple[float, str]:
    """Residents of the area and their year. Raises the ``WorkbenchError`` family where no file tells."""
    if not (area.local and area.params.has_data_folder()):
        raise SourceError(
            Problem(
                "Its denominator is the number of residents, which own records do not hold.",
                mend="Name a folder of official files under data:, with the population file.",
            )
        )
    frame = gather(read_table(area.official, under.source, under.table), under).frame
    own = frame[(frame["area_code"] == area.code) & (frame["symbol"] == "")]
    if own.empty:
        raise SourceError(Problem("The population file has no such area.", value=area.code))
    return float(own["value"].iloc[0]), under.period or str(own["written"].iloc[0])


def _told(error: WorkbenchError) -> tuple[list[str], list[str]]:
    return [p.what for p in error.problems], [p.mend for p in error.problems]
