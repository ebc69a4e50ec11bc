"""Values of indicators from an authority's own records, protected; and own figures beside the published ones.

Own figures are of the authority's schools (school census) or of the children it is responsible for (cases, SEN2); they
are never divided by an official count of other children.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.counts import CELL_KEY, KEYS
from jsna.disclosure import Policy, protect
from jsna.evidence.catalogue import Catalogue, catalogue
from jsna.evidence.local_values.brought import brought
from jsna.evidence.local_values.counts import Tally, of_pupils
from jsna.evidence.local_values.residents import over_residents
from jsna.evidence.local_values.specification import specification, ways_of
from jsna.evidence.values import ABSENT, COLUMNS, Values
from jsna.evidence.values.periods import year_of
from jsna.evidence.values.vintages import vintage_table
from jsna.linked.figures import as_changed
from jsna.local import kept_values, prepared
from jsna.measures import proportion, rate
from jsna.sealed import Sealed

if TYPE_CHECKING:
    from jsna.area import Area

EVENTS = ("byar", "exact_poisson", "overdispersed")
HIDDEN = "Hidden to protect people: a number of fewer than {threshold}, or one that would give such a number away."
NEAR = "Worked out from numbers that are rounded to protect people."
REPEATS = "Children can repeat: the interval is the least it can be."
WORDS = {
    "pupils": "School Census",
    "cases": "Requests for EHC needs assessments",
    "assessments": "EHC needs assessments",
    "sen2": "SEN2 returns",
    "reviews": "List of annual reviews",
    "disputes": "List of mediation and appeals",
    "exclusions": "List of suspensions and exclusions, with the School Census",
    "absence": "List of absence",
    "destinations": "List of destinations",
    "ld_health_checks": "List of learning-disability health checks",
    "short_breaks": "List of short breaks, with the School Census",
    "survey": "Survey",
    "plan_audits": "Audits of plans",
}


def local_values(area: Area) -> Values:
    """Every indicator that the area's own records can tell, for the area alone, with what could not be told and why.

    One row an indicator, group and period, ``origin`` "local"; a hidden figure has the symbol c and no value, count or
    limit. From pupils by January census, cases by whole calendar year, SEN2 returns and every list that is named. In a
    refresh it is what the run has put aside. Raises the ``WorkbenchError`` family where a named file cannot be read.
    """
    found = kept_values()
    if found is not None:
        frame, absent, sources = found
        return Values(frame, sources, absent, vintage_table())
    if prepared() and area.local:
        return Values(pd.DataFrame(columns=list(COLUMNS)), (), pd.DataFrame(columns=list(ABSENT)), vintage_table())
    made = brought(area)
    return values_of(made, area)


def values_of(made: Tally, area: Area, known: Catalogue | None = None) -> Values:
    """The values of a tally, through the gate as one table."""
    indicators = (known or catalogue()).indicators
    ways = ways_of(indicators.values())
    rows = _first_way(_protected(made, ways, area))
    rows, without = over_residents(rows, area, indicators)
    told = pd.DataFrame(
        [(i.id, i.kind, i.interval, i.per, i.minimum_denominator) for i in indicators.values()],
        columns=["indicator", "kind", "interval", "per", "minimum"],
    )
    rows = rows.merge(told, on="indicator", how="left")
    frame = _figures(rows, area.policy, area.params.confidence)
    frame = frame.assign(
        area_code=area.code,
        area_name=area.name,
        area_level="local_authority",
        way="counts",
        provisional=False,
        break_before=_breaks(frame, indicators.values()),
        source=frame["brings"].map({b: _source(area, b) for b in frame["brings"].unique()}).astype("str"),
        completeness=np.nan,
        origin="local",
    )
    frame = frame.sort_values(["indicator", "group", "area_code", "year"], kind="stable")
    absent = _absent(ways, rows, made, without)
    return Values(frame[list(COLUMNS)].reset_index(drop=True), made.sources, absent, vintage_table())


def _protected(made: Tally, ways: pd.DataFrame, area: Area) -> pd.DataFrame:
    """One row a way and period with its counts as they may be shown, and ``symbol`` c where they may not.

    A tally by itself, outside of a pack, is protected as a pack of its own.
    """
    # The plan of a pack asks what an area has brought: these rooms need one another.
    from jsna.linked.indicators import placed
    from jsna.linked.pattern import pattern_of_plan

    counts = made.counts.unseal("to name what is counted")
    found, policy = placed(counts, ways), area.policy
    if policy.pattern is None and policy.method == "suppress" and len(found.cells):
        policy = replace(policy, pattern=pattern_of_plan(found.plan(), policy))
    counts = counts.assign(key=counts["count"] + "@" + counts["group"])
    told = found.names.merge(counts, on=["brings", "period", "key"], how="left", validate="1:1")
    told = as_changed(_with_cell_keys(told, area), ["number"], policy)
    if policy.pattern is not None:
        told = told.assign(number=policy.pattern.rounded(told["number"], told["name"]))
    released = protect(
        Sealed(told[["brings", "period", "key", "number"]], counts=("number",)),
        policy,
        source=f"Own records of {area.name}",
        synthetic=area.synthetic,
        names={"number": told["name"]},
    )
    shown = released.frame.assign(symbol=released.symbols["number"])
    return _looked_up(_rows_of(counts, ways), shown.set_index(["brings", "period", "key"]))


def _with_cell_keys(told: pd.DataFrame, area: Area) -> pd.DataFrame:
    """The keys of the cells of pupils beside their counts, where the policy changes these by them."""
    if area.policy.method != "cell_key" or "pupils" not in area.brings:
        return told
    keys = of_pupils(area.roll, cell_keys=True).counts.unseal("to change counts by them")
    keys = keys.assign(key=keys["count"] + "@" + keys["group"], **{f"{CELL_KEY}number": keys["number"] % KEYS})
    own = ["brings", "period", "key"]
    return told.merge(keys[[*own, f"{CELL_KEY}number"]], on=own, how="left", validate="1:1")


def _rows_of(counts: pd.DataFrame, ways: pd.DataFrame) -> pd.DataFrame:
    """One row a way and period of which all counts are there."""
    there = pd.MultiIndex.from_frame(counts[["brings", "period", "key"]])
    rows = ways.merge(counts[["brings", "file", "period", "year"]].drop_duplicates(), on="brings")
    held = pd.MultiIndex.from_frame(rows[["brings", "period", "numerator"]]).isin(there)
    held &= pd.MultiIndex.from_frame(rows[["brings", "period", "denominator"]]).isin(there) | (
        rows["denominator"] == ""
    )
    return rows[held].reset_index(drop=True)


def _looked_up(rows: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Names of counts replaced by the counts, where all that a row rests on may be shown."""
    hidden, near = pd.Series(False, index=rows.index), pd.Series(False, index=rows.index)
    numbers = {}
    for column in ("numerator", "denominator", "rests_on"):
        told = shown.reindex(pd.MultiIndex.from_arrays([rows["brings"], rows["period"], rows[column]]))
        hidden |= (told["symbol"] == "c").to_numpy()
        near |= told["symbol"].str.startswith("r", na=False).to_numpy("bool")
        numbers[column] = told["number"].to_numpy("float64")
    alone = rows["denominator"] == ""
    open_to_all = {c: np.where(hidden, np.nan, numbers[c]) for c in ("numerator", "denominator")}
    note = np.where(near & ~hidden, NEAR, "")
    return rows.assign(**open_to_all, symbol=np.where(hidden, "c", ""), no_denominator=alone, note=note)


def _first_way(rows: pd.DataFrame) -> pd.DataFrame:
    """Of several ways to one figure, the first in the catalogue's order; a hidden one stays hidden."""
    return rows.sort_values("place", kind="stable").drop_duplicates(["indicator", "group", "period"])


def _figures(rows: pd.DataFrame, policy: Policy, confidence: float) -> pd.DataFrame:
    """Value and limits in the indicator's unit, from the counts that are shown."""
    n, d, divided = rows["numerator"], rows["denominator"], rows["kind"] != "count"
    few = (rows["symbol"] == "") & divided & (d < np.maximum(rows["minimum"], policy.minimum_denominator))
    symbol = rows["symbol"].mask(few, "u")
    value = (rows["per"] * n / d).where(divided, n).where(symbol == "")
    limits = pd.DataFrame(np.nan, index=rows.index, columns=["lower", "upper"])
    for measure, kinds in ((proportion, ("wilson",)), (rate, EVENTS)):
        here = rows[(symbol == "") & divided & rows["interval"].isin(kinds)]
        made = measure(here["numerator"], here["denominator"], confidence)[["lower", "upper"]]
        limits.loc[here.index] = made.mul(here["per"], axis="index")
    said = pd.Series("", index=rows.index).mask(symbol == "c", HIDDEN.format(threshold=policy.threshold))
    said = said.mask((symbol == "") & (rows["interval"] == "overdispersed"), REPEATS)
    return rows.assign(symbol=symbol, value=value, note=(rows["note"] + " " + said).str.strip()).join(limits)


def _breaks(rows: pd.DataFrame, indicators) -> pd.Series:
    """Whether a row is the first at or after a break, with own figures before it."""
    found = pd.Series(False, index=rows.index)
    for indicator, year in {(i.id, year_of(b.period)) for i in indicators for b in i.breaks}:
        own = rows[rows["indicator"] == indicator]
        later = own[own["year"] >= year]
        earlier = own["group"][own["year"] < year]
        first = later["year"] == later.groupby("group")["year"].transform("min")
        found.loc[later.index[first & later["group"].isin(earlier)]] = True
    return found


def _source(area: Area, brings: str) -> str:
    if brings == "pupils":
        return area.pupil_source
    if not area.local:
        return "Synthetic cases of the workbench, calibrated to published figures"
    made_up = ", synthetic records of the workbench" if area.synthetic else ""
    return f"{WORDS[brings]}{made_up}, as held by {area.name}"


def _absent(
    ways: pd.DataFrame, rows: pd.DataFrame, made: Tally, without: list[tuple[str, str, str, str]]
) -> pd.DataFrame:
    """Ways that gave no row, why, and how to mend it; and periods that were left out of those that did."""
    got, told = set(zip(rows["indicator"], rows["group"], strict=True)), list(without)
    counted = set(made.counts.unseal("to say which sources told of anybody")["brings"])
    for way in ways.itertuples():
        brings, measure = str(way.brings), str(way.measure)
        said = made.missing[(made.missing["brings"] == brings) & _about(made.missing["measure"], measure)]
        told += [(way.indicator, way.group, *row) for row in zip(said["reason"], said["mend"], strict=True)]
        if (way.indicator, way.group) in got | {t[:2] for t in told}:
            continue
        mend = str(specification().get(brings, {}).get("mend", ""))
        if way.numerator == "":
            told.append((way.indicator, way.group, f"The workbench has no measure {measure} of {brings}.", ""))
        elif brings in counted:
            told.append((way.indicator, way.group, f"{WORDS[brings]}: no such figure is in what was brought.", mend))
        else:
            told.append((way.indicator, way.group, f"{WORDS[brings]}: nothing was brought.", mend))
    return pd.DataFrame(list(dict.fromkeys(told)), columns=list(ABSENT))


def _about(measures: pd.Series, measure: str) -> pd.Series:
    """Whether what was left out bears on a measure: it names all of a source, or how the measure's name begins."""
    return measures.map(lambda m: measure.startswith(m) if m else True).astype("bool")


def disagreements(values: Values) -> pd.DataFrame:
    """Where do own and published figures of the same indicator and period lie further apart than chance?

    One row an indicator, group, area and period: ``own_value`` with its limits, ``published_value`` and
    ``difference`` (own less published), in the indicator's unit. Further than the own figure's interval; for numbers,
    which have none, any difference at all.
    """
    keys = ["indicator", "group", "area_code", "area_name", "period", "year"]
    own = values.frame[(values.frame["origin"] == "local") & values.frame["value"].notna()]
    published = values.frame[(values.frame["origin"] == "official") & values.frame["value"].notna()]
    both = own.merge(published[[*keys[:3], "year", "value"]], on=[*keys[:3], "year"], suffixes=("", "_published"))
    low, high = both["lower"].fillna(both["value"]), both["upper"].fillna(both["value"])
    apart = (both["value_published"] < low) | (both["value_published"] > high)
    found = both[apart].rename(
        columns={"value": "own_value", "lower": "own_lower", "upper": "own_upper", "value_published": "published_value"}
    )
    columns = [*keys, "own_value", "own_lower", "own_upper", "published_value"]
    return found[columns].assign(difference=found["own_value"] - found["published_value"]).reset_index(drop=True)


def keep_in(folder: Path, area: Area) -> None:
    """Put the area's own values, protected, aside for the chapters of a run."""
    from jsna.local import keep_values

    made = local_values(area)
    keep_values(folder, made.frame, made.absent, made.sources)
