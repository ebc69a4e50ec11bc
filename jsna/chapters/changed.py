"""What has changed since the last cycle, as exhibits: decisions, figures, groups that stand out, projections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from jsna.chapters import changed_words as words
from jsna.chapters.base import gap
from jsna.disclosure import Released
from jsna.evidence.catalogue import Frame
from jsna.evidence.cycles import Changes
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding, notice

SOURCE = "The chapters of this pack, and of the pack before"
Missing = tuple[str, str]


def last_cycle(found: Changes | None, missing: Missing) -> Exhibits | Exhibit:
    """What the board decided last time, and what came of it; ``missing``: what to say where there is no edition."""
    if found is None:
        return gap("last-cycle", *missing)
    told = finding("last-cycle", words.last_cycle(found), detail=words.edition_notes(found))
    rows = found.decisions
    if rows.empty:
        mend = f"Write down what was decided in decisions.yml of {found.old.name}."
        return Exhibits((told, gap("last-decisions", words.NO_DECISIONS.format(edition=found.old.name), mend)))
    cells = pd.DataFrame(
        {
            "priority": rows["priority"] + " " + rows["name"],
            "decision": rows["decision"].replace("", "not written down"),
            "action": [words.action(row) for row in rows.itertuples()],
            "owner": rows["owner"].replace("", "nobody named"),
            "since": [words.since(row) for row in rows.itertuples()],
        }
    )
    return Exhibits((told, _of(found, "last-decisions", "What was decided, and what came of it", cells, words.DECIDED)))


def figures(found: Changes | None, missing: Missing) -> Exhibits | Exhibit:
    """Every figure of the last cycle beside that of this one, and whether the change is beyond noise."""
    if found is None:
        return notice("figures-changed", words.AS_ABOVE, "")
    rows = found.figures
    rows = rows[rows[["old_value", "new_value"]].notna().any(axis=1)]
    if rows.empty:
        return gap("figures-changed", words.NO_FIGURES, "Make the earlier pack anew with this version.")
    order = {v: n for n, v in enumerate(words.ORDER)}
    rows = rows.sort_values(["verdict", "indicator", "group"], key=lambda c: c.map(order) if c.name == "verdict" else c)
    cells = pd.DataFrame(
        {
            "measure": [words.measure(row) for row in rows.itertuples()],
            "before": [words.figure(row, "old") for row in rows.itertuples()],
            "now": [words.figure(row, "new") for row in rows.itertuples()],
            "change": [words.change(row) for row in rows.itertuples()],
            "verdict": [words.verdict(row) for row in rows.itertuples()],
        }
    )
    said = finding("figures-moved", words.moved(rows), detail=words.moved_details(rows))
    return Exhibits((said, _of(found, "figures-changed", words.FIGURES_TITLE, cells, words.CHANGED)))


def answers(found: Changes | None, missing: Missing) -> Exhibits | Exhibit:
    """What people answered then and now, and whether the change is beyond noise."""
    if found is None:
        return notice("answers-changed", words.AS_ABOVE, "")
    rows = found.voice
    if rows.empty:
        return gap("answers-changed", words.NO_ANSWERS, "Ask families and young people: docs/survey-kit.md.")
    cells = pd.DataFrame(
        {
            "question": [words.asked(row) for row in rows.itertuples()],
            "before": [words.answer(row, "old") for row in rows.itertuples()],
            "now": [words.answer(row, "new") for row in rows.itertuples()],
            "change": [words.answers_change(row) for row in rows.itertuples()],
            "verdict": [words.answers_verdict(row) for row in rows.itertuples()],
        }
    )
    said = finding("answers-moved", words.answers_moved(rows), detail=(words.ANSWERS_NOTE,))
    return Exhibits((said, _of(found, "answers-changed", words.ANSWERS_TITLE, cells, words.ANSWERED)))


def criteria(found: Changes | None, missing: Missing, frame: Frame) -> Exhibit:
    """Each success criterion and outcome: how many of its measures moved which way, and what people answered."""
    if found is None:
        return notice("criteria-changed", words.AS_ABOVE, "")
    rows = words.by_item(found, frame)
    return _of(found, "criteria-changed", words.CRITERIA_TITLE, rows, words.CRITERIA)


def flags(found: Changes | None, missing: Missing) -> Exhibits | Exhibit:
    """Which groups stood out then, and which do now; and is the change beyond noise?"""
    if found is None:
        return notice("flags-changed", words.AS_ABOVE, "")
    rows = words.worth_telling(found.flags)
    if rows.empty:
        return finding("flags-moved", words.NO_FLAGS)
    cells = pd.DataFrame(
        {
            "what": [words.compared(row) for row in rows.itertuples()],
            "before": [words.status(row, "old") for row in rows.itertuples()],
            "now": [words.status(row, "new") for row in rows.itertuples()],
            "change": rows["change"].tolist(),
            "noise": [words.noise(row) for row in rows.itertuples()],
        }
    )
    said = finding("flags-moved", words.flags_moved(rows), detail=(words.FLAGS_NOTE,))
    return Exhibits((said, _of(found, "flags-changed", words.FLAGS_TITLE, cells, words.FLAGGED_BEFORE)))


def projections(found: Changes | None, missing: Missing) -> Exhibits | Exhibit:
    """What the last cycle projected, beside what came."""
    if found is None:
        return notice("projections-checked", words.AS_ABOVE, "")
    rows = found.projections
    if rows.empty:
        mend = "The next cycle can hold this one’s projections to account."
        return gap("projections-checked", words.NO_PROJECTIONS, mend)
    cells = pd.DataFrame(
        {
            "what": rows["measure"] + ", " + rows["part"],
            "period": rows["period"],
            "projected": [words.projected(row) for row in rows.itertuples()],
            "actual": rows["actual"],
            "within": rows["within"].map({True: "yes", False: "no"}),
        }
    )
    said = finding("projections-held", words.projections_held(rows))
    return Exhibits((said, _of(found, "projections-checked", words.PROJECTIONS_TITLE, cells, words.PROJECTED)))


def _of(found: Changes, name: str, title: str, rows: pd.DataFrame, columns: Mapping[str, tuple[str, str]]) -> Exhibit:
    return table(name, title, rows, columns, synthetic=found.new.synthetic)


def table(
    name: str,
    title: str,
    rows: pd.DataFrame,
    columns: Mapping[str, tuple[str, str]],
    *,
    synthetic: bool,
    notes: Sequence[str] = (),
) -> Exhibit:
    """Rows of figures that have passed the gate already, as a table; ``columns``: label and kind by name."""
    told = [{"name": n, "label": label, "kind": kind} for n, (label, kind) in columns.items()]
    shown = released(rows, synthetic, notes)
    return table_exhibit(shown, id=name, title=title, columns=told, row_header=next(iter(columns)))


def released(rows: pd.DataFrame, synthetic: bool, notes: Sequence[str] = ()) -> Released:
    """Figures of exhibits that have passed the gate already, in a new order."""
    rows = rows.reset_index(drop=True)
    symbols = pd.DataFrame("", index=rows.index, columns=rows.columns).mask(rows.isna(), "x")
    return Released(rows, symbols, SOURCE, synthetic=synthetic, notes=tuple(notes))
