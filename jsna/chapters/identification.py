"""How many pupils have SEND, of what kind, and is it changing?"""

from __future__ import annotations

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import needs
from jsna.chapters.disparity import texts
from jsna.codes import code_list
from jsna.counts import NEEDS, OUTCOMES
from jsna.disclosure import Released, protect
from jsna.exhibits.charts import bars
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import finding
from jsna.exhibits.trend_chart import trend
from jsna.linked.names import pupil_names
from jsna.measures import proportion
from jsna.sealed import Sealed


def _by_census(area: Area) -> Released:
    """Share of pupils with each outcome in each census, with its interval."""
    frame = area.count([]).unseal("to work out shares of the roll")
    names = {o: texts()["outcomes"][o]["name"] for o in OUTCOMES}
    long = frame.melt(
        id_vars=["time_period", "pupils"], value_vars=list(OUTCOMES), var_name="outcome", value_name="identified"
    )
    limits = (
        100 * proportion(long["identified"], long["pupils"], area.params.confidence)[["estimate", "lower", "upper"]]
    )
    long = long.assign(
        period=long["time_period"].astype(str).map(period_name),
        name=long["outcome"].map(names),
        percent=limits["estimate"],
        percent_lower=limits["lower"],
        percent_upper=limits["upper"],
    )
    pair = ("identified", "pupils")
    sealed = Sealed(
        long,
        counts=pair,
        rates={"percent": pair, "percent_lower": pair, "percent_upper": pair},
    )
    names = {
        "identified": pupil_names(long.index, long["time_period"], long["outcome"]),
        "pupils": pupil_names(long.index, long["time_period"]),
    }
    return protect(
        sealed,
        area.policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        names=names,
        relations=(("time_period",),),
    )


@needs("pupils")
def over_time(area: Area) -> Exhibit:
    """Shares with any SEN, SEN support and an EHC plan in the three censuses."""
    return trend(
        _by_census(area),
        id="identification-trend",
        title="Pupils with SEN in each January census",
        x="period",
        series="name",
        value="percent",
        highlight=texts()["outcomes"]["any_sen"]["name"],
    )


@needs("pupils")
def finding_now(area: Area) -> Exhibit:
    """How many pupils have SEN now, in a sentence."""
    table = _by_census(area).frame
    now = table[table["time_period"].astype(str) == area.periods[-1]].set_index("outcome")
    row = now.loc["any_sen"]
    limits = f"{format_number(row['percent_lower'], 'percent')}% and {format_number(row['percent_upper'], 'percent')}%"
    return finding(
        "identification-now",
        f"In {row['period']}, {format_number(row['percent'], 'percent')}% of pupils had SEN: "
        f"{format_number(now.loc['sen_support', 'percent'], 'percent')}% on SEN support and "
        f"{format_number(now.loc['ehc_plan', 'percent'], 'percent')}% with an EHC plan.",
        detail=(
            f"{int(row['identified']):,} of {int(row['pupils']):,} pupils; between {limits}, 95% confidence interval.",
        ),
    )


@needs("pupils")
def primary_needs(area: Area) -> Exhibit:
    """The primary needs of pupils with SEN, as a share of all pupils with SEN."""
    frame = area.count([]).unseal("to share out pupils with SEN by need")
    row = frame[frame["time_period"].astype(str) == area.periods[-1]].iloc[0]
    plain = code_list("need")["plain"]
    counts = pd.DataFrame({"need": [plain[n] for n in NEEDS], "pupils": [int(row[f"need_{n}"]) for n in NEEDS]})
    counts["with_sen"] = int(row["any_sen"])
    counts["percent"] = 100 * counts["pupils"] / counts["with_sen"]
    names = {
        "pupils": pupil_names(counts.index, area.periods[-1], pd.Series([f"need_{n}" for n in NEEDS])),
        "with_sen": pupil_names(counts.index, area.periods[-1], "any_sen"),
    }
    sealed = Sealed(counts, counts=("pupils", "with_sen"), derived=("percent",))
    table = protect(sealed, area.policy, source=area.pupil_source, synthetic=area.synthetic, names=names)
    return bars(
        table,
        id="identification-needs",
        title=f"Primary need of pupils with SEN, {period_name(area.periods[-1])}",
        group="need",
        value="percent",
        unit="% of pupils with SEN",
        order="value",
    )
