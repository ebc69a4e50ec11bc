"""A damaged or changed official file ends in one message, never in a traceback and never in a wrong total."""

import gzip
import zipfile

import pytest

from jsna.errors import SourceError
from jsna.sources.ehc_release import read_ehc_table
from jsna.sources.folder import OfficialFolder

HEADER = (
    "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,new_la_code,"
    "old_la_code,la_name,breakdown_topic,breakdown,ehcplans,mainstream_total,special_total"
)
ROW = "202425,Academic year,National,E92000001,England,,,,,,{topic},{group},{plans},x,1"
TOTAL = ROW.format(topic="All EHC plans", group="All EHC plans", plans=10)
LONG = "\n".join([HEADER, *(TOTAL.replace(",10,", f",{i},") for i in range(3000))])


def damaged(content: bytes) -> bytes:
    return content[:200] + bytes(b ^ 0x5A for b in content[200:260]) + content[260:]


def zipped(path, text):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/caseload.csv", text)
    return path


@pytest.mark.parametrize(
    ("topic", "words"),
    [("Free school meals", "topic is not known"), ("ethnicity", "Did you mean 'Ethnicity'")],
    ids=["new", "respelt"],
)
def test_an_unknown_topic_is_never_counted_as_a_total(tmp_path, topic, words):
    text = "\n".join([HEADER, TOTAL, ROW.format(topic=topic, group="Any", plans=4)])
    with pytest.raises(SourceError, match=words):
        read_ehc_table(zipped(tmp_path / "r.zip", text), "caseload")


def test_a_zip_damaged_inside(tmp_path):
    path = zipped(tmp_path / "r.zip", LONG)
    path.write_bytes(damaged(path.read_bytes()))
    with pytest.raises(SourceError, match="cannot be read"):
        read_ehc_table(path, "caseload")


def test_a_gzip_damaged_inside(tmp_path):
    path = tmp_path / "caseload.csv.gz"
    path.write_bytes(damaged(gzip.compress(LONG.encode())))
    with pytest.raises(SourceError, match="cannot be read"):
        read_ehc_table(path, "caseload")


def test_a_file_of_headings_alone(tmp_path):
    with pytest.raises(SourceError, match="no rows"):
        read_ehc_table(zipped(tmp_path / "r.zip", HEADER), "caseload")


def test_boundaries_that_are_not_parquet(tmp_path):
    (tmp_path / "boundaries_wards25_england.parquet").write_bytes(b"not parquet")
    with pytest.raises(SourceError, match="boundaries cannot be read"):
        OfficialFolder(tmp_path).ward_shapes(["E06000032"])
