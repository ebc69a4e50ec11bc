"""The rules by which priorities are proposed: data, checked when they are read."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from jsna.errors import CodeListError, Problem, did_you_mean
from jsna.evidence.records import Model, entries_of, problems_of

PARTS = ("promises", "comparison", "change", "inequality", "voice")
WHOLE = 100
FACTS = (
    *("indicators", "with_figure", "share_with_figure", "promises", "promises_missed", "promises_nearer"),
    *("compared", "worse", "better", "share_worse", "changes_tested", "worsened", "improved", "share_worsened"),
    *(
        "comparisons",
        "flags_known",
        "flags",
        "share_flagged",
        "flags_new",
        "flags_gone",
        "answers",
        "answered",
        "share_disagree",
    ),
)


class Bound(Model):
    """A condition on one fact. A fact that is not known meets none."""

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Bound:
        if self.at_least is None and self.at_most is None:
            raise ValueError("say at_least or at_most")
        return self


class ProposalRule(Model):
    """A proposal, and when it is made."""

    proposal: Literal["keep", "strengthen", "re-scope", "retire", "no proposal"]
    when: dict[str, Bound]
    because: str

    @field_validator("when")
    @classmethod
    def _known_facts(cls, when: dict[str, Bound]) -> dict[str, Bound]:
        wrong = [f"there is no fact {n!r}. {did_you_mean(n, FACTS)}".strip() for n in when if n not in FACTS]
        if wrong:
            raise ValueError("; ".join(wrong))
        return when


class Candidate(Model):
    """What could become a priority: so many flags by these characteristics, none of them a priority's name."""

    code: Annotated[str, Field(pattern=r"^N\d+$")]
    name: str
    characteristics: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    flags: Bound
    because: str


class Spread(Model):
    """How far the sensitivity draws move weights and cuts."""

    draws: Annotated[int, Field(ge=100, le=100_000)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0
    weights_spread: Annotated[float, Field(gt=0)] = 20
    cuts_spread: Annotated[float, Field(ge=0, lt=1)] = 0.25


class Rules(Model):
    """Every weight, cut and rule by which priorities are proposed."""

    weights: dict[str, float]
    part_names: dict[str, str]
    cuts: dict[str, tuple[float, float, float]] = Field(strict=False)
    at_least: dict[str, int]
    comparator: Literal["england", "set_0", "set_1"] = "england"
    minimum_weight: Annotated[float, Field(gt=0, le=WHOLE)] = 40
    top: Annotated[int, Field(ge=1)] = 3
    sensitivity: Spread = Spread()
    proposals: Annotated[tuple[ProposalRule, ...], Field(min_length=1, strict=False)]
    candidates: Annotated[tuple[Candidate, ...], Field(strict=False)] = ()

    @field_validator("cuts", mode="before")
    @classmethod
    def _cuts_as_numbers(cls, cuts: object) -> object:
        if not isinstance(cuts, dict):
            return cuts
        return {k: tuple(float(x) if isinstance(x, int) else x for x in v) for k, v in cuts.items()}

    @model_validator(mode="after")
    def _hang_together(self) -> Rules:
        wrong = []
        for name, given in (
            ("weights", self.weights),
            ("cuts", self.cuts),
            ("part_names", self.part_names),
            ("at_least", self.at_least),
        ):
            wrong += [
                f"{name}: there is no part {p!r}. {did_you_mean(p, PARTS)}".strip() for p in given if p not in PARTS
            ]
            wrong += [f"{name}: {p} is missing" for p in PARTS if p not in given]
        wrong += [f"weights: {p} is below 0" for p, w in self.weights.items() if w < 0]
        total = sum(self.weights.values())
        if abs(total - WHOLE) > 1e-9:
            wrong.append(f"weights: they add up to {total:g}, and have to add up to {WHOLE}")
        wrong += [f"cuts: those of {p} do not rise" for p, c in self.cuts.items() if not c[0] < c[1] < c[2]]
        if self.proposals[-1].when:
            wrong.append("proposals: the last rule has to hold always (when: {}), so that every priority gets one")
        codes = [c.code for c in self.candidates]
        wrong += [f"candidates: {c} stands twice" for c in dict.fromkeys(codes) if codes.count(c) > 1]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def rules_of(named: str = "") -> Rules:
    """The rules of the file that ``named`` gives, else those that come with the workbench.

    Raises ``CodeListError`` when the file is missing or faulty.
    """
    if not named:
        return _built_in()
    path = Path(named).expanduser()
    if not path.is_file():
        raise CodeListError(Problem("There is no such file of rules.", where="rules", value=named))
    return read_rules(path)


def read_rules(path: Traversable | Path) -> Rules:
    """The rules of a YAML file. Raises one ``CodeListError`` with all faults."""
    try:
        return Rules.model_validate(dict(entries_of(path, of_mappings=False)))
    except ValidationError as error:
        raise CodeListError(*problems_of(error, path.name)) from None


@cache
def _built_in() -> Rules:
    return read_rules(files("jsna.evidence.priorities").joinpath("rules.yml"))
