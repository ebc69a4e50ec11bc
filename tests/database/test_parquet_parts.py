"""Pupils in several parquet files: in any order, of any size; a part that is not as the others stops the count."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.counts.question import Question
from jsna.engines import check_agreement, count_areas, open_engine
from jsna.engines.duck import open_duck_parquet
from jsna.errors import SourceError
from jsna.synthetic.national import authorities, write_national

PURPOSE = "to test"
CODE = authorities()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("national")
    write_national(made, pupils=1600, areas=4, files=2, jobs=1)
    return made


def rewritten(folder, to, change, **options):
    """The same files with a change to the table of one."""
    for number, path in enumerate(sorted(folder.glob("*.parquet"))):
        table = pq.ParquetFile(path).read()
        pq.write_table(change(table) if number else table, to / path.name, **options)


def test_numbers_of_another_width_in_another_file(folder, tmp_path):
    """One authority lies in both files, so that they are put together."""
    table = pq.read_table(folder)
    at, half = table.column_names.index("idaci_decile"), len(table) // 2
    wide = table.set_column(at, "idaci_decile", table["idaci_decile"].cast("int64"))
    pq.write_table(table.slice(0, half), tmp_path / "a.parquet")
    pq.write_table(wide.slice(half), tmp_path / "b.parquet")
    with open_engine("parquet", str(folder)) as engine, open_engine("parquet", str(tmp_path)) as other:
        for groupings in (["idaci_decile"], ["idaci_quintile", "sex"]):
            one, two = (count_areas(e, groupings) for e in (engine, other))
            pd.testing.assert_frame_equal(one.unseal(PURPOSE), two.unseal(PURPOSE))
        with pytest.raises(SourceError, match="counted by authority"):
            engine.count(Question((("sex",),)))


@settings(max_examples=12, deadline=None)
@given(st.none() | st.integers(0, 1000), st.integers(400, 4000))
def test_files_in_any_order_and_in_groups_of_any_size(folder, tmp_path_factory, shuffled_by, rows):
    """Sorting by authority makes it fast, and nothing else."""
    made = tmp_path_factory.mktemp("shuffled")
    table = pq.read_table(folder)
    if shuffled_by is not None:
        table = table.take(pa.array(np.random.default_rng(shuffled_by).permutation(len(table))))
    pq.write_table(table, made / "all.parquet", row_group_size=rows)
    groupings = (("sex", "ethnicity"), ("sex",), ("latest_school",))
    with open_engine("parquet", str(made)) as shuffled, open_duck_parquet(folder) as straight:
        for question in (Question(groupings, by_area=True), Question(groupings, (CODE,))):
            check_agreement(shuffled.count(question), straight.count(question))


def without(name):
    return lambda table: table.drop_columns([name])


def with_holes(table):
    cells = pc.if_else(pc.equal(table["sex"], "F"), table["primary_need"], None)
    return table.set_column(table.column_names.index("primary_need"), "primary_need", cells)


def as_numbers(table):
    return table.set_column(table.column_names.index("sex"), "sex", pa.array([1] * len(table)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("ethnicity"), "part-01.parquet: The pupil table lacks a column.*'ethnicity'"),
        (
            as_numbers,
            "part-01.parquet, column sex: A column is not of the kind that the other files have.*'int64'.*text",
        ),
        (with_holes, "column primary_need: The pupil table has rows with missing cells, so nothing was counted"),
    ],
    ids=["a column less", "another kind", "missing cells"],
)
def test_a_part_with_another_schema(folder, tmp_path, change, words):
    rewritten(folder, tmp_path, change)
    with open_engine("parquet", str(tmp_path)) as engine, pytest.raises(SourceError, match=words):
        count_areas(engine, ["ethnicity"], ["sex"])


def test_a_file_that_is_cut_short_or_gone_or_none_at_all(folder, tmp_path):
    rewritten(folder, tmp_path, lambda table: table)
    last = max(tmp_path.glob("*.parquet"))
    with open_engine("parquet", str(tmp_path)) as engine:
        assert engine.columns
        content = bytearray(last.read_bytes())
        content[100:-2000] = bytes(len(content) - 2100)
        last.write_bytes(content)
        with pytest.raises(SourceError, match=r"part-01.parquet: The file cannot be read .* cut short"):
            count_areas(engine, ["sex"])
        last.unlink()
        with pytest.raises(SourceError, match=r"part-01\.parquet: The file is missing"):
            count_areas(engine, ["sex"])
    last.write_bytes(b"PAR1")
    with open_engine("parquet", str(tmp_path)) as engine, pytest.raises(SourceError, match="cannot be read"):
        count_areas(engine, ["sex"])
    with pytest.raises(SourceError, match="no parquet files"), open_engine("parquet", str(tmp_path / "nothing")):
        pass
