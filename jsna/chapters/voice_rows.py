"""The tables of the chapter on voice, from true counts through the gate: answers, who answered, themes, audits."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jsna.area import Area
from jsna.disclosure import Policy, Released, protect
from jsna.evidence.local_values.specification import question_of
from jsna.evidence.voice import audits, estimates
from jsna.evidence.voice.gathered import group_label
from jsna.evidence.voice.kit import questions
from jsna.evidence.voice.population import population
from jsna.evidence.voice.quotes import theme_labels
from jsna.evidence.voice.rules import LABELS, read, rule
from jsna.evidence.voice.tallied import FEW, area_counts
from jsna.evidence.voice.weighting import Weighting, weigh
from jsna.linked.figures import as_changed
from jsna.linked.voice import AUDITS, SURVEY, THEMES, answer_key, names, respondent_group
from jsna.measures import proportion
from jsna.sealed import Sealed

INVENTED = "Synthetic survey and audits of the workbench: every answer and word is invented"
ANSWERS = ("positive", "answered")
ORDER = list(LABELS)
FEWER, MORE, ABOUT, TOO_FEW = "fewer than their share", "more than their share", "about their share", "too few to say"


def source(area: Area) -> str:
    """Where the voice comes from, in words."""
    if area.synthetic:
        return INVENTED
    return f"Surveys, comments and audits of plans, as held by {area.name}"


def weightings(area: Area) -> dict[tuple[str, str], Weighting]:
    """The weights of each wave and kind of respondent, from the population as it may be shown."""
    return area.once("voice weightings", lambda: _weightings(area))


def _weightings(area: Area) -> dict[tuple[str, str], Weighting]:
    people = area.voice.people
    kinds = [w for w in ORDER if w in set(people["who"])]
    found = {}
    for wave in sorted(set(people["wave"])):
        told = population(area, area.voice.frame("survey_reach"), wave, kinds)
        for who in kinds:
            own = people[(people["wave"] == wave) & (people["who"] == who)].set_index(["survey_id", "respondent_id"])
            if len(own):
                found[wave, who] = weigh(own, told[told["who"] == who])
    return found


def _shown(
    rows: pd.DataFrame, counted: Mapping[str, pd.Series], policy: Policy, within: str | None = None
) -> pd.DataFrame:
    """Counts as readers see them, before anything is worked out from them; a count without a name stays as it is."""
    rows = as_changed(rows, list(counted), policy, within=within)
    if policy.pattern is None:
        return rows
    rounded = {}
    for column, name in counted.items():
        known = name != ""
        rounded[column] = rows[column].mask(known, policy.pattern.rounded(rows.loc[known, column], name[known]))
    return rows.assign(**rounded)


def _released(
    area: Area,
    rows: pd.DataFrame,
    counted: Mapping[str, pd.Series],
    rates: Mapping[str, tuple[str, str]],
    base: str = "",
    hidden: Mapping[str, pd.Series] | None = None,
) -> Released:
    """The gate; ``base``: no count of a row is shown where its base is under ten; ``hidden``: further cells."""
    if rows.empty:
        return Released(rows, rows.astype("object"), source(area), area.synthetic)
    hide: dict[str, Any] = dict(hidden or {})
    if base:
        few = (rows[base] > 0) & (rows[base] < rule("fewest_shown"))
        hide = dict.fromkeys(counted, few)
    return protect(
        Sealed(rows, counts=tuple(counted), rates=dict(rates)),
        area.policy,
        source=source(area),
        synthetic=area.synthetic,
        names=counted,
        relations=(),
        hide=hide,
    )


def answers(area: Area, weights: Mapping[tuple[str, str], Weighting]) -> Released:
    """Each question of each wave and kind of respondent: numbers, shares as they came and weighted, in per cent."""
    told = area_counts(area).answers
    rows = _in_order(told[told["characteristic"] == ""].drop(columns="replied"))
    rows = rows.merge(_texts(area), on=["wave", "who", "question"], how="left")
    counted = {c: names(SURVEY, rows["period"], answer_key(rows["question"], c, rows["who"])) for c in ANSWERS}
    rows = _shown(rows, counted, area.policy, within="answered")
    rows = estimates.shares(rows, area.params.confidence)
    # Weighted shares are of the answers themselves: beside numbers that were changed they would tell them.
    if area.policy.method == "suppress":
        made = estimates.weighted(area.voice.answers, weights, area.params.confidence)
    else:
        made = pd.DataFrame(columns=[*estimates.KEYS, *estimates.WEIGHTED])
    rows = rows.merge(made, on=estimates.KEYS, how="left")
    rows[list(estimates.WEIGHTED)] = rows[list(estimates.WEIGHTED)].astype("float64")
    rows = rows.assign(label=rows["who"].map(LABELS), short=_short(rows))
    rates = dict.fromkeys((*estimates.SHARES, *estimates.WEIGHTED), ANSWERS)
    return _released(area, rows.drop(columns="unsure"), counted, rates, "answered")


def unsure(area: Area) -> Released:
    """How many did not know, by question, wave and kind of respondent: in no share, and told apart."""
    told = area_counts(area).answers
    rows = _in_order(told[told["characteristic"] == ""])[["period", "wave", "who", "question", "unsure"]]
    rows = rows.merge(_texts(area), on=["wave", "who", "question"], how="left")
    name = names(SURVEY, rows["period"], answer_key(rows["question"], "unsure", rows["who"]))
    counted = {"unsure": name.where(rows["unsure"] > 0, "")}
    rows = _shown(rows, counted, area.policy).assign(label=rows["who"].map(LABELS))
    nobody = (rows["unsure"] == 0) & (area.policy.zeros == "hidden")
    return _released(area, rows, counted, {}, hidden={"unsure": nobody})


def by_group(area: Area, question: str) -> Released:
    """What parents of each group answered to a question in the newest wave: numbers and shares."""
    told = area_counts(area).answers
    rows = _by_characteristic(told[(told["characteristic"] != "") & (told["question"] == question)])
    if rows.empty:
        return Released(rows.assign(value=np.nan), rows.assign(value=""), source(area), area.synthetic)
    group = respondent_group(rows["characteristic"], rows["group"])
    counted = {c: names(SURVEY, rows["period"], answer_key(rows["question"], c, rows["who"]), group) for c in ANSWERS}
    rows = _shown(rows.drop(columns=["unsure", "replied"]), counted, area.policy, within="answered")
    rows = _labelled(estimates.shares(rows, area.params.confidence))
    made = _released(area, rows, counted, dict.fromkeys(estimates.SHARES, ANSWERS), "answered")
    return made.rows(made.frame["group"] != FEW)


def response(area: Area) -> Released:
    """How many were asked and answered, by kind of respondent and wave."""
    told = area_counts(area).reach
    rows = _in_order(told[told["characteristic"] == ""])
    counted = {
        "respondents": names(SURVEY, rows["period"], "respondents@" + rows["who"]),
        "invited": names(SURVEY, rows["period"], "invited@" + rows["who"]).where(rows["invited"].notna(), ""),
    }
    rows = _shown(rows, counted, area.policy)
    rate = 100 * rows["respondents"] / rows["invited"]
    rows = rows.assign(rate=rate.where(rate <= 100), label=rows["who"].map(LABELS), asked_known=rows["invited"].notna())
    return _released(area, rows, counted, {"rate": ("respondents", "invited")}, "respondents")


def reach(area: Area) -> Released:
    """Who answered by group, beside all children with SEND: shares and index (100: as their share), newest wave."""
    told = area_counts(area).reach
    rows = _by_characteristic(told[told["characteristic"] != ""])
    if rows.empty:
        return Released(rows.assign(words=""), rows.assign(words=""), source(area), area.synthetic)
    whole = told[told["characteristic"] == ""].set_index(["wave", "who"])["respondents"].rename("total")
    rows = rows.join(whole, on=["wave", "who"])
    group = respondent_group(rows["characteristic"], rows["group"])
    counted = {
        "respondents": names(SURVEY, rows["period"], "respondents@" + rows["who"], group),
        "total": names(SURVEY, rows["period"], "respondents@" + rows["who"]),
    }
    rows = _shown(rows, counted, area.policy, within="total")
    kinds = sorted(set(rows["who"]))
    told = population(area, area.voice.frame("survey_reach"), area.voice.latest, kinds)
    rows = rows.merge(told, on=["who", "characteristic", "group"], how="left")
    of = rows["population"].groupby([rows["who"], rows["characteristic"]]).transform("sum")
    rows["population_share"] = 100 * rows["population"] / of
    rows = _labelled(rows).drop(columns=["population", "invited"])
    return _with_index(_released(area, rows, counted, {}, "respondents"))


def _with_index(made: Released) -> Released:
    """Shares and indices, from numbers that are shown alone: what is hidden cannot be worked out from them.

    Those whose group is not known are in no group of the population. They are left out of the whole where their number
    is shown; where it is hidden, it is small, and the whole is all who answered.
    """
    rows = made.frame
    own = pd.to_numeric(rows["respondents"], errors="coerce")
    keys = [rows["who"], rows["characteristic"]]
    unknown = own.where(rows["group"] == "").groupby(keys).transform("max").fillna(0)
    base = pd.to_numeric(rows["total"], errors="coerce") - unknown
    fits = (own <= base) & (rows["group"] != "")
    found = proportion(own.where(fits), base.where(fits), 0.95)
    columns = {"share": 100 * found["estimate"]}
    for column, limit in (("index", "estimate"), ("index_lower", "lower"), ("index_upper", "upper")):
        columns[column] = 1e4 * found[limit] / rows["population_share"]
    hidden = made.symbols["respondents"].where(made.symbols["respondents"] == "c", "")
    symbols = {c: hidden.mask((hidden == "") & v.isna(), "z") for c, v in columns.items()}
    frame = rows.assign(**columns)
    shown = Released(frame, made.symbols.assign(**symbols), made.source, made.synthetic, made.notes)
    return shown.with_columns(words=_reach_words(frame))


def _reach_words(shown: pd.DataFrame) -> pd.Series:
    low, high = rule("far_from_share")
    index = shown["index"].astype("float64")
    fewer = (index < low) & (shown["index_upper"].astype("float64") < 100)
    more = (index > high) & (shown["index_lower"].astype("float64") > 100)
    told = np.select(
        [index.isna() & (shown["group"] == ""), index.isna(), fewer, more], ["", TOO_FEW, FEWER, MORE], ABOUT
    )
    return pd.Series(np.where(told == "", "not set beside", told), index=shown.index)


def themes(area: Area) -> Released:
    """Comments by theme and kind of respondent, and how many say that something goes badly."""
    told = area_counts(area).themes
    rows = told[told["theme"] != ""].drop(columns=["pairs", "agree"])
    rows = rows.sort_values(["who", "comments"], ascending=[True, False], kind="stable").reset_index(drop=True)
    counted = {
        "comments": names(THEMES, rows["period"], rows["theme"] + "@" + rows["who"]),
        "badly": names(THEMES, rows["period"], rows["theme"] + " badly@" + rows["who"]),
    }
    rows = _shown(rows, counted, area.policy, within="comments")
    rows = rows.assign(label=rows["who"].map(LABELS), name=rows["theme"].map(theme_labels()))
    return _released(area, rows, counted, {})


def coded(area: Area) -> Released:
    """How many comments two people sorted, and how many of them alike, wave by wave."""
    told = area_counts(area).themes
    rows = told.loc[told["theme"] == "", ["period", "pairs", "agree"]].reset_index(drop=True)
    counted = {c: names(THEMES, rows["period"], pd.Series(f"{c}@all", index=rows.index)) for c in ("pairs", "agree")}
    return _released(area, _shown(rows, counted, area.policy, within="pairs"), counted, {})


def audited(area: Area) -> Released:
    """Each round of audits: grades, the share good or better, and the child's view, with limits for all plans."""
    told = area_counts(area).audits
    made = audits.rounds(area.voice.frame("plan_audits"))
    keys = [c for c in told if c != "period"]
    counted = {c: names(AUDITS, told["period"], pd.Series(f"{c}@all", index=told.index)) for c in keys}
    counted = {c: n.where(told[c] > 0, "") if c in ("pairs", "agree") else n for c, n in counted.items()}
    rows = _shown(told, counted, area.policy)
    facts = pd.DataFrame(
        {
            "period": [r.name for r in made],
            "months": [r.months for r in made],
            "frame": [r.frame for r in made],
            "random": [r.random for r in made],
            "method": [audits.METHODS[r.method] for r in made],
            "refusal": [r.refusal for r in made],
            "caution": [r.caution for r in made],
        }
    )
    rows = facts.merge(rows, on="period", how="left")
    rates: dict[str, tuple[str, str]] = {}
    for name, part, base in (("good", "good", "graded"), ("view", "child_view", "view_looked_for")):
        limits = pd.DataFrame(
            [_limits(r, part, base, area.params.confidence) for r in rows.to_dict("records")],
            columns=[f"{name}_percent", f"{name}_lower", f"{name}_upper"],
        )
        rows = rows.join(limits)
        rates |= dict.fromkeys(limits.columns, (part, base))
    # How many plans there are is a number of children: it is shown to the nearest 50.
    rows = rows.assign(frame_words=[_about(f) for f in rows.pop("frame")])
    return _released(area, rows, counted, rates)


def _limits(row: dict[str, Any], part: str, base: str, confidence: float) -> tuple[float, float, float]:
    found, drawn = int(row[part]), int(row[base])
    if row["refusal"] or not 0 <= found <= drawn or drawn == 0:
        return (np.nan, np.nan, np.nan)
    share = 100 * found / drawn
    if not row["random"] or drawn > row["frame"]:
        return (share, np.nan, np.nan)
    lower, upper = audits.finite_interval(found, drawn, int(row["frame"]), confidence)
    return (share, 100 * lower, 100 * upper)


def _about(frame: int) -> str:
    return "not recorded" if not frame else f"about {50 * ((frame + 25) // 50):,}" if frame >= 50 else "fewer than 50"


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Newest wave first, kinds of respondent in their order, then questions."""
    keys = ["wave", "who", *(["question"] if "question" in rows else [])]
    place = {w: i for i, w in enumerate(ORDER)}
    made = rows.sort_values(keys, key=lambda c: c.map(place) if c.name == "who" else c, kind="stable")
    return made.sort_values("wave", ascending=False, kind="stable").reset_index(drop=True)


def _by_characteristic(rows: pd.DataFrame) -> pd.DataFrame:
    """Characteristics and their groups in the order of ``groups.yml``, those of unknown group last."""
    groups = {c: list(told["groups"]) for c, told in read("groups.yml").items() if "groups" in told}
    place = {(c, g): (i, j) for i, c in enumerate(groups) for j, g in enumerate([*groups[c], FEW, ""])}
    told = list(zip(rows["characteristic"], rows["group"], strict=True))
    key = pd.Series(
        [ORDER.index(w) * 10000 + place[t][0] * 100 + place[t][1] for w, t in zip(rows["who"], told, strict=True)],
        index=rows.index,
        dtype="int64",
    )
    return rows.loc[key.sort_values(kind="stable").index].reset_index(drop=True)


def _texts(area: Area) -> pd.DataFrame:
    return area.voice.answers[["wave", "who", "question", "text"]].drop_duplicates(["wave", "who", "question"])


def _short(rows: pd.DataFrame) -> list[str]:
    """A name of each question that a chart has room for: the kit's, else the beginning of its words."""
    names = {(question_of(q["id"]), q["who"]): q["short"] for q in questions()}
    asked = zip(rows["question"], rows["who"], rows["text"], strict=True)
    return [names.get((q, who)) or textwrap.shorten(text, 60, placeholder=" …") for q, who, text in asked]


def _labelled(rows: pd.DataFrame) -> pd.DataFrame:
    groups = read("groups.yml")
    pairs = list(zip(rows["characteristic"], rows["group"], strict=True))
    return rows.assign(
        label=rows["who"].map(LABELS),
        characteristic_name=rows["characteristic"].map(lambda c: groups[c]["name"]),
        group_name=[group_label(c, g) for c, g in pairs],
    )
