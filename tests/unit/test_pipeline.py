"""The stages of the EHC process: data that is checked, counts by group of the release, comparisons beside England."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import yaml

from jsna.disclosure import Policy
from jsna.errors import CodeListError, SourceError
from jsna.evidence.catalogue import catalogue
from jsna.evidence.pipeline import (
    UNKNOWN,
    Counts,
    band_of,
    by_group,
    columns_needed,
    official_counts,
    read_stages,
    stages,
)
from jsna.evidence.pipeline.compared import compared
from jsna.files.result import Loaded, Summary, together

CODE = "E06000001"


def _told() -> dict:
    return yaml.safe_load(files("jsna.evidence.pipeline").joinpath("pipeline.yml").read_text(encoding="utf-8"))


# The stages as data


def test_a_stage_and_its_indicator_count_the_same_columns():
    several = {"EHC-11"}  # one indicator, many reasons; a stage for some
    same = 0
    for stage in stages().all.values():
        if not stage.indicator or stage.indicator in several or stage.key == "refused_of_decided":
            continue
        way = catalogue()[stage.indicator].official[0]
        for part, counts in ((stage.numerator, way.numerator), (stage.denominator, way.denominator)):
            assert (counts.table, counts.columns, counts.less) == (stage.table, part.columns, part.less), stage.key
            same += 1
        if stage.direction != "neutral":
            assert stage.direction == catalogue()[stage.indicator].direction
    assert same >= 20


def test_refusing_and_moving_on_are_never_called_good_or_bad():
    neutral = {s.key for s in stages().all.values() if s.direction == "neutral"}
    assert {"refused", "mediation", "appeal", "ceased", "exceptions", "all_special"} <= neutral


def test_every_fault_of_the_file_is_told_at_once():
    told = _told()
    told["stages"]["refused"]["question"] = "How many are refused"
    told["stages"]["six_weeks"]["balancing"] = ["refussed"]
    told["stages"]["appeal"]["phase"] = "court"
    with pytest.raises(CodeListError) as error:
        read_stages(told)
    said = str(error.value)
    assert all(word in said for word in ("stage refused, question", "refussed", "refused", "court"))


def test_an_unknown_stage_is_named_with_the_nearest():
    with pytest.raises(CodeListError, match="in_20_weeks"):
        _ = stages()["in_20_week"]


@pytest.mark.parametrize(
    ("label", "band"),
    [
        ("2 and under", "00-04"),
        ("under 3", "00-04"),
        ("4", "00-04"),
        ("5", "05-10"),
        ("10", "05-10"),
        ("11", "11-15"),
        ("16", "16-19"),
        ("19", "16-19"),
        ("20 and over", "20-25"),
        ("25", "20-25"),
        ("Unknown", UNKNOWN),
        ("nan", UNKNOWN),
        ("26", UNKNOWN),
        (7, "05-10"),
        (pd.NA, UNKNOWN),
    ],
)
def test_ages_in_the_words_of_every_file(label, band):
    assert band_of(pd.Series([label], dtype="object")).tolist() == [band]


# Counts from the release


GROUPS = [
    ("Total", "Total", 100.0),
    ("Ethnicity", "WBRI", 60.0),
    ("Ethnicity", "APKN", 30.0),
    ("Ethnicity", "NOBT", 10.0),
    ("Sex", "Female", 40.0),
    ("Sex", "Male", 60.0),
    ("{age}", "2 and under", 5.0),
    ("{age}", "4", 15.0),
    ("{age}", "10", 70.0),
    ("{age}", "Unknown", 10.0),
]


def _table(name: str) -> pd.DataFrame:
    """Every column of the release's table with the group's size in it, but twice as much in denominators."""
    topic = stages().words["age_topics"].get(name, "Age")
    rows = []
    for area, level in ((CODE, "Local authority"), ("E92000001", "National"), ("E12000006", "Regional")):
        for period in ("2023", "2024"):
            for breakdown_topic, group, size in GROUPS:
                rows.append((area, level, period, breakdown_topic.format(age=topic), group, size))
    frame = pd.DataFrame(
        rows, columns=["area_code", "geographic_level", "time_period", "breakdown_topic", "breakdown", "size"]
    )
    return frame.assign(**{c: frame["size"] for c in columns_needed()[name]}).drop(columns="size")


@dataclass
class Folder:
    """As ``OfficialFolder``, from frames."""

    tables: dict[str, pd.DataFrame]

    def ehc(self, table: str):
        return _loaded(self.tables[table], "2024")


def _loaded(frame: pd.DataFrame, period: str) -> Loaded:
    return Loaded(frame, together([]), Summary("made up", "made up", period, len(frame), len(frame), 0, "", "", ""))


def _folder() -> Folder:
    return Folder({name: _table(name) for name in columns_needed()})


def _row(counts: Counts, stage: str, dimension: str, group: str) -> list[float]:
    rows = counts.frame.query("stage == @stage and dimension == @dimension and group == @group and area_code == @CODE")
    return rows[["count", "total"]].iloc[0].tolist()


def test_ages_are_added_up_and_the_newest_period_is_taken():
    folder = _folder()
    folder.tables["requests"].loc[folder.tables["requests"]["time_period"] == "2023", "requests_received_in_year"] = 9e6
    counts = official_counts(folder)
    assert _row(counts, "refused", "age", "00-04") == [20, 20]
    assert _row(counts, "refused", "age", UNKNOWN) == [10, 10]
    assert _row(counts, "refused", "ethnicity", UNKNOWN) == [10, 10]
    assert counts.periods["refused"] == "2024"
    assert set(counts.frame["area_code"]) == {CODE, "E92000001"}


def test_a_band_with_a_missing_age_is_missing_not_smaller():
    folder = _folder()
    requests = folder.tables["requests"]
    requests.loc[requests["breakdown"] == "4", "requests_decided_not_to_assess"] = np.nan
    counts = official_counts(folder)
    assert np.isnan(_row(counts, "refused", "age", "00-04")).all()
    assert _row(counts, "refused", "age", "05-10") == [70, 70]


def test_more_appeals_than_requests_take_no_part_and_are_counted():
    folder = _folder()
    before = int(official_counts(folder).notes[0].split()[0])  # made-up places of a plan add up to more than the plans
    requests = folder.tables["requests"]
    odd = (requests["breakdown"] == "APKN") & (requests["area_code"] == CODE)
    requests.loc[odd, "tribunal_related_request"] = 31
    counts = official_counts(folder)
    assert np.isnan(_row(counts, "appeal", "ethnicity", "APKN")).all()
    assert int(counts.notes[0].split()[0]) == before + 1


def test_a_group_of_whom_no_plan_ceased_has_none_not_nothing():
    folder = _folder()
    ceased = folder.tables["ceased_plans"]
    folder.tables["ceased_plans"] = ceased[ceased["breakdown"] != "APKN"]
    assert _row(official_counts(folder), "ceased", "ethnicity", "APKN") == [0, 30]


def test_stages_of_a_table_without_its_column_are_left_out_and_every_column_is_named():
    folder = _folder()
    folder.tables["requests"] = folder.tables["requests"].rename(columns={"requests_received_in_year": "received"})
    folder.tables["assessments"] = folder.tables["assessments"].drop(columns="assess_issued")
    counts = official_counts(folder)
    said = " ".join(counts.notes)
    assert "requests_received_in_year" in said
    assert "assess_issued" in said
    assert "Assessment ended in a plan" in said
    assert "refused" not in set(counts.frame["stage"])
    assert "in_20_weeks" in set(counts.frame["stage"])
    with pytest.raises(SourceError, match="assess_issued"):
        official_counts(Folder({name: table.iloc[:, :6] for name, table in _folder().tables.items()}))


def test_the_topic_of_ages_is_the_tables_own():
    table, period = by_group(_table("newplans"), "newplans", ["new_ehc_plans"])
    assert period == "2024"
    assert table.loc[("age", "05-10", CODE), "new_ehc_plans"] == 70


# Comparisons beside England


def _england(own: float = 1.0, areas: int = 40, seed: int = 5) -> Counts:
    """Two stages in authorities that differ in level; in all, APKN has the others' risk, and lives where it is high."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(areas):
        level = random.uniform(0.2, 0.6)
        area = CODE if number == 0 else f"E1000{number:04d}"
        for stage in ("in_20_weeks", "refused"):
            for group, size in (("WBRI", 900), ("APKN", 900 if level > 0.4 else 60), ("BCRB", 80), (UNKNOWN, 50)):
                risk = level * (own if (area, group, stage) == (CODE, "APKN", "in_20_weeks") else 1)
                rows.append((stage, "ethnicity", group, area, random.binomial(size, risk), size))
            rows += [(stage, "sex", s, area, random.binomial(500, level), 500) for s in ("Female", "Male")]
            rows.append((stage, "all", "all", area, 1000 * level // 1, 1000))
    frame = pd.DataFrame(rows, columns=["stage", "dimension", "group", "area_code", "count", "total"]).astype(
        {"count": "float64", "total": "float64"}
    )
    sums = frame.groupby(["stage", "dimension", "group"], as_index=False)[["count", "total"]].sum()
    frame = pd.concat([frame, sums.assign(area_code="E92000001")], ignore_index=True)
    frame["known"] = frame["group"] != UNKNOWN
    return Counts(frame, dict.fromkeys(("in_20_weeks", "refused"), "2024"), ())


def _compared(counts: Counts):
    return compared(counts, CODE, policy=Policy(), source="made up")


def test_within_authorities_the_ratio_is_1_though_the_totals_are_far_from_it():
    row = _compared(_england()).table.frame.query("outcome == 'in_20_weeks' and group == 'APKN'").iloc[0]
    assert row["england_lower"] < 1 < row["england_upper"]
    assert row["england_crude"] > 1.1
    assert row["england_crude"] == pytest.approx(row["england_sum"])
    assert row["england_areas"] == 40


def test_a_planted_difference_is_to_watch_and_nothing_more():
    made = _compared(_england(own=0.5))
    watched = made.watched
    assert ("in_20_weeks", "APKN") in set(zip(watched["outcome"], watched["group"], strict=True))
    assert set(made.table.frame["status"]) <= {"watch", "no evidence", "insufficient data"}
    assert (watched["pooled_risk_ratio"] < 1).any()


def test_the_allowance_is_over_all_stages_and_groups_together():
    made = _compared(_england(own=0.7))
    frame = made.table.frame
    p = frame.loc[frame["known"], "p_value"].to_numpy()
    assert made.comparisons == len(p) == 2 * (3 + 2)
    # Benjamini and Hochberg 1995 by hand: the least p times m over its rank, from the largest down.
    order = np.argsort(p)
    q = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    found = frame.loc[frame["known"], "q_value"].to_numpy()[order]
    np.testing.assert_allclose(found, np.minimum(q, 1))


def test_unknown_groups_are_apart_and_counted():
    made = _compared(_england())
    unknown = made.table.frame.query("group == @UNKNOWN")
    assert unknown[["q_value", "pooled_risk_ratio"]].isna().all(axis=None)
    share = made.overall.frame.set_index("outcome")["ethnicity_known"]["refused"]
    own = _england().frame.query("stage == 'refused' and dimension == 'ethnicity' and area_code == @CODE")
    assert share == pytest.approx(100 * (1 - 50 / own["total"].sum()))


def test_stages_that_differ_by_age_by_their_nature_are_shown_and_not_judged():
    counts = official_counts(_folder())
    made = _compared(counts)
    by_age = made.table.frame.query("dimension == 'age'")["outcome"]
    assert "all_special" not in set(by_age)
    assert "refused" in set(by_age)
    shown = made.by_age.frame.query("outcome == 'all_special' and label == '5 to 10'")
    assert shown["numerator"].item() == 70


def test_an_area_without_rows_and_a_group_that_no_list_knows_are_sentences():
    counts = _england()
    with pytest.raises(SourceError, match="no rows"):
        compared(counts, "E09000099", policy=Policy(), source="made up")
    strange = Counts(counts.frame.assign(group=counts.frame["group"].replace("BCRB", "BLAC")), counts.periods, ())
    with pytest.raises(SourceError, match="BLAC"):
        _compared(strange)
