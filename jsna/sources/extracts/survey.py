"""Survey answers beside their questions: each answer has to be on its question's scale."""

from __future__ import annotations

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import refused, together
from jsna.files.values import trim
from jsna.sources.extracts.reader import Extract, finding, without_rows
from jsna.sources.extracts.specification import own_list

KEYS = ["survey_id", "question_id"]


def scales() -> dict[str, set[str]]:
    """The codes of each scale.

    >>> sorted(scales()["YESNO"])
    ['N', 'Y']
    """
    found: dict[str, set[str]] = {}
    for row in own_list("scale"):
        found.setdefault(row["scale"], set()).add(row["code"])
    return found


def question_table(questions: Extract) -> pd.DataFrame:
    """One row a question: survey_id, question_id, scale, allowed (set), positive (set), dont_know ("" for none).

    Raises ``SourceError`` naming every question whose positive codes are not on its scale: a share of positive answers
    cannot be had from them.
    """
    frame = questions.loaded.frame
    known = scales()
    positive = trim(frame["positive_codes"]).str.upper().str.findall(r"[A-Z0-9]+").map(set)
    dont_know = trim(frame["dont_know_code"]).str.upper()
    allowed = frame["scale"].map(known)
    wrong = [row for row, have, may in zip(frame.index, positive, allowed, strict=True) if not have or not have <= may]
    if wrong:
        raise SourceError(
            *(
                Problem(
                    "Positive codes are not on the question's scale.",
                    where=f"{questions.loaded.summary.file}, row {row}",
                    value=" ".join(sorted(positive[row])),
                    expected=" ".join(sorted(allowed[row])),
                )
                for row in wrong
            )
        )
    table = frame[[*KEYS, "text", "scale"]]
    return table.assign(allowed=allowed, positive=positive, dont_know=dont_know).reset_index(drop=True)


def with_questions(responses: Extract, questions: Extract) -> Extract:
    """The answers that are on the scale of a known question; the others are refused and listed.

    A code of do not know is in order. Raises ``SourceError`` when the two are not answers and questions, and when a
    question's positive codes are not on its scale.
    """
    for extract, kind in ((responses, "survey_responses"), (questions, "survey_questions")):
        if extract.kind != kind:
            raise SourceError(Problem("This is another kind of extract.", value=extract.kind, expected=kind))
    table = question_table(questions)
    frame = responses.loaded.frame
    joined = frame[[*KEYS, "response_code"]].merge(table, on=KEYS, how="left").set_axis(frame.index, axis="index")
    code = joined["response_code"].str.upper()
    stranger = joined["scale"].isna()
    pairs = zip(code, joined["allowed"], joined["dont_know"], stranger, strict=True)
    off = pd.Series([not s and c not in a and c != d for c, a, d, s in pairs], index=frame.index, dtype=bool)
    file = responses.loaded.summary.file
    parts, found = [], []
    for mask, column, rule, mend in (
        (stranger, "question_id", "the question is not in the list of questions", "Add the question with its scale."),
        (off, "response_code", "the answer is not on the question's scale", "Compare with survey_questions."),
    ):
        if mask.any():
            rows = frame.index[mask]
            parts.append(refused(file, rows, column, [""] * len(rows), rule, mend))
            found.append(finding(rule, "E", column, rows, f"{rule.capitalize()}.", mend, len(frame)))
    return without_rows(responses, together(parts), found)
