"""Words for what has changed between two editions: rows of changes as sentences and cells."""

from __future__ import annotations

from typing import Any

import pandas as pd

from jsna.chapters.disparity import outcome_name, texts
from jsna.chapters.scorecard_words import changed, lower_first, measured, name_of, short
from jsna.disproportionality.rule import FLAGGED
from jsna.evidence.catalogue import Frame, catalogue
from jsna.evidence.cycles import changes as ch
from jsna.evidence.cycles.changes import Changes
from jsna.evidence.scorecard import headline_list
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import count_of, listing

ORDER = (ch.WORSENED, ch.IMPROVED, ch.ROSE, ch.FELL, ch.NO_CLEAR, ch.UNTESTED, ch.SAME_PERIOD, ch.NOT_COMPARABLE)
ORDER += (ch.NEW, ch.GONE)
NO_DECISIONS = "What the board decided on {edition} was not written down with it."
NO_FIGURES = "Neither edition holds a figure that could be compared."
NO_FLAGS = "No group was flagged in either edition."
PROJECTIONS_TITLE = "What was projected, and what came"
NO_PROJECTIONS = "The last cycle projected nothing that has come due."
FIGURES_TITLE = "Every figure of the last cycle beside that of this one"
FLAGS_TITLE = "Groups that stood out in the last cycle, or do now"
FLAGS_NOTE = (
    "Ratios are adjusted where both editions have that, else crude. Many children are in both editions; the test takes "
    "them as different children, and so finds a change too rarely rather than too often."
)
DECIDED = {
    "priority": ("Priority", "text"),
    "decision": ("Decision", "text"),
    "action": ("What was to be done", "words"),
    "owner": ("Owner", "text"),
    "since": ("What has come of it", "words"),
}
CHANGED = {
    "measure": ("Measure", "text"),
    "before": ("Last cycle", "text"),
    "now": ("Now", "text"),
    "change": ("Change", "text"),
    "verdict": ("Beyond noise?", "words"),
}
AS_ABOVE = "No earlier pack is at hand: see above."
NO_ANSWERS = "Nobody was asked in either edition."
ANSWERS_TITLE = "What people answered in the last cycle, and now"
ANSWERS_NOTE = (
    "Shares of those who answered, weighted where the survey was. The range is of chance alone: those who answered "
    "then and now can differ from those who did not in other ways."
)
ANSWERED = {
    "question": ("Question", "words"),
    "before": ("Last cycle", "text"),
    "now": ("Now", "text"),
    "change": ("Change", "text"),
    "verdict": ("Beyond noise?", "text"),
}
CRITERIA_TITLE = "Each criterion and outcome: what has moved since the last cycle"
CRITERIA = {
    "item": ("Criterion or outcome", "text"),
    "before": ("Measures with a figure then", "text"),
    "now": ("Now", "text"),
    "better": ("Improved", "text"),
    "worse": ("Got worse", "text"),
    "neither": ("No clear change, or neither way better", "text"),
    "voice": ("What people answered", "words"),
}
FLAGGED_BEFORE = {
    "what": ("Compared", "text"),
    "before": ("Last cycle", "text"),
    "now": ("Now", "text"),
    "change": ("What became of it", "text"),
    "noise": ("Is the change of the ratio beyond noise?", "text"),
}
PROJECTED = {
    "what": ("Projected", "text"),
    "period": ("For", "text"),
    "projected": ("Projection (80% range)", "text"),
    "actual": ("What came", "count"),
    "within": ("Within the range", "text"),
}


def edition_notes(found: Changes) -> list[str]:
    """What has to be known of the earlier edition."""
    told = list(found.old.notes)
    if found.old.synthetic:
        told.append("The earlier edition is synthetic: it shows how the page works.")
    return told


def last_cycle(found: Changes) -> str:
    """How much of what was decided can be answered for."""
    rows = found.decisions
    if rows.empty:
        return f"Nothing that was decided on {found.old.name} was written down with it, so nothing can be answered for."
    measured_rows = rows[rows["verdict"].isin([ch.IMPROVED, ch.WORSENED, ch.ROSE, ch.FELL, ch.NO_CLEAR])]
    seen = "the one" if len(measured_rows) == 1 else f"the {len(measured_rows)}"
    better = int((measured_rows["verdict"] == ch.IMPROVED).sum())
    worse = int((measured_rows["verdict"] == ch.WORSENED).sum())
    actions = count_of(len(rows), "action was", "actions were")
    if measured_rows.empty:
        return (
            f"{actions[:1].upper()}{actions[1:]} decided on {found.old.name}; none has a figure that can be compared."
        )
    return (
        f"{actions[:1].upper()}{actions[1:]} decided on {found.old.name}. Of {seen} whose measure can "
        f"be compared, {better} improved and {worse} got worse, beyond noise. A change is no proof that the action "
        "made it."
    )


def action(row: Any) -> str:
    """What was to be done and by when, or that nothing was named."""
    if not row.what:
        return "no action was written down"
    return f"{row.what}{f' (by {row.by})' if row.by else ''}"


def since(row: Any) -> str:
    """How the measure of an action has moved since."""
    if not row.indicator:
        return "no measure was named, so it cannot be answered for"
    name = lower_first(name_of(row))
    if pd.isna(row.verdict):
        return f"{name}: no figure in either edition"
    before, now = figure(row, "old"), figure(row, "new")
    return f"{name}: {before}, now {now}; {verdict(row)}"


def measure(row: Any) -> str:
    """What is measured, with its number in the catalogue."""
    return f"{name_of(row)} ({row.indicator})"


def figure(row: Any, side: str) -> str:
    """A figure with its period, ``none`` where there is none."""
    value, period = getattr(row, f"{side}_value"), getattr(row, f"{side}_period")
    if pd.isna(value):
        return "none"
    return f"{measured(value, catalogue()[row.indicator])} ({short(period)})"


def change(row: Any) -> str:
    """The difference with its interval."""
    if pd.isna(row.difference):
        return "none"
    known = catalogue()[row.indicator]
    said = changed(row.difference, known)
    if pd.isna(row.lower):
        return said
    return f"{said} (between {changed(row.lower, known)} and {changed(row.upper, known)})"


def verdict(row: Any) -> str:
    """The verdict in words, with the reason why two figures cannot be compared, and whether the earlier was revised."""
    said = {
        ch.IMPROVED: "improved, beyond noise",
        ch.WORSENED: "got worse, beyond noise",
        ch.ROSE: "rose, beyond noise; neither way is better",
        ch.FELL: "fell, beyond noise; neither way is better",
        ch.NO_CLEAR: "no clear change: chance could explain it",
        ch.UNTESTED: "not tested: published without counts, or events can repeat",
        ch.SAME_PERIOD: "no newer figure has come out",
        ch.NEW: "no figure that was shown in the last cycle",
        ch.GONE: "no figure that is shown now",
    }.get(row.verdict, f"not comparable. {row.why}")
    if not pd.isna(row.revised):
        said += f". The earlier figure is now given as {measured(row.revised, catalogue()[row.indicator])}"
    return said


def moved(rows: pd.DataFrame) -> str:
    """How many figures moved which way, and how many cannot be compared."""
    count = rows["verdict"].value_counts()
    tested = count.reindex([ch.IMPROVED, ch.WORSENED, ch.ROSE, ch.FELL, ch.NO_CLEAR], fill_value=0)
    neither = int(tested[ch.ROSE] + tested[ch.FELL])
    between = f", {neither} rose or fell where neither way is better" if neither else ""
    return (
        f"Of {int(tested.sum())} figures whose change since the last cycle can be tested, "
        f"{tested[ch.IMPROVED]} improved, "
        f"{tested[ch.WORSENED]} got worse{between}, and {tested[ch.NO_CLEAR]} show no clear change; "
        f"{len(rows) - int(tested.sum())} cannot be tested."
    )


def moved_details(rows: pd.DataFrame) -> list[str]:
    """The figures that improved or got worse, by name."""
    told = []
    for kind, said in ((ch.WORSENED, "Got worse, beyond noise"), (ch.IMPROVED, "Improved, beyond noise")):
        names = [lower_first(name_of(r)) for r in rows[rows["verdict"] == kind].itertuples()]
        if names:
            told.append(f"{said}: {listing(names)}.")
    return told


def asked(row: Any) -> str:
    """What was asked of whom."""
    return f"{catalogue()[row.indicator].question} ({str(row.group).replace('_', ' ')})"


def answer(row: Any, side: str) -> str:
    """A share who agree, with the wave and how many answered."""
    value, number, wave = (getattr(row, f"{side}_{c}") for c in ("value", "n", "wave"))
    if pd.isna(value):
        return "not asked, or too few"
    return f"{format_number(value, 'percent')}% ({wave}, {format_number(number, 'count')} answers)"


def answers_change(row: Any) -> str:
    """The difference in points with its limits."""
    if pd.isna(row.difference) or row.verdict == ch.NOT_COMPARABLE:
        return "none"
    low, high = format_number(row.lower, "points"), format_number(row.upper, "points")
    return f"{format_number(row.difference, 'points')} points (between {low} and {high})"


def answers_verdict(row: Any) -> str:
    """The verdict in words."""
    said = {
        ch.IMPROVED: "more agree, beyond noise",
        ch.WORSENED: "fewer agree, beyond noise",
        ch.NO_CLEAR: "no clear change: chance could explain it",
        ch.NOT_COMPARABLE: "not comparable: the words of the question have changed",
        ch.NEW: "not asked in the last cycle",
        ch.GONE: "not asked now",
    }
    return said[row.verdict]


def answers_moved(rows: pd.DataFrame) -> str:
    """In how many questions more, or fewer, people agree."""
    count = rows["verdict"].value_counts()
    compared = int(count.reindex([ch.IMPROVED, ch.WORSENED, ch.NO_CLEAR], fill_value=0).sum())
    if not compared:
        return "No answer of the last cycle can be set beside one of this cycle."
    return (
        f"Of {count_of(compared, 'answer', 'answers')} that can be set beside those of the last cycle, more people "
        f"agree in {count.get(ch.IMPROVED, 0)} and fewer in {count.get(ch.WORSENED, 0)}, beyond noise."
    )


def by_item(found: Changes, frame: Frame) -> pd.DataFrame:
    """One row an item of every list but the priorities: its measures then and now, how they moved, and the answers."""
    first = headline_list(frame).key
    rows = []
    for item in (i for entry in frame.lists if entry.key != first for i in entry.items):
        own = found.figures[found.figures["indicator"].isin(item.indicators)]
        heard = found.voice[found.voice["indicator"].isin(item.indicators)]
        verdicts = own["verdict"].value_counts()
        even = int(verdicts.reindex([ch.ROSE, ch.FELL, ch.NO_CLEAR], fill_value=0).sum())
        said = [f"{asked(row)}: {answers_verdict(row)}" for row in heard.itertuples()]
        rows.append(
            {
                "item": f"{item.code} {item.name}",
                "before": str(own.loc[own["old_value"].notna(), "indicator"].nunique()),
                "now": str(own.loc[own["new_value"].notna(), "indicator"].nunique()),
                "better": str(verdicts.get(ch.IMPROVED, 0)),
                "worse": str(verdicts.get(ch.WORSENED, 0)),
                "neither": str(even),
                "voice": "; ".join(said) or "nobody was asked about it",
            }
        )
    return pd.DataFrame(rows, columns=list(CRITERIA))


def worth_telling(flags: pd.DataFrame) -> pd.DataFrame:
    """The comparisons in which a group is flagged in either edition, those that are new first."""
    there = flags["old_status"].isin(FLAGGED) | flags["new_status"].isin(FLAGGED)
    order = [
        "newly flagged",
        "flagged the other way",
        "flagged, and not compared before",
        "no longer flagged",
        "still flagged",
    ]
    rank = {c: n for n, c in enumerate(order)}
    rows = flags[there]
    return rows.assign(at=rows["change"].map(rank).fillna(len(rank))).sort_values(
        ["at", "characteristic", "outcome", "group"], kind="stable"
    )


def compared(row: Any) -> str:
    """``Autism: Indian, by ethnic group``."""
    by = texts()["dimensions"].get(row.characteristic, {}).get("one", row.characteristic)
    return f"{outcome_name(row.outcome)}: {row.group} ({lower_first(by)})"


def status(row: Any, side: str) -> str:
    """A status with its ratio."""
    said, ratio = getattr(row, f"{side}_status"), getattr(row, f"{side}_ratio")
    if not said:
        return "not compared"
    return said if pd.isna(ratio) else f"{said}, {format_number(ratio, 'ratio')}"


def noise(row: Any) -> str:
    """Whether the ratio moved beyond noise."""
    if pd.isna(row.ratio_of_ratios):
        return "cannot be tested"
    return "yes" if row.beyond_noise else "no: chance could explain it"


def flags_moved(rows: pd.DataFrame) -> str:
    """How many flags stay, come and go."""
    count = rows["change"].value_counts()
    new = int(count.reindex(["newly flagged", "flagged the other way"], fill_value=0).sum())
    gone = rows[rows["change"] == "no longer flagged"]
    still = count_of(int(count.get("still flagged", 0)), "comparison is", "comparisons are")
    sure = int(gone["beyond_noise"].sum())
    rest = len(rows) - int(count.get("still flagged", 0)) - new - len(gone)
    return (
        f"{still.capitalize()} flagged as in the last cycle, {new} newly, and {len(gone)} no longer (of these, the "
        f"ratio of {sure} moved beyond noise); {rest} cannot be set beside the other edition."
    )


def projected(row: Any) -> str:
    """A projection with its range."""
    low, high = (format_number(v, "count") for v in (row.lower_80, row.upper_80))
    return f"{format_number(row.value, 'count')} ({low} to {high})"


def projections_held(rows: pd.DataFrame) -> str:
    """How many of the last cycle's projections held."""
    return (
        f"{int(rows['within'].sum())} of {len(rows)} projections of the last cycle held: what came lay within the "
        "range that was to hold four times in five."
    )
