"""Which of a pack's numbers become open data? Files of flags.csv and tables/figures.csv, under harmonised names.

Every number stands in the pack as it stands here, protected there: nothing is counted, added up or divided anew.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from jsna.area import Area
from jsna.codes import code_list, labels
from jsna.evidence.catalogue import catalogue
from jsna.evidence.pipeline import Stage, stages
from jsna.evidence.scorecard import settings
from jsna.pack.flags import COLUMNS
from jsna.pack.open_data.places import Places
from jsna.pack.open_data.table import TOTAL, OpenTable, as_percent, at_area, counted, exact, open_table, words

SYNTHETIC = "synthetic_"
ROUNDED = words()["rounded"]["suffix"]
SCHOOL_YEAR, YEAR = r"\d{6}", r"\d{4}"
PUPILS = ["pupil_count", "pupils_in_group", "pupil_percent"]
STAGE = ["stage_count", "stage_base", "stage_percent"]
PROCESS = {
    "ehc_process_by_characteristic": (YEAR, "Calendar year"),
    "ehc_plans_by_characteristic": (SCHOOL_YEAR, "Academic year"),
}
FIGURES = {
    "Value": "value",
    "Lower limit": "lower_limit",
    "Upper limit": "upper_limit",
    "Numerator": "numerator",
    "Denominator": "denominator",
}
ASKED = ("Indicator", "Group", "Period", "Origin", *FIGURES)


@dataclass(frozen=True)
class Made:
    """The files of a pack, and what of its numbers is in none of them: how many rows, and why."""

    tables: tuple[OpenTable, ...]
    left_out: dict[str, int]


def open_tables(area: Area, flags: Sequence[Mapping[str, str]], figures_csv: str, places: Places) -> Made:
    """Every file that the rows of ``flags.csv`` and the text of ``tables/figures.csv`` allow; either may lack."""
    rows = pd.DataFrame(list(flags), columns=list(COLUMNS), dtype="str").fillna("x")
    figures = _figures_of(figures_csv)
    rows, why_rows = _sorted_out(rows)
    figures, why_figures = _dated(figures)
    ours = rows["kind"]
    made = [
        *_identification(area, rows[ours == "pupils"], figures),
        *_by_ward(area, rows[ours == "ward"], figures, places),
        *_process(area, rows[ours == "stage"]),
        *_indicators(area, figures),
    ]
    prefix = SYNTHETIC if area.synthetic else ""
    named = tuple(OpenTable(f"{prefix}{t.name}", t.data, t.meta) for t in made)
    return Made(named, {**why_rows, **why_figures})


def _sorted_out(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows of ``flags.csv`` with their ``kind``, and why others are left out."""
    year = rows["period"].str.fullmatch(SCHOOL_YEAR)
    single = year | rows["period"].str.fullmatch(YEAR)
    of_pupils = rows["outcome"].isin(list(_provision_of())) & year
    of_stage = rows["outcome"].isin(list(_stage_of(True))) & single
    topic = rows["characteristic"].isin(list(words()["topics"]))
    whole, ward = rows["place_level"] == "Local authority", rows["place_level"] == "Ward"
    kind = pd.Series("", index=rows.index, dtype="str")
    kind = kind.mask(of_pupils & topic & whole, "pupils").mask(of_stage & topic & whole, "stage")
    kind = kind.mask(of_pupils & ward & rows["outcome"].isin(list(words()["provisions"])), "ward")
    out = kind == ""
    why = {
        "comparisons over several years together: the standard has no period for them": int((out & ~single).sum()),
        "comparisons by a measure or a characteristic that has no place in the files": int((out & single).sum()),
    }
    return rows.assign(kind=kind), {reason: many for reason, many in why.items() if many}


@cache
def _provision_of() -> dict[str, tuple[str, str, str]]:
    """SEN status, provision and primary need of each measure of flags.csv that counts pupils."""
    provisions = {code: (*told, TOTAL) for code, told in words()["provisions"].items()}
    any_sen, prefix = words()["provisions"]["any_sen"], words()["need_prefix"]
    return provisions | {f"{prefix}{code}": (*any_sen, label) for code, label in labels("need").items()}


@cache
def _stage_of(official: bool) -> dict[str, tuple[str, str]]:
    """Phase and name of each measure of the EHC process, and of plans by type of need.

    An authority's own lists count some stages otherwise than the release: then the name says so.
    """
    told, needs = stages(), words()["plan_needs"]
    process = {key: (told.words["phases"][stage.phase], _name(stage, official)) for key, stage in told.all.items()}
    plans = {f"{needs['prefix']}{c}": (needs["phase"], needs["name"].format(need=n)) for c, n in labels("need").items()}
    return process | plans


def _name(stage: Stage, official: bool) -> str:
    return stage.name if official or not (stage.own and stage.own.name) else stage.own.name


@cache
def _item_of() -> dict[str, str]:
    """Harmonised names of the groups of flags.csv; others keep their name."""
    ethnic = code_list("ethnicity")
    known = ethnic[~ethnic.index.isin(words()["names_of_the_census"])]
    return dict(zip(known["plain"], known["gss_minor"], strict=True)) | dict.fromkeys(
        words()["unknown_items"], "Unknown"
    )


def _provided(rows: pd.DataFrame, outcome: pd.Series) -> pd.DataFrame:
    told = outcome.map(_provision_of())
    return rows.assign(sen_status=told.str[0], sen_provision=told.str[1], sen_primary_need=told.str[2])


def _figures_in(rows: pd.DataFrame, count: str, base: str, share: str) -> pd.DataFrame:
    """The count, the base and the share of each row of ``flags.csv`` under the names of a file."""
    told = {count: rows["numerator"], base: rows["denominator"], share: as_percent(rows["risk"])}
    return counted(counted(rows.assign(**told), count), base)


def _broken_down(rows: pd.DataFrame) -> pd.DataFrame:
    ethnic = rows["group"].map(_item_of()).where(rows["characteristic"] == "ethnicity")
    unknown = rows["characteristic"].map(words()["unknown"]).where(rows["group"].isin(words()["unknown_items"]))
    return rows.assign(
        breakdown_topic=rows["characteristic"].map(words()["topics"]),
        breakdown=unknown.fillna(ethnic).fillna(rows["group"]),
    )


def _with_everybody(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows, and before those of each group one of all its pupils: the base that all its rows show."""
    several = rows.groupby(keys)["pupils_in_group"].transform("nunique") > 1
    base = rows[~several].drop_duplicates(keys)
    number, rounded = base["pupils_in_group"], base[f"pupils_in_group{ROUNDED}"]
    everybody = base.assign(
        **dict.fromkeys(("sen_status", "sen_provision", "sen_primary_need"), TOTAL),
        **{"pupil_count": number, f"pupil_count{ROUNDED}": rounded},
        pupil_percent=number.where(rounded == "z", "100.00"),
    )
    return pd.concat([everybody, rows], ignore_index=True)


def _identification(area: Area, rows: pd.DataFrame, figures: pd.DataFrame) -> Iterator[OpenTable]:
    if rows.empty:
        return
    made = _figures_in(_broken_down(_provided(rows, rows["outcome"])), *PUPILS)
    made = made.assign(time_period=rows["period"], time_identifier="Academic year")
    made = pd.concat([_totals(figures, rows), made], ignore_index=True)
    made = _with_everybody(made, ["time_period", "breakdown_topic", "breakdown"])
    filters = ["breakdown", "sen_provision", "sen_primary_need"]
    yield open_table("identification_of_send_by_characteristic", exact(at_area(made, area)), filters, PUPILS)


def _totals(figures: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Totals over all groups, as the pack's own figures show them for the periods of its rows; of the same records."""
    measures = {(indicator, group): outcome for indicator, group, outcome in words()["totals"]}
    outcome = pd.Series([measures.get(key, "") for key in zip(figures["Indicator"], figures["Group"], strict=True)])
    outcome = outcome.set_axis(figures.index).astype("str")
    shown = set(zip(rows["period"], rows["outcome"], strict=True))
    there = [pair in shown for pair in zip(figures["time_period"], outcome, strict=True)]
    wanted = pd.Series(there, index=figures.index, dtype="bool") & (figures["Origin"] == "local")
    found, outcome = figures[wanted], outcome[wanted]
    value, count, base = (pd.to_numeric(found[c], errors="coerce") for c in ("Value", "Numerator", "Denominator"))
    share = (count / base * 100).map("{:.2f}".format)  # of numbers shown, to the same two decimals as every other row
    made = found.assign(
        breakdown_topic=TOTAL,
        breakdown=TOTAL,
        pupil_count=found["Numerator"],
        pupils_in_group=found["Denominator"],
        pupil_percent=share.mask((count / base).isna(), "x").where(value.notna(), found["Value"]),
    )
    return _provided(counted(counted(made, "pupil_count"), "pupils_in_group"), outcome)


def _by_ward(area: Area, rows: pd.DataFrame, figures: pd.DataFrame, places: Places) -> Iterator[OpenTable]:
    if rows.empty:
        return
    names = dict(places.wards)
    made = _figures_in(_provided(rows, rows["outcome"]), *PUPILS)
    made = at_area(made.assign(time_period=rows["period"], time_identifier="Academic year"), area, "Ward")
    made = made.assign(ward_code=rows["place_code"], ward_name=rows["place_code"].map(names).fillna(rows["group"]))
    whole = at_area(_totals(figures, rows), area).assign(ward_code="", ward_name="")
    made = _with_everybody(pd.concat([whole, made], ignore_index=True), ["time_period", "ward_code"])
    yield open_table("identification_of_send_by_ward", exact(made), ["sen_provision"], PUPILS)


def _process(area: Area, rows: pd.DataFrame) -> Iterator[OpenTable]:
    """Stages of calendar years, and of school years, each in a file of its own."""
    for name, (period, identifier) in PROCESS.items():
        own = rows[rows["period"].str.fullmatch(period)]
        if own.empty:
            continue
        stage = own["outcome"].map(_stage_of("official" in area.brings))
        made = _figures_in(_broken_down(own), *STAGE).assign(
            time_period=own["period"],
            time_identifier=identifier,
            ehc_phase=stage.str[0],
            ehc_stage=stage.str[1],
        )
        yield open_table(name, exact(at_area(made, area)), ["ehc_stage", "breakdown"], STAGE)


def _figures_of(text: str) -> pd.DataFrame:
    """The rows of ``tables/figures.csv`` of indicators that the catalogue has; none where a column is not there."""
    table = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False) if text.strip() else pd.DataFrame()
    if not set(ASKED) <= set(table.columns):
        return pd.DataFrame(columns=list(ASKED), dtype="str")
    return table[list(ASKED)]


def _dated(figures: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Figures with ``time_period``, ``time_identifier`` and ``time``; why others are left out."""
    every = catalogue().indicators
    told = figures["Indicator"].map(lambda code: words()["times"].get(every[code].period) if code in every else None)
    period, identifier = _period(figures["Period"]), told.str[0]
    year = identifier == "Calendar year"
    fits = year & period.str.fullmatch(YEAR) | ~year & identifier.notna() & period.str.fullmatch(SCHOOL_YEAR)
    fits = fits.astype("bool")
    dated = figures.assign(time_period=period, time_identifier=identifier, time=told.str[1])[fits]
    why = "figures of a snapshot, a survey or several years together: the standard has no period for them"
    return dated, {why: int((~fits).sum())} if (~fits).any() else {}


def _period(text: pd.Series) -> pd.Series:
    """Periods as the standard writes them.

    >>> _period(pd.Series(["January 2026", "2022/23", "2024", "March 2024"])).tolist()
    ['202526', '202223', '2024', 'March 2024']
    """
    january = text.str.extract(r"^January (\d{4})$")[0]
    before = (pd.to_numeric(january) - 1).astype("Int64").astype("str") + january.str[2:]
    return before.where(january.notna(), text.str.replace(r"^(\d{4})/(\d{2})$", r"\1\2", regex=True))


def _indicators(area: Area, figures: pd.DataFrame) -> Iterator[OpenTable]:
    whom = {"all": TOTAL} | {code: said for code, said in settings()["group_names"].items() if said}
    for time, own in figures.groupby("time", sort=True):
        source = own["Origin"].mask(area.synthetic & (own["Origin"] == "local"), "synthetic")
        made = own.rename(columns=FIGURES).assign(
            measure=own["Indicator"].map(_measure),
            measure_source=source.map(words()["sources"]),
            population_group=own["Group"].map(whom).fillna(own["Group"].str.replace("_", " ")).map(_capital),
        )
        made = made.assign(**{c: made[c].replace("none", "z") for c in FIGURES.values()})
        made = exact(at_area(counted(counted(made, "numerator"), "denominator"), area))
        yield open_table(f"send_indicators_{time}", made, ["measure", "population_group"], list(FIGURES.values()))


def _measure(code: str) -> str:
    """An indicator's code, name and unit: ``IDN-01 Pupils on SEN support (%)``."""
    indicator = catalogue()[code]
    return f"{code} {indicator.name} ({indicator.unit})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
