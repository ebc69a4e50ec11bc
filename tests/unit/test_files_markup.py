"""XML comes as a stream of elements, with memory that does not grow, and long or deep things are refused."""

import gzip
import tracemalloc
import zipfile

import pytest

from jsna.errors import SourceError
from jsna.files.markup import events, local

DOCUMENT = '<m xmlns="urn:x"><p a="1"><UPN>A</UPN></p>\n<p/></m>'


def shape(path, member=None):
    return [(event, local(element.tag)) for event, element in events(path, member)]


def written(tmp_path, text, name="x.xml"):
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return tmp_path / name


def test_elements_come_as_they_are_met(tmp_path):
    expected = [("start", "m"), ("start", "p"), ("start", "upn"), ("end", "upn"), ("end", "p"), ("start", "p")]
    assert shape(written(tmp_path, DOCUMENT)) == [*expected, ("end", "p"), ("end", "m")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252", "iso-8859-1"])
def test_every_declared_encoding(tmp_path, encoding):
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><m><n>Zoë</n></m>'
    found = [e.text for event, e in events(written(tmp_path, text.encode(encoding))) if event == "end"]
    assert found[0] == "Zoë"


def test_gzipped_and_zipped_files(tmp_path):
    plain = shape(written(tmp_path, DOCUMENT))
    assert shape(written(tmp_path, gzip.compress(DOCUMENT.encode()), "x.xml.gz")) == plain
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.xml", DOCUMENT)
    assert shape(tmp_path / "x.zip", "x.xml") == plain


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = written(tmp_path, "<m>" + "<p><UPN>A99900000</UPN></p>" * 30_000 + "</m>")
    tracemalloc.start()
    above = []
    for event, element in events(path):
        if event == "start":
            above.append(element)
            continue
        above.pop()
        if above:
            above[-1].remove(element)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_what_is_said_beside_the_elements_is_passed_over(tmp_path):
    text = f"<?pi {'x' * 1000}?><m><!-- {'<' * 1000} --><p>a<![CDATA[<b>]]></p></m>"
    found = {local(e.tag): e.text for event, e in events(written(tmp_path, text)) if event == "end"}
    assert found["p"] == "a<b>"


def test_a_text_of_half_a_mebibyte_is_read(tmp_path):
    text = "x" * (1 << 19)
    assert next(e.text for v, e in events(written(tmp_path, f"<m><p>{text}</p></m>")) if v == "end") == text


def test_the_caller_may_stop_and_its_own_errors_are_its_own(tmp_path):
    path = written(tmp_path, DOCUMENT)
    assert next(iter(events(path)))[0] == "start"
    with pytest.raises(KeyError):
        [{}["lacking"] for _ in events(path)]
    with pytest.raises(SourceError, match="line 1, column 4"):
        shape(written(tmp_path, "<m>&nbsp"))
