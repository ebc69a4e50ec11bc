"""Which indicators are there, what does each mean, and where can it come from? The catalogue, checked on load.

The catalogue is data: ``indicators/*.yml`` one file a part, ``bases.yml`` what may be divided by what, and
``frames/*.yml`` the lists (priorities, criteria, outcomes) that an area hangs its evidence on.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field, ValidationError, field_validator, model_validator

from jsna.errors import CodeListError, Problem, did_you_mean
from jsna.evidence.records import Model, entries_of, problems_of, yaml_files
from jsna.evidence.ways import Basis, Counts, Derived, Local, Official, Published, bases, refuse_across

__all__ = [
    "Basis",
    "Break",
    "Catalogue",
    "Counts",
    "Derived",
    "Frame",
    "FrameList",
    "Indicator",
    "Item",
    "Local",
    "Official",
    "Published",
    "Target",
    "bases",
    "catalogue",
    "frame_of",
    "read_catalogue",
    "read_frame",
    "refuse_across",
]

Kind = Literal["proportion", "event_rate", "mean", "count", "score", "index"]
Direction = Literal["higher", "lower", "neutral"]
PeriodType = Literal["january", "calendar_year", "academic_year", "financial_year", "survey", "snapshot"]
Split = Literal[
    "age",
    "sex",
    "ethnicity",
    "first_language",
    "free_school_meals",
    "deprivation",
    "primary_need",
    "sen_provision",
    "setting",
    "small_area",
    "care",
]
Comparator = Literal["england", "region", "neighbours", "trend", "groups"]
Availability = Literal["official", "local", "not_yet"]


class Break(Model):
    """A period from which figures cannot be set beside those before it."""

    period: Annotated[str, Field(pattern=r"^20\d\d$", description="The year in which the first period after it ends.")]
    why: str


class Indicator(Model):
    """One indicator: what it means, on what basis, how it is read, and where it comes from."""

    id: Annotated[str, Field(pattern=r"^[A-Z]{3}-\d\d$")]
    version: int = 1
    name: Annotated[str, Field(min_length=4, max_length=90)]
    question: Annotated[str, Field(pattern=r"\?$")]
    numerator: str
    denominator: str = ""
    kind: Kind
    basis: Basis
    per: Annotated[int, Field(gt=0)] = 100
    unit: str
    direction: Direction
    splits: Annotated[tuple[Split, ...], Field(strict=False)] = ()
    comparators: Annotated[tuple[Comparator, ...], Field(strict=False)] = ()
    interval: Literal["wilson", "byar", "exact_poisson", "overdispersed", "none"]
    period: PeriodType
    release: str
    balancing: Annotated[tuple[str, ...], Field(strict=False)] = ()
    minimum_denominator: int = 10
    scorecard: bool = False
    dashboard: str = ""
    shown: Annotated[
        tuple[str, ...], Field(min_length=1, strict=False, description="Groups for a page with room for few.")
    ] = ("all",)
    footnotes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    area_notes: Annotated[
        dict[Annotated[str, Field(pattern=r"^E\d{8}$")], str],
        Field(description="What the release says of single areas, by their codes."),
    ] = Field(default_factory=dict)
    breaks: Annotated[tuple[Break, ...], Field(strict=False)] = ()
    confirmed: Annotated[
        str, Field(description="The file against which the definition was confirmed; empty: not yet.")
    ] = ""
    needs: Annotated[str, Field(description="What would have to be brought, where neither official nor local.")] = ""
    official: Annotated[tuple[Official, ...], Field(strict=False)] = ()
    local: Annotated[tuple[Local, ...], Field(strict=False)] = ()
    derived: Annotated[tuple[Derived, ...], Field(strict=False)] = ()

    @field_validator("splits", "comparators")
    @classmethod
    def _no_repeats(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("a value stands twice")
        return values

    @model_validator(mode="after")
    def _hangs_together(self) -> Indicator:
        if self.kind in ("proportion", "event_rate") and not self.denominator:
            raise ValueError("a proportion or a rate of events needs a denominator in words")
        if self.kind == "event_rate" and self.interval == "wilson":
            raise ValueError("events can repeat: their interval is not that of a proportion")
        if self.kind == "count" and set(self.comparators) - {"trend"}:
            raise ValueError("counts of areas of different sizes are not compared: only the trend")
        if not (self.official or self.local or self.derived or self.needs):
            raise ValueError("say under `needs` what would have to be brought")
        groups = {way.group for way in (*self.official, *self.local, *self.derived)}
        if groups and set(self.shown) - groups:
            raise ValueError(f"`shown` names a group that no way has; there are {', '.join(sorted(groups))}")
        for way in self.official:
            other = {part.basis for part in (way.numerator, way.published) if part} - {self.basis}
            if other:
                raise ValueError(f"a way is on another basis than the indicator: {', '.join(other)}")
            if self.kind in ("proportion", "event_rate") and way.numerator and not way.denominator:
                raise ValueError("a proportion or a rate of events needs a denominator's counts")
        return self

    def notes_for(self, codes: Iterable[str]) -> tuple[str, ...]:
        """The footnotes, and what the release says of these areas: nobody else's name stands on an area's page."""
        return (*self.footnotes, *(self.area_notes[c] for c in dict.fromkeys(codes) if c in self.area_notes))

    @property
    def available(self) -> tuple[Availability, ...]:
        """Where it can come from: ``official``, ``local``, both, or ``not_yet``."""
        found: list[Availability] = []
        if self.official or self.derived:
            found.append("official")
        if self.local:
            found.append("local")
        return tuple(found) or ("not_yet",)


class Catalogue(Model):
    """Every indicator by its id, in the order of the files."""

    indicators: dict[str, Indicator]

    @model_validator(mode="after")
    def _links(self) -> Catalogue:
        wrong = [
            f"{i.id}: the balancing measure {b!r} is not in the catalogue. {did_you_mean(b, self.indicators)}".strip()
            for i in self.indicators.values()
            for b in i.balancing
            if b not in self.indicators
        ]
        wrong += [
            f"{i.id}: it is worked out from {name!r}, which is not in the catalogue. "
            f"{did_you_mean(name, self.indicators)}".strip()
            for i in self.indicators.values()
            for way in i.derived
            for name in way.of
            if name not in self.indicators
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def __getitem__(self, name: str) -> Indicator:
        try:
            return self.indicators[name]
        except KeyError:
            raise CodeListError(
                Problem("No such indicator.", value=name, mend=did_you_mean(name, self.indicators))
            ) from None

    @cached_property
    def table(self) -> pd.DataFrame:
        """The catalogue as a table: one row an indicator, ``available`` as words."""
        rows = [
            {
                **i.model_dump(
                    include={"id", "name", "kind", "basis", "unit", "direction", "release", "confirmed", "needs"}
                )
            }
            | {"available": ", ".join(i.available)}
            for i in self.indicators.values()
        ]
        return pd.DataFrame(rows)


class Item(Model):
    """One priority, criterion or outcome, and the indicators that speak to it.

    ``official`` says in words whether an official statistic covers it; ``lacks`` what no indicator answers.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z]\d{1,2}$")]
    name: str
    official: str = ""
    indicators: Annotated[tuple[str, ...], Field(strict=False)] = ()
    lacks: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Item:
        if not (self.indicators or self.lacks):
            raise ValueError("name an indicator that speaks to it, or say under `lacks` what is missing")
        return self


class FrameList(Model):
    """One list of a frame, such as the six priorities."""

    key: str
    title: str
    items: Annotated[tuple[Item, ...], Field(min_length=1, strict=False)]


class Target(Model):
    """What the board promised of an indicator: ``all`` (100%), or to be among the ``top`` areas."""

    indicator: str
    kind: Literal["all", "rank"]
    top: int = 0
    words: str
    group: str = "all"

    @model_validator(mode="after")
    def _has_a_place(self) -> Target:
        if (self.kind == "rank") != (self.top > 0):
            raise ValueError("a target of rank, and nothing else, says among how many of the `top`")
        return self


class Frame(Model):
    """What an area hangs its evidence on: its lists and its promises, with the document they come from."""

    name: str
    source: str
    area: str = ""
    lists: Annotated[tuple[FrameList, ...], Field(min_length=1, strict=False)]
    targets: Annotated[tuple[Target, ...], Field(strict=False)] = ()

    def check(self, known: Catalogue) -> Frame:
        """The frame itself when every indicator it names is known; else ``CodeListError`` with all that are not."""
        named = [(item.code, i) for entry in self.lists for item in entry.items for i in item.indicators]
        named += [("targets", t.indicator) for t in self.targets]
        codes = [item.code for entry in self.lists for item in entry.items]
        problems = [
            Problem("No such indicator.", where=f"{self.name}, {at}", value=n, mend=did_you_mean(n, known.indicators))
            for at, n in dict.fromkeys(named)
            if n not in known.indicators
        ]
        problems += [
            Problem("A code stands twice.", where=self.name, value=c)
            for c in dict.fromkeys(codes)
            if codes.count(c) > 1
        ]
        if problems:
            raise CodeListError(*problems)
        return self

    @property
    def of_indicator(self) -> dict[str, list[str]]:
        """For each indicator, the codes of the items that it speaks to."""
        found: dict[str, list[str]] = {}
        for entry in self.lists:
            for item in entry.items:
                for name in item.indicators:
                    found.setdefault(name, []).append(item.code)
        return found


@cache
def catalogue() -> Catalogue:
    """The workbench's catalogue. Raises one ``CodeListError`` that names every fault, its file and its indicator."""
    return read_catalogue(yaml_files(files("jsna.evidence").joinpath("indicators")))


def read_catalogue(paths: Iterable[Traversable | Path]) -> Catalogue:
    """The indicators of some YAML files, each a mapping of id to fields. One ``CodeListError`` has all faults."""
    found: dict[str, Indicator] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            entries = entries_of(path)
        except CodeListError as error:
            problems += error.problems
            continue
        for name, fields in entries:
            where = f"{path.name}, {name}"
            if name in found:
                problems.append(Problem("An indicator stands twice.", where=where))
                continue
            try:
                found[name] = Indicator.model_validate({"id": name, **fields})
            except ValidationError as error:
                problems += problems_of(error, where)
    if not problems:
        try:
            return Catalogue(indicators=found)
        except ValidationError as error:
            problems = problems_of(error, "catalogue")
    raise CodeListError(*problems)


def read_frame(path: Traversable | Path) -> Frame:
    """The frame of a YAML file. Raises one ``CodeListError`` with all faults."""
    entries = entries_of(path, of_mappings=False)
    names = [name for name, _ in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CodeListError(*(Problem("A field stands twice.", where=f"{path.name}, {name}") for name in twice))
    try:
        return Frame.model_validate(dict(entries))
    except ValidationError as error:
        raise CodeListError(*problems_of(error, path.name)) from None


def frame_of(area_code: str, named: str = "") -> Frame:
    """The frame of an area: the file that ``named`` gives, else the built-in one of the area, else that for any area.

    A named file without an ``area`` serves any. Raises ``CodeListError`` when it is missing or faulty, names an
    indicator that is not there, or is another area's: its promises would be shown as this one's.
    """
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise CodeListError(Problem("There is no such file of frames.", where="frames", value=named))
        frame = read_frame(path).check(catalogue())
        if frame.area not in ("", area_code):
            mend = "Name the area's own file, or leave `area` out of one that several areas share."
            what = "These priorities and promises are another area's."
            raise CodeListError(
                Problem(what, where=f"{path.name}, area", value=frame.area, expected=area_code, mend=mend)
            )
        return frame
    own = [f for f in _built_in_frames() if f.area == area_code]
    return (own or [f for f in _built_in_frames() if not f.area])[0]


@cache
def _built_in_frames() -> tuple[Frame, ...]:
    folder = files("jsna.evidence").joinpath("frames")
    return tuple(read_frame(path).check(catalogue()) for path in yaml_files(folder))
