"""The national load: the same every time, sorted by authority, and as a pupil table promises."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from jsna.sources.schema import COLUMNS as PROMISED
from jsna.synthetic.national import COLUMNS, area_pupils, authorities, sizes, write_national


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    made = tmp_path_factory.mktemp("load")
    return write_national(made, pupils=1500, areas=3, files=2, jobs=1)


def test_the_same_arguments_give_the_same_bytes(written, tmp_path):
    again = write_national(tmp_path, pupils=1500, areas=3, files=2, jobs=1)
    assert [p.name for p in again] == ["part-00.parquet", "part-01.parquet"]
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in written]


def test_rows_are_sorted_by_authority_over_all_files(written):
    codes = pd.concat([pd.read_parquet(p, columns=["la_code"]) for p in written])["la_code"]
    assert codes.is_monotonic_increasing
    assert tuple(codes.unique()) == authorities()[:3]
    assert pq.ParquetFile(written[0]).metadata.row_group(0).column(0).compression == "ZSTD"


def test_every_cell_is_as_the_pupil_table_promises(written):
    frame = pd.concat([pd.read_parquet(p) for p in written])
    assert tuple(frame.columns) == COLUMNS
    assert not frame.isna().any().any()
    for column in PROMISED:
        if column.name in frame and column.allowed:
            assert set(frame[column.name]) <= set(column.allowed), column.name
        if column.name in frame and column.pattern:
            assert frame[column.name].str.fullmatch(column.pattern).all(), column.name
    assert not frame.duplicated(["time_period", "pupil_id"]).any()


def test_no_ward_or_pupil_belongs_to_two_authorities():
    first, second = (area_pupils(n, code, 400) for n, code in enumerate(authorities()[:2]))
    for column in ("ward_code", "lsoa21", "pupil_id"):
        assert not set(first[column]) & set(second[column])


def test_authorities_differ_in_size_and_make_up_the_country():
    found = sizes(9_100_000, 153)
    assert len(found) == 153
    assert abs(sum(found) / 9_100_000 - 1) < 0.001
    assert min(found) >= 200
    assert 2 < max(found) / sorted(found)[76] < 20
