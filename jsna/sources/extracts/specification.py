"""What each kind of local extract looks like: ``specs/*.yml`` and ``common.yml``, checked when they are read."""

from __future__ import annotations

import csv
import inspect
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jsna.codes import LISTS, code_list
from jsna.files.headers import bare
from jsna.files.packaged import packaged_yaml
from jsna.sources.extracts.rules import RULES, columns_of

Severity = Literal["E", "W"]
Kind = Literal["id", "person", "text", "date", "month", "year", "code", "flag", "whole", "number", "la", "urn", "area"]
HERE = "jsna.sources.extracts"
OWN_LISTS = ("activity", "exclusion_reason", "scale", "theme")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column. ``needed``: without it the file is refused. ``blank`` and ``wrong``: what an empty and an unreadable
    cell mean, E (the row is refused), W (a finding), or "" for an empty cell that is in order.

    ``heading`` is what templates call it, when that differs from the name in the workbench. ``list`` names a code list,
    ``rolls_up`` the list whose codes these stand for, ``also`` other spellings of a code. ``named``: an id that may be
    a word. ``starts``: what the code of an area begins with.
    """

    name: str
    type: Kind
    says: Annotated[str, Field(min_length=1)]
    heading: str = ""
    needed: bool = False
    blank: Literal["E", "W", ""] = ""
    wrong: Severity = "W"
    aliases: tuple[str, ...] = ()
    codes: dict[str, str] = {}
    list: str = ""
    rolls_up: str = ""
    also: dict[str, str] = {}
    longest: int = 60
    named: bool = False
    starts: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None

    @property
    def title(self) -> str:
        """The heading that a template gives the column."""
        return self.heading or self.name

    @property
    def labels(self) -> dict[str, str]:
        """``{code: label}`` of a column of codes, from the column itself or from its list."""
        return self.codes or (_list_labels(self.list) if self.list else {})

    @property
    def spellings(self) -> dict[str, str]:
        """``{bare spelling: code}`` of a column of codes; codes go before labels."""
        main = _roll_up(self.list) if self.rolls_up else {}
        found = {bare(label): code for code, label in self.labels.items()}
        found |= {bare(word): code for word, code in self.also.items()} | {bare(code): code for code in self.labels}
        found = {word: main.get(code, code) for word, code in found.items()}
        labels = _list_labels(self.rolls_up) if self.rolls_up else {}
        return {bare(label): code for code, label in labels.items()} | found

    @model_validator(mode="after")
    def _whole(self) -> Column:
        if (self.type == "code") != bool(self.labels):
            raise ValueError(f"{self.name}: codes belong to a column of type code, and to no other")
        strangers = sorted(set(self.also.values()) - set(self.labels))
        if strangers:
            raise ValueError(f"{self.name}: `also` leads to codes that are none: {strangers}")
        return self


class Rule(_Strict):
    """A rule across columns: ``rule`` is one of ``jsna.sources.extracts.rules``, ``with`` what it is given."""

    name: str
    rule: str
    severity: Severity
    given: Annotated[dict[str, Any], Field(alias="with")]
    says: Annotated[str, Field(min_length=1)]
    mend: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _known(self) -> Rule:
        if self.rule not in RULES:
            raise ValueError(f"{self.name}: no rule is called {self.rule!r}")
        inspect.signature(RULES[self.rule]).bind(None, **self.given)
        return self


class Instead(_Strict):
    """A heading (its bare spelling fits ``pattern``) that shows what stands in the place of a missing column."""

    pattern: str
    says: str
    mend: str


class Spec(_Strict):
    """A kind of extract. ``signature`` are the columns by which it is told from others; ``form_of`` the kind of which
    this is another form; ``context``: the optional columns about a person are accepted; ``dated``: those about the
    period of the file."""

    kind: str
    title: str
    row_is: str
    form_of: str = ""
    context: bool
    dated: bool = True
    signature: tuple[str, ...]
    columns: dict[str, Column]
    instead: tuple[Instead, ...] = ()
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _columns_exist(self) -> Spec:
        for rule in self.rules:
            lost = sorted(set(columns_of(rule.given)) - set(self.all_columns))
            if lost:
                raise ValueError(f"{self.kind}, {rule.name}: no such columns: {lost}")
        lost = sorted(set(self.signature) - set(self.columns))
        if lost:
            raise ValueError(f"{self.kind}: the signature names columns that are none: {lost}")
        return self

    @property
    def all_columns(self) -> dict[str, Column]:
        """Own columns, then those of the file and of the person that this kind accepts; own ones have precedence."""
        shared = {**(_common()["file"] if self.dated else {}), **(_common()["person"] if self.context else {})}
        return {**self.columns, **{name: column for name, column in shared.items() if name not in self.columns}}

    @property
    def needed(self) -> list[str]:
        """Columns without which the file is refused."""
        return [name for name, column in self.columns.items() if column.needed]


@cache
def specs() -> dict[str, Spec]:
    """Every kind by its name, in alphabetical order; a specification that is not sound raises ``ValidationError``."""
    names = sorted(path.name for path in files(HERE).joinpath("specs").iterdir())
    found = [_spec(packaged_yaml(HERE, "specs", name)) for name in names if name.endswith(".yml")]
    return {spec.kind: spec for spec in found}


def own_list(name: str) -> list[dict[str, str]]:
    """The rows of a list that is kept beside this module: activity, exclusion_reason, scale or theme."""
    with files(HERE).joinpath("lists", f"{name}.csv").open("r", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def _common() -> dict[str, dict[str, Column]]:
    text = packaged_yaml(HERE, "common.yml")
    return {part: _columns(given) for part, given in text.items()}


def _spec(given: dict[str, Any]) -> Spec:
    return Spec(**{**given, "columns": _columns(given["columns"])})


def _columns(given: dict[str, dict[str, Any]]) -> dict[str, Column]:
    return {name: Column(name=name, **column) for name, column in given.items()}


@cache
def _list_labels(name: str) -> dict[str, str]:
    if name in LISTS:
        table = code_list(name)
        return table["label" if "label" in table else "plain"].to_dict()
    if name in OWN_LISTS:
        return {row["code"]: row["label"] for row in own_list(name)}
    raise ValueError(f"no code list is called {name!r}")


@cache
def _roll_up(name: str) -> dict[str, str]:
    return code_list(name)["main"].to_dict()
