"""Answers, audits, agreement, quotes and pairs: worked out by hand."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from local_records import pupils
from voice_samples import QUESTIONS, audits, lists, responses, table

from jsna.area import Area
from jsna.codes import labels
from jsna.disclosure.cells import system_of
from jsna.errors import MeasureError, OutputError
from jsna.evidence.catalogue import catalogue
from jsna.evidence.local_values.lists import of_lists
from jsna.evidence.local_values.specification import ways_of
from jsna.evidence.voice import audits as audit_rules
from jsna.evidence.voice import confidence, counts_of, pairs, voice_lists, voice_of
from jsna.evidence.voice.actions import answered
from jsna.evidence.voice.estimates import weighted
from jsna.evidence.voice.kit import question_rows, questions, write_kit
from jsna.evidence.voice.quotes import quote_for, refusals, showable_quotes
from jsna.evidence.voice.rules import LABELS
from jsna.evidence.voice.rules import read as read_rules
from jsna.evidence.voice.sample_size import sample_size
from jsna.evidence.voice.themes import agreement, by_theme, coders
from jsna.evidence.voice.weighting import Weighting
from jsna.linked.indicators import placed
from jsna.linked.plan import together
from jsna.linked.voice import of_audits, of_survey
from jsna.params import Params
from jsna.sources.extracts import read_extract
from jsna.sources.extracts.identifying import tells_who

ANSWERS = responses(
    [
        ("R1", "PARENT", "5"),
        ("R2", "PARENT", "4"),
        ("R3", "PARENT", "1"),
        ("R4", "PARENT", "9"),
        ("R5", "YP", "2"),
        ("R6", "PRAC", "5"),
    ]
)


def test_kinds_of_respondent_are_apart_and_do_not_know_is_in_no_share(tmp_path):
    told = counts_of(voice_of(lists(tmp_path, survey_responses=ANSWERS, survey_questions=QUESTIONS))).answers
    rows = told.set_index("who")[["positive", "answered", "unsure", "replied"]]
    assert rows.loc["parents"].tolist() == [2, 3, 1, 4]
    assert rows.loc["young_people"].tolist() == [0, 1, 0, 1]
    assert rows.loc["practitioners"].tolist() == [1, 1, 0, 1]


def test_the_counts_are_those_of_the_indicators(tmp_path):
    read = []
    for kind, text in (("survey_responses", ANSWERS), ("survey_questions", QUESTIONS)):
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
        read.append(read_extract(tmp_path / f"{kind}.csv"))
    made = of_lists(read, pupils(("N", "", "ENG", "", 1)).frame.iloc[:0]).counts.unseal("a test")
    own = made.set_index(["period", "count", "group"])["number"]
    told = counts_of(voice_of({e.kind: e.loaded for e in read})).answers.set_index("who")
    for who, row in told.iterrows():
        assert own["October 2025", "VOI-01: positive", who] == row["positive"]
        assert own["October 2025", "VOI-01: answered", who] == row["answered"]


def test_a_weighted_share_by_hand(tmp_path):
    voice = voice_of(lists(tmp_path, survey_responses=ANSWERS, survey_questions=QUESTIONS))
    index = pd.MultiIndex.from_tuples([("S1", f"R{n}") for n in range(1, 5)])
    made = Weighting(pd.Series([0.5, 0.5, 2.0, 1.0], index=index), ("sex",), ())
    row = weighted(voice.answers, {("2025-10", "parents"): made}, 0.95).iloc[0]
    # of R1 to R3 alone: (0.5 + 0.5) / 3 said yes; 3 (0.25 + 0.25 + 4) / 9 = 1.5 times the variance: worth 2 answers
    assert row["weighted_value"] == pytest.approx(100 / 3)
    assert row["effect"] == pytest.approx(1.5)
    assert row["effective"] == 2
    assert row["weighted_lower"] < 100 / 3 < row["weighted_upper"]


def test_a_kappa_by_hand():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: 70% alike, 50% by chance, kappa 0.4
    first = pd.Series(list("y" * 25 + "n" * 25))
    second = pd.Series(list("y" * 20 + "n" * 5 + "y" * 10 + "n" * 15))
    found = agreement(first, second)
    assert (found.pairs, found.same) == (50, 70)
    assert found.kappa == pytest.approx(0.4)
    assert found.lower < 0.4 < found.upper


def test_near_misses_of_grades_count_half():
    first, near = pd.Series(list("1234" * 10)), pd.Series(list("2234" * 10))
    far = pd.Series(list("4234" * 10))
    assert agreement(first, far, ordered=True).kappa < agreement(first, near, ordered=True).kappa
    # linear weights of 10 pairs one grade apart: observed 10/120; expected over margins 10,10,10,10 and 0,20,10,10
    expected = sum(
        a * b * abs(i - j) / 3 for i, a in enumerate([10, 10, 10, 10]) for j, b in enumerate([0, 20, 10, 10])
    )
    assert agreement(first, near, ordered=True).kappa == pytest.approx(1 - (10 / 3 / 40) / (expected / 1600))


@pytest.mark.parametrize(("n", "reason"), [(19, "Fewer than 20"), (20, "all alike")])
def test_agreement_of_few_or_of_one_judgement_is_none(n, reason):
    found = agreement(pd.Series(["3"] * n), pd.Series(["3"] * n))
    assert np.isnan(found.kappa)
    assert reason in found.words


def test_comments_are_counted_by_the_first_coder_alone():
    told = table(
        """
        wave    comment_id respondent_type theme_code sentiment coding
        2025-10 C1         PARENT          WAIT       NEG       1
        2025-10 C1         PARENT          PLAN       POS       2
        2025-10 C2         PARENT          WAIT       POS       -
        """
    )
    assert by_theme(told)[["theme", "comments", "badly"]].values.tolist() == [["WAIT", 2, 1]]
    both = coders(told)
    assert both is not None
    assert both.pairs == 1
    assert coders(told[told["coding"] != "2"]) is None


def rounds_of(tmp_path, text):
    return audit_rules.rounds(lists(tmp_path, plan_audits=text)["plan_audits"].frame)


@pytest.mark.parametrize(
    ("text", "refusal", "caution"),
    [
        (audits("3" * 20), "", ""),
        (audits("3" * 19), "fewer than 20", ""),
        (audits("3" * 20, frame=""), "from how many plans", ""),
        (audits("3" * 20, frame="19"), "more plans were audited", ""),
        (audits("3" * 8, frame="8", method="ALL"), "", ""),
        (audits("3" * 20, method="CHOSEN"), "", "chosen by hand"),
        (audits("3" * 20, method=""), "", "not recorded"),
        (audits("3" * 20, method="STRATA"), "", "proportion"),
    ],
    ids=["sound", "few", "no frame", "frame too small", "all of few", "by hand", "not said", "strata"],
)
def test_a_percentage_of_audits_needs_a_frame_and_enough_plans(tmp_path, text, refusal, caution):
    (made,) = rounds_of(tmp_path, text)
    assert refusal in made.refusal
    assert bool(refusal) == bool(made.refusal)
    assert caution in made.caution
    assert bool(caution) == bool(made.caution)


def test_audits_are_counted_by_hand(tmp_path):
    frame = lists(tmp_path, plan_audits=audits("4332211331", second="43322"))["plan_audits"].frame
    row = audit_rules.counts(frame).iloc[0]
    assert row[["audited", "graded", "good", "grade_4", "grade_3", "grade_2", "grade_1"]].tolist() == [
        10,
        10,
        5,
        1,
        4,
        2,
        3,
    ]
    assert row[["child_view", "view_looked_for", "pairs", "agree"]].tolist() == [5, 10, 5, 5]


@pytest.mark.parametrize(("found", "drawn", "frame"), [(0, 5, 12), (3, 6, 15), (6, 6, 9), (2, 10, 11)])
def test_limits_of_a_finite_frame_against_counting_every_sample(found, drawn, frame):
    def chance(good, seen):
        return comb(good, seen) * comb(frame - good, drawn - seen) / comb(frame, drawn)

    could = [
        good
        for good in range(found, frame - (drawn - found) + 1)
        if sum(chance(good, s) for s in range(found, drawn + 1)) > 0.025
        and sum(chance(good, s) for s in range(found + 1)) > 0.025
    ]
    lower, upper = audit_rules.finite_interval(found, drawn, frame)
    assert (lower * frame, upper * frame) == pytest.approx((min(could), max(could)))


@pytest.mark.parametrize("numbers", [(3, 2, 10), (0, 0, 10), (1, 11, 10), (-1, 5, 10)])
def test_numbers_of_plans_that_cannot_be_are_refused(numbers):
    with pytest.raises(MeasureError, match="cannot be"):
        audit_rules.finite_interval(*numbers)


def test_audits_become_indicators_where_they_may(tmp_path):
    read = []
    for name, text in (("good", audits("3" * 15 + "1" * 10)), ("none", audits("3" * 25, frame=""))):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        read.append(read_extract(tmp_path / f"{name}.csv"))
    made = of_lists(read[:1], pd.DataFrame())
    told = made.counts.unseal("a test").set_index("count")["number"]
    assert told[["good", "graded", "child_view", "view_looked_for"]].tolist() == [15, 25, 12, 25]
    refused = of_lists(read[1:], pd.DataFrame())
    assert len(refused.counts) == 0
    assert "from how many plans" in refused.missing["reason"].iloc[0]


def test_what_has_no_owner_or_no_date_has_no_answer():
    told = pd.DataFrame(
        {
            "said": ["a", "b", "c", "d"],
            "theme_code": "WAIT",
            "done": ["x", "x", "", "x"],
            "owner": ["o", "", "o", "o"],
            "status": ["DONE", "DONE", "PLANNED", "UNDERWAY"],
            "date": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-01", "2025-01-01"]),
        }
    )
    assert answered(told)["status"].tolist() == ["No answer yet", "No answer yet", "Done", "Under way"]
    assert answered(told, pd.Timestamp("2025-06-01"))["status"].tolist()[2:] == ["Late", "Done"]


@pytest.mark.parametrize(
    "text",
    [
        "We waited a long time. Nobody rang.",
        "The Local Offer was hard to find.",
        "My daughter likes her helper.",
        "They were kind at the review in the autumn.",
        "SEN support came late, at last it helps.",
        "It took 14 months.",
    ],
)
def test_plain_words_tell_nobody(text):
    assert not tells_who(pd.Series([text])).iloc[0]


@pytest.mark.parametrize(
    "text",
    [
        "My son Adam waits.",
        "She is called Amira at school.",
        "Mrs Ahmed was kind.",
        "Dr. Patel saw us.",
        "We live in LU1 2AB.",
        "Ring me on 01582 000 000.",
        "Ring 07700900123.",
        "Write to me@example.org",
        "A999906015000 is wrong",
        "He was born on 3 May 2015.",
        "Born 03/05/2015.",
        "His number is 943 476 5919.",
        "We live at 12 High Street near the park.",
        "The teacher, Miss Brown, helped.",
        "Sara Khan helped us.",
        "At Meadow Primary they know.",
    ],
)
def test_words_that_tell_who_it_is_are_found(text):
    assert tells_who(pd.Series([text])).iloc[0]


QUOTES = (
    "quote_id,text,respondent_type,theme_code,consent_date,consent_wording,checked_for_names\n"
    "K1,They listened.,PARENT,LISTEN,2025-10-02,C1,1\n"
    "K2,Nobody rang.,PARENT,WAIT,,C1,1\n"
    "K3,It took long.,PARENT,WAIT,2025-10-02,,1\n"
    "K4,It took too long.,PARENT,WAIT,2025-10-02,C1,0\n"
    "K5,My son Adam waits.,PARENT,WAIT,2025-10-02,C1,1\n"
    "K6,I like it.,YP,SCHOOL,2025-10-02,C1,1\n"
)


def test_a_quote_is_shown_with_consent_alone(tmp_path):
    told = lists(tmp_path, survey_quotes=QUOTES)
    assert showable_quotes(told)["quote_id"].tolist() == ["K1", "K6"]
    summary = told["survey_quotes"].summary
    assert (summary.rows_read, summary.rows_kept, summary.rows_refused) == (6, 2, 4)
    reasons = refusals(told).set_index("rule")["rows"]
    assert reasons["No consent is on record."] == 2
    assert reasons.sum() == 4
    assert "Adam" not in told["survey_quotes"].quarantine.to_string()


def test_a_frame_without_consent_shows_no_quote_either(tmp_path):
    told = lists(tmp_path, survey_quotes=QUOTES)
    told["survey_quotes"].frame["consent_date"] = pd.NaT
    assert showable_quotes(told).empty


def test_a_card_takes_a_quote_of_its_own_theme_and_kind(tmp_path):
    quotes = showable_quotes(lists(tmp_path, survey_quotes=QUOTES))
    found = quote_for(quotes, "parents", ["PLAN", "LISTEN"])
    assert found is not None
    assert found["quote_id"] == "K1"
    assert quote_for(quotes, "young_people", ["LISTEN"]) is None


def beside(voice, figure, england, good="EHC-05"):
    pair = {"EHC-05": "VOI-03", "EHC-02": "VOI-01"}[good]
    told = pd.DataFrame({"question": [pair], "who": "parents", "value": 50.0, "lower": [voice[0]], "upper": [voice[1]]})
    rows = {"indicator": [good], "group": "all", "year": 2025, "origin": "local", "period": "2025"}
    own = pd.DataFrame({**rows, "value": 1.0, "lower": [figure[0]], "upper": [figure[1]]})
    whole = pd.DataFrame({**rows, "value": [england], "lower": np.nan, "upper": np.nan})
    made = pairs.set_beside(told, own, whole)
    return made.loc[made["figure"] == good, "verdict"].iloc[0]


@pytest.mark.parametrize(
    ("voice", "figure", "england", "indicator", "verdict"),
    [
        ((55, 65), (60, 70), 50, "EHC-05", pairs.SAME),
        ((35, 45), (30, 40), 50, "EHC-05", pairs.SAME),
        ((55, 65), (30, 40), 50, "EHC-05", pairs.APART),
        ((45, 55), (30, 40), 50, "EHC-05", pairs.UNCLEAR),
        ((55, 65), (45, 55), 50, "EHC-05", pairs.UNCLEAR),
        ((50, 65), (60, 70), 50, "EHC-05", pairs.UNCLEAR),
        ((55, 65), (30, 40), 50, "EHC-02", pairs.SAME),
        ((35, 45), (30, 40), 50, "EHC-02", pairs.APART),
        ((np.nan, np.nan), (30, 40), 50, "EHC-02", pairs.NO_PAIR),
        ((55, 65), (np.nan, np.nan), 50, "EHC-02", pairs.NO_PAIR),
        ((55, 65), (30, 40), np.nan, "EHC-02", pairs.NO_PAIR),
    ],
)
def test_words_and_figures_are_set_beside_by_rule(voice, figure, england, indicator, verdict):
    assert beside(voice, figure, england, indicator) == verdict


GOOD = {"response": 40.0, "uneven": (), "weighted": True, "effect": 1.2, "waves": 2}


@pytest.mark.parametrize(
    ("changed", "limits", "grade"),
    [
        ({}, (40, 50), "high"),
        ({"response": None}, (40, 50), "medium"),
        ({"response": 10.0, "uneven": ("A",), "weighted": False}, (40, 50), "medium"),
        ({"waves": 1}, (40, 50), "medium"),
        ({}, (30, 51), "medium"),
        ({"waves": 1}, (30, 51), "low"),
        ({"proxy": "It stands in for a scale."}, (40, 50), "low"),
        ({}, (np.nan, np.nan), "unknown"),
    ],
)
def test_confidence_falls_with_each_weakness(changed, limits, grade):
    found = confidence.of_estimate(300, *limits, **{**GOOD, **changed})
    assert found.grade == grade
    assert found.reasons


@pytest.mark.parametrize(
    ("population", "margin", "answers"),
    [(10**9, 5, 385), (10**9, 3, 1068), (2700, 5, 337), (400, 5, 197), (100, 5, 80), (10, 5, 10), (1, 5, 1)],
)
def test_sample_sizes_of_the_books(population, margin, answers):
    assert sample_size(population, margin).answers == answers


def test_a_sample_size_says_when_nobody_is_left_to_ask():
    found = sample_size(300, 5, response=20)
    assert not found.enough_people
    assert "ask everybody" in found.words
    with pytest.raises(MeasureError) as told:
        sample_size(0, 60, response=0)
    assert len(told.value.problems) == 3


def test_the_kit_is_read_as_it_is_written(tmp_path):
    made = write_kit(tmp_path / "kit")
    extract = read_extract(tmp_path / "kit" / "survey_questions.csv")
    assert len(extract.loaded.frame) == len(questions()) == len(question_rows())
    assert extract.findings.empty
    assert len(made) == 8
    with pytest.raises(OutputError, match="filled in"):
        write_kit(tmp_path / "kit")


def test_every_criterion_has_a_question_for_each_kind_that_it_asks():
    asked = {(q["id"].removesuffix("-YP").removesuffix("-PR").removesuffix("-CH"), q["who"]) for q in questions()}
    for criterion in read_rules("criteria.yml"):
        assert all((criterion["ask"], who) in asked for who in criterion["who"]), criterion["codes"]
    assert {q["who"] for q in questions()} <= set(LABELS)
    assert all(q["easy"] for q in questions() if q["who"] != "practitioners")


def test_the_plan_and_the_indicators_call_one_count_by_one_name(tmp_path):
    texts = {"survey_responses": ANSWERS, "survey_questions": QUESTIONS, "plan_audits": audits("3" * 15 + "1" * 10)}
    read = []
    for kind, text in texts.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
        read.append(read_extract(tmp_path / f"{kind}.csv"))
    of_indicators = of_lists(read, pupils(("N", "", "ENG", "", 1)).frame.iloc[:0]).counts.unseal("a test")
    theirs = placed(of_indicators, ways_of(catalogue().indicators.values())).plan()
    told = counts_of(voice_of({e.kind: e.loaded for e in read}))
    mine = together([of_survey(told.answers, told.reach), of_audits(told.audits)])

    def cells(plan):
        tables = [t for t in plan.tables if t.source in ("survey", "plan_audits")]
        system = system_of(tables, classifications=plan.classifications()).cells.unseal("a test")
        return {
            (r.source, r.period, r.figure): r.count
            for r in system[["source", "period", "figure", "count"]].itertuples()
        }

    shared = cells(theirs).keys() & cells(mine).keys()
    assert {f for s, _, f in shared} >= {
        "survey VOI-01: positive@parents",
        "survey VOI-01: answered@parents",
        "plan_audits good@all",
        "plan_audits graded@all",
        "plan_audits child_view@all",
    }
    # The joint engine refuses two numbers for one count.
    both = together([theirs, mine])
    tables = [t for t in both.tables if t.source in ("survey", "plan_audits")]
    assert len(system_of(tables, classifications=both.classifications()).cells) >= len(shared)


@pytest.mark.parametrize("cycle", ["2026", "2023"])
def test_the_invented_voice_is_read_without_loss_but_for_three_quotes(cycle):
    area = Area(Params(areas=["E06000032"], source="synthetic", scale=0.02, cycle=cycle))
    made, again = (voice_lists(area) for _ in range(2))
    refused = {kind: loaded.summary.rows_refused for kind, loaded in made.items()}
    assert refused == {**dict.fromkeys(made, 0), "survey_quotes": 3}
    assert all(loaded.summary.synthetic for loaded in made.values())
    for kind in made:
        pd.testing.assert_frame_equal(made[kind].frame, again[kind].frame)
    assert voice_of(made).latest == f"{int(cycle) - 1}-10"


def test_families_that_were_planted_to_be_silent_answer_less_often():
    area = Area(Params(areas=["E06000032"], source="synthetic", scale=0.3))
    told = counts_of(area.voice).reach
    own = told[(told["who"] == "parents") & (told["characteristic"] == "ethnicity_major")].set_index("group")
    pupils_of = area.pupils.frame[area.pupils.frame["sen_provision"].astype(str) != "N"]
    major = pupils_of["ethnicity"].astype(str).map(labels("ethnicity", "major")).value_counts(normalize=True)
    share = own["respondents"] / own["respondents"].sum()
    assert share["Asian / Asian British"] < 0.85 * major["Asian / Asian British"]
    assert share["White"] > 1.15 * major["White"]
