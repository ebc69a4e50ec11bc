"""The two pages for a board: what they say, how they are built, and that they hold with little to say."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile

import pytest
from docx import Document
from docx.oxml.ns import qn
from workbook_samples import EXHIBITS, FLAGS, area, exhibit, flag

from jsna.pack.document import write_summary
from jsna.pack.messages import key_messages, standing_groups, unknowns, voices
from jsna.pack.ratio_picture import ratio_picture


def _card(name, affected=None, *, status="over-identified", headline=None, **more):
    card = {"id": f"{name}-card", "headline": headline or f"Headline of {name}.", "characteristic": name}
    card |= {"confidence": {"grade": "medium", "reasons": ["one"]}, "incomplete": ["voice", "owner"], "frames": ["P1"]}
    unequal = {"status": status, "group": "A", "pupils_affected": affected} if affected is not None else "no group"
    return card | {"inequality": unequal, "easy_read": f"Plain words of {name}."} | more


PRIORITIES = [
    {"code": "P1", "name": "Early", "proposal": "strengthen", "because": "A promise is not met."},
    {"code": "P2", "name": "Later", "proposal": "keep", "because": "No rule asks for a change."},
]
CHAPTER_12 = exhibit("priority-parts", "Priority,Place\nP1,1\n", extras={"priorities": PRIORITIES})
CARDS = [
    _card("sex", 20.0),
    _card("ethnicity", -420.0, status="under-identified"),
    _card("language", None),
    _card("promise-ehc-05", headline="27% in 2025. The promise (all in time) is not met."),
    _card("promise-ehc-09", headline="99% in 2025. The promise is met."),
]
SPEAKING = [*EXHIBITS, CHAPTER_12, exhibit("gaps", "A\nb\n", title="Indicators without a figure here: 9 of 113")]


def _made(tmp_path, exhibits=SPEAKING, cards=CARDS, flags=FLAGS, of=None):
    path = write_summary(tmp_path, of or area(), exhibits, cards, flags)
    return path, Document(str(path))


def _style(paragraph):
    assert paragraph.style is not None
    return paragraph.style.name


def _repeats(row):
    assert row._tr.trPr is not None
    return row._tr.trPr.find(qn("w:tblHeader")) is not None


def _texts(document):
    return [p.text for p in document.paragraphs]


def test_messages_follow_the_rule():
    said = [m.sentence for m in key_messages(CARDS, SPEAKING)]
    assert said == [
        "27% in 2025. The promise (all in time) is not met.",
        "Headline of ethnicity.",
        "Headline of sex.",
        "In 2025, 13.8% of pupils (55 of 400) had SEN support.",
    ]
    first, group = key_messages(CARDS, SPEAKING)[:2]
    assert first.standing == "How sure: medium. Lacking: what people say, an owner."
    assert group.more == "Plain words of ethnicity."


def test_of_one_characteristic_the_card_with_most_children_comes_first_and_others_after_the_whole_area():
    cards = [_card("a", 5.0, characteristic="sex"), _card("b", 9.0, characteristic="sex"), _card("c", "c")]
    now = exhibit("identification-now", kind="finding", title="Now.")
    assert [m.sentence for m in key_messages(cards, [now])] == ["Headline of b.", "Now.", "Headline of a."]


def test_headings_language_and_properties_are_real(tmp_path):
    path, document = _made(tmp_path)
    styles = [_style(p) for p in document.paragraphs]
    assert styles.count("Heading 1") == 1
    assert [p.text for p in document.paragraphs if _style(p) == "Heading 2"] == [
        "Key messages",
        "What people say",
        "What we do not know",
        "What is proposed, and who decides",
    ]
    own = document.core_properties
    assert (own.title, own.language) == ("SEND in Luton (synthetic): what the evidence says, 2026", "en-GB")
    assert (own.author, own.last_modified_by, own.comments) == ("", "", "")
    languages = {e.get(qn("w:val")) for e in document.styles.element.iter(qn("w:lang"))}
    assert languages == {"en-GB"}
    assert document.styles["Normal"].font.name == "Arial"
    assert document.styles["Normal"].font.size.pt == 12
    with zipfile.ZipFile(path) as archive:
        assert not [n for n in archive.namelist() if "customXml" in n or "thumbnail" in n]
        assert "PAGE" in archive.read("word/footer1.xml").decode()


def test_the_picture_is_described_and_has_a_caption(tmp_path):
    _, document = _made(tmp_path, flags=(flag("A"), flag("B", pooled_risk_ratio="0.61", pupils_affected="-90")))
    shape = document.inline_shapes[0]._inline.docPr
    assert "B: Any SEN, 0.61, between 1.30 and 1.70; A: Any SEN, 1.50" in shape.get("descr")
    captions = [p.text for p in document.paragraphs if _style(p) == "Caption"]
    assert captions[0].startswith("Figure 1. Groups identified more or less often than all others, Luton (synthetic)")
    assert "2 of the 2 groups" in captions[0]


def test_the_table_has_a_head_that_repeats_and_says_what_is_proposed(tmp_path):
    _, document = _made(tmp_path)
    (table,) = document.tables
    assert [c.text for c in table.rows[0].cells] == ["Priority", "Proposed", "Why"]
    assert [c.text for c in table.rows[1].cells] == ["P1 Early", "Strengthen", "A promise is not met."]
    assert [_repeats(row) for row in table.rows] == [True, False]
    assert any("Keep: P2 Later." in t for t in _texts(document))


def test_synthetic_and_restricted_stand_first(tmp_path):
    _, document = _made(tmp_path, of=area("Bristol, City of King's (synthetic, restricted)", restricted=True))
    assert _texts(document)[1].startswith("Restricted.")
    assert _texts(document)[2].startswith("Synthetic data.")


def test_two_runs_give_the_same_bytes(tmp_path, monkeypatch):
    first = _made(tmp_path)[0].read_bytes()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert _made(tmp_path)[0].read_bytes() == first


@pytest.mark.parametrize(
    ("exhibits", "cards", "flags"),
    [
        pytest.param((), (), (), id="nothing"),
        pytest.param(EXHIBITS, (), (), id="no cards, no flags, no proposals"),
        pytest.param((), CARDS, (flag("A", pooled_risk_ratio="c"), flag("B", pooled_lower="x")), id="flags hidden"),
        pytest.param(
            (), [{"id": "old", "confidence": "low: crude", "inequality": None}], FLAGS, id="a card of old form"
        ),
        pytest.param((), CARDS, (flag("A", status="watch"), flag("B", status="watch")), id="to watch alone"),
        pytest.param((), (), ({"group": "A"},), id="flags of another form"),
    ],
)
def test_little_to_say_is_said(tmp_path, exhibits, cards, flags):
    _, document = _made(tmp_path, exhibits, cards, flags)
    said = "\n".join(_texts(document))
    assert "Key messages" in said
    assert "The board decides" in said
    assert cards or exhibits or "No chapter of this pack found anything" in said


def test_each_group_once_and_never_a_hidden_figure():
    flags = [
        flag("A", pupils_affected="5"),
        flag("A", pupils_affected="50", outcome="ehc_plan"),
        flag("B", pooled_upper="c"),
    ]
    groups = standing_groups(flags)
    assert list(groups["group"]) == ["A"]
    assert list(groups["outcome"]) == ["ehc_plan"]
    mixed = standing_groups([flag("A", status="watch"), flag("B"), flag("C", status="no evidence")])
    assert list(mixed["group"]) == ["B"]


def test_people_are_quoted_where_they_were_asked_and_missed_where_not():
    asked = [_card("voice-s1", headline="36% of parents said yes."), _card("voice-s4"), _card("voice-s7")]
    assert voices(asked, ()) == ["36% of parents said yes.", "Headline of voice-s4."]
    assert voices((), ())[0].startswith("No answers of families")
    notice = exhibit("outcomes-x", kind="notice", title="No figure is at hand.", extras={"gap": "x"})
    assert unknowns([notice, notice])[0] == "No figure is at hand."
    assert len(unknowns([notice, notice])) == 2


def test_the_picture_is_the_same_twice_and_another_for_another_figure():
    import pandas as pd

    ratios = pd.DataFrame({"ratio": [1.5, 9.0], "lower": [1.2, 7.0], "upper": [1.9, 11.0]})
    first = ratio_picture(["A", "B"], ratios, "times")
    assert first[:8] == b"\x89PNG\r\n\x1a\n"
    assert b"Software" not in first
    assert ratio_picture(["A", "B"], ratios, "times") == first
    assert ratio_picture(["A", "B"], ratios.assign(ratio=[1.6, 9.0]), "times") != first


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed here")
def test_the_longest_summary_has_two_pages(tmp_path):
    cards = [_card(f"c{n}", 100.0 - n, headline=f"A long headline of group {n}. " * 16) for n in range(12)]
    proposals = [
        {"code": f"P{n}", "name": "A name", "proposal": "strengthen", "because": "Why. " * 24} for n in range(8)
    ]
    exhibits = [exhibit("priority-parts", extras={"priorities": proposals})]
    flags = [flag(f"Group {n} with a longer name", pupils_affected=str(n)) for n in range(9)]
    path = write_summary(tmp_path, area(), exhibits, cards, flags)
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pages = re.findall(rb"/Type\s*/Page\b", (tmp_path / "summary.pdf").read_bytes())
    assert 1 <= len(pages) <= 2
