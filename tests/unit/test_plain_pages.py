"""Easy read and the page for families: plain by measure, marked as drafts, ready for other languages."""

from __future__ import annotations

import re
from html import unescape

import pytest
import textstat
import yaml

from jsna.area import Area
from jsna.errors import CodeListError
from jsna.evidence.cards.words import english, languages, read_words
from jsna.pack.plain import plain_pages
from jsna.params import Params

CARDS = [
    {
        "id": "ethnicity-any-sen-card",
        "outcome": "any_sen",
        "characteristic": "ethnicity",
        "incomplete": ["voice"],
        "inequality": {"group": "Black Caribbean", "share": 0.25, "others_share": 0.125, "pupils_affected": 80},
    },
    {
        "id": "promise-ehc-05-card",
        "promise": "All plans",
        "indicator": "EHC-05",
        "incomplete": [],
        "inequality": "not compared",
        "size": {"value": 27.1},
    },
    {"id": "hidden", "indicator": "EHC-09", "incomplete": [], "size": {"value": None}},
]
PROPOSALS = [{"name": "High-quality EHC plans", "proposal": "strengthen"}]
PROJECTIONS = [
    {"part": "All", "period": "January 2026", "value": 2372.0, "scenario": "observed", "lower_80": None},
    {
        "part": "All",
        "period": "January 2031",
        "value": 4216.0,
        "scenario": "trend",
        "lower_80": 3319.0,
        "upper_80": 5355.0,
    },
]
VOICE = [{"indicator": "VOI-01", "group": "young_people", "n": 60, "value": 38.0, "question": "Q?"}]


def pages(voice=VOICE, cards=CARDS) -> dict[str, str]:
    return dict(plain_pages(cards, PROPOSALS, voice, PROJECTIONS, Area(Params())))


def words_of(html: str) -> str:
    body = html[html.index("<main") :]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"</(p|li|h\d)>", ". ", body)))).replace(
        "..", "."
    )


def test_both_pages_are_marked_as_drafts_and_as_made_up():
    for html in pages().values():
        assert english()("draft") in html
        assert english()("made_up") in html
        assert 'lang="en-GB"' in html


def test_the_messages_are_those_of_the_cards_in_everyday_numbers():
    for html in pages().values():
        text = words_of(html)
        assert "Black Caribbean: about 1 in 4 get extra help to learn. Of all other pupils: about 1 in 8." in text
        assert "it comes in time (within 20 weeks): about 1 in 4." in text
        assert "About 4 in 10 young people said yes to: “Q?”" in text
        assert "High-quality EHC plans: stays a priority, with more effort." in text
    assert "about 4,216 children" in words_of(pages()["families.html"])


def test_a_page_without_answers_or_flags_says_so_and_shows_no_empty_heading():
    made = pages(voice=[], cards=[])
    assert "Nobody was asked for this report" in made["easy-read.html"]
    assert "That is a gap" in made["families.html"]
    for html in made.values():
        assert english()("families.fair") not in words_of(html)
        assert not re.search(r"<h2>[^<]*</h2>\s*(<h2>|</main>|<ul></ul>)", html)


@pytest.mark.parametrize(("page", "grade"), [("easy-read.html", 5.0), ("families.html", 9.5)])
def test_how_hard_the_page_is_to_read_by_a_librarys_measure(page, grade):
    assert textstat.flesch_kincaid_grade(words_of(pages()[page])) <= grade


def test_easy_read_has_short_sentences_and_no_unexplained_capitals():
    text = words_of(pages()["easy-read.html"])
    fixed = [s for k, s in english().strings.items() if k.startswith("easy.")]
    assert max(len(s.split()) for line in fixed for s in re.split(r"(?<=[.?]) ", line)) <= 14
    capitals = set(re.findall(r"\b[A-Z]{3,}\b", text)) - {"SEND", "SENCO", "SENDIASS", "EHC"}
    assert not capitals


def test_five_languages_wait_for_translators_with_the_same_strings():
    found = {w.code: w for w in languages()}
    assert set(found) == {"en-GB", "ur", "bn", "pl", "ro", "pa"}
    assert found["ur"].direction == "rtl"
    assert [w.code for w in found.values() if w.complete] == ["en-GB"]


def translated(tmp_path, **changes):
    strings = {k: f"«{s}»" for k, s in english().strings.items()} | changes
    strings = {k: s for k, s in strings.items() if s is not None}
    path = tmp_path / "pl.yml"
    told = {"language": "Polish", "code": "pl", "direction": "ltr", "checked": "", "strings": strings}
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return path


def test_a_language_with_all_its_words_has_pages_of_its_own(tmp_path, monkeypatch):
    own = read_words(translated(tmp_path))
    monkeypatch.setattr("jsna.pack.plain.languages", lambda: (english(), own))
    made = pages()
    assert set(made) == {"easy-read.html", "families.html", "easy-read-pl.html", "families-pl.html"}
    assert 'lang="pl"' in made["families-pl.html"]
    assert "«This is a draft." in made["families-pl.html"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"draftt": "x"}, "There is no such string.*Did you mean 'draft'"),
        ({"draft": None}, "A string is missing"),
        ({"figure": "«{share}»"}, "braces are not those"),
    ],
)
def test_a_catalogue_that_does_not_fit_is_refused_in_words(tmp_path, changes, said):
    with pytest.raises(CodeListError, match=said):
        read_words(translated(tmp_path, **changes))


def test_a_need_of_very_few_and_a_place_single_nobody_out_on_the_plain_pages():
    rare = {"group": "Bangladeshi", "share": 0.012, "others_share": 0.03, "pupils_affected": 500}
    ward = {"group": "Northwell", "share": 0.2, "others_share": 0.1, "pupils_affected": 500}
    cards = [
        CARDS[0] | {"id": "rare", "inequality": rare},
        CARDS[0] | {"id": "need", "outcome": "need_HI", "inequality": rare | {"share": 0.2, "others_share": 0.1}},
        CARDS[0] | {"id": "ward", "characteristic": "ward_code", "inequality": ward},
    ]
    for html in pages(cards=[*CARDS, *cards]).values():
        assert "Bangladeshi" not in html
        assert "Northwell" not in html
        assert "Black Caribbean" in html
