"""Surveys and audits that cannot carry a figure: a clear message or a card that says so, and never a number."""

import json

import pandas as pd
import pytest
from voice_samples import QUESTIONS, area_with, audits, lists, profile, responses

from jsna.chapters import voice, voice_around, voice_audits, voice_cards
from jsna.errors import SourceError
from jsna.evidence.voice import voice_of
from jsna.sources.extracts import read_extract

CHAPTER = (
    *(voice.standing, voice.unanswered, voice.response_table, voice.reach_finding, voice.reach_table),
    *(voice.answers_finding, voice.answers_charts, voice.answers_table, voice.unsure_table, voice.changes),
    *(voice.by_group, voice_around.themes_charts, voice_around.themes_table, voice_around.coders_finding),
    *(voice_around.quotes, voice_around.you_said, voice_around.you_said_finding, voice_around.pairs_finding),
    *(voice_around.pairs_table, voice_audits.audits_finding, voice_audits.audits_chart, voice_audits.audits_table),
    voice_cards.cards,
)


def told(area):
    """Every exhibit of the chapter, by its id."""
    made = [exhibit for f in CHAPTER for shown in [f(area)] for exhibit in getattr(shown, "items", (shown,))]
    return {exhibit.id: exhibit for exhibit in made}


def card(exhibits, name):
    return exhibits[name].extras["card"]


@pytest.fixture
def survey(tmp_path):
    def made(rows, **more):
        return area_with(**lists(tmp_path, survey_responses=responses(rows), survey_questions=QUESTIONS, **more))

    return made


def test_a_survey_of_three_answers_has_no_figure_and_its_card_is_incomplete(survey):
    shown = told(survey([("R1", "PARENT", "5"), ("R2", "PARENT", "5"), ("R3", "PARENT", "4")]))
    assert shown["voice-answers-finding"].kind == "notice"
    made = card(shown, "voice-s1")
    assert made["confidence"]["grade"] == "unknown"
    assert made["size"] is None
    assert "voice" in made["incomplete"]
    text = " ".join(e.table_csv + e.html() for e in shown.values())
    assert "100%" not in text
    assert "100.0" not in text


def test_ten_answers_are_shown_and_called_rough(survey):
    rows = [(f"R{n}", "PARENT", "5" if n < 5 else "2") for n in range(10)]
    made = card(told(survey(rows)), "voice-s1")
    assert made["size"]["rate"] == 50.0
    assert made["confidence"]["grade"] == "low"
    assert any("wider than" in r for r in made["confidence"]["reasons"])


def test_a_survey_answered_by_one_kind_alone_says_who_is_missing(survey):
    rows = [(f"R{n}", "YP", "5" if n % 2 else "2") for n in range(40)]
    shown = told(survey(rows))
    assert any("No answers of parents and carers and practitioners" in n for n in shown["voice-standing"].notes)
    made = card(shown, "voice-s1")
    assert "No answers of parents and carers that may be shown." in made["gaps"]
    assert card(shown, "voice-s9")["confidence"]["grade"] == "unknown"


def test_a_survey_answered_by_one_group_alone_is_not_weighted_and_not_high(survey):
    rows = [(f"R{n}", "PARENT", "5" if n % 2 else "2") for n in range(60)]
    people = profile([(f"R{n}", "White") for n in range(60)])
    shown = told(survey(rows, survey_profile=people))
    assert any("too few groups" in n for n in shown["voice-reach-finding"].notes)
    made = card(shown, "voice-s1")
    assert made["confidence"]["grade"] in ("medium", "low")
    assert any("Asian / Asian British" in r or "could not be weighted" in r for r in made["confidence"]["reasons"])


def test_a_group_of_nine_is_not_shown(survey):
    rows = [(f"R{n}", "PARENT", "5" if n % 2 else "2") for n in range(49)]
    people = profile([(f"R{n}", "White" if n < 40 else "Asian") for n in range(49)])
    shown = told(survey(rows, survey_profile=people))
    assert "Asian" not in shown["voice-groups-voi-01"].table_csv
    (row,) = (r for r in shown["voice-reach-parents"].table_csv.splitlines() if ",Asian / Asian British," in r)
    assert ",9," not in row


def test_no_survey_at_all_names_what_is_missing():
    shown = told(area_with())
    assert shown["voice-standing"].kind == "notice"
    assert "S1" in shown["voice-standing"].title
    assert all(card(shown, f"voice-{c}")["confidence"]["grade"] == "unknown" for c in ("s1", "s4", "s7", "s8", "s9"))
    assert json.dumps([e.extras for e in shown.values()])


def test_answers_without_their_questions_say_so(tmp_path):
    shown = told(area_with(**lists(tmp_path, survey_responses=responses([("R1", "PARENT", "5")] * 1))))
    assert "no list of the questions" in shown["voice-standing"].title


def test_answers_off_every_scale_say_so(survey):
    shown = told(survey([("R1", "PARENT", "7"), ("R2", "PARENT", "Y")]))
    assert "none is on the scale" in shown["voice-standing"].title


def test_answers_that_are_refused_are_counted(tmp_path):
    made = voice_of(
        lists(
            tmp_path,
            survey_responses=responses([("R1", "PARENT", "7"), ("R2", "PARENT", "4")]),
            survey_questions=QUESTIONS,
        )
    )
    summary = made.lists["survey_responses"].summary
    assert (summary.rows_read, summary.rows_kept, summary.rows_refused) == (2, 1, 1)


def test_a_respondent_of_no_known_kind_is_in_no_other(survey):
    rows = [(f"R{n}", "PARENT", "5" if n < 14 else "1") for n in range(20)] + [(f"X{n}", "", "1") for n in range(20)]
    made = card(told(survey(rows)), "voice-s1")
    assert made["size"]["rate"] == 70.0
    assert made["size"]["n"] == 20


def test_one_question_with_two_wordings_in_two_files_is_refused(tmp_path):
    made = lists(tmp_path, survey_responses=responses([("R1", "PARENT", "5")]), survey_questions=QUESTIONS)
    both = pd.concat([made["survey_questions"].frame, made["survey_questions"].frame.assign(text="Other words.")])
    summary = made["survey_questions"].summary
    object.__setattr__(made["survey_questions"], "frame", both)
    with pytest.raises(SourceError, match="several files, and differs") as error:
        voice_of(made)
    assert error.value.problems[0].where == summary.file


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (audits("3" * 30, frame=""), "does not say from how many plans"),
        (audits("3" * 5), "fewer than 20 plans"),
        (audits("3" * 30, frame="20"), "more plans were audited"),
    ],
    ids=["no frame", "five plans", "frame of twenty"],
)
def test_audits_that_stand_for_nothing_have_no_percentage(tmp_path, text, why):
    shown = told(area_with(**lists(tmp_path, plan_audits=text)))
    assert shown["voice-audits"].kind == "notice"
    assert why in shown["voice-audits"].title
    made = card(shown, "voice-p3")
    assert made["confidence"]["grade"] == "unknown"
    assert made["size"] is None
    assert "100.0" not in shown["voice-audits-table"].table_csv


def test_plans_chosen_by_hand_say_nothing_of_others(tmp_path):
    shown = told(area_with(**lists(tmp_path, plan_audits=audits("3" * 20 + "1" * 10, method="CHOSEN"))))
    assert any("says nothing of others" in n for n in shown["voice-audits"].notes)
    made = card(shown, "voice-p3")
    assert made["size"]["lower"] is None
    assert made["confidence"]["grade"] == "low"


def test_a_name_in_an_action_is_refused_and_not_repeated(tmp_path):
    path = tmp_path / "actions.csv"
    path.write_text(
        "action_id,said,theme_code,done,owner,status,date\n"
        "A1,We wait.,WAIT,More clinics,Mrs Ahmed,DONE,2026-01-01\n"
        "A2,We wait.,WAIT,More clinics,SEND service,DONE,2026-01-01\n",
        encoding="utf-8",
    )
    extract = read_extract(path)
    assert extract.loaded.frame["action_id"].tolist() == ["A2"]
    assert "Ahmed" not in extract.loaded.quarantine.to_string() + extract.findings.to_string()


def test_more_answers_than_invitations_give_no_rate(survey):
    rows = [(f"R{n}", "PARENT", "5") for n in range(40)]
    asked = "survey_id,wave,respondent_type,characteristic,group,invited,population\nS1,2025-10,PARENT,ALL,,30,\n"
    shown = told(survey(rows, survey_reach=asked))
    assert any("asked is not known" in n for n in shown["voice-standing"].notes)


def test_the_shares_of_groups_do_not_tell_how_many_are_of_no_known_group(survey):
    rows = [(f"R{n}", "PARENT", "5" if n % 2 else "2") for n in range(63)]
    people = profile([(f"R{n}", "White" if n < 40 else "Asian") for n in range(60)])
    shown = told(survey(rows, survey_profile=people))["voice-reach-parents"].table_csv.splitlines()
    (white,) = (r.split(",") for r in shown if ",White," in r)
    # 40 of all 63: of the 60 whose group is known it would be 66.7%, and the three could be worked out
    assert white[3:5] == ["40", "63.5"]


def test_a_stated_population_goes_before_the_census(survey):
    rows = [(f"R{n}", "PARENT", "5" if n < 20 else "2") for n in range(60)]
    people = profile([(f"R{n}", "White" if n < 40 else "Asian") for n in range(60)])
    head = "survey_id,wave,respondent_type,characteristic,group,invited,population\n"
    stated = head + "".join(
        f"S1,2025-10,PARENT,ethnicity_major,{g},,{n}\n" for g, n in (("White", 300), ("Asian", 700))
    )
    shown = told(survey(rows, survey_profile=people, survey_reach=stated))
    row = shown["voice-answers"].table_csv.splitlines()[1].split(",")
    # 20 of 40 White and none of 20 Asian parents said yes: 0.3 of the half; no weight passes the limits
    assert row[8] == "15.0"
    assert row[5] == "33.3"
