"""Words of the chapter on priorities: rows of changes, proposals and draws as sentences and cells."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from jsna.chapters.scorecard_words import lower_first, measured, name_of
from jsna.evidence.catalogue import catalogue
from jsna.evidence.priorities.facts import LAST_CYCLE
from jsna.evidence.priorities.proposals import NEW, Proposal
from jsna.evidence.priorities.rules import PARTS, Rules
from jsna.evidence.priorities.scores import MOST
from jsna.evidence.priorities.sensitivity import Sensitivity
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import NUMBERS, count_of, listing

if TYPE_CHECKING:
    from jsna.chapters.priorities import Review

NO_LAST_CYCLE = "No pack of an earlier cycle is at hand, so nothing is said of what has changed."
NAME_IT = "Name its folder under “previous” in the params file."
PARTS_TITLE = "How the order comes about: points from 0 to 3 for each part, and what each adds to 100"
FIRM_TABLE = "How often each priority stays among the first, and by what the order could change"
DUTY_TITLE = "Due regard: what this pack says of each protected characteristic, and what it does not"
DUTY_NOTES = (
    "Equality Act 2010, section 149. The record is complete only with the decision: decisions.yml has a block for it "
    "under each priority. Due regard comes before and at the decision, and cannot be left to this page.",
)
TO_DECIDE = "These are proposals. The board decides, with families, and writes its decision into decisions.yml."
TO_DECIDE_DETAILS = (
    "The pack holds the file decisions.yml, with the proposals filled in and the rest left empty: the decision, its "
    "reasons, who disagreed and why, the owner (a role, not a person), what will be done, and by which measure it will "
    "be seen.",
    "Making the pack anew keeps what was written. The next cycle reads it, and answers for it.",
    "A decision against a proposal needs no permission from this page. It needs a reason, for those who come after.",
)
FIRM = {
    "priority": ("Priority", "text"),
    "in_top": ("Among the first, all together", "text"),
    "places": ("Places in nine draws of ten", "text"),
    "weights": ("By weights alone", "text"),
    "thresholds": ("By cut points alone", "text"),
    "neighbours": ("By areas compared with alone", "text"),
    "chance": ("By chance alone", "text"),
    "disclosure": ("By hidden numbers alone", "text"),
}
DUTY = {
    "name": ("Characteristic", "text"),
    "evidence": ("What is known", "words"),
    "gap": ("What is not known, and how to close the gap", "words"),
}
UNDECIDED = "no proposal"


def no_last_cycle(problem: str) -> tuple[str, str]:
    """Why nothing is said of changes, and what would mend it; ``problem``: what is wrong with the earlier pack."""
    return f"{NO_LAST_CYCLE} {problem}".strip(), "" if problem else NAME_IT


def opening(made: Review) -> str:
    """``The rules propose to strengthen P3 and P4, … The board decides.``"""
    by: dict[str, list[str]] = {}
    for p in made.proposals:
        by.setdefault(p.proposal, []).append(p.code)
    said = [f"to {verb} {listing(by[verb])}" for verb in ("strengthen", "re-scope", "keep", "retire") if verb in by]
    new = [lower_first(p.name) for p in made.proposals if p.proposal == NEW]
    if new:
        said.append(f"to consider {count_of(len(new), 'new priority', 'new priorities')} ({'; '.join(new)})")
    lacking = (
        f" For {listing(by[UNDECIDED])} there is too little evidence to propose anything." if UNDECIDED in by else ""
    )
    head = f"From the evidence of this pack, the stated rules propose {listing(said)}." if said else ""
    return f"{head}{lacking} The board decides.".strip()


def how_made(made: Review) -> list[str]:
    """What the proposals rest on, what they leave out, and what was not run."""
    told = [
        "The rules stand in a file that the area can change; each proposal names the rule that made it.",
        f"The points of all {NUMBERS[len(PARTS)]} parts of the evidence stand in a table below, beside their weights: "
        "no total without them.",
    ]
    return [*told, *made.now.notes]


def proposal(p: Proposal) -> str:
    """``P3 High-quality EHC plans: strengthen. A promise is not met, …``"""
    said = {NEW: "to consider as a new priority.", UNDECIDED: "no proposal, for want of evidence."}
    return f"{p.code} {p.name}: {said.get(p.proposal, f'the rules propose to {p.proposal}.')}"


def proposal_details(made: Review, p: Proposal) -> list[str]:
    """The rule that made it, the facts it rests on, those that speak against it, and how firm its place is."""
    if p.code not in made.facts.index:
        return [p.because, f"{p.facts['flags']} of {p.facts['comparisons']} comparisons are flagged."]
    f = made.facts.loc[p.code]
    told = [p.because, *_facts(f)]
    table = made.firmness.table
    if p.code in table.index and not pd.isna(made.scores.at[p.code, "place"]):
        place, share_in = int(made.scores.at[p.code, "place"]), share(table.at[p.code, "in_top"])
        told.append(
            f"Place {place} of {int(made.scores['place'].notna().sum())} in the order; among the first "
            f"{made.firmness.top} in {share_in} of {made.firmness.draws:,} draws."
        )
    return told


def _facts(f: pd.Series) -> list[str]:
    number = int(f["with_figure"])
    verb = "has" if number == 1 else "have"
    told = [f"{number} of its {int(f['indicators'])} measures {verb} a figure in this pack."]
    if not pd.isna(f["promises"]):
        told.append(
            f"Promises that can be judged: {int(f['promises_missed'])} of {int(f['promises'])} not met; "
            + (
                f"{int(f['promises_nearer'])} clearly nearer than in the last cycle."
                if f["since"] == LAST_CYCLE
                else "no earlier pack says whether they have come nearer."
            )
        )
    if f["compared"]:
        told.append(
            f"Beside others: of {count_of(int(f['compared']), 'figure', 'figures')} compared, "
            f"{int(f['worse'])} clearly worse and {int(f['better'])} clearly better."
        )
    else:
        told.append("Beside others: no measure can be compared.")
    if f["changes_tested"] and not pd.isna(f["changes_tested"]):
        told.append(
            f"Changes {f['since']}: of {count_of(int(f['changes_tested']), 'change', 'changes')} tested, "
            f"{int(f['worsened'])} for the worse "
            f"and {int(f['improved'])} for the better, beyond noise."
        )
    if f["watched"]:
        told.append(
            f"Between groups, to watch: {count_of(int(f['watched']), 'comparison', 'comparisons')}. A question to ask."
        )
    if not pd.isna(f["flags"]):
        more = (
            ""
            if pd.isna(f["flags_new"])
            else f"; beyond noise, {int(f['flags_new'])} newly and {int(f['flags_gone'])} no longer"
        )
        told.append(f"Between groups: {int(f['flags'])} of {int(f['comparisons'])} comparisons flagged{more}.")
    told.append(
        "Voice: nobody was asked about it in this pack."
        if not f["answers"]
        else "Voice: on the question that fares worst, "
        f"{format_number(100 * f['share_disagree'], 'percent')}% do not agree."
    )
    return told


def ways(made: Review, p: Proposal) -> list[str]:
    """Links from a proposal to the cards and the figures that it rests on; HTML."""
    codes = {p.code} if p.code in made.facts.index else set()
    outcome = [c for c in made.now.cards if codes & set(c.get("frames", [])) or _candidate_card(made, p, c)]
    named = sorted(outcome, key=_weight)[:6]
    links = [f'<a href="../cards.html#{escape(str(c["id"]))}">{escape(_card_name(c))}</a>' for c in named]
    if len(outcome) > len(named):
        section = f"#{escape(p.code)}" if p.code in made.facts.index else ""
        links.append(f'<a href="../cards.html{section}">All {len(outcome)} cards that speak to it</a>')
    item = next((i for entry in made.frame.lists for i in entry.items if i.code == p.code), None)
    if item is not None:
        there = made.board.rows[made.board.rows["indicator"].isin(item.indicators) & made.board.rows["value"].notna()]
        if len(there):
            links += [
                f'<a href="../figures.html#{escape(f"{row.indicator}-{row.group}")}">{escape(name_of(row))}: '
                f"{escape(measured(row.value, catalogue()[row.indicator]))}</a>, with its numbers and source"
                for row in there.itertuples()
            ]
    if p.code not in made.facts.index or not pd.isna(made.facts.at[p.code, "flags"]):
        links.append('<a href="../flags.csv">Rows of flags.csv</a>, each comparison with its numbers')
    return links


def _candidate_card(made: Review, p: Proposal, card: Any) -> bool:
    rule = next((c for c in made.rules.candidates if c.code == p.code), None)
    return rule is not None and card.get("characteristic") in rule.characteristics and _weight(card) == 0


def _weight(card: Any) -> int:
    """Cards in which a group is flagged, then those of promises, then the others."""
    flagged = card.get("groups_over_identified") or card.get("groups_under_identified")
    return 0 if flagged else 1 if card.get("promise") else 2


def _card_name(card: Any) -> str:
    return str(card.get("headline") or card.get("question") or card["id"]).rstrip(".")


def points(score: float, adds: float) -> str:
    """``2 of 3 (adds 13)``, or that there is no evidence."""
    if pd.isna(score):
        return "no evidence"
    return f"{int(score)} of {MOST} (adds {format_number(adds, 'count')})"


def place_words(places: pd.Series) -> list[str]:
    """Each place; those that are level say so, for their order means nothing."""
    level = places.duplicated(keep=False)
    return [
        "none: too little evidence" if pd.isna(p) else f"{int(p)}{' (level)' if tied else ''}"
        for p, tied in zip(places, level, strict=True)
    ]


def total(row: pd.Series) -> str:
    """What the parts come to, and how much of the weight has evidence."""
    carried = f"{format_number(row['carried'], 'count')}% of the weight has evidence"
    return carried if pd.isna(row["total"]) else f"{format_number(row['total'], 'count')} of 100 ({carried})"


def part_columns(rules: Rules) -> dict[str, tuple[str, str]]:
    """The columns of the table of parts, each with its weight."""
    named = {p: (f"{rules.part_names[p]} (weight {rules.weights[p]:g})", "text") for p in PARTS}
    return {"priority": ("Priority", "text"), **named, "total": ("Together", "text"), "place": ("Place", "text")}


def parts_notes(rules: Rules) -> tuple[str, ...]:
    """Where the cut points lie."""
    cuts = "; ".join(
        f"{rules.part_names[p].lower()}: {', '.join(f'{100 * c:g}%' for c in rules.cuts[p])}" for p in PARTS
    )
    return (
        f"Points rise at these shares of what was judged: {cuts}. A part without evidence is left out, not counted as "
        "nothing; so is one that rests on too few judgements. A priority whose parts with evidence weigh less than "
        f"{rules.minimum_weight:g} of 100 has no place. More "
        "points mean that the evidence asks for more attention, not that anybody did badly.",
    )


def firm_title(found: Sensitivity) -> str:
    """The title of the chart of firmness."""
    return (
        f"How often each priority is among the first {found.top}"
        if found.top > 1
        else "How often each priority is first"
    )


def firm(found: Sensitivity) -> str:
    """Which priorities stay among the first whatever is chosen, and which change places."""
    placed = int(found.table["best_place"].notna().sum())
    if placed < 2:
        only = count_of(placed, "priority has", "priorities have")
        return f"Only {only} enough evidence for a place, so there is no order that could be firm or not."
    first = "first" if found.top == 1 else f"first {found.top}"
    sure = found.table[found.table["in_top"] >= 0.9].index.tolist()
    open_ = found.table[(found.table["in_top"] >= 0.1) & (found.table["in_top"] < 0.9)].index.tolist()
    said = f"{listing(sure)} {'stays' if len(sure) == 1 else 'stay'}" if sure else "No priority stays"
    rest = (
        f"; {listing(open_)} {'changes' if len(open_) == 1 else 'change'} places with what is chosen" if open_ else ""
    )
    return (
        f"{said} {'among the' if found.top > 1 else 'the'} {first} in at least nine draws of ten, when weights, cut "
        f"points, the areas compared with, chance and hidden numbers are varied{rest}."
    )


def firm_notes(found: Sensitivity) -> tuple[str, ...]:
    """How the draws were made."""
    return (
        f"{found.draws:,} seeded draws. In each, the weights are drawn around those of the rules, every cut point is "
        "moved by up to a quarter, the areas compared with are drawn from England and the sets of neighbours, every "
        "figure is moved within what chance allows, and a comparison with hidden numbers counts as flagged or not, at "
        "even odds. The last five columns vary one of these at a time.",
    )


def share(value: float) -> str:
    """A share of draws as a whole percentage.

    >>> share(0.874)
    '87%'
    """
    return f"{format_number(100 * value, 'count')}%"


def places(row: Any) -> str:
    """From the best to the worst place."""
    if pd.isna(row.best_place):
        return "none"
    return f"{int(row.best_place)} to {int(row.worst_place)}"
