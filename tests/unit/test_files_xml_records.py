"""Records out of XML: whatever lies round them, and nothing that a return never has."""

import gzip

import pytest

from jsna.errors import SourceError
from jsna.files.xml_records import records

LEAVES = frozenset(["id", "a", "b", "sentype", "rank"])
AROUND = frozenset(["term", "estab"])


def read(path, text, **how):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(records(path, "ids", leaves=LEAVES, around=AROUND, scopes=("header", "school"), **how))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.xml"


def test_a_record_is_what_has_the_marker_at_any_depth_and_in_any_namespace(path):
    inner = "<x:P><x:Ids><x:Id> 1 </x:Id></x:Ids><q><A>2</A></q></x:P>"
    text = f"<m xmlns:x='u'>{inner}<z><y><P><ids/><b>3</b></P></y></z></m>"
    first, second = read(path, text)
    assert (first.leaves, first.inside) == ({"id": ["1"], "a": ["2"]}, ("m", "p"))
    assert (second.leaves, second.inside) == ({"b": ["3"]}, ("m", "z", "y", "p"))


def test_only_the_wanted_leaves_are_kept(path):
    (only,) = read(path, "<m><p><ids><id>1</id><surname>Surname0001</surname></ids></p></m>")
    assert only.leaves == {"id": ["1"]}
    assert "Surname" not in str(only)


def test_leaves_side_by_side_stay_together(path):
    needs = "<n><rank>2</rank><sentype>B</sentype></n><n><sentype>A</sentype></n>"
    (only,) = read(path, f"<m><p><ids/>{needs}</p></m>")
    assert only.groups["n"] == [{"rank": "2", "sentype": "B"}, {"sentype": "A"}]


def test_leaves_that_stand_in_a_row_without_an_element_round_each_are_pairs_too(path):
    (only,) = read(
        path, "<m><p><ids/><n><rank>1</rank><sentype>A</sentype><rank>2</rank><sentype>B</sentype></n></p></m>"
    )
    assert only.groups["n"] == [{"rank": "1", "sentype": "A"}, {"rank": "2", "sentype": "B"}]


def test_what_a_school_says_holds_until_the_next_and_what_the_header_says_for_all(path):
    school = "<school><estab>{}</estab></school><p><ids/></p>"
    text = f"<m><header><term>SPR</term></header>{school.format(1)}<school/><p><ids/></p>{school.format(3)}</m>"
    assert [r.around for r in read(path, text)] == [
        {"term": "SPR", "estab": "1"},
        {"term": "SPR"},
        {"term": "SPR", "estab": "3"},
    ]


def test_a_new_header_forgets_all(path):
    text = "<m><header><term>SPR</term><estab>1</estab></header><header/><p><ids/></p></m>"
    assert read(path, text)[0].around == {}


def test_the_marker_need_not_come_first_in_elements_that_are_named_or_were_met(path):
    text = "<m><p><a>1</a><ids/></p><p><a>2</a><ids/></p></m>"
    assert [r.leaves for r in read(path, text, elements=("p",))] == [{"a": ["1"]}, {"a": ["2"]}]
    assert [r.leaves for r in read(path, text)][1] == {"a": ["2"]}


def test_a_named_element_without_the_marker_is_a_record(path):
    assert len(read(path, "<m><p><a>1</a></p><p><ids/></p></m>", elements=("p",))) == 2


def test_gzip_and_lines(tmp_path):
    text = "<m>\n<p><ids/></p>\n\n<p><ids/></p></m>"
    packed = read(tmp_path / "a.xml.gz", gzip.compress(text.encode()))
    assert [r.line for r in packed] == [2, 4]


REFUSED = {
    "document type": ("<!DOCTYPE m><m/>", "document type"),
    "cut short": ("<m><p><ids/></p>", "not whole XML"),
    "empty": ("", "not whole XML"),
    "no xml": ("a,b\n1,2\n", "not whole XML"),
    "two messages": ("<m/>\n<m/>", "goes on after its end"),
    "deep": ("<a>" * 300 + "</a>" * 300, "deeper in each other"),
    "a long text": (f"<m>{'x' * (3 << 20)}</m>", "longer than any return's"),
    "a long comment": (f"<m><!--{'x' * (3 << 20)}--></m>", "longer than any return's"),
    "an unknown encoding": ('<?xml version="1.0" encoding="made-up"?><m/>', "XML|encoding"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_return_has_is_refused_with_its_place(path, name):
    text, words = REFUSED[name]
    with pytest.raises(SourceError, match=words) as caught:
        read(path, text)
    assert "a.xml" in str(caught.value)


def test_a_missing_file_is_a_message(tmp_path):
    with pytest.raises(SourceError, match="missing"):
        list(records(tmp_path / "none.xml", "ids", leaves=LEAVES))
