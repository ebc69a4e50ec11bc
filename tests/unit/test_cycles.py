"""Two editions of an area beside each other: what changed, what cannot be compared, and packs that cannot be used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from jsna.area import Area
from jsna.errors import SourceError
from jsna.evidence.cycles import changes as ch
from jsna.evidence.cycles.changes import changed_figures, changed_flags, changes_between
from jsna.evidence.cycles.edition import Edition, figures_of, flags_of, no_figures, no_flags
from jsna.evidence.cycles.notebooks import edition_of_exhibits
from jsna.evidence.cycles.packs import edition_of_pack, embedded_previous, pack_of
from jsna.params import Params
from tests.cycle_packs import LUTON, write_pack


def figures(*rows: dict) -> pd.DataFrame:
    """Figures as an edition holds them; each row says what differs from a plain one."""
    plain = {
        "indicator": "EHC-09",
        "group": "all",
        "period": "2024",
        "origin": "official",
        "version": "1",
        "history": "",
    }
    return pd.DataFrame([plain | r for r in rows]).reindex(columns=no_figures().columns)


def share(x: float, n: float, period: str, **more) -> dict:
    return {"value": round(100 * x / n, 1), "numerator": x, "denominator": n, "period": period, **more}


def flag(group: str, status: str, ratio=(1.0, 0.8, 1.25), **more) -> dict:
    names = ("adjusted_risk_ratio", "adjusted_lower", "adjusted_upper")
    told = dict(zip(names, map(str, ratio), strict=True)) | dict(
        zip(("risk_ratio", "risk_ratio_lower", "risk_ratio_upper"), map(str, ratio), strict=True)
    )
    base = {"place_level": "Local authority", "place_code": LUTON, "outcome": "any_sen", "characteristic": "ethnicity"}
    return (
        {**base, "period": "202526", "group": group, "status": status, "numerator": "40", "denominator": "200"}
        | told
        | more
    )


def test_a_change_has_the_interval_of_newcombe_and_is_judged_by_the_indicators_direction():
    found = changed_figures(figures(share(100, 400, "2024")), figures(share(180, 400, "2025"))).iloc[0]
    low, high = confint_proportions_2indep(180, 400, 100, 400, method="newcomb", compare="diff")
    assert found["verdict"] == ch.IMPROVED
    assert (found["difference"], found["lower"], found["upper"]) == pytest.approx(
        (20.0, 100 * low, 100 * high), abs=1e-6
    )


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        pytest.param(share(200, 400, "2024"), share(205, 400, "2025"), ch.NO_CLEAR, id="chance"),
        pytest.param(share(200, 400, "2024"), share(120, 400, "2025"), ch.WORSENED, id="worse"),
        pytest.param(share(200, 400, "2024"), share(200, 400, "2024"), ch.SAME_PERIOD, id="same period"),
        pytest.param(share(200, 400, "2022"), share(120, 400, "2025"), ch.NOT_COMPARABLE, id="across a break"),
        pytest.param(share(200, 400, "2024"), share(120, 400, "2025", version="2"), ch.NOT_COMPARABLE, id="definition"),
        pytest.param(share(200, 400, "2024"), share(120, 400, "2025", origin="local"), ch.NOT_COMPARABLE, id="origin"),
        pytest.param({"value": 40.0}, {"value": 60.0, "period": "2025"}, ch.UNTESTED, id="without counts"),
        pytest.param({"value": np.nan}, share(120, 400, "2025"), ch.NEW, id="hidden before"),
        pytest.param(share(120, 400, "2024"), {"value": np.nan, "period": "2025"}, ch.GONE, id="hidden now"),
    ],
)
def test_every_pair_of_figures_has_its_verdict(old, new, verdict):
    if verdict == ch.NOT_COMPARABLE and old["period"] == "2022":
        old, new = old | {"indicator": "EHC-05"}, new | {"indicator": "EHC-05"}
    found = changed_figures(figures(old), figures(new)).iloc[0]
    assert found["verdict"] == verdict
    assert pd.isna(found["lower"]) == (verdict not in (ch.NO_CLEAR, ch.WORSENED))
    assert bool(found["why"]) == (verdict == ch.NOT_COMPARABLE)


def test_events_that_can_repeat_are_not_tested():
    rates = [share(50, 1000, p, indicator="ATD-04") for p in ("2022/23", "2023/24")]
    assert (
        changed_figures(figures(rates[0]), figures(rates[1] | {"numerator": 400.0})).iloc[0]["verdict"] == ch.UNTESTED
    )


def test_the_allowance_for_many_tests_takes_a_lone_small_change_away():
    alone = changed_figures(figures(share(200, 400, "2024")), figures(share(231, 400, "2025"))).iloc[0]
    assert alone["verdict"] == ch.IMPROVED
    groups = [f"g{n}" for n in range(20)]
    old = figures(*(share(200, 400, "2024", group=g) for g in groups))
    new = figures(share(231, 400, "2025", group="g0"), *(share(200, 400, "2025", group=g) for g in groups[1:]))
    assert set(changed_figures(old, new)["verdict"]) == {ch.NO_CLEAR}


def test_an_earlier_figure_that_is_now_given_otherwise_is_marked_and_rounding_is_not():
    old = figures(share(100, 400, "2024"), share(100, 400, "2024", group="b"))
    new = figures(
        share(180, 400, "2025", history="2023=20.0; 2024=27.5; 2025=45.0"),
        share(180, 400, "2025", group="b", history="2024=25.05; 2025=45.0"),
    )
    assert changed_figures(old, new)["revised"].tolist() == pytest.approx([27.5, np.nan], nan_ok=True)


def test_flags_of_two_editions_and_whether_their_ratios_moved_beyond_noise():
    old = flags_of([flag("A", "over-identified", (2.0, 1.7, 2.4)), flag("B", "no evidence"), flag("C", "not shown")])
    new = flags_of(
        [
            flag("A", "no evidence"),
            flag("B", "under-identified", (0.5, 0.4, 0.62)),
            flag("C", "watch"),
            flag("D", "watch"),
        ]
    )
    found = changed_flags(old, new).set_index("group")
    assert found["change"].to_dict() == {
        "A": "no longer flagged",
        "B": "newly flagged",
        "C": "not shown in one edition",
        "D": "compared in one edition",
    }
    assert found["beyond_noise"].to_dict() == {"A": True, "B": True, "C": False, "D": False}
    z = stats.norm.ppf(0.975)
    error = np.hypot(np.log(2.4 / 1.7), np.log(1.25 / 0.8)) / (2 * z)
    assert found.at["A", "lower"] == pytest.approx(0.5 * np.exp(-z * error))


def test_a_flag_by_a_crude_ratio_is_not_set_beside_an_adjusted_one():
    crude = flag("A", "watch", (3.0, 2.0, 4.5)) | {
        "adjusted_risk_ratio": "x",
        "adjusted_lower": "x",
        "adjusted_upper": "x",
    }
    now = flag("A", "over-identified") | {"risk_ratio": "3.00", "risk_ratio_lower": "2.00", "risk_ratio_upper": "4.50"}
    found = changed_flags(flags_of([crude]), flags_of([now])).iloc[0]
    assert (found["old_ratio"], found["new_ratio"], found["ratio_of_ratios"]) == (3.0, 3.0, pytest.approx(1.0))


def edition(cycle: str, **more) -> Edition:
    return Edition(LUTON, "Luton", cycle, True, (), **({"flags": no_flags(), "figures": no_figures()} | more))


def test_projections_are_held_against_what_came():
    told = [
        {
            "measure": "plans",
            "part": "all",
            "period": p,
            "value": v,
            "lower_80": v - 10,
            "upper_80": v + 10,
            "scenario": "trend",
        }
        for p, v in (("January 2025", 100.0), ("January 2026", 120.0), ("January 2027", 130.0))
    ]
    came = [
        {"measure": "plans", "part": "all", "period": p, "value": v, "scenario": "observed"}
        for p, v in (("January 2025", 105.0), ("January 2026", 180.0))
    ]
    found = changes_between(
        edition("2024", projections=tuple(told)), edition("2026", projections=tuple(came))
    ).projections
    assert found[["period", "within"]].values.tolist() == [["January 2025", True], ["January 2026", False]]


def test_answers_of_two_waves_are_compared_by_their_own_limits_and_not_across_other_words():
    def heard(value, lower, upper, **more):
        return (
            {"indicator": "VOI-01", "group": "parents", "n": 200, "wave": "w", "question": "Q?"}
            | more
            | {"value": value, "lower": lower, "upper": upper}
        )

    old = edition("2023", voice=(heard(40.0, 33.0, 47.0), heard(50.0, 40.0, 60.0, group="young_people")))
    new = edition("2026", voice=(heard(60.0, 53.0, 67.0), heard(55.0, 45.0, 65.0, group="young_people", question="R?")))
    found = changes_between(old, new).voice.set_index("group")
    assert found["verdict"].to_dict() == {"parents": ch.IMPROVED, "young_people": ch.NOT_COMPARABLE}
    assert found.loc["parents", ["lower", "upper"]].tolist() == pytest.approx([20 - 98**0.5, 20 + 98**0.5])
    assert changes_between(edition("2023"), edition("2026")).voice.empty


def test_a_weighted_share_stands_for_an_answer_and_a_plain_one_where_there_is_no_other():
    told = [{"indicator": "VOI-01", "value": 38.4, "weighted_value": 35.7}, {"indicator": "VOI-02", "value": 50.0}]
    exhibits = [{"id": "voice", "extras": {"voice": told}}]
    assert [v["value"] for v in edition_of_exhibits(exhibits, Area(Params())).voice] == [35.7, 50.0]


def test_a_pack_is_read_and_what_an_older_version_did_not_write_is_told(tmp_path):
    found = edition_of_pack(write_pack(tmp_path / "2023"), area_code=LUTON)
    assert (found.cycle, found.figures["value"].tolist(), found.notes) == ("2023", [27.1], ())
    older = write_pack(tmp_path / "older", **{"tables/figures.csv": ""})
    assert "holds no table of figures" in edition_of_pack(older).notes[0]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(
            lambda p: (p / "flags.csv").write_text("group,status\nA,watch\n"), "was changed after", id="edited"
        ),
        pytest.param(lambda p: (p / "cards.json").unlink(), "is missing", id="gone"),
        pytest.param(lambda p: (p / "evidence.json").write_text("{}"), "was added after", id="added"),
        pytest.param(lambda p: (p / "manifest.json").unlink(), "There is no pack here", id="no manifest"),
        pytest.param(lambda p: (p / "manifest.json").write_text("{"), "is no JSON", id="broken"),
        pytest.param(lambda p: (p / "manifest.json").write_text("[]"), "no pack's manifest", id="another file"),
    ],
)
def test_a_pack_that_cannot_be_trusted_is_refused_in_words(tmp_path, fault, said):
    pack = write_pack(tmp_path / "2023")
    fault(pack)
    with pytest.raises(SourceError, match=said):
        edition_of_pack(pack)


def test_another_areas_pack_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"another area's.*E06000055"):
        edition_of_pack(write_pack(tmp_path / "2023"), area_code="E06000055")


def test_of_a_folder_of_packs_the_areas_newest_before_the_cycle_is_taken(tmp_path):
    for cycle in ("2020", "2023", "2026"):
        write_pack(tmp_path / "luton" / cycle)
    assert pack_of(tmp_path, "luton", "2026").name == "2023"
    assert pack_of(tmp_path / "luton" / "2020", "luton", "2026").name == "2020"
    with pytest.raises(SourceError, match="no earlier pack"):
        pack_of(tmp_path, "bedford", "2026")


def test_the_edition_that_comes_with_the_workbench_is_whole():
    found = embedded_previous(LUTON)
    assert (found.cycle, found.synthetic, found.area_code) == ("2023", True, LUTON)
    assert len(found.flags) > 500
    assert len(found.figures) > 10
    assert len(found.cards) > 50
    assert found.decisions is not None
    assert {d.priority for d in found.decisions.made} >= {"P1", "P3"}


def test_figures_of_an_unknown_form_are_no_figures():
    assert figures_of("a,b\n1,2\n").empty
    assert figures_of("").empty
