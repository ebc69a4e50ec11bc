"""Is each stage of the EHC process the same for every group? Stages as data, and their counts of every authority.

The stages stand in ``pipeline.yml``: each is a share with counts from one release, so that any authority's groups can
be set beside all its others, and beside the same within every authority of England.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jsna.codes import code_list
from jsna.errors import CodeListError, Problem, SourceError, did_you_mean
from jsna.evidence.comparison import Dimension
from jsna.files.packaged import packaged_yaml
from jsna.sources.folder import OfficialFolder

ENGLAND = "E92000001"
ALL, UNKNOWN = "all", "Unknown"
TOPICS = {"Total": ALL, "Ethnicity": "ethnicity", "Sex": "sex", "Age": "age"}
DIMENSIONS = ("ethnicity", "sex", "age")
LEVELS = ("Local authority", "National")
KEYS = ["dimension", "group", "area_code"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Names = Annotated[tuple[str, ...], Field(strict=False)]
Pair = Annotated[tuple[str, str], Field(strict=False)]


class Other(_Model):
    """Columns of another table, for the same groups, that are added."""

    table: str
    columns: Names


class Part(_Model):
    """A numerator or denominator: columns added up, less others, and those of another table."""

    columns: Names
    less: Names = ()
    also: Other | None = None


class Own(_Model):
    """The stage from an authority's own lists: one of three kinds of list, and the measure there.

    ``of`` is the denominator among cases; ``name``, ``heading`` and ``words`` stand where lists count otherwise than
    the release.
    """

    cases: str = ""
    of: str = ""
    reviews: str = ""
    disputes: str = ""
    name: str = ""
    heading: str = ""
    words: Pair | None = None


class Stage(_Model):
    """One stage of the process: a share, its counts, and how it is read. See ``pipeline.yml``."""

    key: str
    name: str
    heading: str
    question: Annotated[str, Field(pattern=r"\?$")]
    phase: str
    table: str
    numerator: Part
    denominator: Part
    direction: Literal["higher", "lower", "neutral"]
    break_: Annotated[str, Field(alias="break")]
    verb: str
    words: Pair
    indicator: str = ""
    balancing: Names = ()
    glance: bool = True
    by_age: bool = True
    own: Own | None = None


class Band(_Model):
    """Single ages that are put together, both ends included."""

    code: str
    label: str
    first: int
    last: int


@dataclass(frozen=True)
class Stages:
    """The stages in order, the age bands, and the words that go with them."""

    all: dict[str, Stage]
    bands: tuple[Band, ...]
    words: dict[str, Any]

    def __getitem__(self, key: str) -> Stage:
        try:
            return self.all[key]
        except KeyError:
            raise CodeListError(Problem("No such stage.", value=key, mend=did_you_mean(key, self.all))) from None

    def footnotes(self, keys: list[str]) -> tuple[str, ...]:
        """What the release says of authorities whose return was partial, for these stages."""
        return tuple(note["says"] for note in self.words["footnotes"] if set(note["stages"]) & set(keys))


@cache
def stages() -> Stages:
    """The stages of the process. Raises one ``CodeListError`` with every fault of the file."""
    told = packaged_yaml("jsna.evidence.pipeline", "pipeline.yml")
    return read_stages(told)


def read_stages(told: dict[str, Any]) -> Stages:
    """The stages of a mapping as ``pipeline.yml`` has it. Raises one ``CodeListError`` with every fault."""
    made, problems = {}, []
    for key, fields in told["stages"].items():
        try:
            made[key] = Stage(key=key, **fields)
        except ValidationError as error:
            problems += [
                Problem(f"{fault['msg']}.", where=", ".join([f"stage {key}", *map(str, fault["loc"])]))
                for fault in error.errors()
            ]
    problems += [
        Problem("A stage names another that is not there.", where=f"stage {s.key}", value=b, mend=did_you_mean(b, made))
        for s in made.values()
        for b in s.balancing
        if b not in told["stages"]
    ]
    problems += [
        Problem("A stage is in no known phase.", where=f"stage {s.key}", value=s.phase)
        for s in made.values()
        if s.phase not in told["phases"]
    ]
    if problems:
        raise CodeListError(*problems)
    words = {key: value for key, value in told.items() if key not in ("stages", "bands")}
    return Stages(made, tuple(Band(**b) for b in told["bands"]), words)


def dimension_of(name: str) -> Dimension:
    """The groups of a dimension as the release has them, ages in bands; "Unknown" is refused and not obtained too."""
    if name == "sex":
        return Dimension("sex", {"Female": "Female", "Male": "Male", UNKNOWN: "Not known"}, (UNKNOWN,))
    if name == "age":
        bands = {band.code: band.label for band in stages().bands}
        return Dimension("age", bands | {UNKNOWN: "Not known"}, (UNKNOWN,))
    known = code_list("ethnicity")
    names = known.loc[known["known"] == "1", "plain"].to_dict()
    return Dimension("ethnicity", names | {UNKNOWN: "Not known (refused or not obtained)"}, (UNKNOWN,))


def band_of(ages: pd.Series) -> pd.Series:
    """The band of each age, given as a number or in the words of a file ("2 and under", "20 and over", "under 3").

    An age that is not told is of the group "Unknown".

    >>> band_of(pd.Series(["2 and under", "10", "20 and over", "Unknown"])).tolist()
    ['00-04', '05-10', '20-25', 'Unknown']
    """
    words = ages.astype("str")
    number = pd.to_numeric(words.str.extract(r"(\d+)", expand=False))
    number = number.where(~words.str.startswith("under"), number - 1)
    band = pd.Series(UNKNOWN, index=ages.index, dtype="str")
    for b in stages().bands:
        band = band.mask(number.between(b.first, b.last), b.code)
    return band


@dataclass(frozen=True)
class Counts:
    """Counts of each stage, and what was left out of them in words.

    ``frame``: one row a dimension, stage, group and area (England among them): ``count`` of ``total``, ``known``.
    ``periods``: the period of each stage.
    """

    frame: pd.DataFrame
    periods: dict[str, str]
    notes: tuple[str, ...]


@cache
def columns_needed() -> dict[str, list[str]]:
    """The columns that the stages take, by table of the release."""
    wanted: dict[str, set[str]] = {}
    for stage in stages().all.values():
        for part in (stage.numerator, stage.denominator):
            wanted.setdefault(stage.table, set()).update(part.columns, part.less)
            if part.also:
                wanted.setdefault(part.also.table, set()).update(part.also.columns)
    return {table: sorted(columns) for table, columns in wanted.items()}


def official_counts(folder: OfficialFolder) -> Counts:
    """The counts of every stage for all authorities and England, by ethnic group, sex, age and in all ("all").

    Each stage is of the newest period of its table. A row with a figure missing has neither count; so has one whose
    count is above its total (appeals of requests of another year), and a note says how many. Ages are added up to
    bands; a band with a missing age is missing. Stages of a table that is not there, or lacks a column, are left out,
    and a note says which and why; raises ``SourceError`` with every fault when no table can be used.
    """
    tables, periods = {}, {}
    faults: dict[str, SourceError] = {}
    for name, columns in columns_needed().items():
        try:
            tables[name], periods[name] = by_group(folder.ehc(name).frame, name, columns)
        except SourceError as error:
            faults[name] = error
    able = [s for s in stages().all.values() if not set(_tables_of(s)) & set(faults)]
    if not able:
        raise SourceError(*(problem for error in faults.values() for problem in error.problems))
    frame, notes = _usable(pd.concat([_stage_rows(stage, tables) for stage in able], ignore_index=True))
    lost = [s for s in stages().all.values() if s not in able]
    notes += tuple(
        f"Left out: {'; '.join(s.name for s in lost if name in _tables_of(s))}. {error}"
        for name, error in faults.items()
    )
    return Counts(frame, {s.key: periods[s.table] for s in able}, notes)


def _tables_of(stage: Stage) -> list[str]:
    return [stage.table, *([stage.denominator.also.table] if stage.denominator.also else [])]


def by_group(table: pd.DataFrame, name: str, columns: list[str]) -> tuple[pd.DataFrame, str]:
    """The newest period of a table of the release, added up to our groups, and that period.

    Index: dimension, group and area_code; a band of ages of which one is missing is missing. Raises ``SourceError``
    naming every one of ``columns`` that is not there.
    """
    missing = [c for c in columns if c not in table]
    if missing:
        raise SourceError(
            *(
                Problem(
                    "A table of the release lacks a column that the pipeline needs.",
                    where=name,
                    value=c,
                    mend=did_you_mean(c, table.columns),
                )
                for c in missing
            )
        )
    period = str(table["time_period"].max())
    topics = TOPICS
    if own := stages().words["age_topics"].get(name):
        topics = {t: d for t, d in TOPICS.items() if d != "age"} | {own: "age"}
    rows = table[
        (table["time_period"] == period)
        & table["breakdown_topic"].isin(topics)
        & table["geographic_level"].isin(LEVELS)
    ]
    dimension = rows["breakdown_topic"].map(topics)
    group = rows["breakdown"].astype("str").where(dimension != "age", band_of(rows["breakdown"]))
    group = group.mask(dimension == ALL, ALL).replace("NOBT", UNKNOWN)
    keyed = rows[columns].assign(dimension=dimension, group=group, area_code=rows["area_code"])
    grouped = keyed.groupby(KEYS)[columns]
    return grouped.sum().where(grouped.count().eq(grouped.size(), axis="index")), period


def _stage_rows(stage: Stage, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    table = tables[stage.table]
    if also := stage.denominator.also:
        # the release leaves out groups of which nothing happened: where an authority returned, that is none
        others = tables[also.table].index
        there = others[others.isin(table.index.get_level_values("area_code").unique(), level="area_code")]
        table = table.reindex(table.index.union(there), fill_value=0.0)
    count = _part(stage.numerator, table, tables)
    total = _part(stage.denominator, table, tables)
    frame = pd.DataFrame({"count": count, "total": total}).reset_index()
    return frame.assign(stage=stage.key, known=frame["group"] != UNKNOWN)


def _part(part: Part, table: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.Series:
    total = table[list(part.columns)].sum(axis="columns", skipna=False)
    if part.less:
        total = total - table[list(part.less)].sum(axis="columns", skipna=False)
    if part.also:
        other = tables[part.also.table][list(part.also.columns)].sum(axis="columns", skipna=False)
        total = total + other.reindex(total.index)
    return total


def _usable(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    above = (frame["count"] > frame["total"]) & (frame["group"] != UNKNOWN) & (frame["area_code"] != ENGLAND)
    unfit = frame["count"].isna() | frame["total"].isna() | (frame["count"] > frame["total"])
    kept = frame.assign(count=frame["count"].mask(unfit), total=frame["total"].mask(unfit))
    number = int(above.sum())
    note = f"{number:,} of {len(frame):,} rows of authorities have a count above its total and take no part."
    return kept, (note,) if number else ()
