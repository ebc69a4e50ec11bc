"""From evidence to priorities: what the last cycle said, what is true now, and what the rules propose.

Everything is proposed by stated rules from what the chapters before have found; people decide.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from jsna.area import Area
from jsna.chapters import changed, scorecard
from jsna.chapters import priorities_words as words
from jsna.chapters.base import with_extras
from jsna.disclosure import Released
from jsna.evidence.catalogue import Frame
from jsna.evidence.cycles import Changes, Edition, changes_between, edition_of_notebooks
from jsna.evidence.cycles.decisions import Action, Decision
from jsna.evidence.cycles.notebooks import EVIDENCE_VARIABLE, NOTEBOOKS
from jsna.evidence.cycles.packs import earlier_edition
from jsna.evidence.priorities import Proposal, Rules, Sensitivity, facts_of, proposals, rules_of, scored, sensitivity
from jsna.evidence.priorities.duty import duty_table
from jsna.evidence.priorities.rules import PARTS
from jsna.evidence.priorities.sensitivity import SOURCES, hidden_by_code
from jsna.exhibits.charts import bars
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.text import finding


@dataclass(frozen=True)
class Review:
    """The evidence of this cycle beside that of the last: what every exhibit of the chapter starts from.

    ``problem``: why there is no earlier edition, in a sentence; empty where there is one.
    """

    area: Area
    frame: Frame
    rules: Rules
    board: scorecard.Board
    now: Edition
    before: Edition | None
    problem: str

    @property
    def missing(self) -> tuple[str, str]:
        """Why nothing is said of changes, where there is no earlier edition, and what would mend it."""
        return words.no_last_cycle(self.problem)

    @cached_property
    def changes(self) -> Changes | None:
        """What has changed since the last cycle; nothing where there is no earlier edition."""
        if self.before is None:
            return None
        return changes_between(self.before, self.now, confidence=self.area.params.confidence)

    @cached_property
    def by_comparator(self) -> dict[str, pd.DataFrame]:
        """The facts about each priority, beside England and beside each set of neighbours that has figures."""
        names = ["england", *(f"set_{n}" for n in range(len(self.board.sets)))]
        return {
            name: facts_of(
                self.frame,
                self.board.rows,
                self.now.flags,
                self.now.voice,
                self.changes,
                comparator=name,
            )
            for name in names
            if f"{name}_verdict" in self.board.rows
        }

    @cached_property
    def facts(self) -> pd.DataFrame:
        """The facts beside the comparator that the rules name, or England."""
        return self.by_comparator.get(self.rules.comparator, next(iter(self.by_comparator.values())))

    @cached_property
    def proposals(self) -> tuple[Proposal, ...]:
        return proposals(self.facts, self.now.flags, self.rules)

    @cached_property
    def scores(self) -> pd.DataFrame:
        return scored(self.facts, self.rules)

    @cached_property
    def firmness(self) -> Sensitivity:
        hidden = hidden_by_code(self.frame, self.now.flags)
        return sensitivity(self.by_comparator, self.rules, hidden=hidden)


def review(area: Area) -> Review:
    """This cycle's evidence, from the chapters that were run, beside the last cycle's pack.

    An earlier pack that cannot be used is told, and does not stop the chapter: nothing is then said of a change.
    """
    made = scorecard.board(area, "figures")
    shown = scorecard.figures_exhibit(made)
    folder = Path(os.environ.get(EVIDENCE_VARIABLE) or NOTEBOOKS)
    now = edition_of_notebooks(folder, area, figures=shown.table_csv)
    before, problem = earlier_edition(area)
    return Review(area, made.frame, rules_of(area.params.rules), made, now, before, problem)


def opening(made: Review) -> Exhibit:
    """What the rules propose, in one sentence, and who decides."""
    return finding("priorities", words.opening(made), detail=words.how_made(made))


def last_cycle(made: Review) -> Exhibits | Exhibit:
    """What the board decided last time, and what came of it."""
    return changed.last_cycle(made.changes, made.missing)


def figures_changed(made: Review) -> Exhibits | Exhibit:
    """Every figure of the last cycle beside that of this one, and whether the change is beyond noise."""
    return changed.figures(made.changes, made.missing)


def answers_changed(made: Review) -> Exhibits | Exhibit:
    """What families, young people and practitioners answered then and now."""
    return changed.answers(made.changes, made.missing)


def criteria_changed(made: Review) -> Exhibit:
    """Each success criterion and outcome, and what has moved."""
    return changed.criteria(made.changes, made.missing, made.frame)


def flags_changed(made: Review) -> Exhibits | Exhibit:
    """Which groups stood out then, and which do now; and is the change beyond noise?"""
    return changed.flags(made.changes, made.missing)


def projections_checked(made: Review) -> Exhibits | Exhibit:
    """What the last cycle projected, beside what came."""
    return changed.projections(made.changes, made.missing)


def proposed(made: Review) -> Exhibits:
    """One finding a priority: what is proposed, by which rule, from which facts, with the way to the evidence."""
    return Exhibits(tuple(_proposed(made, p) for p in made.proposals))


def _proposed(made: Review, proposal: Proposal) -> Exhibit:
    sentence, details = words.proposal(proposal), words.proposal_details(made, proposal)
    items = "".join(f"<li>{escape(d)}</li>" for d in details)
    ways = "".join(f"<li>{way}</li>" for way in words.ways(made, proposal))
    body = f'<p class="finding-sentence">{escape(sentence)}</p><ul>{items}</ul>'
    body += f'<p class="ways">See for yourself:</p><ul class="ways">{ways}</ul>' if ways else ""
    return Exhibit(f"proposal-{proposal.code.lower()}", "finding", sentence, body=body, notes=tuple(details))


def parts(made: Review) -> Exhibit:
    """The points of each priority part by part, what each part adds, and the place that they give."""
    rows = made.scores
    table = pd.DataFrame({"priority": [f"{code} {row['name']}" for code, row in rows.iterrows()]})
    for part in PARTS:
        table[part] = [words.points(row[part], row[f"{part}_adds"]) for _, row in rows.iterrows()]
    table["total"] = [words.total(row) for _, row in rows.iterrows()]
    table["place"] = words.place_words(rows["place"])
    columns = words.part_columns(made.rules)
    shown = _table(made, "priority-parts", words.PARTS_TITLE, table, columns, notes=words.parts_notes(made.rules))
    return with_extras(shown, priorities=_machine_readable(made))


def _machine_readable(made: Review) -> list[dict[str, Any]]:
    """The proposals as the pack keeps them, with every fact, part and weight, for the next cycle and other programs."""
    scores = made.scores
    return [
        {
            "code": p.code,
            "name": p.name,
            "proposal": p.proposal,
            "because": p.because,
            "facts": _plain(made.facts.loc[p.code].to_dict() if p.code in made.facts.index else dict(p.facts)),
            "points": _plain({part: scores.at[p.code, part] for part in PARTS}) if p.code in scores.index else {},
            "weights": dict(made.rules.weights),
            "place": _plain({"place": scores.at[p.code, "place"]})["place"] if p.code in scores.index else None,
        }
        for p in made.proposals
    ]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): None if pd.isna(v) else v if isinstance(v, str) else round(float(v), 4) for k, v in values.items()}


def order_is_firm(made: Review) -> Exhibits:
    """How often each priority stays among the first, when what could have been chosen otherwise is."""
    found = made.firmness
    shown = found.table.assign(percent=100 * found.table["in_top"])
    shown["label"] = [f"{code} {name}" for code, name in zip(shown.index, shown["name"], strict=True)]
    shown = shown.sort_values("percent", ascending=False, kind="stable").reset_index(names="code")
    released = _released(made, shown)
    chart = bars(
        released,
        id="order-firm",
        title=words.firm_title(found),
        group="label",
        value="percent",
        unit="% of draws",
    )
    table = pd.DataFrame({"priority": shown["label"], "in_top": [words.share(v) for v in shown["in_top"]]})
    table["places"] = [words.places(row) for row in shown.itertuples()]
    for source in SOURCES:
        table[source] = [words.share(v) for v in shown[source]]
    told = _table(made, "order-firm-table", words.FIRM_TABLE, table, words.FIRM, notes=words.firm_notes(found))
    return Exhibits((finding("order", words.firm(found)), chart, told))


def equality_duty(made: Review) -> Exhibit:
    """The record that goes with the decision: what is known of each protected characteristic, and what is not."""
    rows = duty_table(made.now.flags)
    table = rows[["name", "evidence", "gap"]].replace("", "none")
    return _table(made, "equality-duty", words.DUTY_TITLE, table, words.DUTY, notes=words.DUTY_NOTES)


def to_decide(made: Review) -> Exhibit:
    """Where the board writes its decision; the pack holds the form."""
    blank = [
        Decision(priority=p.code, name=p.name, proposal=p.proposal, actions=(Action(),)).model_dump()
        for p in made.proposals
    ]
    shown = finding("to-decide", words.TO_DECIDE, detail=words.TO_DECIDE_DETAILS)
    return with_extras(shown, decision_form=blank)


def figures(made: Review) -> Exhibit:
    """Every indicator's latest figure, which the next cycle compares its own with."""
    return scorecard.figures_exhibit(made.board)


def _table(
    made: Review, name: str, title: str, rows: pd.DataFrame, columns: Mapping[str, tuple[str, str]], notes=()
) -> Exhibit:
    return changed.table(name, title, rows, columns, synthetic=made.area.synthetic, notes=notes)


def _released(made: Review, rows: pd.DataFrame) -> Released:
    return changed.released(rows, made.area.synthetic)
