"""Synthetic requests for EHC needs assessments, and a survey of parents."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.synthetic.pupils import calibration, planted

QUESTIONS = ("listened_to", "school_can_support", "know_where_help_is", "activity_without_parent", "worked_together")


def ehc_cases(seed: np.random.SeedSequence, pupils: pd.DataFrame, scale: float) -> pd.DataFrame:
    """One row a request in the calibration's calendar years: dates, decision, plan, weeks; sex, ethnicity, age."""
    rng = np.random.Generator(np.random.PCG64(seed))
    c, parts = calibration()["ehc_cases"], []
    plans = pupils[
        (pupils["sen_provision"] == "E") & (pupils["time_period"] == calibration()["censuses"][1]["time_period"])
    ]
    for year, number in c["years"].items():
        parts.append(_year(rng, plans, int(year), max(1, round(number * scale)), c))
    cases = pd.concat(parts, ignore_index=True)
    cases.insert(0, "case_id", np.char.add("C", np.char.zfill(np.arange(1, len(cases) + 1).astype("<U7"), 7)))
    return cases


def _year(rng: np.random.Generator, plans: pd.DataFrame, year: int, number: int, c: dict) -> pd.DataFrame:
    child = plans.iloc[rng.integers(0, len(plans), number)]
    requested = pd.Timestamp(f"{year}-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 365, number)), unit="D")
    draw = rng.random(number)
    decision = np.where(draw < c["refused"], "refuse", np.where(draw > 1 - c["pending"], "pending", "assess"))
    issued = (decision == "assess") & (rng.random(number) < c["plan_after_assessment"])
    ethnicity = child["ethnicity"].astype(str).to_numpy()
    ratio = np.ones(number)
    for item in planted()["ehc_in_20_weeks"]:
        ratio = np.where(ethnicity == item["group"], item["ratio"], ratio)
    ratio = ratio / ratio[issued].mean() if issued.any() else ratio
    share = c["in_20_weeks"] if isinstance(c["in_20_weeks"], float) else c["in_20_weeks"][year]
    in_time = rng.random(number) < share * ratio
    weeks = np.where(in_time, 20 - rng.gamma(1.5, 1.2, number), 20.5 + rng.gamma(1.6, 9.0, number)).clip(6, 90)
    date_issued = requested + pd.to_timedelta((weeks * 7).astype(int), unit="D")
    decided = requested + pd.to_timedelta(rng.integers(14, 60, number), unit="D")
    return pd.DataFrame(
        {
            "pupil_id": np.where(rng.random(number) < 0.85, child["pupil_id"].astype(str), ""),
            "date_requested": requested,
            "decision": pd.Categorical(decision, ["assess", "refuse", "pending"]),
            "date_decided": pd.Series(decided).mask(decision == "pending"),
            "plan_issued": issued,
            "date_issued": pd.Series(date_issued).where(issued),
            "exception": issued & (rng.random(number) < c["exception"]),
            "weeks_to_issue": np.where(issued, (weeks * 7).astype(int) / 7, np.nan).round(1),
            "sex": pd.Categorical(child["sex"].astype(str), ["F", "M"]),
            "ethnicity": pd.Categorical(ethnicity, list(calibration()["ethnicity"])),
            "age": child["age"].to_numpy(),
        }
    )


def survey(seed: np.random.SeedSequence, pupils: pd.DataFrame, respondents: int = 400) -> pd.DataFrame:
    """Invented answers of parents, one row a respondent and question; 1 = strongly disagree, 5 = strongly agree."""
    rng = np.random.Generator(np.random.PCG64(seed))
    with_sen = pupils[pupils["sen_provision"] != "N"]
    child = with_sen.iloc[rng.integers(0, len(with_sen), respondents)]
    mood = rng.normal(0, 0.8, respondents)
    answers = np.rint(3.1 + mood[:, None] + rng.normal(0, 0.8, (respondents, len(QUESTIONS)))).clip(1, 5)
    return pd.DataFrame(
        {
            "respondent_id": np.repeat(np.char.add("R", np.char.zfill(np.arange(respondents).astype("<U4"), 4)), 5),
            "role": "parent or carer",
            "ethnicity": np.repeat(child["ethnicity"].astype(str).to_numpy(), len(QUESTIONS)),
            "question": np.tile(QUESTIONS, respondents),
            "answer": answers.ravel().astype("int8"),
        }
    )
