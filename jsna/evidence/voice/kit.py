"""The survey kit: questions ready to be asked, and the files that come back empty, to be filled in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from jsna.errors import OutputError, Problem
from jsna.evidence.voice.rules import read
from jsna.local import VOICE_LISTS
from jsna.sources.extracts import template

SURVEY = "SV1"


def questions(who: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The kit's questions, those for some kinds of respondent where ``who`` names them."""
    return [q for q in read("questions.yml")["questions"] if not who or q["who"] in who]


def question_rows(survey_id: str = SURVEY, who: Sequence[str] = ()) -> pd.DataFrame:
    """The questions in the columns of ``survey_questions``.

    >>> question_rows(who=["children"])[["question_id", "scale", "positive_codes"]].values.tolist()
    [['VOI-01-CH', 'YESNO', 'Y']]
    """
    return pd.DataFrame(
        [
            {
                "survey_id": survey_id,
                "question_id": q["id"],
                "text": q["text"],
                "scale": q["scale"],
                "positive_codes": q["positive"],
                "dont_know_code": q["dont_know"],
            }
            for q in questions(who)
        ]
    )


def write_kit(folder: Path) -> list[Path]:
    """Write the list of questions, and an empty list of every other kind, into a new or empty folder.

    Raises ``OutputError`` where a file of the kit is there already: nothing that somebody filled in is written over.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = {f"{kind}.csv": template(kind) for kind in VOICE_LISTS}
    made["survey_questions.csv"] = question_rows().to_csv(index=False, lineterminator="\n")
    there = [name for name in made if (folder / name).exists()]
    if there:
        what = "Files of the kit are there already, and may be filled in."
        raise OutputError(Problem(what, value=there, mend="Name an empty folder."))
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in made]
