"""The DfE release "Education, health and care plans" (SEN2): its twelve tables, from the zip or single files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from jsna.codes import all_versions, ethnicity_code
from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import need_columns
from jsna.files.result import Loaded, Summary, sha256_of, together
from jsna.files.text import read_delimited
from jsna.sources.published import LICENCE, to_numbers

IDENTIFIERS = (
    "time_period",
    "time_identifier",
    "geographic_level",
    "country_code",
    "country_name",
    "region_code",
    "region_name",
    "new_la_code",
    "old_la_code",
    "la_name",
    "breakdown_topic",
    "breakdown",
)
TITLE = "Education, health and care plans, reporting year 2025"


@cache
def _spec() -> dict[str, Any]:
    return yaml.safe_load(files("jsna.sources").joinpath("ehc_release.yml").read_text(encoding="utf-8"))


def read_ehc_table(path: Path, table: str) -> Loaded:
    """One table of the release, canonical: area_code, dfe_number, area_name, breakdown_topic, breakdown, measures.

    ``path`` is the release zip or a single CSV. Topics and groups are harmonised over the tables ('Total' for the row
    of all; main codes for ethnic groups; bare ages); measures are floats, missing where the file has a symbol, which
    ``<measure>_symbol`` keeps. Raises ``SourceError`` naming every missing column.
    """
    spec = _spec()
    if table not in spec["needed"]:
        raise SourceError(
            Problem("The release has no such table.", value=table, mend=did_you_mean(table, spec["needed"]))
        )
    where = f"{path.name}, {table}.csv" if path.suffix == ".zip" else path.name
    read = read_delimited(path, f"{table}.csv" if path.suffix == ".zip" else None)
    text = read.frame.rename(columns=spec["respelt"])
    need_columns(text, [*IDENTIFIERS, *spec["needed"][table]], where)
    measures = [c for c in text.columns if c not in IDENTIFIERS]
    frame, quarantine = to_numbers(_canonical(text, where), measures, where)
    summary = Summary(
        source=f"{TITLE}: {table}",
        file=where,
        period=f"{frame['time_period'].min()} to {frame['time_period'].max()}",
        rows_read=read.rows_read,
        rows_kept=len(frame),
        rows_refused=read.rows_read - len(frame),
        sha256=sha256_of(path),
        publisher="Department for Education",
        licence=LICENCE,
        notes=(
            "Child-level collection began in 2023: a break in the series, and no earlier breakdowns.",
            "Buckinghamshire stands under two codes in this release; it is read as E06000060 throughout.",
        ),
    )
    return Loaded(frame.reset_index(drop=True), together([read.quarantine, quarantine]), summary)


def _canonical(text: pd.DataFrame, where: str) -> pd.DataFrame:
    level = text["geographic_level"]
    now = all_versions("local_authority").sort_values("valid_from").drop_duplicates("dfe_number", keep="last")
    buckinghamshire = now.set_index("dfe_number")["code"].loc[["825"]].to_dict()
    la_code = text["old_la_code"].map(buckinghamshire).fillna(text["new_la_code"])
    code = la_code.where(
        level == "Local authority", text["region_code"].where(level == "Regional", text["country_code"])
    )
    name = text["la_name"].where(
        level == "Local authority", text["region_name"].where(level == "Regional", text["country_name"])
    )
    topic = _topics(text["breakdown_topic"], where)
    frame = text.drop(
        columns=[
            "country_code",
            "country_name",
            "region_code",
            "region_name",
            "new_la_code",
            "la_name",
            "old_la_code",
            "breakdown_topic",
            "breakdown",
        ]
    )
    frame.insert(3, "area_code", code)
    frame.insert(4, "dfe_number", text["old_la_code"])
    frame.insert(5, "area_name", name)
    frame.insert(6, "breakdown_topic", topic)
    frame.insert(7, "breakdown", _groups(text["breakdown"], topic))
    frame.insert(8, "breakdown_label", text["breakdown"])
    return frame


def _topics(published: pd.Series, where: str) -> pd.Series:
    known = _spec()["topics"] | dict.fromkeys(_spec()["totals"], "Total")
    strange = sorted(set(published) - set(known))
    if strange:
        raise SourceError(
            *(
                Problem(
                    "A breakdown topic is not known.",
                    where=where,
                    value=t,
                    mend=did_you_mean(t, known) or "Add it to jsna/sources/ehc_release.yml.",
                )
                for t in strange
            )
        )
    return published.map(known)


def _groups(labels: pd.Series, topic: pd.Series) -> pd.Series:
    ethnic = {label: ethnicity_code(label) for label in labels[topic == "Ethnicity"].unique()}
    groups = labels.mask(topic == "Total", "Total")
    groups = groups.mask(topic == "Ethnicity", labels.map(ethnic))
    ages = labels.str.replace(r"(?i)^(aged|age) (?=\d|unknown)", "", regex=True)
    groups = groups.mask(topic.isin(["Age", "Age when plan started", "Age when plan ceased"]), ages)
    return groups.mask(labels.str.casefold().str.contains("unknown"), "Unknown")
