"""Who goes to school here? Pupils by census, ethnic group, language and deprivation."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import needs
from jsna.disclosure import Released, protect
from jsna.evidence.comparison import dimension
from jsna.exhibits.charts import bars
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import finding
from jsna.linked.names import group_names, pupil_names
from jsna.sealed import Sealed


@needs("pupils")
def by(area: Area, column: str) -> Released:
    """Pupils of the latest census in each group of ``column``, protected, with each group's share."""
    frame = area.count([], [column]).unseal("to share out pupils by group")
    latest = frame[frame["time_period"].astype(str) == area.periods[-1]]
    rows, total = latest[latest["grouping"] == column], latest.loc[latest["grouping"] == "", "pupils"].iloc[0]
    groups = dimension(column)
    order = {code: i for i, code in enumerate(groups.labels)}
    counts = pd.DataFrame({"group": rows[column].astype(str), "pupils": rows["pupils"], "total": total})
    counts = counts.sort_values("group", key=lambda s: s.map(order)).reset_index(drop=True)
    counts.insert(1, "label", counts["group"].map(groups.labels))
    counts["percent"] = 100 * counts["pupils"] / counts["total"]
    sealed = Sealed(counts, counts=("pupils", "total"), derived=("percent",))
    names = {
        "pupils": group_names(counts.index, area.periods[-1], column, counts["group"]),
        "total": pupil_names(counts.index, area.periods[-1]),
    }
    return protect(sealed, area.policy, source=area.pupil_source, synthetic=area.synthetic, names=names)


@needs("pupils")
def shares(table: Released, area: Area, column: str, title: str, order: str = "given") -> Exhibit:
    """A bar for each group's share of pupils."""
    return bars(
        table,
        id=f"population-{column.replace('_', '-')}",
        title=f"{title}, {period_name(area.periods[-1])}",
        group="label",
        value="percent",
        unit="% of pupils",
        order=order,
    )


@needs("pupils")
def largest(table: Released, name: str, what: str) -> Exhibit:
    """The largest group and its share, in a sentence."""
    shown = table.frame.dropna(subset=["percent"])
    top = shown.loc[shown["percent"].idxmax()]
    return finding(
        f"population-{name}",
        f"The largest {what} is {top['label']}: {format_number(top['percent'], 'percent')}% of "
        f"{int(top['total']):,} pupils.",
    )


@needs("pupils")
def over_time(area: Area) -> Exhibit:
    """Pupils on roll in each census."""
    frame = area.count([]).unseal("to count the roll")
    counts = pd.DataFrame({"period": frame["time_period"].astype(str).map(period_name), "pupils": frame["pupils"]})
    names = {"pupils": pupil_names(frame.index, frame["time_period"])}
    sealed = Sealed(counts, counts=("pupils",))
    table = protect(sealed, area.policy, source=area.pupil_source, synthetic=area.synthetic, names=names)
    return bars(table, id="population-censuses", title="Pupils on roll", group="period", value="pupils", unit="pupils")
