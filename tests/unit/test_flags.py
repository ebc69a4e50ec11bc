"""The flag rule in planted small worlds: what is put in must come out, with its reason, and nothing else."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from jsna.disproportionality import Prior, flags, reason_text, repetition_floor
from jsna.disproportionality.design import line as line_of
from jsna.errors import MeasureError

pytestmark = pytest.mark.filterwarnings("error")

SIZES = {"A": 9000, "B": 3000, "C": 1800, "D": 900, "E": 500, "F": 300, "not known": 300}
GROUPS = list(SIZES)
SCHOOLS, CENSUSES = 60, (2024, 2025, 2026)
NAMES = {
    "group": "group",
    "outcomes": ["plan"],
    "total": "n",
    "period": "census",
    "cluster": "school",
    "demographic": ["sex"],
    "deprivation": ["poverty"],
    "known": "known",
}
LEVELS = {"poor": 1.5, "middle": 1.2, "well off": 1.0}


def _world(
    ratio=lambda group, census, school: 1.0,
    *,
    seed: int = 1,
    sizes: dict[str, int] | None = None,
    poverty: dict[str, tuple] | None = None,
    gradient: dict[str, float] | None = None,
    schools: dict[str, np.ndarray] | None = None,
    school_effect: np.ndarray | None = None,
    censuses=CENSUSES,
    base: float = 0.15,
) -> pd.DataFrame:
    """Cells of a borough of 60 schools that hardly differ; ``ratio`` is what is planted.

    ``poverty``: shares of poor, middle and well off pupils by group; ``schools``: shares of a group by school.
    """
    random = np.random.default_rng(seed)
    sizes, gradient = SIZES | (sizes or {}), gradient or LEVELS
    effect = np.exp(random.normal(0, 0.1, SCHOOLS)) if school_effect is None else school_effect
    parts = []
    for group, size in sizes.items():
        share = random.dirichlet(np.full(SCHOOLS, 4.0))
        share = share if schools is None else schools.get(group, share)
        levels = np.array((poverty or {}).get(group, (0.3, 0.4, 0.3)))
        held = random.multinomial(size, np.outer(share, np.outer(levels, [0.5, 0.5]).ravel()).ravel() / share.sum())
        for census in censuses:
            frame = pd.DataFrame(
                {
                    "group": group,
                    "census": census,
                    "school": np.repeat(np.arange(SCHOOLS), 6),
                    "poverty": np.tile(np.repeat(list(gradient), 2), SCHOOLS),
                    "sex": np.tile(["F", "M"], SCHOOLS * 3),
                    "n": held,
                }
            )
            risk = (
                base * effect[frame["school"]] * frame["poverty"].map(gradient) * np.where(frame["sex"] == "M", 1.6, 1)
            )
            planted = np.array([ratio(group, census, school) for school in range(SCHOOLS)])
            frame["plan"] = random.binomial(held, np.minimum(risk * planted[frame["school"]], 0.95))
            parts.append(frame[held > 0])
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(known=frame["group"] != "not known")


def _only(wanted: str, value: float):
    return lambda group, census, school: value if group == wanted else 1.0


def _flags(frame: pd.DataFrame, **named):
    return flags(frame, **{"repetition": {"plan": 1.0}} | NAMES | named)


def _rows(frame: pd.DataFrame, **named) -> pd.DataFrame:
    return _flags(frame, **named).table.set_index("group")


def _in_one_school(group, census, school):
    return 6.0 if (group, school) == ("C", 7) else 1.0


def _last_census_only(group, census, school):
    return 2.2 if (group, census) == ("C", CENSUSES[-1]) else 1.0


def _split_by_school(group, census, school):
    return {True: 2.4, False: 0.75}[school < 30] if group == "C" else 1.0


MOST_IN_ONE = np.r_[np.full(7, 0.006), 0.55, np.full(52, 0.006)]
HIGH_SCHOOLS = np.r_[np.full(20, 2.4), np.ones(40)]
IN_HIGH_SCHOOLS = np.r_[np.full(20, 0.045), np.full(40, 0.0025)]
POOR, RICH = (0.94, 0.04, 0.02), (0.02, 0.04, 0.94)
STEEP = {"poor": 3.0, "middle": 1.5, "well off": 1.0}


def _world_of(kind: str, seed: int = 1) -> pd.DataFrame:
    made = {
        "over": lambda: _world(_only("C", 1.8), seed=seed),
        "under": lambda: _world(_only("C", 0.5), seed=seed),
        "over-a-little": lambda: _world(_only("B", 1.2), seed=seed, sizes={"B": 1700}),
        "last-census": lambda: _world(_last_census_only, seed=seed),
        "poor": lambda: _world(seed=seed, poverty={"C": POOR}, gradient=STEEP, base=0.1),
        "rich": lambda: _world(_only("C", 1.65), seed=seed, poverty={"C": RICH}, gradient=STEEP, base=0.1),
        "one-school": lambda: _world(_in_one_school, seed=seed, schools={"C": MOST_IN_ONE}, base=0.08),
        "between-schools": lambda: _world(
            seed=seed, schools={"C": IN_HIGH_SCHOOLS}, school_effect=HIGH_SCHOOLS, base=0.1
        ),
        "unknown": lambda: _world(_only("C", 1.55), seed=seed, sizes={"not known": 25_000}),
        "one-census": lambda: _world(_only("C", 1.8), seed=seed, censuses=(2026,)),
        "handful": lambda: _world(_only("F", 3.0), seed=seed, sizes={"F": 8}),
        "small": lambda: _world(seed=seed + 1, sizes={"F": 25}, base=0.03),
        "null": lambda: _world(seed=seed),
        "split": lambda: _world(_split_by_school, seed=seed),
    }
    return made[kind]()


@pytest.mark.parametrize(
    ("kind", "group", "status", "reason"),
    [
        pytest.param("over", "C", "over-identified", "every_check", id="over-identified"),
        pytest.param("under", "C", "under-identified", "every_check", id="under-identified"),
        pytest.param("last-census", "C", "watch", "one_census_only", id="one-census-only"),
        pytest.param("poor", "C", "watch", "goes_with_deprivation", id="goes-with-deprivation"),
        pytest.param("rich", "C", "watch", "only_after_deprivation", id="only-after-deprivation"),
        pytest.param("one-school", "C", "watch", "one_school", id="one-school"),
        pytest.param("between-schools", "C", "watch", "between_schools", id="between-schools"),
        pytest.param("unknown", "C", "watch", "unknown_ethnicity", id="unknown-ethnicity"),
        pytest.param("one-census", "C", "watch", "single_census", id="single-census"),
        pytest.param("handful", "F", "insufficient data", "few_pupils", id="few-pupils"),
        pytest.param("small", "F", "insufficient data", "wide_interval", id="wide-interval"),
        pytest.param("null", "B", "no evidence", "ruled_out", id="ruled-out"),
        pytest.param("over-a-little", "B", "no evidence", "small_difference", id="small-difference"),
    ],
)
def test_what_is_planted_is_found_with_its_reason(kind, group, status, reason):
    table = _rows(_world_of(kind))
    row = table.loc[group]
    assert (row["status"], reason in row["reasons"].split("; ")) == (status, True), row["reasons"]
    if reason in {"one_census_only", "goes_with_deprivation", "unknown_ethnicity", "single_census"}:
        assert row["reasons"] == reason
    others = table.drop([group, "not known"])
    # A school that lifts one group's rate stands in everybody's comparator too.
    same = (others["status"] == "watch") & (others["reasons"] == reason) & (reason == "one_school")
    assert set(others.loc[~same, "status"]) <= {"no evidence", "insufficient data"}
    assert (table.loc["not known", ["status", "reasons"]] == ["insufficient data", "not_compared"]).all()
    assert all(reason_text(codes) for codes in table["reasons"] if codes)


def test_a_flagged_group_has_its_planted_ratio_and_number_of_pupils():
    world = _world_of("over")
    row = _rows(world).loc["C"]
    for line in ("crude", "age_and_sex", "adjusted"):
        assert row[f"{line}_lower"] < 1.8 < row[f"{line}_upper"]
        assert row[f"{line}_risk_ratio"] == pytest.approx(1.8, abs=0.15)
    assert row["pooled_lower"] < row["pooled_risk_ratio"] < row["pooled_upper"]
    assert 1.5 < row["pooled_risk_ratio"] <= row["adjusted_risk_ratio"]
    latest = world[world["census"] == 2026]
    own, known = latest[latest["group"] == "C"], latest[latest["known"]]
    rest = known[known["group"] != "C"]
    assert (row["numerator"], row["denominator"]) == (own["plan"].sum(), own["n"].sum())
    assert row["risk"] == pytest.approx(own["plan"].sum() / own["n"].sum())
    assert row["comparator_risk"] == pytest.approx(rest["plan"].sum() / rest["n"].sum())
    assert row["events"] == world.loc[world["group"] == "C", "plan"].sum()
    assert row["pupil_censuses"] == 5400
    # 1800 pupils at about 0.24: eight ninths of what others' risk would give.
    others_risk = rest["plan"].sum() / rest["n"].sum()
    assert row["pupils_affected"] == pytest.approx(1800 * others_risk * 0.8, rel=0.15)
    assert row["pupils_affected_lower"] < row["pupils_affected"] < row["pupils_affected_upper"]
    assert row["q_value"] < 1e-4
    for census in CENSUSES:
        assert row[f"risk_ratio_{census}"] == pytest.approx(1.8, abs=0.3)
    assert row["agreeing_specifications"] == 1
    assert row["specifications"] == 6
    assert row["without_one_school"] == pytest.approx(row["adjusted_risk_ratio"], rel=0.05)
    assert row["within_schools"] == pytest.approx(1.8, abs=0.2)


def test_under_identification_is_measured_as_over_identification_is():
    row = _rows(_world_of("under")).loc["C"]
    assert row["adjusted_risk_ratio"] == pytest.approx(0.5, abs=0.07)
    assert row["pupils_affected_lower"] < row["pupils_affected"] < row["pupils_affected_upper"] < 0
    assert row["without_one_school"] < 0.6
    assert row["unknown_lowest"] <= row["unknown_shared"] <= row["unknown_highest"]


def test_the_documented_columns_are_there():
    told = re.search(r"Columns of ``table``:(.*?)\n\n", flags.__doc__, re.DOTALL).group(1)
    columns = set(_flags(_world_of("null")).table.columns)
    prefixed = {
        f"{line}_{end}" for line in ("crude", "age_and_sex", "adjusted") for end in ("risk_ratio", "lower", "upper")
    }
    assert prefixed <= columns
    named = {word for word in re.findall(r"[a-z_]+_[a-z_]+[a-z]", told) if not word.endswith("period")} & columns
    assert len(named) >= 15
    assert {f"risk_ratio_{c}" for c in CENSUSES} | {"outcome", "group", "known", "status", "reasons"} <= columns


def test_the_direction_must_not_hang_on_the_analysis():
    """Without the schools where C is identified more, it is identified less: one analysis in two says the opposite."""
    world = _world_of("split")
    whole = _rows(world).loc["C"]
    some = _rows(world, subsets={"without special schools": world["school"] >= 30}).loc["C"]
    assert some["specifications"] == 12
    assert some["agreeing_specifications"] == pytest.approx(0.5)
    assert whole["agreeing_specifications"] == 1
    assert "depends_on_analysis" in some["reasons"].split("; ")
    assert some["status"] == "watch"
    assert "depends_on_analysis" not in whole["reasons"]


@pytest.mark.parametrize("others", [0.0, 0.3], ids=["alone", "with-some-others"])
def test_a_group_that_is_all_in_one_school_is_carried_by_that_school(others):
    """Without that school there is no group: nothing is left of the difference, though no coefficient moves."""
    alone = np.r_[1.0, np.zeros(59)]
    elsewhere = np.r_[others, np.ones(59)] / (59 + others)
    schools = {g: alone if g == "E" else elsewhere for g in GROUPS}
    row = _rows(_world(_only("E", 2.0), schools=schools)).loc["E"]
    assert row["status"] in {"watch", "insufficient data"}
    if row["status"] == "watch":
        assert "one_school" in row["reasons"]


# --- pupils of unknown group --------------------------------------------------------------------------------------


def test_unknown_pupils_are_never_flagged_and_in_nobodys_comparator():
    world = _world(_only("not known", 4.0), sizes={"not known": 2000})
    table, without = _rows(world), _rows(world[world["known"]])
    assert (table.loc["not known", ["status", "reasons"]] == ["insufficient data", "not_compared"]).all()
    assert np.isnan(table.loc["not known", "q_value"])
    same = ["numerator", "denominator", "risk", "comparator_risk", "crude_risk_ratio", "events"]
    known = table.drop("not known")
    np.testing.assert_allclose(known[same].astype(float), without[same].astype(float), rtol=1e-9)
    assert (known["status"] == without["status"]).all()


def test_the_crude_ratio_is_of_known_pupils_though_the_unknown_come_and_go():
    """Only in the latest census are many unknown, and most of them identified."""
    world = _world(_only("not known", 4.0), sizes={"not known": 3000, "C": 1800})
    keep = (world["group"] != "not known") | (world["census"] == 2026)
    world = world[keep & ((world["group"] != "C") | (world["census"] != 2024))]
    table, without = _rows(world), _rows(world[world["known"]])
    np.testing.assert_allclose(table.drop("not known")["crude_risk_ratio"], without["crude_risk_ratio"], rtol=1e-9)


def test_all_pupils_of_unknown_group():
    table = _rows(_world_of("null").assign(known=False))
    assert (table["status"] == "insufficient data").all()
    assert (table["reasons"] == "not_compared").all()


def test_with_nobody_unknown_the_ratio_stands_as_it_is():
    world = _world_of("over")
    row = _rows(world[world["known"]]).loc["C"]
    assert row["unknown_shared"] == row["unknown_lowest"] == row["unknown_highest"] == row["pooled_risk_ratio"]
    assert "worst_case_unknown" not in row["reasons"]


def test_a_flag_that_falls_in_the_worst_case_says_so_and_stands():
    world = _world(_only("C", 1.8), sizes={"not known": 2500})
    row = _rows(world).loc["C"]
    assert (row["status"], row["reasons"]) == ("over-identified", "every_check; worst_case_unknown")
    assert row["unknown_lowest"] < 1 < 1.25 < row["unknown_shared"]


# --- constants ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("constants", "status", "reason"),
    [
        pytest.param({"ratio_high": 2.5}, "no evidence", "small_difference", id="ratio_high"),
        pytest.param({"persistence_ratio": 3.0}, "watch", "one_census_only", id="persistence_ratio"),
        pytest.param({"robust_ratio": 3.0}, "watch", "one_school", id="robust_ratio"),
        pytest.param({"within_schools_ratio": 3.0}, "watch", "between_schools", id="within_schools_ratio"),
        pytest.param({"minimum_pupils": 2000}, "insufficient data", "few_pupils", id="minimum_pupils"),
    ],
)
def test_each_constant_is_an_argument_that_changes_the_outcome(constants, status, reason):
    answer = _flags(_world_of("over"), **constants)
    row = answer.table.set_index("group").loc["C"]
    assert row["status"] == status
    assert reason in row["reasons"]
    (name, value), *_ = constants.items()
    assert getattr(answer.rule, name) == value


def test_the_false_discovery_rate_is_an_argument_too():
    world = _world(_only("F", 1.45), seed=2)
    plain = _rows(world).loc["F"]
    assert 0 < plain["q_value"] < 0.05
    assert plain["status"] == "over-identified"
    strict = _rows(world, false_discovery_rate=plain["q_value"] / 2).loc["F"]
    assert strict["status"] not in {"over-identified", "under-identified"}


def test_the_low_ratio_and_the_share_of_analyses_are_arguments_too():
    assert _rows(_world_of("under"), ratio_low=0.3).loc["C", "status"] == "no evidence"
    world = _world_of("split")
    subsets = {"without special schools": world["school"] >= 30}
    reasons = _rows(world, subsets=subsets, agreeing_specifications=0.4).loc["C", "reasons"]
    assert "depends_on_analysis" not in reasons


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        pytest.param({"ratio_hihg": 1.3}, "Did you mean 'ratio_high'", id="misspelt"),
        pytest.param({"ratio_high": 0.9}, "above 1", id="ratio-below-1"),
        pytest.param({"ratio_low": 1.2}, "ratio_low", id="low-above-1"),
        pytest.param({"false_discovery_rate": 5}, "0 to 1", id="percent"),
        pytest.param({"agreeing_specifications": 90}, "agreeing_specifications", id="percent-of-analyses"),
        pytest.param({"minimum_pupils": -1}, "minimum_pupils", id="negative-pupils"),
        pytest.param({"ratio_high": None}, "ratio_high", id="nothing"),
    ],
)
def test_a_constant_that_makes_no_sense_is_refused(constants, message):
    with pytest.raises(MeasureError, match=message):
        _flags(_world_of("null"), **constants)


def test_several_wrong_constants_are_named_together():
    with pytest.raises(MeasureError) as refused:
        _flags(_world_of("null"), ratio_high=0.9, ratio_low=2, persistence_ratio=0)
    assert len(refused.value.problems) == 3


# --- what is counted, and what does not matter --------------------------------------------------------------------


def test_comparisons_and_flags_are_counted_over_outcomes_and_each_outcome_is_a_family():
    world = _world_of("over")
    world["other"] = np.random.default_rng(1).binomial(world["n"], 0.05)
    both = _flags(world, outcomes=["plan", "other"], repetition={"plan": 1.0, "other": 1.0})
    assert (both.comparisons, both.flagged) == (12, 1)
    assert both.table["outcome"].tolist() == ["plan"] * 7 + ["other"] * 7
    assert set(both.priors) == set(both.notes) == {"plan", "other"}
    assert both.periods == ("2024", "2025", "2026")
    alone = _flags(world)
    assert (alone.comparisons, alone.flagged) == (6, 1)
    first = both.table[both.table["outcome"] == "plan"].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, alone.table)


def test_a_group_without_pupils_in_the_latest_census_is_no_comparison():
    world = _world_of("over")
    gone = world[(world["group"] != "E") | (world["census"] != 2026)]
    answer = _flags(gone)
    assert answer.comparisons == 5
    row = answer.table.set_index("group").loc["E"]
    assert row["denominator"] == 0
    assert (row["status"], row["reasons"]) == ("insufficient data", "not_calculated")


def test_labels_and_the_order_of_rows_do_not_matter():
    world = _world_of("over")
    plain = _rows(world)
    labels = dict(zip(GROUPS, ["m", "z", "b", "q", "a", "y", "k"], strict=True))
    other = world.sample(frac=1, random_state=3).assign(
        group=lambda f: f["group"].map(labels),
        school=lambda f: "s" + ((f["school"] * 37) % 60).astype(str),
        sex=lambda f: f["sex"].map({"F": "x", "M": "b"}),
        poverty=lambda f: pd.Categorical(f["poverty"].map({"poor": 2, "middle": 9, "well off": 1})),
    )
    renamed = _rows(other).rename(index={v: k for k, v in labels.items()}).loc[plain.index]
    assert (renamed[["status", "reasons"]] == plain[["status", "reasons"]]).all(axis=None)
    numbers = plain.select_dtypes("number").columns
    np.testing.assert_allclose(renamed[numbers].astype(float), plain[numbers], rtol=1e-6, atol=1e-9)


def test_groups_of_equal_size_are_no_trouble():
    world = _world(_only("C", 1.8), sizes=dict.fromkeys("ABCDEF", 1500))
    assert _rows(world).loc["C", "status"] == "over-identified"


def test_the_repetition_of_pupils_widens_what_is_said():
    """Three identical censuses hold no more than one: a difference that one cannot show, three must not."""
    once = _world(_only("E", 1.45), seed=4, censuses=(2026,))
    copies = pd.concat([once.assign(census=c) for c in CENSUSES], ignore_index=True)
    single = _rows(once, repetition={"plan": 1.0}).loc["E"]
    default = flags(copies, **NAMES).table.set_index("group").loc["E"]
    naive = _rows(copies, repetition={"plan": 1.0}).loc["E"]
    assert default["design_effect"] >= 3
    width = {k: np.log(v["pooled_upper"] / v["pooled_lower"]) for k, v in
             {"single": single, "default": default, "naive": naive}.items()}  # fmt: skip
    assert width["naive"] <= width["default"]
    assert width["default"] == pytest.approx(width["single"], rel=0.15)


def test_a_prior_from_elsewhere_is_used_for_its_outcome():
    sceptical = Prior(concentration=(1e12, 1, 1, 1, 1))
    world = _world(_only("F", 1.5), sizes={"F": 150})
    plain, given = _flags(world), _flags(world, prior=sceptical)
    named = _flags(world, prior={"plan": sceptical})
    assert given.table.set_index("group").loc["F", "pooled_risk_ratio"] < 1.1
    assert plain.table.set_index("group").loc["F", "pooled_risk_ratio"] > 1.1
    pd.testing.assert_frame_equal(named.table, given.table)
    assert given.priors["plan"][0] > 0.99


# --- where there is little or nothing -----------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["nobody", "everybody"])
def test_nobody_or_everybody_identified_is_insufficient_data(value):
    world = _world_of("null")
    answer = _flags(world.assign(plan=0 if value == "nobody" else world["n"]))
    known = answer.table[answer.table["known"]]
    assert (known["status"] == "insufficient data").all()
    assert (known["reasons"] == "not_calculated").all()
    assert answer.flagged == 0
    assert answer.notes["plan"]
    whole = _flags(world).table
    assert sorted(answer.table.columns) == sorted(whole.columns)


def test_an_outcome_with_nobody_leaves_the_other_outcomes_alone():
    world = _world_of("over").assign(none=0)
    both = _flags(world, outcomes=["none", "plan"], repetition={"plan": 1.0, "none": 1.0})
    plan = both.table[both.table["outcome"] == "plan"].reset_index(drop=True)
    pd.testing.assert_frame_equal(plan, _flags(world).table, check_dtype=False, check_like=True)


def test_only_pupils_of_unknown_group_identified():
    world = _world_of("null")
    table = _rows(world.assign(plan=world["plan"].where(~world["known"], 0)))
    assert (table["status"] == "insufficient data").all()


def test_nobody_identified_in_one_census():
    world = _world_of("over")
    table = _rows(world.assign(plan=world["plan"].where(world["census"] != 2025, 0)))
    row = table.loc["C"]
    assert row["status"] == "watch"
    assert "one_census_only" in row["reasons"]


def test_a_large_group_with_nobody_identified_is_under_identified_and_its_pupils_are_counted():
    world = _world_of("null")
    table = _rows(world.assign(plan=world["plan"].where(world["group"] != "C", 0)))
    row = table.loc["C"]
    assert row["status"] == "under-identified"
    assert "not_estimable" in row["reasons"]
    assert row["adjusted_risk_ratio"] == 0
    assert 0 < row["pooled_risk_ratio"] < 0.5
    # 1800 pupils of whom others' risk would give some 440: all of these are missing, and not none of them.
    assert row["pupils_affected"] < -100
    assert row["pupils_affected_lower"] < row["pupils_affected_upper"]


def test_a_small_group_with_nobody_identified_has_an_interval_and_is_not_flagged():
    world = _world(sizes={"F": 25}, base=0.03)
    table = _rows(world.assign(plan=world["plan"].where(world["group"] != "F", 0)))
    row = table.loc["F"]
    assert row["status"] in {"insufficient data", "no evidence"}
    assert "not_estimable" in row["reasons"]
    assert row["pooled_lower"] < 0.8
    assert row["pooled_upper"] > 1.0


def test_a_group_that_an_adjuster_tells_apart_is_in_nobodys_comparator():
    """All of D, and nobody else, have no recorded circumstances: the others are judged as if D were not there."""
    world = _world(_only("C", 1.8), sizes={"D": 4000})
    world["poverty"] = world["poverty"].where(world["group"] != "D", "elsewhere")
    table, without = _rows(world).drop(["D", "not known"]), _rows(world[world["group"] != "D"]).drop("not known")
    same = ["expected", "adjusted_risk_ratio", *(f"risk_ratio_{c}" for c in CENSUSES)]
    np.testing.assert_allclose(table[same].astype(float), without[same].astype(float), rtol=5e-3)
    assert table.loc["C", "status"] == without.loc["C", "status"] == "over-identified"
    assert any("group D" in note and "determined" in note for note in _flags(world).notes["plan"])


def test_a_single_group():
    world = _world_of("null")
    table = _rows(world[world["group"] == "A"])
    assert table["status"].tolist() == ["insufficient data"]
    assert table["reasons"].tolist() == ["not_calculated"]


def test_a_single_school_never_flags():
    table = _rows(_world_of("over").assign(school=1))
    assert not set(table["status"]) & {"over-identified", "under-identified"}


def test_groups_without_pupils_and_rows_of_0_of_0_change_nothing():
    world = _world_of("over")
    empty = world.head(3).assign(n=0, plan=0, school=[98, 99, 0])
    nobody = world.head(1).assign(n=0, plan=0, group="Z")
    plain, padded = _rows(world), _rows(pd.concat([world, empty, nobody], ignore_index=True))
    assert (padded.loc["Z", ["status", "reasons"]] == ["insufficient data", "not_calculated"]).all()
    pd.testing.assert_frame_equal(padded.drop("Z"), plain, check_dtype=False)


def test_a_census_that_is_not_recorded_is_said_and_is_no_census():
    world = _world_of("over")
    world["census"] = world["census"].astype("Float64").where(world.index % 50 != 0)
    answer = _flags(world)
    assert len(answer.periods) == 3
    assert any("census" in note and "not recorded" in note for note in answer.notes["plan"])


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        pytest.param(["plan"], {}, id="outcome"),
        pytest.param(["plan", "group", "sex"], {}, id="several"),
        pytest.param(["census", "school"], {}, id="census-and-school"),
    ],
)
def test_all_columns_that_are_not_there_are_named_together(gone, named):
    with pytest.raises(MeasureError, match="no such column") as refused:
        _flags(_world_of("null").drop(columns=gone), **named)
    assert sorted(p.value for p in refused.value.problems) == sorted(gone)


def test_rows_that_are_no_counts_are_named_together_over_outcomes():
    world = _world_of("null").assign(other=0).astype({"plan": "float64", "other": "float64"})
    world.loc[3, "plan"], world.loc[5, "other"], world.loc[8, "plan"] = -1, 0.5, 1e6
    with pytest.raises(MeasureError) as refused:
        _flags(world, outcomes=["plan", "other"], repetition={"plan": 1.0, "other": 1.0})
    assert len(refused.value.problems) == 3
    assert all(f"row {row} (" in str(refused.value) for row in (3, 5, 8))


@pytest.mark.parametrize(
    ("named", "message"),
    [
        pytest.param({"outcomes": []}, "outcome", id="no-outcomes"),
        pytest.param({"repetition": {"plann": 2.0}}, "repetition|plan", id="repetition-of-another"),
        pytest.param({"repetition": {"plan": 0.5}}, "repetition|1 or more", id="repetition-below-1"),
        pytest.param({"subsets": {"short": [True, False]}}, "subset", id="short-subset"),
        pytest.param({"confidence": 95}, "level of confidence", id="confidence"),
    ],
)
def test_a_mistake_of_the_caller_is_a_sentence(named, message):
    with pytest.raises(MeasureError, match=message):
        _flags(_world_of("null"), **named)


# --- the same pupils in several censuses --------------------------------------------------------------------------


def _pairs(*rows) -> pd.DataFrame:
    columns = ["first", "second", "both", "first_identified", "second_identified", "both_identified"]
    return pd.DataFrame(rows, columns=columns)


SAME = (1000, 1000, 1000, 170, 170, 170)


@pytest.mark.parametrize(
    ("pairs", "periods", "floor"),
    [
        pytest.param(_pairs(SAME, SAME, SAME), 3, 3.0, id="same-pupils-same-status"),
        pytest.param(_pairs(SAME), 2, 2.0, id="two-censuses"),
        pytest.param(_pairs((1000, 1000, 1000, 200, 300, 60)), 2, 1.0, id="status-drawn-afresh"),
        pytest.param(_pairs((1000, 1000, 0, 0, 0, 0)), 2, 1.0, id="other-pupils"),
        pytest.param(_pairs((1000, 1000, 500, 85, 85, 85)), 2, 1.5, id="half-the-same"),
        pytest.param(_pairs((400, 1600, 400, 68, 68, 68)), 2, 1.5, id="a-part-of-a-larger-census"),
        pytest.param(_pairs((100, 100, 100, 50, 50, 40)), 2, 1.6, id="by-hand"),
        pytest.param(_pairs((100, 100, 100, 0, 0, 0)), 2, 1.0, id="nobody-identified"),
        pytest.param(_pairs((100, 100, 100, 100, 100, 100)), 2, 1.0, id="everybody-identified"),
        pytest.param(_pairs(), 1, 1.0, id="one-census"),
    ],
)
def test_the_repetition_floor(pairs, periods, floor):
    """By hand: shares of a half, 40 of 100 in both: (0.4 − 0.25) / 0.25 = 0.6."""
    assert repetition_floor(pairs.astype(float), periods=periods) == pytest.approx(floor)


def test_the_repetition_floor_is_what_the_variance_of_a_total_over_censuses_grows_by():
    """4,000 boroughs of 300 pupils, who keep their status of the year before with a chance of 0.8."""
    random = np.random.default_rng(6)
    first = random.random((4000, 300)) < 0.2
    second = np.where(random.random(first.shape) < 0.8, first, random.random(first.shape) < 0.2)
    third = np.where(random.random(first.shape) < 0.8, second, random.random(first.shape) < 0.2)
    grown = (first.astype(int) + second + third).sum(axis=1).var() / (3 * 300 * 0.2 * 0.8)
    pairs = _pairs(*[(first.size, first.size, first.size, a.sum(), b.sum(), (a & b).sum())
                     for a, b in ((first, second), (second, third), (first, third))])  # fmt: skip
    assert repetition_floor(pairs, periods=3) == pytest.approx(grown, rel=0.06)
    assert repetition_floor(pairs, periods=3) == pytest.approx(1 + 2 / 3 * (0.8 + 0.8 + 0.64), rel=0.01)


def test_the_line_of_design_effects_is_straight_in_size():
    size = np.array([100.0, 400, 900, 2_500, 10_000, 30_000])
    np.testing.assert_allclose(line_of(2.2 + size / 2_500, size, size), 2.2 + size / 2_500)


def test_the_line_of_design_effects_never_falls_with_size():
    size = np.array([100.0, 400, 900, 2_500, 10_000])
    assert np.ptp(line_of(np.array([4.0, 3.5, 3.0, 2.5, 2.0]), size, size)) == pytest.approx(0)


def test_one_group_in_a_single_school_does_not_widen_everybody():
    size = np.array([100.0, 400, 900, 1_200, 2_500, 10_000, 30_000])
    effect = 2.2 + size / 2_500
    plain, with_one = (line_of(e, size, size) for e in (effect, np.where(size == 1_200, 500.0, effect)))
    assert (with_one / plain < 1.35).all()


def test_too_few_groups_for_a_line_share_their_mean():
    size = np.array([100.0, 400, 900])
    np.testing.assert_allclose(line_of(np.array([2.0, 3.0, 4.0]), size, np.array([50.0, 5_000])), 3.0)


@pytest.mark.parametrize("kind", ["true", "quiet"])
def test_without_every_check_no_status_changes_and_only_families_without_a_candidate_lack_them(kind):
    frame = _world(_only("C", 2.0)) if kind == "true" else _world(seed=3)
    every, few = _flags(frame).table, _flags(frame, every_check=False).table
    kept = ["status", "reasons", "q_value", "pooled_risk_ratio", "pooled_lower", "pooled_upper", "pupils_affected"]
    pd.testing.assert_frame_equal(few[kept], every[kept])
    assert list(few) == list(every)
    candidate = every["status"].isin(["over-identified", "under-identified", "watch"]).any()
    assert candidate == (kind == "true")
    assert every["agreeing_specifications"].notna().any()
    assert few["agreeing_specifications"].notna().any() == candidate
    assert few["risk_ratio_2026"].notna().any() == candidate
