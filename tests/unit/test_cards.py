"""Evidence cards: whole or said to be incomplete, graded by the stated rule, and in words that blame nobody."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsna.errors import CodeListError
from jsna.evidence.cards import FIELDS, Setting, completed, graded, not_known
from jsna.evidence.cards.words import english
from jsna.evidence.catalogue import frame_of
from jsna.evidence.cycles.decisions import Decision, Decisions
from jsna.evidence.cycles.edition import Edition, figures_of, flags_of, no_figures, no_flags
from jsna.pack.card_words import rows_of

LUTON = "E06000032"
FRAME = frame_of(LUTON)
PROMISE = {
    "id": "promise-ehc-05-card",
    "question": "Are EHC plans issued within 20 weeks?",
    "headline": "27.1% of plans were issued within 20 weeks.",
    "frames": ["P3", "S5"],
    "indicator": "EHC-05",
    "group": "all",
    "trend": "falling (5 years)",
    "comparator": "Beside England (46.4%): worse.",
    "confidence": graded("few_years"),
    "source": "Education, health and care plans",
    "chapter": "11-scorecard",
}
UNEQUAL = {
    "id": "ethnicity-any-sen-card",
    "question": "Which ethnic groups are identified with SEN more or less often than all others?",
    "headline": "Black Caribbean pupils stand out.",
    "frames": ["P1", "T4"],
    "outcome": "any_sen",
    "characteristic": "ethnicity",
    "comparator": "all other pupils of known group",
    "confidence": graded("observational"),
    "source": "School census",
    "chapter": "03-ethnicity",
}
FIGURES = "Indicator,Group,Period,Value,Lower limit,Upper limit,Numerator,Denominator\n"
FIGURES += "EHC-05,all,2024,27.1,22.9,31.8,102,377\n"
VOICE = {
    "indicator": "VOI-06",
    "group": "all",
    "n": 120,
    "value": 40.0,
    "lower": 31.7,
    "upper": 48.9,
    "source": "Survey",
    "wave": "2025-10",
}
SOURCES = [
    {
        "source": "Education, health and care plans",
        "file": "timeliness.csv",
        "publisher": "DfE",
        "licence": "OGL",
        "period": "2024",
        "sha256": "ab",
    }
]


def flags() -> list[dict]:
    told = {"place_level": "Local authority", "place_code": LUTON, "outcome": "any_sen", "characteristic": "ethnicity"}
    numbers = {"numerator": "250", "denominator": "1000", "risk": "0.2500", "adjusted_risk_ratio": "1.50"}
    numbers |= {"adjusted_lower": "1.30", "adjusted_upper": "1.73", "gap_points": "12.5", "pupils_affected": "83"}
    return [
        told | numbers | {"group": "Black Caribbean", "status": "over-identified"},
        told | {"group": "Indian", "status": "no evidence", "denominator": "3000", "numerator": "c"},
    ]


def edition(cards, voice=()) -> Edition:
    return Edition(
        LUTON, "Luton", "2026", True, tuple(cards), flags_of(flags()), figures_of(FIGURES), voice=tuple(voice)
    )


def setting(cards, **more) -> Setting:
    shown = [{"id": "promise-ehc-05", "alt": "A chart.", "table_csv": "a\n1\n", "chapter": "11-scorecard"}]
    return Setting(FRAME, edition(cards, more.pop("voice", ())), shown, SOURCES, **more)


def test_a_card_with_everything_is_complete_and_one_without_voice_or_owner_says_so():
    decided = Decisions(
        area=LUTON, cycle="2026", decisions=(Decision(priority="P3", decision="strengthen", owner="Head of SEND"),)
    )
    proposed = {"P3": {"name": "High-quality EHC plans", "proposal": "keep"}}
    (whole,) = completed(
        setting([PROMISE], voice=[VOICE | {"indicator": "VOI-10"}], decisions=decided, proposals=proposed)
    )
    assert (whole["complete"], whole["incomplete"]) == (True, [])
    assert whole["recommendation"] == "P3 High-quality EHC plans: strengthen (decided)"
    (lacking,) = completed(setting([PROMISE]))
    assert {"voice", "owner", "recommendation"} <= set(lacking["incomplete"])
    assert not lacking["complete"]
    assert set(FIELDS) <= set(whole) & set(lacking)


def test_a_card_of_unknown_confidence_is_incomplete_and_graded_so():
    (card,) = completed(
        setting([PROMISE | {"confidence": not_known("no figure")}], voice=[VOICE | {"indicator": "VOI-10"}])
    )
    assert "confidence" in card["incomplete"]
    (without,) = completed(setting([{k: v for k, v in PROMISE.items() if k != "confidence"}]))
    assert without["confidence"]["grade"] == "unknown"


def test_voice_on_another_criterion_is_not_put_on_the_card():
    (card,) = completed(setting([PROMISE], voice=[VOICE | {"indicator": "VOI-04"}]))
    assert "voice" in card["incomplete"]


def test_a_card_about_groups_tells_the_gap_that_concerns_most_pupils():
    (card,) = completed(setting([UNEQUAL]))
    assert card["inequality"]["group"] == "Black Caribbean"
    assert (card["inequality"]["ratio"], card["inequality"]["pupils_affected"]) == (1.5, 83)
    assert card["easy_read"] == (
        "Black Caribbean: about 1 in 4 get extra help to learn. Of all other pupils: about 1 in 8. "
        "That is more often than for others."
    )
    assert "flags.csv" in card["tables"]


def test_of_a_card_about_a_figure_the_numbers_interval_and_source_row_are_told():
    (card,) = completed(setting([PROMISE]))
    assert card["size"] == {"value": 27.1, "lower": 22.9, "upper": 31.8, "n": 102.0, "of": 377.0}
    assert card["sources"][0]["file"] == "timeliness.csv"
    assert card["tables"] == ["tables/promise-ehc-05.csv"]
    assert card["what_works"][0]["kind"] == "law"


def test_what_changed_since_the_last_edition_is_told():
    old = Edition(
        LUTON, "Luton", "2023", True, ({"id": PROMISE["id"], "headline": "44.3% …"},), no_flags(), no_figures()
    )
    first, new = completed(setting([PROMISE, UNEQUAL], before=old))
    assert first["changed"].startswith("In the 2023 edition it said: 44.3% …")
    assert new["changed"] == "New: the 2023 edition had no such card."
    assert completed(setting([PROMISE]))[0]["changed"] == "There is no earlier edition."


@pytest.mark.parametrize(
    ("weaknesses", "proxy", "grade"),
    [((), False, "high"), (("wide",), False, "medium"), (("wide", "crude"), False, "low"), ((), True, "low")],
)
def test_confidence_is_graded_by_the_stated_rule(weaknesses, proxy, grade):
    found = graded(*weaknesses, stands_in=proxy)
    assert found["grade"] == grade
    assert found["reasons"]


def test_a_weakness_that_nobody_stated_is_refused():
    with pytest.raises(CodeListError, match="wide"):
        graded("wid")


@given(st.floats(0, 1))
def test_a_share_in_words_is_within_a_tenth_or_a_third_of_itself(share):
    said = english().share(share)
    found = re.fullmatch(r"about (\d+) in (\d+)", said)
    if found:
        told = int(found[1]) / int(found[2])
        assert abs(told - share) <= max(0.0501, 0.34 * share)
    else:
        assert said in ("none", "all", "nearly all", "fewer than 1 in 100")


def test_a_rendered_card_has_no_python_in_it_and_says_what_it_does_not_know():
    for card in completed(setting([PROMISE, UNEQUAL], voice=[VOICE])):
        text = json.dumps(rows_of(card))
        assert not re.search(
            r"None|nan|\{'|dict|\\u", text.replace("\\u2019", "").replace("\\u201c", "").replace("\\u201d", "")
        ), text
        assert "Not known." in text


def test_what_a_chapter_says_is_lacking_makes_its_card_incomplete():
    (card,) = completed(setting([PROMISE | {"incomplete": ["voice of young people", "owner"]}]))
    assert "voice of young people" in card["incomplete"]
    assert card["incomplete"].count("owner") == 1
