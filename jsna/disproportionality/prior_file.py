"""Priors in a file: how the true ratios of many authorities spread, for areas that do not have the others' counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jsna.disproportionality.learning import Learned
from jsna.disproportionality.pooled import SPREADS, Prior
from jsna.errors import Problem, SourceError, did_you_mean

VERSION = 1
HEAD = "# Made by `workbench.py priors`, and by nothing else: a change by hand is refused. Methods: docs/methods.md."
DIGITS, ROUNDED = 4, 0.001
_DIGEST = "digest: "
AGAIN = "Make the file again with the command `priors`."


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Entry(_Model):
    """One outcome and dimension: how log ratios to all others spread, and what taught it.

    ``weights``: one a spread, in all 1. ``concentration``: the sum of the parameters of the weights' distribution.
    ``period`` of the counts, ``pupils_of`` that of the pupils where it is another; ``source``: a key of the sources.
    """

    outcome: Annotated[str, Field(min_length=1)]
    dimension: Annotated[str, Field(min_length=1)]
    period: str
    pupils_of: str = ""
    source: str
    authorities: Annotated[int, Field(ge=1)]
    ratios: Annotated[int, Field(ge=1)]
    concentration: Annotated[float, Field(gt=0, strict=False)]
    weights: Annotated[tuple[Annotated[float, Field(ge=0, strict=False)], ...], Field(strict=False)]


class _File(_Model):
    version: int
    made: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    spreads: Annotated[tuple[float, ...], Field(strict=False)]
    notes: Annotated[tuple[str, ...], Field(strict=False)]
    sources: dict[str, str]
    priors: Annotated[tuple[Entry, ...], Field(strict=False)]


@dataclass(frozen=True)
class Priors:
    """The content of a file of priors: ``entries`` by outcome and dimension; ``notes`` say what bounds their use."""

    made: str
    spreads: tuple[float, ...]
    notes: tuple[str, ...]
    sources: Mapping[str, str]
    entries: Mapping[tuple[str, str], Entry]

    def prior(self, outcome: str, dimension: str) -> Prior:
        """The prior of one outcome for the groups of a dimension. Raises ``SourceError`` where the file has none."""
        entry = self.entries.get((outcome, dimension))
        if entry is None:
            same = [o for o, d in self.entries if d == dimension]
            dimensions = sorted({d for _, d in self.entries})
            known = did_you_mean(outcome, same) if same else did_you_mean(dimension, dimensions)
            raise SourceError(
                Problem(
                    "The file of priors has none of this outcome and dimension.",
                    value=f"{outcome}, {dimension}",
                    expected=f"{len(same)} outcomes of this dimension" if same else f"one of {', '.join(dimensions)}",
                    mend=known or "Leave the prior away: the default then stands.",
                )
            )
        return _prior(entry, self.spreads)

    def of_dimension(self, dimension: str) -> dict[str, Prior]:
        """The priors of all outcomes of a dimension, as ``flags(prior=…)`` takes them; none: an empty mapping."""
        return {o: _prior(entry, self.spreads) for (o, d), entry in self.entries.items() if d == dimension}


def _prior(entry: Entry, spreads: tuple[float, ...]) -> Prior:
    # Of a weight that rounds to nothing half the last digit is left: no spread is ever ruled out.
    weights = np.maximum(entry.weights, 0.5 * 10.0**-DIGITS)
    weights *= entry.concentration / weights.sum()
    return Prior(spreads, tuple(float(w) for w in weights), entry.ratios)


@cache
def national_priors() -> Priors:
    """The priors that England's published counts teach. They are used where they are named, and nowhere by default."""
    told = files("jsna.disproportionality").joinpath("priors.yml").read_text(encoding="utf-8")
    return parse_priors(told, "priors.yml")


def national_prior(outcome: str, dimension: str) -> Prior:
    """How do true ratios of ``outcome`` spread over the groups of ``dimension`` in England's authorities?

    For ``pooled`` and ``flags`` by their parameter ``prior``. Raises ``SourceError`` where no published counts teach
    it. When not to use: for another outcome than the one named (a share of plans is not a share of pupils), and for
    flags without saying so: more groups are found, and more of them falsely (docs/validity.md).

    >>> national_prior("ehc_plan", "ethnicity").learned_from > 1_000
    True
    """
    return national_priors().prior(outcome, dimension)


def read_priors(path: Path) -> Priors:
    """The priors of a file that ``as_text`` wrote. Raises one ``SourceError`` with everything that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = f"The file of priors cannot be read ({type(error).__name__})."
        raise SourceError(Problem(what, where=path.name)) from None
    return parse_priors(text, path.name)


def parse_priors(text: str, where: str) -> Priors:
    """The same from the text of a file called ``where``."""
    body, _, digest = text.rpartition(_DIGEST)
    try:
        told = yaml.safe_load(body)
    except yaml.YAMLError:
        told = None
    if not isinstance(told, dict):
        raise SourceError(Problem("This is no file of priors.", where=where, mend=AGAIN))
    if told.get("version") != VERSION:
        raise SourceError(
            Problem(
                "The form of this file of priors is not known.",
                where=f"{where}, version",
                value=told.get("version"),
                expected=str(VERSION),
                mend="Take a workbench of the same edition, or make the file again.",
            )
        )
    made, problems = _checked(told, where)
    if digest.strip() != _digest(body):
        problems.append(Problem("The file was changed after it was made.", where=f"{where}, digest", mend=AGAIN))
    if made is None or problems:
        raise SourceError(*problems)
    entries = {(e.outcome, e.dimension): e for e in made.priors}
    return Priors(made.made, made.spreads, made.notes, made.sources, entries)


def _checked(told: dict[Any, Any], where: str) -> tuple[_File | None, list[Problem]]:
    try:
        made = _File(**told)
    except ValidationError as error:
        return None, [
            Problem(f"{fault['msg']}.", where=", ".join([where, *map(str, fault["loc"])])) for fault in error.errors()
        ]
    problems = []
    if not _ascending(made.spreads):
        problems.append(
            Problem(
                "The spreads do not ascend, or lie outside what a prior can tell.",
                where=f"{where}, spreads",
                value=list(made.spreads),
                expected="numbers from 0.01 to 2, each above the one before",
            )
        )
    seen: set[tuple[str, str]] = set()
    for entry in made.priors:
        place = f"{where}, {entry.outcome}, {entry.dimension}"
        if len(entry.weights) != len(made.spreads):
            what = "There are not as many weights as spreads."
            problems.append(Problem(what, where=place, value=len(entry.weights), expected=str(len(made.spreads))))
        elif abs(sum(entry.weights) - 1) > ROUNDED:
            problems.append(
                Problem("The weights do not add up to 1.", where=place, value=round(sum(entry.weights), DIGITS))
            )
        if entry.source not in made.sources:
            problems.append(Problem("A source is named that the file does not tell.", where=place, value=entry.source))
        if (entry.outcome, entry.dimension) in seen:
            problems.append(Problem("An outcome and dimension stand twice.", where=place))
        seen.add((entry.outcome, entry.dimension))
    return made, problems


def _ascending(spreads: Sequence[float]) -> bool:
    return len(spreads) > 0 and all(0.01 <= s <= 2 for s in spreads) and bool((np.diff(spreads) > 0).all())


def entry_of(learned: Learned, *, period: str, source: str, pupils_of: str = "") -> Entry:
    """What was learned, as the file holds it: no count of any authority."""
    return Entry(
        outcome=learned.outcome,
        dimension=learned.dimension,
        period=period,
        pupils_of=pupils_of,
        source=source,
        authorities=learned.authorities,
        ratios=learned.prior.learned_from,
        concentration=round(float(sum(learned.prior.concentration)), 2),
        weights=tuple(round(float(w), DIGITS) for w in learned.prior.weights),
    )


def as_text(entries: Iterable[Entry], *, made: str, notes: Sequence[str], sources: Mapping[str, str]) -> str:
    """The text of a file of priors, the same for the same arguments, with the digest that the reader asks for."""
    head = {"version": VERSION, "made": made, "spreads": list(SPREADS)}
    lines = [HEAD, *(f"{key}: {_flow(value)}" for key, value in head.items())]
    lines += ["notes:", *(f"  - {_flow(note)}" for note in notes)]
    lines += ["sources:", *(f"  {key}: {_flow(words)}" for key, words in sources.items())]
    rows = sorted(entries, key=lambda e: (e.dimension, e.outcome))
    lines += ["priors:", *(f"  - {_flow(row.model_dump(exclude_defaults=True))}" for row in rows)]
    body = "\n".join(lines) + "\n"
    return f"{body}{_DIGEST}{_digest(body)}\n"


def _flow(value: Any) -> str:
    """A value on one line, as YAML and JSON write it alike."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8")).hexdigest()
