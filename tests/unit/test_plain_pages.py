"""Easy read and the page for families: plain by measure, marked as drafts, ready for other languages."""

from __future__ import annotations

import re
from html import unescape

import pytest
import textstat
import yaml
from plain_words import CAUSAL, CLAIMS

from jsna.area import Area
from jsna.errors import CodeListError
from jsna.evidence.cards.words import english, languages, read_words, two_shares
from jsna.evidence.cards.words.sentences import in_plain_words
from jsna.evidence.catalogue import catalogue
from jsna.pack.pictures import beside, people, pictures
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
    """The text of a page, each line of it a sentence."""
    body = re.sub(r"<svg.*?</svg>", "", html[html.index("<main") :], flags=re.S)
    body = re.sub(r"([.?!:”])?</(p|li|h\d)>", lambda m: m[1] or ".", body.replace("</p>", "</p> "))
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"</?strong>", "", body)))).strip()


def test_both_pages_are_marked_as_drafts_and_as_made_up():
    for html in pages().values():
        assert english()("draft") in html
        assert english()("made_up") in html
        assert 'lang="en-GB"' in html


def test_the_messages_are_those_of_the_cards_in_everyday_numbers():
    for html in pages().values():
        text = words_of(html)
        assert "Black Caribbean: about 1 in 4 get extra help to learn. Of all other pupils: about 1 in 8." in text
        assert "how many were ready? About 1 in 4." in text
        assert "We asked young people: “Q?” About 4 in 10 said yes." in text
        assert "Good EHC plans: work on it more." in text
    assert "there may be about 4,200 in January 2031" in words_of(pages()["families.html"])


def test_a_page_without_answers_or_flags_says_so_and_shows_no_empty_heading():
    made = pages(voice=[], cards=[])
    assert "Nobody was asked for this report" in made["easy-read.html"]
    assert "That is a gap" in made["families.html"]
    for html in made.values():
        assert english()("families.fair") not in words_of(html)
        assert not re.search(r"<h2>[^<]*</h2>\s*(<h2>|</main>|<ul></ul>)", html)


@pytest.mark.parametrize(("page", "grade"), [("easy-read.html", 4.0), ("families.html", 6.0)])
def test_how_hard_the_page_is_to_read_by_a_librarys_measure(page, grade):
    assert textstat.flesch_kincaid_grade(words_of(pages()[page])) <= grade


def test_easy_read_has_short_sentences_and_no_unexplained_capitals():
    text = words_of(pages()["easy-read.html"])
    fixed = [s for k, s in english().strings.items() if k.startswith("easy.")]
    assert max(len(s.split()) for line in fixed for s in re.split(r"(?<=[.?]) ", line)) <= 14
    capitals = set(re.findall(r"\b[A-Z]{3,}\b", text))
    explained = set(re.findall(r"\b[A-Z]{3,}\b", text[text.index("What do the words mean?") :]))
    assert capitals <= explained


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


GAP = {"group": "Female", "status": "under-identified", "share": 0.1, "others_share": 0.2, "pupils_affected": -50}
GROUPS = {"id": "g", "outcome": "any_sen", "characteristic": "sex", "comparisons_made": 34, "inequality": GAP}
SHARE = {"id": "s", "indicator": "EHC-05", "size": {"value": 27.1}, "inequality": "not compared"}
NOTHING = {"inequality": "No group stands out among those compared.", "groups_to_watch": []}


def said(card) -> str:
    found = in_plain_words(english(), card)
    return "" if found is None else " ".join(found.sentences)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        *((0.0, "none"), (0.001, "fewer than 1 in 100"), (0.0099, "fewer than 1 in 100"), (0.01, "about 1 in 100")),
        *((0.1, "about 1 in 10"), (0.15, "about 1 in 7"), (1 / 6, "about 1 in 6"), (0.2, "about 1 in 5")),
        *((0.25, "about 1 in 4"), (0.27, "about 1 in 4"), (0.29, "about 3 in 10"), (1 / 3, "about 1 in 3")),
        *((0.35, "about 1 in 3"), (0.37, "about 4 in 10"), (0.5, "about 5 in 10"), (0.949, "about 9 in 10")),
        *((0.95, "nearly all"), (0.999, "nearly all"), (1.0, "all")),
        *((None, "we cannot say"), (float("nan"), "we cannot say"), (1.2, "we cannot say"), (-0.1, "we cannot say")),
    ],
)
def test_a_share_is_told_by_the_nearest_everyday_number(share, told):
    assert english().share(share) == told


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (0.0040, 0.0071, ("about 4 in 1,000", "about 7 in 1,000")),
        (0.0004, 0.0007, ("about 4 in 10,000", "about 7 in 10,000")),
        (0.00412, 0.00437, ("about 41 in 10,000", "about 44 in 10,000")),
        (0.1480, 0.1390, ("about 15 in 100", "about 14 in 100")),
        (0.9600, 0.9800, ("about 96 in 100", "about 98 in 100")),
        (0.0040, 0.0125, ("fewer than 1 in 100", "about 1 in 80")),
        (0.0040, 0.0040, ("fewer than 1 in 100", "fewer than 1 in 100")),
        (0.0000, 0.0040, ("none", "fewer than 1 in 100")),
        (0.0000, 0.0000, ("none", "none")),
        (None, None, ("we cannot say", "we cannot say")),
        (float("nan"), 1.2, ("we cannot say", "we cannot say")),
    ],
)
def test_two_shares_that_differ_are_never_told_in_the_same_words(one, other, told):
    assert two_shares(english(), one, other) == told


def test_a_picture_never_shows_another_share_than_the_words():
    close = {"group": "Female", "status": "under-identified", "share": 0.139, "others_share": 0.148}
    apart = close | {"others_share": 0.25}
    assert in_plain_words(english(), GROUPS | {"inequality": close}).share is None
    assert in_plain_words(english(), GROUPS | {"inequality": apart}).share == (1, 7)


def test_a_group_that_is_helped_less_often_is_told_with_two_numbers_even_where_both_are_rare():
    gap = {"group": "Female", "status": "under-identified", "share": 0.004, "others_share": 0.007}
    assert said(GROUPS | {"inequality": gap}) == (
        "Girls: about 4 in 1,000 get extra help to learn. Of all other pupils: about 7 in 1,000. "
        "That is less often than for others."
    )


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (GROUPS, "Girls: about 1 in 10 get extra help to learn. Of all other pupils: about 1 in 5. That is less often"),
        (GROUPS | {"inequality": GAP | {"share": None}}, "Girls: we leave the numbers out"),
        # the flag is of pupils alike; where plain shares point the other way they would tell another story
        (GROUPS | {"inequality": GAP | {"share": 0.3}}, "Girls: fewer get extra help to learn than of other pupils"),
        (GROUPS | NOTHING, "We compared girls and boys: how many get extra help to learn. We saw no clear difference"),
        (GROUPS | NOTHING | {"groups_to_watch": ["Male"]}, "Some groups may differ from others. We are not sure."),
        (GROUPS | {"comparisons_made": 0, "inequality": "not compared between groups here"}, ""),
        (SHARE, "how many were ready? About 1 in 4."),
        (SHARE | {"size": {"value": None}}, "We leave this number out"),
        (SHARE | {"size": "not known"}, "We do not have this number."),
        (SHARE | {"group": "ehc_plan"}, ""),
        (SHARE | {"confidence": {"grade": "low", "reasons": []}}, "We are not sure of this."),
        (SHARE | {"confidence": {"grade": "unknown", "reasons": []}}, "We cannot say how sure this is."),
        (SHARE | {"indicator": "ATT-06"}, ""),
    ],
)
def test_plain_words_say_what_the_card_says_and_never_more(card, told):
    assert told in said(card)
    assert bool(told) == bool(said(card))


def test_no_string_gives_a_cause_or_claims_what_no_figure_shows():
    assert [k for k, s in english().strings.items() if CAUSAL.search(s) or CLAIMS.search(s)] == []


def test_every_plain_question_is_of_a_share_of_the_catalogue():
    known = {k for k, i in catalogue().indicators.items() if i.kind in ("proportion", "mean")}
    asked = {k.removeprefix("plain.") for k in english().strings if k.startswith("plain.")}
    assert asked <= known
    assert len(asked) > 60


def test_every_idea_of_easy_read_has_a_picture_that_screen_readers_pass_over():
    html = pages()["easy-read.html"]
    ideas = re.findall(r'<div class="idea">(.*?)</div></div>', html, re.S)
    assert len(ideas) > 30
    assert all(i.startswith("<svg") and 'aria-hidden="true"' in i for i in ideas)
    keys = [k for k in english().strings if re.match(r"easy\..*\.\d+$", k)]
    assert all(beside(k) for k in keys)
    assert set(pictures()["beside"].values()) <= set(pictures()["drawings"])


def test_people_are_drawn_as_many_as_the_sentence_tells():
    drawn = str(people(3, 10))
    assert (drawn.count("<circle"), drawn.count('fill="currentColor"')) == (10, 3)


def test_findings_stand_under_the_plain_name_of_their_priority():
    cards = [CARDS[0] | {"frames": ["P1"]}, CARDS[1] | {"frames": ["P3"]}]
    html = pages(cards=cards)["easy-read.html"]
    early, plans = html.index("<h3>Help early</h3>"), html.index("<h3>Good EHC plans</h3>")
    assert early < html.index("Black Caribbean") < plans < html.index("About 1 in 4")


def test_stars_make_words_bold_and_everything_else_is_escaped():
    assert "<strong>SENCO</strong>" in pages()["easy-read.html"]
    rows = [VOICE[0] | {"question": "Is <b>it</b> *so*?"}]
    html = pages(voice=rows)["families.html"]
    assert "Is &lt;b&gt;it&lt;/b&gt; so?" in html
