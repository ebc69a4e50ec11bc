"""Small official files for the tests of values: a release of EHC plans, LAIT, and an indicator of each."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd

from jsna.evidence.catalogue import Catalogue, Indicator

ENGLAND, LUTON, SLOUGH, BEDFORD = "E92000001", "E06000032", "E06000039", "E06000055"
HEADS = (
    "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,new_la_code,"
    "old_la_code,la_name,breakdown_topic,breakdown"
)
RELEASE = "education-health-and-care-plans_2025.zip"
FIGURES = ("plans_issued_den", "plans_issued_den_ex", "plans_issued_within_20_weeks", "plans_issued_20_weeks_ex")
TOPIC = "All EHC plans issued"


def area(code: str, number: str, name: str, *figures: object, period: str = "2024", topic: str = TOPIC) -> str:
    """A row of a table by authority."""
    head = f"{period},Calendar year,Local authority,E92000001,England,E12000006,East of England,{code},{number},{name}"
    return ",".join([head, topic, "Total", *map(str, figures)])


def region(code: str, name: str, *figures: object, period: str = "2024") -> str:
    head = f"{period},Calendar year,Regional,E92000001,England,{code},{name},,,"
    return ",".join([head, TOPIC, "Total", *map(str, figures)])


def england(*figures: object, period: str = "2024") -> str:
    return ",".join([f"{period},Calendar year,National,E92000001,England,,,,,", TOPIC, "Total", *map(str, figures)])


def release(folder: Path, rows: list[str], figures: tuple[str, ...] = FIGURES, name: str = RELEASE) -> Path:
    """A zip of a release that holds the table ``timeliness_20_week``."""
    text = "\r\n".join([",".join([HEADS, *figures]), *rows])
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/timeliness_20_week.csv", "\ufeff" + text)
    return path


def lait(folder: Path, rows: list[tuple[str, str, str, str, object]]) -> Path:
    """LAIT from rows of measure, period, name, value and number."""
    frame = pd.DataFrame(rows, columns=["Short Desc", "Years", "LA and Regions", "Values", "LA Number"])
    frame = frame.assign(**{"Data item": frame["Short Desc"], "Region": "NA"})
    path = folder / "bds_long_0.parquet"
    frame.assign(**{"LA Number": frame["LA Number"].astype("float64")}).to_parquet(path, index=False)
    return path


def indicator(*official: dict, **changed) -> Indicator:
    """An indicator as the catalogue has it."""
    fields = {
        "id": "EHC-05",
        "name": "Plans issued within 20 weeks",
        "question": "In time?",
        "numerator": "plans in time",
        "denominator": "plans issued",
        "kind": "proportion",
        "basis": "responsible_la",
        "unit": "%",
        "direction": "higher",
        "interval": "wilson",
        "period": "calendar_year",
        "release": "DfE",
        "official": [*official],
        "needs": "" if official else "files",
    }
    groups = [way.get("group", "all") for way in [*official, *changed.get("derived", [])]]
    return Indicator(**(fields | {"shown": groups[:1] or ["all"]} | changed))


def counts(*columns: str, table: str = "timeliness_20_week", **changed) -> dict:
    where = {"breakdown_topic": "Total"}
    fields = {"source": "ehc", "table": table, "columns": list(columns), "where": where, "basis": "responsible_la"}
    return fields | changed


def in_time(**changed) -> dict:
    """The way from counts: plans in time over plans, exceptions left out."""
    return {"numerator": counts(FIGURES[3]), "denominator": counts(FIGURES[1])} | changed


def published(measure: str, **changed) -> dict:
    return {"published": {"source": "lait", "measure": measure, "basis": "responsible_la"} | changed}


def catalogue_of(*indicators: Indicator) -> Catalogue:
    return Catalogue(indicators={i.id: i for i in indicators})
