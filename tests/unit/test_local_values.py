"""Values from an authority's own records: known counts, what is hidden, what is left out and said."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from local_records import AREA, CASES, SCHOOL, YEAR_BEFORE, alone, cases, figures, loaded, named, pupils, row
from statsmodels.stats.proportion import proportion_confint

from jsna.area import Area
from jsna.chapters.comparing import own_and_published
from jsna.disclosure import AddsUp, Policy, protect
from jsna.errors import CodeListError
from jsna.evidence.catalogue import catalogue, read_catalogue
from jsna.evidence.local_values import disagreements, local_values, values_of
from jsna.evidence.local_values.counts import counted, of_cases, of_pupils, tally, together
from jsna.evidence.local_values.specification import keys_of, source_of, specification, ways_of
from jsna.evidence.values import COLUMNS, both
from jsna.local import PREPARED_VARIABLE, keep_values
from jsna.params import Params
from jsna.roll import FrameRoll
from jsna.sealed import Sealed


def test_pupils_by_hand():
    found = values_of(of_pupils(FrameRoll(SCHOOL)), AREA)
    assert figures(found, "IDN-01") == (41, 140, "")
    assert figures(found, "IDN-02") == (19, 140, "")
    assert figures(found, "IDN-03") == (60, 140, "")
    assert figures(found, "POP-06") == (40, 140, "")
    # PD and VI are 5 children together: a sixth of another need must be possible, and so NSA goes with them.
    assert row(found, "IDN-06")["symbol"] == "c"
    assert figures(found, "IDN-12") == (22, 60, "")
    assert figures(found, "IDN-05", "need_asd") == (19, 140, "")
    own = row(found, "IDN-02")
    assert own["value"] == pytest.approx(100 * 19 / 140)
    assert [row(found, "IDN-05", f"need_{n}")["symbol"] for n in ("pd", "vi", "msi")] == ["c", "c", "c"]
    assert row(found, "IDN-05", "need_asd")["value"] == pytest.approx(1000 * 19 / 140)
    assert (own["period"], own["year"], own["origin"], own["way"]) == ("January 2026", 2026, "local", "counts")
    assert (own["area_code"], own["area_name"], own["area_level"]) == ("E06000032", "Luton", "local_authority")
    assert "Synthetic pupils" in own["source"]
    assert [own["lower"], own["upper"]] == pytest.approx(100 * np.array(proportion_confint(19, 140, method="wilson")))


def test_each_census_is_a_period():
    two = loaded(pd.concat([SCHOOL.frame, SCHOOL.frame.assign(time_period="202425")]))
    assert values_of(of_pupils(FrameRoll(two)), AREA).of("IDN-01")["period"].tolist() == [
        "January 2025",
        "January 2026",
    ]


def test_cases_by_hand():
    found = values_of(of_cases(CASES, [2024]), AREA)
    assert figures(found, "EHC-02") == (15, 117, "")
    assert figures(found, "EHC-03") == (75, 110, "")
    assert figures(found, "EHC-05") == (50, 75, "")
    assert row(found, "EHC-06")["symbol"] == "c"  # all 50 in time are without an exception: 50 less 50 tells of nobody
    assert figures(found, "EHC-07") == (8, 93, "")
    assert figures(found, "EHC-08") == (10, 93, "")
    assert set(found.frame["period"]) == {"2024"}


def test_a_year_whose_first_plans_are_not_in_the_list_is_left_out_and_said():
    found = values_of(of_cases(CASES, [2023, 2024, 2025]), AREA)
    assert found.of("EHC-05")["period"].tolist() == ["2024", "2025"]
    assert found.of("EHC-02")["period"].tolist() == ["2023", "2024", "2025"]
    only = cases(("2024-01-08", "assess", "2024-02-19", "2024-05-27", False, 20))
    cold = values_of(of_cases(only, [2024]), AREA)
    said = cold.absent[cold.absent["indicator"] == "EHC-05"]
    assert cold.of("EHC-05").empty
    assert said["reason"].str.startswith("2024: left out.").all()
    assert len(said) == 1
    assert "EHC-02" not in cold.absent["indicator"].tolist()


def test_the_measure_of_the_promise_stays_where_exceptions_are_few():
    """Without a preference the plans without exceptions, the smaller number, would go."""
    few = cases(
        YEAR_BEFORE, ("2024-01-08", "assess", "2024-02-19", "2024-09-27", False, 30), ("2024-01-08", "assess",
        "2024-02-19", "2024-09-27", True, 3),
    )  # fmt: skip
    found = values_of(of_cases(few, [2024]), AREA)
    assert figures(found, "EHC-05") == (30, 60, "")
    assert [row(found, i)["symbol"] for i in ("EHC-06", "EHC-07", "EHC-08")] == ["c", "c", "c"]


def test_a_blank_exception_is_not_a_no():
    late = ("2024-01-08", "assess", "2024-02-19", "2024-09-27")
    found = values_of(of_cases(cases(YEAR_BEFORE, (*late, False, 20), (*late, None, 30)), [2024]), AREA)
    assert figures(found, "EHC-05") == (30, 50, "")


def test_hidden_rows_carry_nothing_and_say_why():
    found = values_of(
        of_pupils(
            FrameRoll(pupils(("N", "", "ENG", "", 60), ("K", "SLCN", "ENG", "", 20), ("E", "ASD", "ENG", "", 3)))
        ),
        AREA,
    )
    hidden = found.frame[found.frame["symbol"] == "c"]
    assert len(hidden) > 5
    assert hidden[["value", "numerator", "denominator", "lower", "upper"]].isna().all(axis=None)
    assert hidden["note"].str.startswith("Hidden to protect people").all()
    assert row(found, "IDN-02")["symbol"] == "c"
    assert "c" in (row(found, "IDN-01")["symbol"], row(found, "IDN-03")["symbol"])


def test_a_rate_of_a_small_group_has_the_symbol_u():
    small = values_of(
        of_pupils(
            FrameRoll(pupils(("N", "", "ENG", "", 60), ("K", "SLCN", "ENG", "", 16), ("K", "NSA", "ENG", "", 6)))
        ),
        AREA,
    )
    assert row(small, "IDN-06")["symbol"] == ""
    strict = alone(Params(minimum_denominator=50))
    tight = values_of(
        of_pupils(
            FrameRoll(pupils(("N", "", "ENG", "", 60), ("K", "SLCN", "ENG", "", 16), ("K", "NSA", "ENG", "", 6)))
        ),
        strict,
    )
    assert (row(tight, "IDN-06")["symbol"], np.isnan(row(tight, "IDN-06")["value"])) == ("u", True)


def test_nobody_gives_no_values_and_every_way_is_absent():
    found = values_of(together([]), AREA)
    assert found.frame.empty
    assert tuple(found.frame.columns) == COLUMNS
    assert named(found.absent) == named(ways_of(catalogue().indicators.values()))
    assert (found.absent["mend"] != "").all()


def test_rows_and_absent_make_up_the_catalogue():
    found = values_of(together([of_pupils(FrameRoll(SCHOOL)), of_cases(CASES, [2024])]), AREA)
    got, absent = named(found.frame), named(found.absent)
    assert got | absent == named(ways_of(catalogue().indicators.values()))
    assert not got & absent
    assert not found.frame.duplicated(["indicator", "group", "period"]).any()


def test_events_rest_on_the_children_behind_them():
    """Eight suspensions of two children tell of two children."""
    numbers = {"suspensions": 8, "suspended": 2, "on_roll": 900, "permanent": 0, "suspended_sessions": 40}
    found = values_of(tally([counted("exclusions", "x.csv", "2024/25", 2025, numbers)]), AREA)
    assert row(found, "ATD-04")["symbol"] == "c"
    more = values_of(tally([counted("exclusions", "x.csv", "2024/25", 2025, numbers | {"suspended": 6})]), AREA)
    assert figures(more, "ATD-04") == (8, 900, "")
    assert row(more, "ATD-04")["upper"] > row(more, "ATD-04")["value"] > row(more, "ATD-04")["lower"]


def test_every_way_has_a_known_source_and_measure_of_the_basis_of_its_indicator():
    for indicator in catalogue().indicators.values():
        for way in indicator.local:
            assert keys_of(way) is not None, (indicator.id, way)
            assert specification()[source_of(way)]["basis"] == indicator.basis, (indicator.id, way)


CENSUS_WAY = """
XXX-01:
  name: "Plans over pupils"
  question: "A number of other children?"
  numerator: "plans"
  denominator: "pupils"
  kind: proportion
  basis: {basis}
  unit: "%"
  direction: neutral
  interval: wilson
  period: january
  release: "own"
  local: [{{brings: {brings}, measure: {measure}}}]
"""


def small_catalogue(tmp_path, **told):
    path = Path(tmp_path) / "x.yml"
    path.write_text(CENSUS_WAY.format(**told), encoding="utf-8")
    return read_catalogue([path])


def test_counts_of_other_children_are_refused(tmp_path):
    known = small_catalogue(tmp_path, basis="responsible_la", brings="pupils", measure="ehc_plan")
    with pytest.raises(CodeListError, match="two bases"):
        values_of(of_pupils(FrameRoll(SCHOOL)), AREA, known)


def test_a_measure_that_nobody_knows_is_absent(tmp_path):
    known = small_catalogue(tmp_path, basis="responsible_la", brings="reviews", measure="reviewed_in_a_week")
    found = values_of(of_pupils(FrameRoll(SCHOOL)), AREA, known)
    assert found.frame.empty
    assert found.absent["reason"].tolist() == ["The workbench has no measure reviewed_in_a_week of reviews."]


def official(values, changes):
    """The same figures as if they had been published, with other values in some rows."""
    frame = values.frame.assign(origin="official", source="DfE")
    for (indicator, period), value in changes.items():
        frame.loc[(frame["indicator"] == indicator) & (frame["period"] == period), "value"] = value
    return replace(values, frame=frame)


def test_own_and_published_figures_side_by_side():
    two = loaded(pd.concat([SCHOOL.frame, SCHOOL.frame.assign(time_period="202425")]))
    own = values_of(of_pupils(FrameRoll(two)), AREA)
    published = official(own, {("IDN-02", "January 2025"): 40.0, ("IDN-01", "January 2025"): 27.0})
    published = replace(published, frame=published.frame[published.frame["period"] == "January 2025"])
    together_ = both(published, own)
    apart = disagreements(together_)
    assert apart[["indicator", "period"]].values.tolist() == [["IDN-02", "January 2025"]]
    assert apart["difference"].iloc[0] == pytest.approx(100 * 19 / 140 - 40)
    shown = own_and_published(SimpleNamespace(values=together_, synthetic=False))
    assert shown.kind == "table"
    assert all(part in shown.body for part in ("Pupils with an EHC plan", "January 2025", "13.6%", "40.0%"))


def test_a_run_takes_the_values_that_it_has_put_aside(tmp_path, monkeypatch):
    own = values_of(of_pupils(FrameRoll(SCHOOL)), AREA)
    folder = tmp_path / "aside"
    keep_values(folder, own.frame, own.absent, own.sources)
    monkeypatch.setenv(PREPARED_VARIABLE, str(folder))
    again = local_values(Area(Params(source="local")))
    pd.testing.assert_frame_equal(again.frame, own.frame)
    pd.testing.assert_frame_equal(again.absent, own.absent.astype("str"))
    assert again.sources == own.sources


def test_an_area_of_official_files_has_no_values_of_its_own():
    assert local_values(Area(Params(source="official"))).frame.empty


def test_those_that_are_to_go_first_do_so():
    frame = pd.DataFrame({"key": ["a", "b", "c"], "pupils": [3, 20, 40]})
    rows = np.array([True, True, True])
    relations = (AddsUp((), rows, np.array([False, False, True])),)
    shown = protect(Sealed(frame, counts=("pupils",)), Policy(), source="a test", synthetic=True, relations=relations)
    assert shown.text()["pupils"].tolist() == ["c", 20.0, "c"]


def test_the_embedded_area_has_values():
    found = AREA.values
    assert found.of("IDN-03")["period"].tolist() == ["January 2024", "January 2025", "January 2026"]
    assert found.of("EHC-05")["period"].tolist() == ["2024", "2025"]
    assert (found.frame["origin"] == "local").all()
    assert found.frame["source"].str.contains("Synthetic").all()
    assert found.frame["symbol"].isin(["", "c", "u"]).all()


def test_requests_alone_have_no_rate_without_the_official_file():
    alone = values_of(of_cases(CASES, [2024]), AREA)
    assert alone.of("EHC-01").empty
    assert "residents" in alone.absent.set_index("indicator").loc["EHC-01", "reason"]
