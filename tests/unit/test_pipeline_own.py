"""The EHC pipeline from an authority's own lists: counted by hand, within age, and what the gate keeps back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from jsna.area import Area
from jsna.chapters import pipeline
from jsna.disclosure import Policy
from jsna.evidence.pipeline import UNKNOWN
from jsna.evidence.pipeline.own import compared_own
from jsna.evidence.pipeline.own_counts import own_counts
from jsna.files.result import Loaded, Summary, together
from jsna.params import Params


def _loaded(frame: pd.DataFrame, period: str) -> Loaded:
    return Loaded(frame, together([]), Summary("made up", "made up", period, len(frame), len(frame), 0, "", "", ""))


def _cases(rows: list[tuple], period: str = "2024 to 2025") -> Loaded:
    """Cases: day of the request, decision, days to it, days to the plan (None: none), exception, sex, group, age."""
    frame = pd.DataFrame(rows, columns=["asked", "decision", "decide", "plan", "exception", "sex", "ethnicity", "age"])
    asked = pd.to_datetime(frame["asked"])
    made = pd.DataFrame(
        {
            "date_requested": asked,
            "decision": pd.Categorical(frame["decision"]),
            "date_decided": asked + pd.to_timedelta(frame["decide"], unit="D"),
            "plan_issued": frame["plan"].notna(),
            "date_issued": asked + pd.to_timedelta(frame["plan"], unit="D"),
            "exception": frame["exception"].astype("boolean"),
            "sex": frame["sex"],
            "ethnicity": frame["ethnicity"],
            "age": frame["age"].astype("Int64"),
        }
    )
    return _loaded(made, period)


def _cells(cases: Loaded, **named) -> pd.DataFrame:
    cells = own_counts(cases, **named).cells.unseal("a test on invented cases")
    return cells.groupby(["outcome", "dimension", "group"])[["count", "total"]].sum()


def test_own_stages_counted_by_hand():
    cases = _cases(
        [
            ("2024-11-01", "assess", 42, 140, False, "F", "APKN", 4),  # plan in 2025, on day 140
            ("2024-12-01", "assess", 43, 141, False, "M", "WBRI", 4),  # a day late for both
            ("2025-01-10", "assess", 10, 100, True, "F", "WBRI", 12),  # an exception: no plain plan
            ("2025-01-11", "assess", 10, 100, None, "F", "WBRI", 12),  # not said: no plain plan
            ("2025-02-01", "refuse", 50, None, False, "M", "REFU", None),
            ("2025-02-02", "pending", None, None, False, "M", "WBRI", 6),
            ("2025-03-01", "refuse", None, None, False, "M", "WBRI", 6),  # no day of the decision
        ]
    )
    cells = _cells(cases)
    assert cells.loc[("refused_of_decided", "sex", "Male")].tolist() == [1, 2]
    assert cells.loc[("six_weeks", "ethnicity", "APKN")].tolist() == [1, 1]
    assert cells.loc[("six_weeks", "ethnicity", "WBRI")].tolist() == [2, 3]
    assert cells.loc[("refused_of_decided", "ethnicity", UNKNOWN)].tolist() == [1, 1]
    assert cells.loc[("refused_of_decided", "age", UNKNOWN)].tolist() == [1, 1]
    assert cells.loc[("in_20_weeks_ex", "age", "00-04")].tolist() == [1, 2]
    assert ("in_20_weeks_ex", "age", "11-15") not in cells.index


def test_the_plans_of_a_first_year_that_only_has_the_quick_ones_take_no_part():
    quick = [("2024-02-01", "assess", 20, 60, False, "F", "WBRI", 5)] * 9
    told = [("2024-12-01", "assess", 20, 150, False, "F", "WBRI", 5)] * 4
    made = own_counts(_cases(quick + told))
    assert made.periods["in_20_weeks_ex"] == "2025"
    assert made.periods["refused_of_decided"] == "2024"  # every request of this list is of that year
    cells = made.cells.unseal("a test on invented cases").query("outcome == 'in_20_weeks_ex' and dimension == 'sex'")
    assert cells[["count", "total"]].to_numpy().tolist() == [[0, 4]]


def _own(cases: Loaded, **named):
    return compared_own(own_counts(cases, **named), policy=Policy(), source="made up", synthetic=True)


def test_a_difference_that_is_one_of_age_is_gone_within_age():
    """The young wait: 1 in 5 in time; the older 4 in 5. Group APKN is young, and as quick as others of its age."""
    rows = []
    for group, young, old in (("APKN", 100, 20), ("WBRI", 50, 150)):
        for age, number, share in ((3, young, 5), (12, old, 1.25)):
            late = [280 if i % 5 < 5 - 5 / share else 100 for i in range(number)]
            rows += [("2023-11-01", "assess", 30, d, False, "F", group, age) for d in late]
    frame = _own(_cases(rows, "2024")).table.frame
    row = frame.query("outcome == 'in_20_weeks_ex' and group == 'APKN'").iloc[0]
    assert row["risk_ratio"] < 0.8
    assert row["age_lower"] < 1 < row["age_upper"]
    assert row["age_risk_ratio"] > 0.9


def test_what_is_few_is_hidden_and_follows_from_nothing_that_is_shown():
    random = np.random.default_rng(1)
    rows = []
    for group, number in (("WBRI", 200), ("APKN", 120), ("BCRB", 14), ("AIND", 9), ("CHNE", 3), ("NOBT", 2)):
        for _ in range(number):
            refused = random.random() < 0.2
            days = None if refused else int(random.integers(90, 400))
            asked = pd.Timestamp("2023-10-01") + pd.Timedelta(days=int(random.integers(0, 450)))
            exception = bool(random.random() < 0.05)
            rows.append((asked, "refuse" if refused else "assess", 20, days, exception, "F", group, 7))
    made = _own(_cases(rows, "2024"))
    symbols, frame = made.table.symbols, made.table.frame
    shown = frame[["numerator", "denominator"]]
    assert not ((shown > 0) & (shown < 5)).any(axis=None)
    rest = frame["denominator"] - frame["numerator"]
    assert not (rest < 5).any()
    for _, rows_of in frame.groupby(["dimension", "outcome"]):
        assert rows_of["numerator"].isna().sum() != 1 or len(rows_of) == 1
    assert (symbols.loc[frame["numerator"].isna(), ["risk_ratio", "age_risk_ratio", "gap_points"]] == "c").all(
        axis=None
    )
    # The two stages of decided requests, and the two of plain plans, have one denominator; no other can be taken off.
    wide = frame.pivot(index=["dimension", "group"], columns="outcome", values="denominator")
    for one, other in (("refused_of_decided", "six_weeks"), ("in_20_weeks_ex", "over_a_year")):
        pd.testing.assert_series_equal(wide[one], wide[other], check_names=False)
    assert "in_20_weeks" not in wide
    assert "exceptions" not in wide


def test_how_many_are_not_known_is_not_told_where_they_are_few():
    rows = [("2024-03-01", "assess", 20, None, False, "F", "WBRI", 7)] * 30
    rows += [("2024-03-01", "assess", 20, None, False, "F", "NOBT", None)] * 3
    shown = _own(_cases(rows, "2024")).overall.frame.set_index("outcome")
    assert shown.loc["six_weeks", "ethnicity_known"] == "all but fewer than 5"
    assert shown.loc["six_weeks", "sex_known"] == "all but fewer than 5"
    more = rows + [("2024-03-01", "assess", 20, None, False, "F", "NOBT", None)] * 7
    shown = _own(_cases(more, "2024")).overall.frame.set_index("outcome")
    assert shown.loc["six_weeks", "ethnicity_known"] == "75%"


def test_reviews_and_disputes_join_the_stages_and_take_age_from_the_census():
    reviews = pd.DataFrame(
        {
            "plan_id": [f"P{i}" for i in range(20)],
            "person_id": [f"c{i}" for i in range(20)],
            "plan_first_issued_date": pd.to_datetime(["2022-01-01"] * 20),
            "previous_review_decision_date": pd.to_datetime([None] * 20),
            "review_due_date": pd.to_datetime(["2025-01-01"] * 20),
            "review_meeting_date": pd.to_datetime(["2024-06-01"] * 20),
            "review_outcome": ["M"] * 20,
            "decision_sent_date": pd.to_datetime(["2024-06-20"] * 12 + ["2024-09-01"] * 8),
            "final_amended_plan_date": pd.to_datetime([None] * 20),
            "phase_transfer_due_date": pd.to_datetime([None] * 20),
            "phase_transfer_final_date": pd.to_datetime([None] * 20),
            "extract_date": pd.to_datetime(["2025-01-31"] * 20),
            "sex": ["F"] * 20,
            "ethnicity": ["WBRI"] * 20,
        }
    )
    pupils = pd.DataFrame({"pupil_id": [f"c{i}" for i in range(10)], "sex": "F", "ethnicity": "WBRI", "age": 12})
    cases = _cases([("2024-03-01", "assess", 20, None, False, "F", "WBRI", 7)] * 9, "2024")
    cells = _cells(cases, lists={"annual_reviews": reviews}, pupils=pupils)
    assert cells.loc[("review_in_4_weeks", "sex", "Female")].tolist() == [12, 20]
    assert cells.loc[("review_in_4_weeks", "age", "11-15")].tolist() == [10, 10]
    assert cells.loc[("review_in_4_weeks", "age", UNKNOWN)].tolist() == [2, 10]


def test_lists_that_say_no_age_and_cannot_be_joined_are_no_comparison_and_no_fault():
    """As beside pupils whom a warehouse counts: the chapter says so."""
    told = ("2024-12-01", "assess", 20, 150, False, "F", "WBRI")
    cases = {age: _cases([(*told, age)] * 12) for age in (5, None)}
    assert own_counts(cases[5]).says_ages
    area = Area(Params())
    area.__dict__.update(ehc_cases=cases[None], roll=SimpleNamespace(rows=False), policy=area.params.policy())
    shown = pipeline.own(area)
    assert "cannot be joined to pupils" in shown.extras["gap"]["reason"]
    assert "Name the School Census under pupils:" in shown.extras["gap"]["mend"]
