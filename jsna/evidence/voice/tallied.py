"""Every true count that the chapter on voice shows, worked out once: for the plan of the pack, and for the chapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.evidence.local_values.specification import who_of
from jsna.evidence.voice import audits, estimates, themes
from jsna.evidence.voice.gathered import CHARACTERISTICS, Voice, wave_name
from jsna.evidence.voice.rules import read, rule

if TYPE_CHECKING:
    from jsna.area import Area

CELL = ["wave", "period", "who", "characteristic", "group"]
BY_GROUP = "parents"
SHOWN_BY = ("ethnicity_major", "sen_provision")
FEW = "groups of fewer than ten"


@dataclass(frozen=True, eq=False, repr=False)
class VoiceCounts:
    """True counts: ``answers`` (a row a question, wave, kind and group: positive, answered, unsure, replied), ``reach``
    (a row a wave, kind and group: respondents, invited), ``themes`` and ``audits``. For calculation alone."""

    answers: pd.DataFrame
    reach: pd.DataFrame
    themes: pd.DataFrame
    audits: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"Counts of {len(self.answers)} answers, {len(self.themes)} themes, {len(self.audits)} rounds: not shown."
        )


def area_counts(area: Area) -> VoiceCounts:
    """The counts of an area's lists."""
    return area.once("voice counts", lambda: counts_of(area.voice))


def counts_of(voice: Voice) -> VoiceCounts:
    """The counts of some lists; who answered in the newest wave, and what parents answered, by group too."""
    return VoiceCounts(_answers(voice), _reach(voice), _themes(voice), audits.counts(voice.frame("plan_audits")))


def _answers(voice: Voice) -> pd.DataFrame:
    if not voice.has_survey:
        return pd.DataFrame(columns=[*CELL, "question", *estimates.COUNTS])
    whole = estimates.counts(voice.answers).assign(characteristic="", group="")
    joined = voice.answers.merge(
        voice.people[["survey_id", "wave", "respondent_id", "who", *CHARACTERISTICS]],
        on=["survey_id", "wave", "respondent_id", "who"],
    )
    # By group of parents alone, of the newest wave: of the others too few answer for more groups to be told apart.
    own = joined[(joined["who"] == BY_GROUP) & (joined["wave"] == voice.latest)]
    own = own[own["question"].isin([c["ask"] for c in read("criteria.yml")])]
    by = [
        estimates.counts(_joined(own, c), (c,)).rename(columns={c: "group"}).assign(characteristic=c)
        for c in SHOWN_BY
        if len(own) and (own[c] != "").any()
    ]
    made = pd.concat([whole, *by], ignore_index=True)
    return made[made["answered"] > 0].reset_index(drop=True)


def _joined(answers: pd.DataFrame, characteristic: str) -> pd.DataFrame:
    """Answers with groups of fewer than ten people as one, never shown: else others would be hidden for them."""
    people = answers.groupby(characteristic)["respondent_id"].transform("nunique")
    small = (people < rule("fewest_of_group")) | (answers[characteristic] == "")
    return answers.assign(**{characteristic: answers[characteristic].mask(small, FEW)})


def _reach(voice: Voice) -> pd.DataFrame:
    people = voice.people
    if people.empty:
        return pd.DataFrame(columns=[*CELL, "respondents", "invited"])
    keys = ["wave", "period", "who"]
    whole = people.groupby(keys).size().rename("respondents").reset_index()
    whole = whole.merge(_invited(voice), on=["wave", "who"], how="left").assign(characteristic="", group="")
    bands = read("groups.yml")["of_respondents"]
    parts = [whole]
    for characteristic in CHARACTERISTICS:
        own = people[people["who"].isin(list(bands)) & (people["wave"] == voice.latest)]
        if own.empty or not (own[characteristic] != "").any():
            continue
        names = list(read("groups.yml")[characteristic]["groups"])
        every = own[keys].drop_duplicates().merge(pd.DataFrame({"group": names}), how="cross")
        if characteristic == "age_band":
            every = every[[not bands[w] or g in bands[w] for w, g in zip(every["who"], every["group"], strict=True)]]
        found = own.groupby([*keys, characteristic]).size().rename("respondents").reset_index()
        found = every.merge(found.rename(columns={characteristic: "group"}), on=[*keys, "group"], how="outer")
        parts.append(found.fillna({"respondents": 0}).assign(characteristic=characteristic, invited=np.nan))
    made = pd.concat(parts, ignore_index=True)
    return made.astype({"respondents": "int64", "invited": "float64"})


def _invited(voice: Voice) -> pd.DataFrame:
    """How many of each kind were asked, of waves for which it is known, and no fewer than answered."""
    reach = voice.frame("survey_reach")
    if reach.empty:
        return pd.DataFrame(columns=["wave", "who", "invited"])
    rows = reach[reach["characteristic"].isin(["ALL", ""]) & reach["invited"].notna()]
    told = rows.assign(who=rows["respondent_type"].map(who_of), invited=rows["invited"].astype("float64"))
    asked = told.groupby(["wave", "who"])["invited"].sum().reset_index()
    answered = voice.people.groupby(["wave", "who"]).size().rename("answered").reset_index()
    both = asked.merge(answered, on=["wave", "who"])
    return both.loc[both["invited"] >= both["answered"], ["wave", "who", "invited"]]


def _themes(voice: Voice) -> pd.DataFrame:
    """Comments by theme, and a row (theme ``""``) a wave of those that two people coded."""
    told = voice.frame("survey_themes")
    made = themes.by_theme(told)
    if told.empty or not (told["coding"] == "2").any():
        return made.assign(pairs=0, agree=0)
    wide = told.pivot(index=["wave", "comment_id"], columns="coding", values="theme_code").reindex(columns=["1", "2"])
    wide = wide.dropna().reset_index()
    both = wide.assign(agree=wide["1"] == wide["2"], pairs=True).groupby("wave")[["pairs", "agree"]].sum().reset_index()
    both = both.assign(period=both["wave"].map(wave_name), who="all", theme="")
    numbers = dict.fromkeys(("comments", "badly", "pairs", "agree"), 0)
    return pd.concat([made, both], ignore_index=True).fillna(numbers).astype(dict.fromkeys(numbers, "int64"))
