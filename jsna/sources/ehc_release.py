"""The DfE release "Education, health and care plans" of 2025 (SEN2): its twelve tables, their groups harmonised."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from jsna.codes import ethnicity_code
from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import need_columns
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded
from jsna.sources.ees import read_ees
from jsna.sources.ees_rows import each
from jsna.sources.ees_specs import known_files

AGES = ("Age", "Age when plan started", "Age when plan ceased")


@cache
def _spec() -> dict[str, Any]:
    return packaged_yaml("jsna.sources", "ehc_release.yml")


def read_ehc_table(path: Path, table: str, *, whole: bool = True) -> Loaded:
    """One table of the release, canonical: area_code, dfe_number, area_name, breakdown_topic, breakdown, measures.

    ``path`` is the release's zip or folder, or a single CSV. Topics and groups are harmonised over the tables ('Total'
    for the row of all; main codes for ethnic groups; bare ages), and ``breakdown_label`` keeps the published words;
    all else is as ``read_ees`` has it. Without ``whole``, a table that lacks columns of the known release is read too.
    Raises ``SourceError`` naming every missing column and every unknown topic.
    """
    if table not in _spec()["tables"]:
        raise SourceError(
            Problem("The release has no such table.", value=table, mend=did_you_mean(table, _spec()["tables"]))
        )
    loaded = read_ees(path, table, spec=table if whole else None)
    frame = loaded.frame if whole else loaded.frame.rename(columns=known_files()[table].spelt(loaded.frame.columns))
    need_columns(frame, ["breakdown_topic", "breakdown"], loaded.summary.file)
    topic = _topics(frame["breakdown_topic"], loaded.summary.file)
    label = frame["breakdown"]
    frame = frame.assign(breakdown_topic=topic, breakdown=_groups(label, topic))
    frame.insert(frame.columns.get_loc("breakdown") + 1, "breakdown_label", label)
    return Loaded(frame, loaded.quarantine, loaded.summary)


def _topics(published: pd.Series, where: str) -> pd.Series:
    known = _spec()["topics"] | dict.fromkeys(_spec()["totals"], "Total")
    strange = sorted(set(published.unique()) - set(known))
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
    ages = each(labels, lambda seen: seen.str.replace(r"(?i)^(aged|age) (?=\d|unknown)", "", regex=True))
    groups = groups.mask(topic.isin(AGES), ages)
    return groups.mask(each(labels, lambda seen: seen.str.casefold().str.contains("unknown")), "Unknown")
