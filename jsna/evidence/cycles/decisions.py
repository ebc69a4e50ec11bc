"""What did the board decide, why, who disagreed and who owns it? The file ``decisions.yml``, read and made.

A pack holds the form with the proposals filled in. The board's answer is written into it by people; a refresh carries
what is written over, and the next cycle reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from jsna.errors import CodeListError, Problem, did_you_mean
from jsna.evidence.records import Model, problems_of

FILE = "decisions.yml"
Choice = Literal["", "keep", "strengthen", "re-scope", "adopt", "retire", "defer"]


class Action(Model):
    """What is to be done, the indicator by which it will be seen, and by when."""

    what: str = ""
    measure: Annotated[str, Field(pattern=r"^([A-Z]{3}-\d\d)?$", description="An indicator, such as EHC-05.")] = ""
    group: str = "all"
    by: str = ""


class Duty(Model):
    """The record of due regard (Equality Act 2010, section 149), made before and at the decision."""

    considered: Annotated[str, Field(description="Which evidence was read, of which groups.")] = ""
    effect: Annotated[str, Field(description="What the decision is expected to do for each group.")] = ""
    mitigation: Annotated[str, Field(description="What will be done where it could do harm.")] = ""
    gaps: Annotated[str, Field(description="What is not known, and how that will be closed.")] = ""
    seen_by: Annotated[str, Field(description="The role that gave due regard, and the day.")] = ""


class Decision(Model):
    """One priority: what was proposed, and what the board made of it."""

    priority: str
    name: str = ""
    proposal: str = ""
    decision: Choice = ""
    reasons: str = ""
    dissent: str = ""
    owner: Annotated[str, Field(description="A role, not a person.")] = ""
    actions: Annotated[tuple[Action, ...], Field(strict=False)] = ()
    equality: Duty = Duty()

    @property
    def made(self) -> bool:
        """Whether people have written anything into it."""
        texts = (self.decision, self.reasons, self.dissent, self.owner, *vars(self.equality).values())
        return any(texts) or any(a.what or a.measure for a in self.actions)


class Decisions(Model):
    """The decisions of one area on one cycle."""

    area: Annotated[str, Field(pattern=r"^E\d{8}$")]
    cycle: str
    decided_on: str = ""
    decided_by: str = ""
    decisions: Annotated[tuple[Decision, ...], Field(strict=False)] = ()

    @property
    def made(self) -> tuple[Decision, ...]:
        """Those that people have written something into."""
        return tuple(d for d in self.decisions if d.made)

    def of(self, priority: str) -> Decision | None:
        """The decision on a priority, where there is one."""
        return next((d for d in self.decisions if d.priority == priority), None)


def read_decisions(
    path: Path | Traversable, *, area_code: str, known: Collection[str], priorities: Collection[str] | None = None
) -> Decisions:
    """The file of decisions, checked. ``known``: the indicators; ``priorities``: the codes there are, all without it.

    Raises one ``CodeListError`` with every fault: not YAML, an unknown field or priority, a priority twice, an unknown
    indicator, another area's.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        if not isinstance(content, dict):
            raise CodeListError(
                Problem("The file holds no decisions.", where=path.name, mend="See docs/priorities.md.")
            )
        found = Decisions.model_validate(_plain(content))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        at = getattr(error, "problem_mark", None)
        line = f", line {at.line + 1}" if at else ""
        mend = "Put texts that hold a colon in quotes."
        raise CodeListError(
            Problem("The file cannot be read as YAML.", where=f"{path.name}{line}", mend=mend)
        ) from None
    except ValidationError as error:
        raise CodeListError(*problems_of(error, path.name)) from None
    problems = _faults(found, path.name, area_code, priorities, known)
    if problems:
        raise CodeListError(*problems)
    return found


def _faults(
    found: Decisions, name: str, area_code: str, priorities: Collection[str] | None, known: Collection[str]
) -> list[Problem]:
    codes = [d.priority for d in found.decisions]
    measures = [(d.priority, a.measure) for d in found.decisions for a in d.actions if a.measure]
    faults = [
        Problem(
            "There is no such priority.", where=f"{name}, priority", value=c, mend=did_you_mean(c, priorities or ())
        )
        for c in dict.fromkeys(codes)
        if priorities is not None and c not in priorities
    ]
    faults += [
        Problem("A priority is decided twice.", where=name, value=c) for c in dict.fromkeys(codes) if codes.count(c) > 1
    ]
    faults += [
        Problem("There is no such indicator.", where=f"{name}, {p}, measure", value=m, mend=did_you_mean(m, known))
        for p, m in measures
        if m not in known
    ]
    if found.area != area_code:
        faults.append(Problem("The decisions are another area's.", where=name, value=found.area, expected=area_code))
    return faults


def _plain(content: Any) -> Any:
    """Dates and numbers that YAML makes of unquoted text, as the text that was meant."""
    if isinstance(content, dict):
        return {str(k): _plain(v) for k, v in content.items()}
    if isinstance(content, list):
        return [_plain(v) for v in content]
    return "" if content is None else content if isinstance(content, (str, bool)) else str(content)


def form(blank: Sequence[Decision], area_code: str, cycle: str, kept: Decisions | None = None) -> str:
    """The file to fill in: a block a proposal; what people had written before is carried over.

    A decision on a priority that is proposed no more stays at the end: nothing that people wrote is lost.
    """
    written = {d.priority: d for d in (kept.made if kept else ())}
    rows = [
        written.pop(d.priority).model_copy(update={"name": d.name, "proposal": d.proposal})
        if d.priority in written
        else d
        for d in blank
    ]
    whole = Decisions(
        area=area_code,
        cycle=cycle,
        decided_on=kept.decided_on if kept else "",
        decided_by=kept.decided_by if kept else "",
        decisions=(*rows, *written.values()),
    )
    head = (
        "# The board's decisions on this pack. The proposals come from stated rules; the decisions are people's.\n"
        "# decision: keep, strengthen, re-scope, adopt (what is new), retire or defer. owner: a role, not a person.\n"
        "# Write no child's or parent's name here. A refresh keeps what is written; the next cycle reads it.\n"
    )
    plain = whole.model_dump()
    for row in plain["decisions"]:
        row["actions"] = [dict(a) for a in row["actions"]] or [Action().model_dump()]
    plain["decisions"] = list(plain["decisions"])
    return head + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)
