"""All that an area's own records count, in one tally."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsna.evidence.local_values.counts import Tally, of_cases, of_pupils, of_returns, together, whole_years
from jsna.evidence.local_values.lists import of_lists
from jsna.local import extracts_of, sen2_of
from jsna.sources.cases import cases_of_list

if TYPE_CHECKING:
    from jsna.area import Area


def brought(area: Area) -> Tally:
    """Everything that the area holds, counted. Raises the ``WorkbenchError`` family for a file that cannot be read."""
    params = area.params
    if params.source == "official":
        return together([])
    parts = [of_pupils(area.roll)]
    if not area.local:
        cases = area.ehc_cases
        return together([*parts, of_cases(cases, whole_years(cases.summary.period))])
    extracts = extracts_of(params)
    if params.sen2:
        from jsna.sources.sen2.timeliness import cases as cases_of_returns

        returns = sen2_of(params)
        years = sorted(r.year - 1 for r in returns)
        parts += [of_cases(cases_of_returns(*returns), years), of_returns(returns)]
        extracts_of_cases = []
    else:
        extracts_of_cases = [e.loaded for e in extracts if e.kind == "ehc_cases"][:1]
    parts += [of_cases(cases_of_list(e), whole_years(e.summary.period)) for e in extracts_of_cases]
    return together([*parts, of_lists(extracts, area.pupils.frame if area.roll.rows else None)])
