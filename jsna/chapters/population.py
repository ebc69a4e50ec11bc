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
from jsna.sealed import Sealed


@needs("pupils")
def by(area: Area, column: str) -> Released:
    """Pupils of the latest census in each group of ``column``, protected, with each group's share."""
    sealed = area.count([column])
    frame = sealed.unseal("to share out pupils by group")
    rows = frame[frame["time_period"].astype(str) == area.periods[-1]]
    groups = dimension(column)
    order = {code: i for i, code in enumerate(groups.labels)}
    counts = pd.DataFrame({"group": rows[column].astype(str), "pupils": rows["pupils"], "total": rows["pupils"].sum()})
    counts = counts.sort_values("group", key=lambda s: s.map(order)).reset_index(drop=True)
    counts.insert(1, "label", counts["group"].map(groups.labels))
    counts["percent"] = 100 * counts["pupils"] / counts["total"]
    sealed = Sealed(counts, counts=("pupils", "total"), derived=("percent",))
    return protect(sealed, area.policy, source=area.pupil_source, synthetic=area.synthetic)


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
    sealed = Sealed(counts, counts=("pupils",))
    table = protect(sealed, area.policy, source=area.pupil_source, synthetic=area.synthetic)
    return bars(table, id="population-censuses", title="Pupils on roll", group="period", value="pupils", unit="pupils")
