"""The counts of a survey, of comments by theme and of audited plans that the chapter on voice shows, as one plan.

Those who answer are one source (``survey``), comments another (``survey_themes``), audited plans a third
(``plan_audits``); no count of one is part of another. Keys are those of ``local_values.yml`` where an indicator has
the same count, so that both are one cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from jsna.evidence.local_values.sums import Sum, with_rests
from jsna.linked.figures import NUMBER, UNSEEN, cell_names, figure, figure_splits, tables_of
from jsna.linked.plan import Plan, Split, together

if TYPE_CHECKING:
    from jsna.area import Area

SURVEY, THEMES, AUDITS = "survey", "survey_themes", "plan_audits"
# What it costs to hide a count: an answer of all of a kind of respondent is hidden last.
# after that the number of a group that answered, and what a group answered first.
HEADLINE, REACHED, CHEAP = 50.0, 10.0, 0.5
_APART = "\x1f"


def answer_key(question: pd.Series, what: str, who: pd.Series) -> pd.Series:
    """The key of a count of answers to a question.

    >>> answer_key(pd.Series(["VOI-01"]), "positive", pd.Series(["parents"])).tolist()
    ['VOI-01: positive@parents']
    """
    return question + f": {what}@" + who


def respondent_group(characteristic: pd.Series, group: pd.Series) -> pd.Series:
    """A group of those who answered as a category of ``respondent_group``; of nobody in particular, ``""``."""
    return (characteristic + " " + group.where(group != "", "not known")).where(characteristic != "", "")


def names(source: str, period: pd.Series, keys: pd.Series, group: pd.Series | str = "") -> pd.Series:
    """The names of counts by their keys.

    >>> names("plan_audits", pd.Series(["2026-1"]), pd.Series(["good@all"])).tolist()
    ['plan_audits|2026-1|figure=plan_audits good@all']
    """
    cells = pd.DataFrame({"source": source, "period": period, "figure": figure(source, keys)}, index=keys.index)
    return cell_names(cells.assign(respondent_group=group))


def plan(area: Area) -> Plan:
    """What the chapter on voice counts; nothing where an area brings no list of it."""
    from jsna.evidence.voice import area_counts

    told = area_counts(area)
    return together([of_survey(told.answers, told.reach), of_themes(told.themes), of_audits(told.audits)])


def of_survey(answers: pd.DataFrame, reach: pd.DataFrame) -> Plan:
    """The plan of answers (period, who, question, characteristic, group, positive, answered, unsure) and of those who
    answered and were asked (period, who, characteristic, group, respondents, and invited of all if known)."""
    if answers.empty:
        return Plan((), {})
    of_questions = [
        _long(answers, what, answer_key(answers["question"], what, answers["who"])) for what in ("positive", "answered")
    ]
    unsure = answers[(answers["unsure"] > 0) & (answers["characteristic"] == "")]
    of_questions.append(_long(unsure, "unsure", answer_key(unsure["question"], "unsure", unsure["who"])))
    asked = reach[reach["invited"].notna()]
    everybody = [_long(r, c, c + "@" + r["who"]) for r, c in ((reach, "respondents"), (asked, "invited"))]
    counts = pd.concat([*of_questions, *everybody], ignore_index=True)
    keys = set(counts["key"])
    sums: list[Sum] = []
    for who in sorted(set(reach["who"])):
        own = sorted({k.partition(":")[0] for k in keys if k.endswith(f": answered@{who}")})
        sums += [(f"{q}: answered@{who}", (f"{q}: positive@{who}",), False) for q in own]
        for q in own:
            parts = tuple(p for p in (f"{q}: answered@{who}", f"{q}: unsure@{who}") if p in keys)
            sums.append((f"respondents@{who}", parts, True))
        sums += [(f"invited@{who}", (f"respondents@{who}",), True)] if f"invited@{who}" in keys else []
    groups = counts.loc[counts["group"] != "", "group"].drop_duplicates().sort_values()
    # Without a list of respondents' groups there is nothing to part.
    splits = tuple(("", tuple(g)) for _, g in groups.groupby(groups.map(lambda g: str(g).partition(" ")[0])))
    return _plan(SURVEY, counts, sums, splits)


def of_themes(themes: pd.DataFrame) -> Plan:
    """The plan of comments (period, who, theme, comments, badly) and of those that two people coded (theme ``""``:
    pairs, agree)."""
    if themes.empty:
        return Plan((), {})
    each = themes[themes["theme"] != ""]
    rows = [
        _long(each, "comments", each["theme"] + "@" + each["who"]),
        _long(each, "badly", each["theme"] + " badly@" + each["who"]),
    ]
    sums: list[Sum] = []
    for who, own in each.groupby("who"):
        whole = own.groupby("period", as_index=False)["comments"].sum()
        rows.append(_long(whole, "comments", pd.Series(f"comments@{who}", index=whole.index)))
        sums.append((f"comments@{who}", tuple(sorted(set(own["theme"] + f"@{who}"))), True))
        sums += [(f"{t}@{who}", (f"{t} badly@{who}",), False) for t in sorted(set(own["theme"]))]
    both = themes[themes["theme"] == ""]
    rows += [_long(both, c, pd.Series(f"{c}@all", index=both.index)) for c in ("pairs", "agree")]
    sums += [("pairs@all", ("agree@all",), False)] if len(both) else []
    return _plan(THEMES, pd.concat(rows, ignore_index=True), sums)


def of_audits(audits: pd.DataFrame) -> Plan:
    """The plan of audited plans, a row a round: the columns are keys before ``@all``."""
    if audits.empty:
        return Plan((), {})
    keys = [c for c in audits if c != "period"]
    rows = [_long(audits, c, pd.Series(f"{c}@all", index=audits.index)) for c in keys]
    sums: list[Sum] = [
        ("graded@all", ("good@all",), False),
        ("audited@all", ("graded@all",), True),
        ("view_looked_for@all", ("child_view@all",), False),
        ("audited@all", ("view_looked_for@all",), True),
        ("good@all", ("grade_4@all", "grade_3@all"), True),
        ("graded@all", ("grade_4@all", "grade_3@all", "grade_2@all", "grade_1@all"), True),
        ("pairs@all", ("agree@all",), False),
        ("audited@all", ("pairs@all",), True),
    ]
    return _plan(AUDITS, pd.concat(rows, ignore_index=True), sums)


def _long(rows: pd.DataFrame, column: str, keys: pd.Series) -> pd.DataFrame:
    group = respondent_group(rows["characteristic"], rows["group"]) if "group" in rows else ""
    made = pd.DataFrame({"period": rows["period"], "key": keys, "group": group, NUMBER: rows[column]})
    return made.astype({NUMBER: "int64"})


def _plan(source: str, counts: pd.DataFrame, sums: Sequence[Sum], groups: tuple[Split, ...] = ()) -> Plan:
    """Counts (period, key, group, number) as a plan, with what is left of each whole in every group."""
    counts = counts.drop_duplicates(["period", "key", "group"])
    at = counts.assign(period=counts["period"] + _APART + counts["group"])
    known = set(at["key"])
    sums = [(w, tuple(p for p in parts if p in known), all_told) for w, parts, all_told in sums if w in known]
    rows, held = with_rests(at[["period", "key", NUMBER]], [s for s in sums if s[1]])
    back = rows["period"].str.split(_APART, n=1, expand=True)
    shown = rows["key"].isin(known)
    cheap = rows["key"].str.contains(": unsure@|badly@|grade_") | (back[1] != "")
    cells = pd.DataFrame(
        {
            "source": source,
            "period": back[0],
            "figure": figure(source, rows["key"]),
            "respondent_group": back[1],
            NUMBER: rows[NUMBER],
            "weight": shown.map({True: HEADLINE, False: UNSEEN})
            .mask(shown & cheap, CHEAP)
            .mask(shown & (back[1] != "") & rows["key"].str.startswith("respondents@"), REACHED),
        }
    )
    alone = [(key, ()) for key in sorted(set(rows["key"]))]
    splits: dict[str, tuple[Split, ...]] = {"figure": figure_splits(source, [*held, *alone])}
    if groups:
        splits["respondent_group"] = groups
    tables = [tables_of(f"voice, weight {weight:g}", own) for weight, own in cells.groupby("weight")]
    return Plan(tuple(t for own in tables for t in own), splits)
