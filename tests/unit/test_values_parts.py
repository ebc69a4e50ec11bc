"""Parts of the values: periods as files write them, the cache on disk, and what holds for every table."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.area import Area
from jsna.codes import code_list
from jsna.evidence.catalogue import Indicator
from jsna.evidence.values import Values, both
from jsna.evidence.values import tables as values_tables
from jsna.evidence.values.areas import areas
from jsna.evidence.values.cache import kept
from jsna.evidence.values.compute import compute
from jsna.evidence.values.periods import read_periods, year_of
from jsna.files.result import Summary
from jsna.params import Params
from jsna.sources.folder import OfficialFolder
from tests.values_samples import (
    BEDFORD,
    FIGURES,
    LUTON,
    SLOUGH,
    area,
    catalogue_of,
    counts,
    england,
    in_time,
    indicator,
    release,
)

FULL = [
    england(200, 190, 110, 100),
    area(LUTON, "821", "Luton", 100, 90, 30, 27),
    area(SLOUGH, "871", "Slough", 100, 100, 80, 73),
]

CODES = [*code_list("local_authority").index[:40], "E10000006", "E12000006", "E13000001", "E92000001"]


@pytest.mark.parametrize(
    ("written", "identifier", "kind", "period", "year"),
    [
        ("202425", "Academic year", "january", "January 2025", 2025),
        ("2022", "Calendar year", "january", "January 2022", 2022),
        ("2025", "", "january", "January 2025", 2025),
        ("2024", "Calendar year", "calendar_year", "2024", 2024),
        # The single download of sen_need_newplans: six digits under "Calendar year".
        ("202425", "Calendar year", "calendar_year", "2024", 2024),
        ("202324", "Academic year", "academic_year", "2023/24", 2024),
        ("2023/24", "", "academic_year", "2023/24", 2024),
        ("2025", "", "academic_year", "2024/25", 2025),
        ("2025 (prov)", "", "academic_year", "2024/25", 2025),
        ("2016-17 (OT)", "", "financial_year", "2016/17", 2017),
        ("2024-25", "", "financial_year", "2024/25", 2025),
        ("2014-16", "", "calendar_year", "2014 to 2016", 2016),
        ("2013/14-15/16", "", "financial_year", "2013/14 to 2015/16", 2016),
        ("1999-00", "", "financial_year", "1999/00", 2000),
        ("0", "", "calendar_year", "0", 0),
        ("latest", "", "survey", "latest", 0),
    ],
)
def test_periods_as_files_write_them(written, identifier, kind, period, year):
    made = read_periods(pd.DataFrame({"written": [written], "identifier": [identifier]}), kind).iloc[0]
    assert (made["period"], made["year"]) == (period, year)


@pytest.mark.parametrize(("period", "year"), [("January 2025", 2025), ("2023/24", 2024), ("2023", 2023), ("", 0)])
def test_the_year_of_a_label(period, year):
    assert year_of(period) == year


def small(folder: Path, share: int = 27) -> OfficialFolder:
    release(folder, [england(200, 190, 110, 100), area(LUTON, "821", "Luton", 100, 90, 30, share)])
    return OfficialFolder(folder)


def test_values_are_kept_and_come_back_the_same(tmp_path, monkeypatch):
    known, place = catalogue_of(indicator(in_time())), tmp_path / "cache"
    first = kept(small(tmp_path), known, 0.95, place)
    assert len(list(place.iterdir())) == 2
    monkeypatch.setattr("jsna.evidence.values.compute.compute", lambda *a: pytest.fail("computed again"))
    again = kept(OfficialFolder(tmp_path), known, 0.95, place)
    pd.testing.assert_frame_equal(first.frame, again.frame)
    pd.testing.assert_frame_equal(first.absent, again.absent)
    pd.testing.assert_frame_equal(first.vintages, again.vintages)
    assert first.sources == again.sources


def test_another_file_catalogue_or_level_is_another_answer(tmp_path):
    known, place = catalogue_of(indicator(in_time())), tmp_path / "cache"
    first = kept(small(tmp_path), known, 0.95, place)
    other = kept(small(tmp_path, 28), known, 0.95, place)
    wide = kept(small(tmp_path, 28), known, 0.99, place)
    named = kept(small(tmp_path, 28), catalogue_of(indicator(in_time(), minimum_denominator=91)), 0.95, place)
    luton = [v.of("EHC-05", areas=[LUTON]).iloc[0] for v in (first, other, wide, named)]
    assert [r["numerator"] for r in luton] == [27, 28, 28, 28]
    assert luton[2]["upper"] > luton[1]["upper"]
    assert luton[3]["symbol"] == "u"
    assert len(list(place.glob("*.json"))) == 4


@pytest.mark.parametrize("ending", ["parquet", "json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"not what it was", None])
def test_what_is_damaged_is_made_anew(tmp_path, ending, damage):
    known, place = catalogue_of(indicator(in_time())), tmp_path / "cache"
    first = kept(small(tmp_path), known, 0.95, place)
    path = next(place.glob(f"*.{ending}"))
    whole = path.read_bytes()
    path.unlink() if damage is None else path.write_bytes(damage)
    again = kept(OfficialFolder(tmp_path), known, 0.95, place)
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert ending == "json" or path.read_bytes() == whole
    assert json.loads(next(place.glob("*.json")).read_text())["sha256"]


def test_a_place_that_cannot_be_written_to_costs_time_alone(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    made = kept(small(tmp_path), catalogue_of(indicator(in_time())), 0.95, tmp_path / "cache")
    assert len(made.of("EHC-05"))


def test_two_processes_at_once_leave_whole_files(tmp_path, repository):
    small(tmp_path)
    code = (
        "import sys; from pathlib import Path; from jsna.evidence.values.cache import kept;"
        "from jsna.sources.folder import OfficialFolder; from tests.values_samples import *;"
        "f = Path(sys.argv[1]);"
        "v = kept(OfficialFolder(f), catalogue_of(indicator(in_time())), 0.95, f / 'cache');"
        "print(v.of('EHC-05', areas=[LUTON])['numerator'].iloc[0])"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    runs = [subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [run.communicate()[0].strip() for run in runs] == ["27.0", "27.0"]
    assert sorted(p.suffix for p in (tmp_path / "cache").iterdir()) == [".json", ".parquet"]


def test_of_several_at_once_one_computes_and_the_others_wait(tmp_path, monkeypatch):
    known, place, computed = catalogue_of(indicator(in_time())), tmp_path / "cache", []

    def slowly(*asked):
        computed.append(asked)
        time.sleep(0.5)
        return compute(*asked)

    folder = small(tmp_path)
    monkeypatch.setattr("jsna.evidence.values.compute.compute", slowly)
    with ThreadPoolExecutor(3) as threads:
        made = [m.result() for m in [threads.submit(kept, folder, known, 0.95, place) for _ in range(3)]]
    assert len(computed) == 1
    assert [len(m.of("EHC-05")) for m in made] == [len(made[0].of("EHC-05"))] * 3
    assert sorted(p.suffix for p in place.iterdir()) == [".json", ".parquet"]


def test_one_that_is_never_done_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    known, place = catalogue_of(indicator(in_time())), tmp_path / "cache"
    place.mkdir()
    monkeypatch.setattr("jsna.evidence.values.cache.PATIENCE", 0.1)
    monkeypatch.setattr("jsna.evidence.values.cache._digest", lambda *a: "d")
    with FileLock(place / ".values-d.lock"):
        assert len(kept(small(tmp_path), known, 0.95, place).of("EHC-05"))


def test_an_area_has_the_values_of_its_folder(tmp_path, monkeypatch):
    small(tmp_path)
    monkeypatch.setenv("JSNA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("jsna.evidence.values.catalogue", lambda: catalogue_of(indicator(in_time())))
    opened = Area(Params(areas=[LUTON], source="official", data=str(tmp_path), confidence=0.9))
    own = opened.values.of("EHC-05", areas=[LUTON]).iloc[0]
    whole = compute(OfficialFolder(tmp_path), catalogue_of(indicator(in_time())), 0.9).of("EHC-05", areas=[LUTON])
    assert own["upper"] == whole["upper"].iloc[0]
    assert opened.values is opened.values


def made_of(folder: Path, *indicators: Indicator) -> Values:
    return compute(OfficialFolder(folder), catalogue_of(*indicators))


def row_of(made: Values, code: str, of: str = "EHC-05", group: str = "all") -> pd.Series:
    rows = made.of(of, group, [code])
    return rows[rows["period"] == "2024"].iloc[0]


def test_two_copies_of_a_table_that_disagree_are_told_and_the_zip_is_used(tmp_path):
    release(tmp_path, [*FULL, area(BEDFORD, "822", "Bedford", 50, 40, 20, 10)])
    other = release(
        tmp_path,
        [*FULL[:2], area(SLOUGH, "871", "Slough", 100, 100, 80, 74)],
        name="other.zip",
    )
    single = tmp_path / "singly" / "timeliness_20_week.csv"
    single.parent.mkdir()
    single.write_bytes(zipfile.ZipFile(other).read("data/timeliness_20_week.csv"))
    other.unlink()
    made = made_of(tmp_path, indicator(in_time()))
    assert row_of(made, SLOUGH)["value"] == pytest.approx(73)
    told = made.vintages.set_index("area_code")
    assert told.index.tolist() == [SLOUGH, BEDFORD]
    assert told.loc[SLOUGH, ["pinned_value", "other_value"]].tolist() == [pytest.approx(73), pytest.approx(74)]
    assert told.loc[BEDFORD, "pinned_value"] == pytest.approx(25)
    assert math.isnan(told.loc[BEDFORD, "other_value"])
    assert told["other_file"].iloc[0] == "timeliness_20_week.csv"
    assert "timeliness_20_week.csv" in [s.file for s in made.sources]


def test_a_copy_that_cannot_be_compared_is_named(tmp_path):
    release(tmp_path, FULL)
    (tmp_path / "timeliness_20_week.csv").write_text("not,a,table\n1,2,3\n")
    made = made_of(tmp_path, indicator(in_time()))
    assert made.vintages.empty
    assert made.absent.empty
    assert "was not compared" in " ".join(made.sources[-1].notes)


def test_gap_change_and_sum_by_hand(tmp_path):
    years = [area(LUTON, "821", "Luton", 100, 90, 30, 27, period="2020")]
    release(tmp_path, [*FULL, *years])
    support, none = ({"group": g} | in_time(numerator=counts(c)) for g, c in (("plan", FIGURES[3]), ("no", FIGURES[1])))
    base = indicator(support, none)
    gap = indicator(id="ATT-11", derived=[{"how": "gap", "of": ["EHC-05"], "group": "plan", "against": "no"}], needs="")
    change = indicator(
        id="IDN-08", derived=[{"how": "change", "of": ["EHC-05"], "group": "no", "years": 4}], needs="", interval="none"
    )
    total = indicator(id="IDN-03", derived=[{"how": "sum", "of": ["EHC-06", "EHC-07"]}], needs="")
    parts = [indicator(in_time(), id="EHC-06"), indicator(in_time(), id="EHC-07")]
    made = made_of(tmp_path, base, gap, change, total, *parts)
    apart = row_of(made, LUTON, of="ATT-11", group="plan")
    assert apart["value"] == pytest.approx(70)
    assert apart["lower"] < 70 < apart["upper"]
    assert row_of(made, LUTON, of="IDN-08", group="no")["value"] == pytest.approx(0)
    assert row_of(made, LUTON, of="IDN-03")[["numerator", "value"]].tolist() == [54, pytest.approx(60)]


def test_values_of_two_origins_stand_beside_each_other(tmp_path):
    release(tmp_path, FULL)
    official = made_of(tmp_path, indicator(in_time()))
    own = type(official)(official.frame.assign(origin="local"), (), official.absent, official.vintages)
    made = both(official, own)
    assert made.of("EHC-05", areas=[LUTON])["origin"].tolist() == ["local", "official"]
    assert made.of("EHC-05", areas=[LUTON], origin="official")["origin"].tolist() == ["official"]


cell = st.one_of(st.integers(0, 400), st.sampled_from(["x", "c", "z", "low", "u"]))
lines = st.dictionaries(
    st.tuples(st.sampled_from(CODES), st.sampled_from([2019, 2021, 2024])),
    st.tuples(cell, cell),
    min_size=1,
    max_size=60,
)


def as_table(rows: dict) -> values_tables.Table:
    """Counts and symbols by area and year, in the form of a table."""
    frame = pd.DataFrame([(code, str(year), *figures) for (code, year), figures in rows.items()])
    frame = frame.set_axis(["area_code", "written", FIGURES[3], FIGURES[1]], axis="columns")
    level = frame["area_code"].map(
        lambda c: {"E92": "england", "E12": "region", "E13": "region"}.get(c[:3], "local_authority")
    )
    frame = frame.assign(area_level=level, identifier="", breakdown_topic="Total")
    for figure in (FIGURES[3], FIGURES[1]):
        number = pd.to_numeric(frame[figure], errors="coerce")
        symbol = frame[figure].astype("str").where(number.isna(), "")
        frame = frame.assign(**{figure: number.astype("float64"), f"{figure}_symbol": symbol})
    words = frame.columns.difference([FIGURES[3], FIGURES[1]])
    return values_tables.table_of(frame.astype(dict.fromkeys(words, "str")), Summary("Made up", "a file", "", 0, 0, 0))


@settings(max_examples=25, deadline=None)
@given(lines, st.sampled_from([("proportion", "wilson"), ("event_rate", "byar")]), st.sampled_from([1, 100, 10_000]))
def test_what_holds_for_every_table(tmp_path_factory, rows, how, per):
    kind, interval = how
    known = catalogue_of(indicator(in_time(), kind=kind, interval=interval, per=per))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(values_tables.READERS, "ehc", lambda folder, name: as_table(rows))
        frame = compute(OfficialFolder(tmp_path_factory.mktemp("empty")), known).frame
    shown = frame[frame["symbol"] == ""]
    assert shown["value"].notna().all()
    assert frame[frame["symbol"] != ""]["value"].isna().all()
    assert set(frame["symbol"]) <= {"", "z", "x", "c", "low", "u"}
    assert np.allclose(shown["value"] * shown["denominator"], per * shown["numerator"])
    assert (shown["lower"] <= shown["value"] + 1e-9).all()
    assert (shown["value"] <= shown["upper"] + 1e-9).all()
    assert (shown["denominator"] >= 10).all()
    assert set(frame["area_code"]) <= set(areas().index)
    assert len(areas()) == 163
    assert not frame.duplicated(["indicator", "group", "area_code", "period"]).any()
    above = frame[frame["area_level"] != "local_authority"]["completeness"]
    assert above.between(0, 1).all()
    assert frame[frame["area_level"] == "local_authority"]["completeness"].isna().all()
    given_figures = {k: v for k, v in rows.items() if k[0][:3] in ("E06", "E08", "E09", "E10") and k[0] != "E10000006"}
    found = frame.set_index(["area_code", "year"])["symbol"]
    for (code, year), (n, d) in given_figures.items():
        if isinstance(n, int) and isinstance(d, int) and d >= 10 and (kind == "event_rate" or n <= d):
            assert found[(code, year)] == ""
