"""The synthetic survey of parents in files: answers, who answered, questions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.codes import labels
from jsna.synthetic.files.output import Tables
from jsna.synthetic.files.people import spread

_QUESTIONS = {
    "listened_to": "I was listened to when my child's needs were talked about.",
    "school_can_support": "The school can give the support my child needs.",
    "know_where_help_is": "I know where to find help in my area.",
    "activity_without_parent": "My child does an activity outside school without me.",
    "worked_together": "Education, health and care work together for my child.",
}


def survey(answers: pd.DataFrame) -> Tables:
    """The synthetic survey of parents: answers, who answered, and the questions; every 40th answer is "don't know"."""
    asked = answers["respondent_id"].str.slice(1).astype("int64").to_numpy()
    question = answers["question"].map({q: i for i, q in enumerate(_QUESTIONS)}).to_numpy()
    unsure = spread(asked * 8 + question, 161, 40) == 0
    responses = pd.DataFrame(
        {
            "survey_id": "SV1",
            "wave": "2025-10",
            "respondent_id": answers["respondent_id"],
            "respondent_type": "PARENT",
            "question_id": answers["question"],
            "response_code": np.where(unsure, "9", answers["answer"].astype("str")),
            "weight": "1.0",
        }
    )
    one = answers.drop_duplicates("respondent_id").reset_index(drop=True)
    number = one["respondent_id"].str.slice(1).astype("int64").to_numpy()
    profile = pd.DataFrame(
        {
            "respondent_id": one["respondent_id"],
            "age_band": np.array(["25-34", "35-44", "45-54"], dtype=object)[spread(number, 162, 3)],
            "sex": np.array(["F", "F", "M"], dtype=object)[spread(number, 163, 3)],
            "ethnicity_major": one["ethnicity"].map(labels("ethnicity", "major")),
            "sen_provision": np.array(["E", "K"], dtype=object)[spread(number, 164, 2)],
            "primary_need_area": np.array(["CI", "CL", "SEMH", "SP"], dtype=object)[spread(number, 165, 4)],
        }
    ).fillna("")
    questions = pd.DataFrame(
        {
            "survey_id": "SV1",
            "question_id": list(_QUESTIONS),
            "text": list(_QUESTIONS.values()),
            "scale": "AGREE5",
            "positive_codes": "4;5",
            "dont_know_code": "9",
        }
    )
    return {"survey_responses": responses, "survey_profile": profile, "survey_questions": questions}
