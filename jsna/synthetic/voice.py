"""The synthetic area's survey, comments, quotes, actions and audits: invented, with planted silence of some groups.

Made as files and read as files, so that they pass the rules that any authority's lists pass; three of the quotes break
one, to be refused.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jsna.codes import labels
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded

IDS = {"parents": "F", "young_people": "Y", "practitioners": "W"}
WHO = {"parents": "PARENT", "young_people": "YP", "practitioners": "PRAC"}
BANDS = {
    **dict.fromkeys(("N1", "N2", "R"), "0-4"),
    **dict.fromkeys(map(str, range(1, 7)), "5-10"),
    **dict.fromkeys(map(str, range(7, 12)), "11-15"),
    **dict.fromkeys(map(str, range(12, 15)), "16-25"),
}
AGREE5 = {True: ("4", "5"), False: ("1", "2", "3")}
NOTE = "Invented answers, words and audits; families of some groups were planted to answer less often."
Tables = dict[str, pd.DataFrame]


def load_voice(seed: int, cycle: str, pupils: pd.DataFrame, questions: pd.DataFrame) -> dict[str, Loaded]:
    """The invented lists by kind, with the columns of ``read_extract``, of the review ``cycle``.

    ``questions``: those of the survey kit, in the columns of ``survey_questions``.
    """
    from jsna.sources.extracts import read_extract

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, frame in tables(seed, cycle, pupils, questions).items():
            path = Path(folder) / f"{kind}.csv"
            frame.to_csv(path, index=False)
            loaded = read_extract(path, kind).loaded
            told = replace(
                loaded.summary,
                source=f"Synthetic {loaded.summary.source[:1].lower()}{loaded.summary.source[1:]}",
                file=f"made by the workbench, seed {seed}",
                publisher="The workbench",
                licence="No real data",
                synthetic=True,
                notes=(NOTE,),
            )
            aside = loaded.quarantine.assign(file=told.file)
            found[kind] = Loaded(loaded.frame, aside, told)
    return found


def tables(seed: int, cycle: str, pupils: pd.DataFrame, questions: pd.DataFrame) -> Tables:
    """The lists as tables of text, in the columns of their templates. The same ``seed`` gives the same values."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(7,))))
    plan, year = settings(), int(cycle[:4])
    latest = pupils["time_period"].astype(str).max()
    here = pupils[(pupils["time_period"].astype(str) == latest) & (pupils["sen_provision"].astype(str) != "N")]
    waves = [f"{year - back}-{plan['waves']['month']:02d}" for back in plan["waves"]["back"]]
    parts = [_wave(rng, plan, at, wave, here, questions) for at, wave in enumerate(waves)]
    made = {k: pd.concat([p[k] for p in parts], ignore_index=True) for k in parts[0]}
    made["survey_questions"] = questions
    made["survey_themes"] = _comments(rng, plan["comments"], waves[-1], made["survey_responses"])
    made["survey_quotes"] = _quotes(plan["quotes"], waves[-1])
    made["survey_actions"] = _actions(plan["actions"], year)
    plans = int((here["sen_provision"].astype(str) == "E").sum())
    made["plan_audits"] = _audits(rng, plan["audits"], year, plans)
    return made


def settings() -> dict[str, Any]:
    """What ``voice.yml`` says of the invented voice."""
    return packaged_yaml("jsna.synthetic", "voice.yml")


def _wave(
    rng: np.random.Generator, plan: Mapping[str, Any], at: int, wave: str, pupils: pd.DataFrame, questions: pd.DataFrame
) -> Tables:
    responses, profiles, reach = [], [], []
    for who, code in WHO.items():
        asked = plan["asked"][who]
        children = _children(rng, pupils, who, int(asked["number"]))
        chance = asked["answers"] * _of_groups(children, plan["answers_by"], 1.0, np.multiply)
        if who == "practitioners":
            chance = np.full(len(children), asked["answers"])
        people = children[rng.random(len(children)) < np.minimum(chance, 0.95)].reset_index(drop=True)
        people.insert(0, "respondent_id", [f"{IDS[who]}{at}{n:05d}" for n in range(len(people))])
        responses += [
            _answered(rng, plan, at, people, q, who).assign(wave=wave, respondent_type=code)
            for q in questions[questions["question_id"].map(_asked_of) == who].itertuples()
        ]
        if who != "practitioners":
            profiles.append(people)
        reach.append((wave, code, "ALL", "", len(children)))
    told = pd.concat(responses, ignore_index=True).assign(survey_id=questions["survey_id"].iloc[0], weight="1")
    columns = ["survey_id", "wave", "respondent_id", "respondent_type", "question_id", "response_code", "weight"]
    asked = pd.DataFrame(reach, columns=["wave", "respondent_type", "characteristic", "group", "invited"])
    asked = asked.assign(survey_id=questions["survey_id"].iloc[0], population="")
    return {
        "survey_responses": told[columns],
        "survey_profile": pd.concat(profiles, ignore_index=True),
        "survey_reach": asked[
            ["survey_id", "wave", "respondent_type", "characteristic", "group", "invited", "population"]
        ],
    }


def _asked_of(question: str) -> str:
    ends = {"YP": "young_people", "PR": "practitioners", "CH": "children"}
    return ends.get(question.rpartition("-")[2], "parents")


def _children(rng: np.random.Generator, pupils: pd.DataFrame, who: str, number: int) -> pd.DataFrame:
    """The children of whom those who are asked speak: with SEN, for young people from age 11."""
    band = pupils["year_group"].astype(str).map(BANDS).fillna("")
    may = pupils[band.isin(["11-15", "16-25"])] if who == "young_people" else pupils
    child = may.iloc[rng.permutation(len(may))[:number]]
    return pd.DataFrame(
        {
            "age_band": child["year_group"].astype(str).map(BANDS).fillna(""),
            "sex": child["sex"].astype(str),
            "ethnicity_major": child["ethnicity"].astype(str).map(labels("ethnicity", "major")).fillna(""),
            "sen_provision": child["sen_provision"].astype(str),
            "primary_need_area": "",
        }
    ).reset_index(drop=True)


def _of_groups(people: pd.DataFrame, by: Mapping[str, Mapping[str, float]], none: float, together: Any) -> np.ndarray:
    """What is planted of each person's groups, put together over the characteristics."""
    parts = [people[c].map(dict(groups)).fillna(none).to_numpy("float64") for c, groups in by.items()]
    found = np.full(len(people), none)
    for part in parts:
        found = together(found, part)
    return found


def _answered(
    rng: np.random.Generator, plan: Mapping[str, Any], at: int, people: pd.DataFrame, question: Any, who: str
) -> pd.DataFrame:
    """One question's answers: some skip it, some do not know."""
    shift = 0.0 if who == "practitioners" else _of_groups(people, plan["says_yes_by"], 0.0, np.add)
    yes = rng.random(len(people)) < np.clip(plan["says_yes"][question.question_id][at] + shift, 0.02, 0.98)
    low, high = rng.integers(0, 3, len(people)), rng.integers(0, 2, len(people))
    agree = np.where(yes, np.take(AGREE5[True], high), np.take(AGREE5[False], low))
    code = agree if question.scale == "AGREE5" else np.where(yes, "Y", "N")
    code = np.where(rng.random(len(people)) < plan["unsure"], question.dont_know_code, code)
    told = pd.DataFrame(
        {"respondent_id": people["respondent_id"], "question_id": question.question_id, "response_code": code}
    )
    return told[rng.random(len(people)) >= plan["skipped"]]


def _comments(rng: np.random.Generator, plan: Mapping[str, Any], wave: str, responses: pd.DataFrame) -> pd.DataFrame:
    people = responses[responses["wave"] == wave].drop_duplicates("respondent_id")
    parts = []
    for code, share in plan["of"].items():
        number = int((rng.random(int((people["respondent_type"] == code).sum())) < share).sum())
        themes = plan["themes"][code]
        chances = np.array(list(themes.values())) / sum(themes.values())
        parts.append(pd.DataFrame({"respondent_type": code, "theme_code": rng.choice(list(themes), number, p=chances)}))
    first = pd.concat(parts, ignore_index=True)
    badly = rng.random(len(first)) < first["theme_code"].map(plan["badly"]).fillna(0.5)
    well = rng.random(len(first)) < plan["well"]
    first = first.assign(
        comment_id=[f"C{n:04d}" for n in range(len(first))],
        sentiment=np.where(badly, "NEG", np.where(well, "POS", "MIX")),
        coding="1",
        wave=wave,
        survey_id="SV1",
    )
    again = first.iloc[rng.permutation(len(first))[: plan["second"]]]
    other = rng.permutation(again["theme_code"].to_numpy())
    same = rng.random(len(again)) < plan["second_same"]
    second = again.assign(theme_code=np.where(same, again["theme_code"], other), coding="2")
    columns = ["survey_id", "wave", "comment_id", "respondent_type", "theme_code", "sentiment", "coding"]
    return pd.concat([first, second], ignore_index=True)[columns]


def _quotes(given: list[list[Any]], wave: str) -> pd.DataFrame:
    columns = ["quote_id", "text", "respondent_type", "theme_code", "consent_wording", "checked_for_names"]
    made = pd.DataFrame(given, columns=columns)
    return made.assign(consent_date=np.where(made["consent_wording"] == "", "", f"{wave}-15"))


def _actions(given: list[list[Any]], year: int) -> pd.DataFrame:
    made = pd.DataFrame(given, columns=["action_id", "said", "theme_code", "done", "owner", "status", "month"])
    made["date"] = [f"{year}-{m:02d}-01" if m else "" for m in made.pop("month")]
    return made


def _audits(rng: np.random.Generator, plan: Mapping[str, Any], year: int, plans: int) -> pd.DataFrame:
    parts = []
    for back, wanted in zip(plan["rounds"]["back"], plan["rounds"]["drawn"], strict=True):
        number = min(wanted, plans)
        grade = rng.choice([int(g) for g in plan["grades"]], number, p=list(plan["grades"].values()))
        step = rng.choice([-1, 1], number)
        other = np.where(rng.random(number) < plan["second_same"], grade, np.clip(grade + step, 1, 4)).astype("str")
        second = rng.random(number) < plan["second"]
        parts.append(
            pd.DataFrame(
                {
                    "audit_id": [f"AU{year - back}{n:04d}" for n in range(number)],
                    "plan_ref": [f"PL{n:05d}" for n in rng.permutation(plans)[:number]],
                    "cycle": f"{year - back}-1",
                    "auditor": rng.choice(["A", "B", "C"], number),
                    "audit_date": [f"{year - back}-{m:02d}-10" for m in rng.integers(2, 5, number)],
                    "sample_method": "RANDOM",
                    "frame_size": plans,
                    "grade": grade.astype("str"),
                    "child_view_recorded": (rng.random(number) < plan["child_view"]).astype("int64"),
                    "second_grade": np.where(second, other, ""),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
