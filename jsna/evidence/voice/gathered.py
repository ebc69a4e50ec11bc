"""What an area brings of its families' voice: answers, who answered, who was asked, themes, quotes, actions, audits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.evidence.local_values.specification import question_of, who_of
from jsna.evidence.voice.rules import read
from jsna.files.result import Loaded
from jsna.local import VOICE_LISTS, joined_lists, lists_of_run
from jsna.sources.extracts.reader import Extract, as_findings
from jsna.sources.extracts.survey import question_table, with_questions

if TYPE_CHECKING:
    from jsna.area import Area

KEYS = ["survey_id", "wave", "respondent_id"]
CHARACTERISTICS = ("ethnicity_major", "age_band", "sen_provision")
NOT_KNOWN = ""


@dataclass(frozen=True, eq=False, repr=False)
class Voice:
    """The lists of an area's voice by kind, with the answers that are on their questions' scales.

    ``answers``: one row a respondent and question: wave, period (as people write it), respondent_id, who, question (the
    indicator it asks about, else its own number), text, answer (yes, no, unsure), weight. ``people``: one row a
    respondent and wave with who and the groups (``""`` where not known).
    """

    lists: Mapping[str, Loaded]
    answers: pd.DataFrame
    people: pd.DataFrame

    def __repr__(self) -> str:
        return f"{len(self.people)} respondents, {len(self.answers)} answers: not shown."

    @property
    def has_survey(self) -> bool:
        return len(self.answers) > 0

    @property
    def latest(self) -> str:
        """The newest wave, such as 2025-10; "" without a survey."""
        return str(self.people["wave"].max()) if len(self.people) else ""

    def frame(self, kind: str) -> pd.DataFrame:
        """The rows of a list; none where it was not brought."""
        return self.lists[kind].frame if kind in self.lists else pd.DataFrame()


def wave_name(wave: str) -> str:
    """A wave as people write it.

    >>> wave_name("2025-10")
    'October 2025'
    """
    return f"{pd.Timestamp(f'{wave}-01'):%B %Y}"


def voice_lists(area: Area) -> dict[str, Loaded]:
    """The lists by kind: invented ones of a synthetic area, else what the params name; none of official files.

    In a refresh what the run has put aside, where it has.
    """
    if area.params.source == "synthetic":
        return area.once("voice lists", lambda: lists_of_run(VOICE_LISTS) or _invented(area))
    return joined_lists(area.params, VOICE_LISTS) if area.local else {}


def _invented(area: Area) -> dict[str, Loaded]:
    from jsna.evidence.voice.kit import question_rows
    from jsna.synthetic.voice import load_voice

    made = load_voice(area.params.seed, area.params.cycle, area.pupils.frame, question_rows())
    return {kind: made[kind] for kind in VOICE_LISTS if kind in made}


def voice_of(lists: Mapping[str, Loaded]) -> Voice:
    """The voice in some lists. Raises ``SourceError`` for questions whose positive answers are not on their scale.

    Answers without their questions say nothing: they are put aside, each with the reason.
    """
    made, kept = dict(lists), pd.DataFrame()
    if "survey_responses" in lists and "survey_questions" in lists:
        none = as_findings([])
        questions = Extract("survey_questions", _one_wording(lists["survey_questions"]), none)
        checked = with_questions(Extract("survey_responses", lists["survey_responses"], none), questions)
        made["survey_responses"] = checked.loaded
        kept = _answers(checked.loaded.frame, question_table(questions))
    return Voice(made, kept, _people(kept, made.get("survey_profile")))


def _one_wording(questions: Loaded) -> Loaded:
    """The questions, where no number of a survey has two wordings or scales in several files."""
    again = questions.frame[questions.frame.duplicated(["survey_id", "question_id"], keep=False)]
    if len(again):
        what = "A question of a survey stands in several files, and differs."
        mend = "Name one list of questions for each survey; a new wording needs a new number."
        where = questions.summary.file
        raise SourceError(Problem(what, where=where, value=sorted(set(again["question_id"])), mend=mend))
    return questions


def _answers(responses: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    rows = responses.merge(questions, on=["survey_id", "question_id"], how="inner", validate="many_to_one")
    code = rows["response_code"].str.upper()
    unsure = (code == rows["dont_know"]) & (rows["dont_know"] != "")
    good = pd.Series([c in p for c, p in zip(code, rows["positive"], strict=True)], index=rows.index, dtype=bool)
    told = pd.Series("no", index=rows.index).mask(good, "yes").mask(unsure, "unsure")
    return rows[["survey_id", "wave", "respondent_id", "text"]].assign(
        period=rows["wave"].map(wave_name),
        who=rows["respondent_type"].map(who_of),
        question=rows["question_id"].map(question_of),
        answer=told,
        weight=rows["weight"].fillna(1.0).astype("float64"),
    )


def _people(answers: pd.DataFrame, profile: Loaded | None) -> pd.DataFrame:
    if answers.empty:
        return pd.DataFrame(columns=[*KEYS, "who", "period", "weight", *CHARACTERISTICS])
    people = answers.groupby([*KEYS, "who", "period"], as_index=False)["weight"].mean()
    groups = profile.frame[["respondent_id", *CHARACTERISTICS]] if profile else pd.DataFrame(columns=["respondent_id"])
    joined = people.merge(groups.drop_duplicates("respondent_id"), on="respondent_id", how="left")
    return joined.assign(**{c: as_group(joined[c], c) if c in joined else NOT_KNOWN for c in CHARACTERISTICS})


def as_group(told: pd.Series, characteristic: str) -> pd.Series:
    """Groups by their names; ``""`` where a group is not one of ``groups.yml``: unknown is never another group.

    >>> as_group(pd.Series(["asian", "Refused"]), "ethnicity_major").tolist()
    ['Asian / Asian British', '']
    """
    groups = read("groups.yml")[characteristic]["groups"]
    known = {word.casefold(): name for name, others in groups.items() for word in (name, *others)}
    return told.fillna("").astype("str").str.strip().str.casefold().map(known).fillna(NOT_KNOWN).astype("str")


def group_label(characteristic: str, group: str) -> str:
    """A group as people read it.

    >>> group_label("sen_provision", "K"), group_label("age_band", "")
    ('SEN support', 'Not known')
    """
    labels = read("groups.yml")[characteristic].get("labels", {})
    return labels.get(group, group) or "Not known"
