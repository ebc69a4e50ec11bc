"""In which ways an indicator can be made: counts of official tables, a published figure, own records, other indicators.

On what basis children are counted, and what may be divided by what, is in ``bases.yml``.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from jsna.errors import CodeListError, Problem
from jsna.evidence.records import Model
from jsna.files.packaged import packaged_yaml

Basis = Literal[
    "school_location", "responsible_la", "residence", "gp_or_icb", "respondents", "audited", "working_area", "council"
]


class Counts(Model):
    """Columns of counts of one official table: those of ``columns`` added up, those of ``less`` taken off.

    ``where`` names rows by a column's value, or by several, whose counts are added up. ``period`` is the one period of
    counts that stand for every other, such as a population of mid-2020.
    """

    source: Annotated[str, Field(description="Key of the official folder (jsna/sources/folder.yml).")]
    table: str = ""
    columns: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    less: Annotated[tuple[str, ...], Field(strict=False)] = ()
    where: dict[str, str | list[str]] = Field(default_factory=dict)
    period: str = ""
    basis: Basis


class Published(Model):
    """A figure that is published without the counts behind it: good for a trend, never for an interval.

    ``scale`` takes it to the indicator's unit: 100 where 0.10% is to be read as 10 in 10,000.
    """

    source: str
    table: str = ""
    column: str = "value"
    measure: str = ""
    where: dict[str, str] = Field(default_factory=dict)
    scale: float = 1.0
    basis: Basis


class Official(Model):
    """One way in which an indicator comes out of the official files: from counts, or as published."""

    group: Annotated[
        str, Field(description="all; the SEN provision: no_sen, sen_support, ehc_plan, all_sen; or a group of its own.")
    ] = "all"
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
            try:
                refuse_across(self.numerator.basis, self.denominator.basis)
            except CodeListError as error:
                raise ValueError(str(error)) from None
        return self


class Local(Model):
    """How an indicator is made from an authority's own data.

    ``brings`` is a source of ``local_values.yml`` (pupils, cases, reviews, absence …) and ``measure`` one of its
    measures; of pupils also a count of ``jsna.counts`` (``any_sen``, ``need_ASD``), of a survey the number of the
    question. ``of`` is the count that it is a share of, where that is not everyone: ``sen_support``.
    """

    brings: str
    measure: str
    group: str = "all"
    of: str = ""


class Derived(Model):
    """How an indicator is worked out from others, where no file has it.

    ``gap``: ``of`` in the group ``against``, less ``of`` in the group ``group``. ``change``: the numerator of ``of``
    now, over that of ``years`` before, less 1. ``sum``: several indicators with one denominator, added up.
    """

    how: Literal["gap", "change", "sum"]
    of: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    group: str = "all"
    against: str = ""
    years: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _whole(self) -> Derived:
        if (self.how == "gap") != bool(self.against):
            raise ValueError("a gap, and nothing else, names the group that it is measured against")
        if (self.how == "change") != bool(self.years):
            raise ValueError("a change, and nothing else, says over how many years")
        if (self.how == "sum") != (len(self.of) > 1):
            raise ValueError("a sum, and nothing else, is of several indicators")
        return self


@cache
def bases() -> MappingProxyType[str, dict[str, Any]]:
    """Each basis: ``name`` in words, and ``under``, the bases of denominators it may be divided by."""
    return MappingProxyType(packaged_yaml("jsna.evidence", "bases.yml"))


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
