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
from types import MappingProxyType
from typing import Annotated, Any, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from jsna.errors import CodeListError, Problem, did_you_mean

Kind = Literal["proportion", "event_rate", "mean", "count", "score", "index"]
Direction = Literal["higher", "lower", "neutral"]
Basis = Literal[
    "school_location", "responsible_la", "residence", "gp_or_icb", "respondents", "audited", "working_area", "council"
]
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


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Counts(_Model):
    """Columns of counts of one official table: those of ``columns`` added up, those of ``less`` taken off.

    ``where`` names rows by a column's value, or by several, whose counts are added up.
    """

    source: Annotated[str, Field(description="Key of the official folder (jsna/sources/folder.yml).")]
    table: str = ""
    columns: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    less: Annotated[tuple[str, ...], Field(strict=False)] = ()
    where: dict[str, str | list[str]] = {}
    basis: Basis


class Published(_Model):
    """A figure that is published without the counts behind it: good for a trend, never for an interval."""

    source: str
    table: str = ""
    column: str = "value"
    measure: str = ""
    where: dict[str, str] = {}
    basis: Basis


class Official(_Model):
    """One way in which an indicator comes out of the official files: from counts, or as published."""

    group: Annotated[str, Field(description="all, or the SEN provision: no_sen, sen_support, ehc_plan, all_sen.")] = (
        "all"
    )
    numerator: Counts | None = None
    denominator: Counts | None = None
    published: Published | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Official:
        if (self.numerator is None) == (self.published is None):
            raise ValueError("give either counts (numerator, and denominator unless a count) or a published figure")
        if self.denominator is not None and self.numerator is None:
            raise ValueError("a denominator without a numerator")
        if self.numerator and self.denominator:
            refuse_across(self.numerator.basis, self.denominator.basis)
        return self


class Local(_Model):
    """How an indicator is made from an authority's own data.

    ``brings`` is what has to be brought: ``pupils``, ``cases``, ``reviews``, or the kind of an extract. ``measure`` is
    a measure of ``jsna.evidence.operational`` or, of pupils, a column of yes and no.
    """

    brings: str
    measure: str
    group: str = "all"


class Break(_Model):
    """A period from which figures cannot be set beside those before it."""

    period: str
    why: str


class Indicator(_Model):
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
    footnotes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    breaks: Annotated[tuple[Break, ...], Field(strict=False)] = ()
    confirmed: Annotated[
        str, Field(description="The file against which the definition was confirmed; empty: not yet.")
    ] = ""
    needs: Annotated[str, Field(description="What would have to be brought, where neither official nor local.")] = ""
    official: Annotated[tuple[Official, ...], Field(strict=False)] = ()
    local: Annotated[tuple[Local, ...], Field(strict=False)] = ()

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
        if not (self.official or self.local or self.needs):
            raise ValueError("say under `needs` what would have to be brought")
        for way in self.official:
            if self.kind in ("proportion", "event_rate") and way.numerator and not way.denominator:
                raise ValueError("a proportion or a rate of events needs a denominator's counts")
        return self

    @property
    def available(self) -> tuple[Availability, ...]:
        """Where it can come from: ``official``, ``local``, both, or ``not_yet``."""
        found: list[Availability] = []
        if self.official:
            found.append("official")
        if self.local:
            found.append("local")
        return tuple(found) or ("not_yet",)


class Catalogue(_Model):
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


class Item(_Model):
    """One priority, criterion or outcome, and the indicators that speak to it.

    ``official`` says in words whether an official statistic covers it; ``lacks`` what no indicator answers.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z]\d{1,2}$")]
    name: str
    official: str = ""
    indicators: Annotated[tuple[str, ...], Field(strict=False)] = ()
    lacks: Annotated[tuple[str, ...], Field(strict=False)] = ()


class FrameList(_Model):
    """One list of a frame, such as the six priorities."""

    key: str
    title: str
    items: Annotated[tuple[Item, ...], Field(min_length=1, strict=False)]


class Target(_Model):
    """What the board promised of an indicator: ``all`` (100%), or to be among the ``top`` areas."""

    indicator: str
    kind: Literal["all", "rank"]
    top: int = 0
    words: str
    group: str = "all"


class Frame(_Model):
    """What an area hangs its evidence on: its lists and its promises, with the document they come from."""

    name: str
    source: str
    area: str = ""
    lists: Annotated[tuple[FrameList, ...], Field(min_length=1, strict=False)]
    targets: Annotated[tuple[Target, ...], Field(strict=False)] = ()

    def check(self, known: Catalogue) -> Frame:
        """The frame itself when every indicator it names is known; else ``CodeListError`` with all that are not."""
        named = [*(i for entry in self.lists for item in entry.items for i in item.indicators)]
        named += [t.indicator for t in self.targets]
        codes = [item.code for entry in self.lists for item in entry.items]
        problems = [
            Problem("No such indicator.", where=self.name, value=n, mend=did_you_mean(n, known.indicators))
            for n in dict.fromkeys(named)
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
def bases() -> MappingProxyType[str, dict[str, Any]]:
    """Each basis: ``name`` in words, and ``under``, the bases of denominators it may be divided by."""
    return MappingProxyType(yaml.safe_load(files("jsna.evidence").joinpath("bases.yml").read_text(encoding="utf-8")))


def refuse_across(numerator: str, denominator: str) -> None:
    """Raise ``CodeListError`` when counts on these two bases must not be divided: they count other children.

    >>> refuse_across("responsible_la", "residence")
    >>> refuse_across("responsible_la", "school_location")
    Traceback (most recent call last):
    jsna.errors.CodeListError: A rate across two bases is refused. ...
    """
    allowed = bases()[numerator]["under"]
    if denominator not in allowed:
        raise CodeListError(
            Problem(
                "A rate across two bases is refused.",
                value=f"{bases()[numerator]['name']}, over {bases()[denominator]['name']}",
                expected=" or ".join(bases()[b]["name"] for b in allowed),
                mend="They count other children: take numerator and denominator from one basis.",
            )
        )


@cache
def catalogue() -> Catalogue:
    """The workbench's catalogue. Raises one ``CodeListError`` that names every fault, its file and its indicator."""
    return read_catalogue(_yaml_of(files("jsna.evidence").joinpath("indicators")))


def read_catalogue(paths: Iterable[Traversable | Path]) -> Catalogue:
    """The indicators of some YAML files, each a mapping of id to fields. One ``CodeListError`` has all faults."""
    found: dict[str, Indicator] = {}
    problems: list[Problem] = []
    for path in paths:
        for name, fields in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            where = f"{path.name}, {name}"
            if name in found:
                problems.append(Problem("An indicator stands twice.", where=where))
                continue
            try:
                found[name] = Indicator(id=name, **fields)
            except (ValidationError, CodeListError) as error:
                problems += _problems(error, where)
    if not problems:
        try:
            return Catalogue(indicators=found)
        except ValidationError as error:
            problems = _problems(error, "catalogue")
    raise CodeListError(*problems)


def read_frame(path: Traversable | Path) -> Frame:
    """The frame of a YAML file. Raises one ``CodeListError`` with all faults."""
    try:
        return Frame(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise CodeListError(*_problems(error, path.name)) from None


def frame_of(area_code: str, named: str = "") -> Frame:
    """The frame of an area: the file that ``named`` gives, else the built-in one of the area, else that for any area.

    Raises ``CodeListError`` when the named file is missing or faulty, or names an indicator that is not there.
    """
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise CodeListError(Problem("There is no such file of frames.", where="frames", value=named))
        return read_frame(path).check(catalogue())
    built_in = [read_frame(path).check(catalogue()) for path in _yaml_of(files("jsna.evidence").joinpath("frames"))]
    own = [f for f in built_in if f.area == area_code]
    return (own or [f for f in built_in if not f.area])[0]


def _yaml_of(folder: Traversable) -> list[Traversable]:
    return sorted((p for p in folder.iterdir() if p.name.endswith(".yml")), key=lambda p: p.name)


def _problems(error: ValidationError | CodeListError, where: str) -> list[Problem]:
    if isinstance(error, CodeListError):
        return [Problem(str(p), where=where) for p in error.problems]
    return [
        Problem(
            f"{fault['msg'].removeprefix('Value error, ').rstrip('.')}.",
            where=", ".join([where, *(str(part) for part in fault["loc"])]),
            value=fault["input"] if isinstance(fault["input"], (str, int, float, bool)) else None,
        )
        for fault in error.errors()
    ]
