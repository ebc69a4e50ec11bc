"""Priors of many authorities: planted spreads come back, a file says what was learned and nothing else, and is used."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from jsna.cli import main
from jsna.codes import code_list
from jsna.disproportionality import flags, learn_priors, national_prior, national_priors, pooled, read_priors
from jsna.disproportionality.learning import design_effects
from jsna.disproportionality.prior_file import Entry, as_text, parse_priors
from jsna.engines import open_engine
from jsna.errors import MeasureError, SourceError
from jsna.evidence.priors import taught_by
from jsna.synthetic.national import write_national

AREAS, GROUPS, SCHOOLS = 40, 12, 25


def _cells(spread, *, school: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Authorities whose levels differ, groups of 40 to 4,000 pupils over schools, true log ratios spread as told."""
    random = np.random.default_rng(seed)
    size = np.geomspace(40, 4_000, GROUPS).round()
    parts = []
    for area in range(AREAS):
        ratio = np.exp(spread(random, GROUPS))
        pupils = random.multinomial(size.astype(int), random.dirichlet(np.full(SCHOOLS, 0.7), GROUPS))
        level = random.uniform(0.05, 0.15) * np.exp(random.normal(0, school, (GROUPS, SCHOOLS)) - school**2 / 2)
        risk = np.minimum(level * ratio[:, None], 0.9)
        parts.append(
            pd.DataFrame(
                {
                    "area_code": f"A{area:02d}",
                    "dimension": "ethnicity",
                    "group": np.repeat([f"g{g:02d}" for g in range(GROUPS)], SCHOOLS),
                    "known": True,
                    "school": np.tile([f"s{s:02d}" for s in range(SCHOOLS)], GROUPS),
                    "total": pupils.ravel(),
                    "plan": random.binomial(pupils, risk).ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _without_schools(cells: pd.DataFrame) -> pd.DataFrame:
    keys = ["area_code", "dimension", "group", "known"]
    return cells.groupby(keys)[["plan", "total"]].sum().reset_index().rename(columns={"plan": "count"})


def _learned(every: pd.DataFrame):
    (learned,) = learn_priors(every if "outcome" in every else every.assign(outcome="plan"))
    return learned


def _within(prior, value: float) -> float:
    """The share of log ratios that lie within ``value`` of 0."""
    return float(np.dot(prior.weights, 2 * norm.cdf(value / np.array(prior.spreads)) - 1))


# --- learning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("planted", [0.15, 0.5])
def test_the_planted_spread_of_true_ratios_comes_back(planted):
    learned = _learned(_without_schools(_cells(lambda random, size: random.normal(0, planted, size))))
    assert (learned.outcome, learned.dimension, learned.authorities) == ("plan", "ethnicity", AREAS)
    assert learned.prior.learned_from == AREAS * GROUPS
    assert _within(learned.prior, planted) == pytest.approx(0.683, abs=0.06)


def test_chance_alone_teaches_no_spread():
    learned = _learned(_without_schools(_cells(lambda random, size: np.zeros(size), seed=2)))
    assert _within(learned.prior, 0.1) > 0.85


def test_what_schools_add_to_chance_is_not_learned_as_a_spread_of_groups():
    # Each school treats each group otherwise, and no group differs over all schools.
    cells = _cells(lambda random, size: np.zeros(size), school=0.5, seed=3)
    with_schools = design_effects(cells, ["plan"])
    alone, allowed = _learned(_without_schools(cells)), _learned(with_schools)
    assert with_schools["design_effect"].median() > 1.5
    assert (with_schools["design_effect"] >= 1).all()
    assert _within(alone.prior, 0.1) < 0.6
    assert _within(allowed.prior, 0.1) > _within(alone.prior, 0.1) + 0.15


def test_a_design_effect_is_the_variance_over_schools_beside_that_of_lone_pupils():
    cells = pd.DataFrame(
        {
            "area_code": "A",
            "dimension": "ethnicity",
            "group": ["a", "a", "b", "b"],
            "known": True,
            "school": ["s", "t", "s", "t"],
            "total": [100, 100, 100, 100],
            "plan": [30, 10, 20, 20],
        }
    )
    made = design_effects(cells, ["plan"])
    # Both: 40 of 200. The schools of a lie 10 above and 10 below, those of b are even: scores of 10/40 and −10/40,
    # and S/(S−1) = 2. Lone pupils: 1/40 − 1/200 for each of the two.
    variance = 2 * ((10 / 40) ** 2 * 2)
    alone = 2 * (1 / 40 - 1 / 200)
    assert made.set_index("group")["design_effect"].tolist() == pytest.approx([variance / alone] * 2)
    assert made.set_index("group")["count"].tolist() == [40, 40]


def test_groups_that_are_not_known_are_nobodys_comparator_and_teach_nothing():
    cells = _cells(lambda random, size: random.normal(0, 0.3, size))
    plain = _learned(design_effects(cells, ["plan"]))
    strange = cells[cells["group"] == "g03"].assign(group="?", known=False, plan=lambda rows: rows["total"])
    assert _learned(design_effects(pd.concat([cells, strange]), ["plan"])) == plain


def test_an_outcome_of_too_few_authorities_is_left_out_and_a_missing_column_is_named():
    every = _without_schools(_cells(lambda random, size: random.normal(0, 0.3, size))).assign(outcome="plan")
    assert learn_priors(every[every["area_code"] < "A09"]) == ()  # nine authorities, 108 ratios
    assert len(learn_priors(every[every["area_code"] < "A10"])) == 1
    with pytest.raises(MeasureError, match="known"):
        learn_priors(every.drop(columns="known"))


# --- the file -----------------------------------------------------------------------------------------------------

ENTRY = {"outcome": "plan", "dimension": "sex", "period": "202526", "source": "own", "authorities": 12, "ratios": 150}
SOUND = Entry(**ENTRY, concentration=157.25, weights=(0.5, 0.2, 0.2, 0.1, 0.0))


def _text(*entries: Entry) -> str:
    return as_text(entries or (SOUND,), made="2026-01-31", notes=["A note: with a colon"], sources={"own": "Ours"})


def _signed(text: str) -> str:
    """The text after a change, with the digest that belongs to it."""
    body = text.rpartition("digest: ")[0]
    return f"{body}digest: {hashlib.sha256(body.encode()).hexdigest()}\n"


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "priors.yml"
    path.write_text(_text(), encoding="utf-8")
    told = read_priors(path)
    prior = told.prior("plan", "sex")
    assert (told.made, told.notes, prior.learned_from) == ("2026-01-31", ("A note: with a colon",), 150)
    assert prior.weights == pytest.approx(SOUND.weights, abs=1e-4)
    assert sum(prior.concentration) == pytest.approx(157.25)
    assert prior.weights[-1] > 0  # a weight that rounds to 0 rules nothing out
    assert told.of_dimension("sex") == {"plan": prior}
    assert told.of_dimension("ethnicity") == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("version: 1", "version: 2", "version.*form.*not known.*Found: 2", id="version"),
        pytest.param("[0.5, 0.2,", "[0.6, 0.2,", "plan, sex.*add up to 1.*1.1", id="sum"),
        pytest.param("[0.5, 0.2,", "[0.9, -0.2,", "weights.*greater than or equal to 0", id="negative"),
        pytest.param("[0.03, 0.1,", "[0.1, 0.03,", "spreads do not ascend", id="descending"),
        pytest.param("[0.03, 0.1, 0.2, 0.4, 0.8]", "[0.03, 0.1, 0.2, 0.8]", "as many weights as spreads", id="lengths"),
        pytest.param('source: "own"', 'source: "theirs"', "source is named", id="source"),
        pytest.param("concentration: 157.25", "concentration: 0", "concentration.*greater than 0", id="concentration"),
        pytest.param("ratios: 150, ", "", "ratios", id="missing-key"),
        pytest.param("priors:", "prior:", "priors.*Field required", id="no-priors"),
        pytest.param("notes:", "notes: [", "no file of priors", id="not-yaml"),
    ],
)
def test_a_fault_of_the_file_is_named(old, new, message):
    assert old in _text()
    with pytest.raises(SourceError, match=f"(?s){message}") as raised:
        parse_priors(_signed(_text().replace(old, new)), "priors.yml")
    assert "after it was made" not in str(raised.value)


def test_all_faults_are_named_together_and_a_change_by_hand_is_one():
    with pytest.raises(SourceError) as raised:
        parse_priors(_text(SOUND, SOUND).replace("0.5, 0.2", "0.4, 0.2"), "priors.yml")
    said = str(raised.value)
    assert said.count("add up to 1") == 2
    assert "stand twice" in said
    assert "changed after it was made" in said


def test_what_is_no_file_of_priors_is_said_without_a_traceback(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        read_priors(tmp_path / "none.yml")
    (tmp_path / "empty.yml").write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match="no file of priors"):
        read_priors(tmp_path / "empty.yml")


# --- England's ----------------------------------------------------------------------------------------------------


def test_englands_priors_are_of_real_files_and_name_no_authority():
    text = files("jsna.disproportionality").joinpath("priors.yml").read_text(encoding="utf-8")
    told = national_priors()
    assert all("Department for Education" in words and "sha256" in words for words in told.sources.values())
    assert "synthetic" not in text.casefold()
    names = code_list("local_authority")
    assert not [n for n in names["name"] if re.search(rf"\b{re.escape(n)}\b", text)]
    assert not re.search(r"\bE(?:0[6-9]|1[0-3])\d{6}\b", text)
    assert all(e.authorities > 80 and e.ratios > 100 for e in told.entries.values())


def test_a_prior_that_the_file_does_not_have_is_named_with_what_is_near():
    with pytest.raises(SourceError, match=r"ehc_plans, ethnicity.*Did you mean 'ehc_plan'"):
        national_prior("ehc_plans", "ethnicity")
    with pytest.raises(SourceError, match=r"ward_code.*age, ethnicity, sex"):
        national_prior("ehc_plan", "ward_code")


def test_ratios_of_plans_spread_widely_over_englands_ethnic_groups_and_are_drawn_less_towards_1():
    prior = national_prior("ehc_plan", "ethnicity")
    assert 0.2 < float(np.sqrt(np.dot(prior.weights, np.square(prior.spreads)))) < 0.6
    own, given = (pooled([18, 100, 90], [9, 100, 100], 1.5, prior=p).table.iloc[0] for p in (None, prior))
    assert own["estimate"] < given["estimate"] < 2
    assert given["false_sign_rate"] < own["false_sign_rate"]


def _world() -> pd.DataFrame:
    """Two censuses of one borough: one small group at twice the risk of the others."""
    random = np.random.default_rng(5)
    parts = []
    for census in (2025, 2026):
        for group, size, ratio in (("A", 3_000, 1.0), ("B", 2_000, 1.0), ("C", 260, 2.0), ("D", 900, 1.0)):
            n = random.multinomial(size, np.full(40, 1 / 40))
            for half in ("f", "m"):
                part = n // 2
                x = random.binomial(part, 0.04 * ratio)
                schools = [f"s{s}" for s in range(len(part))]
                parts.append(pd.DataFrame({"census": census, "school": schools, "group": group, "sex": half}))
                parts[-1] = parts[-1].assign(n=part, ehc_plan=x)
    return pd.concat(parts, ignore_index=True).query("n > 0")


def test_flags_with_englands_prior_are_surer_of_a_group_that_stands_out():
    named = {"group": "group", "outcomes": ["ehc_plan"], "total": "n", "period": "census", "cluster": "school"}
    named |= {"demographic": ["sex"], "deprivation": []}
    world = _world()
    plain = flags(world, **named).table.set_index("group").loc["C"]
    priors = national_priors().of_dimension("ethnicity")
    given = flags(world, **named, prior=priors)
    row = given.table.set_index("group").loc["C"]
    assert row["q_value"] < plain["q_value"]
    assert row["pooled_risk_ratio"] > plain["pooled_risk_ratio"] > 1
    # Some 2,500 ratios of England outweigh four of a borough: the weights stay what England taught.
    assert given.priors["ehc_plan"] == pytest.approx(priors["ehc_plan"].weights, abs=0.03)


# --- an alliance's own pupils --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pupils(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alliance")
    write_national(folder, pupils=12_000, areas=11, files=1, jobs=1)
    return folder


def test_pupils_of_an_alliance_teach_what_their_counts_say(pupils):
    with open_engine("parquet", str(pupils)) as engine:
        learned, period = taught_by(engine, ["ethnicity"])
    rows = pd.concat([pd.read_parquet(p) for p in pupils.glob("*.parquet")]).astype({"ethnicity": "str"})
    rows = rows[rows["time_period"].astype("str") == rows["time_period"].astype("str").max()]
    unknown = code_list("ethnicity").query("known == '0'").index
    counted = (
        rows.assign(plan=rows["sen_provision"].isin(["E"]), known=~rows["ethnicity"].isin(unknown), total=1)
        .groupby(["la_code", "ethnicity", "known", "school_urn"], observed=True)[["plan", "total"]]
        .sum()
        .reset_index()
        .set_axis(["area_code", "group", "known", "school", "ehc_plan", "total"], axis="columns")
        .assign(dimension="ethnicity")
    )
    expected = learn_priors(design_effects(counted, ["ehc_plan"]))
    assert period == rows["time_period"].astype("str").max()
    assert [one for one in learned if one.outcome == "ehc_plan"] == list(expected)
    assert expected[0].authorities == 11


def test_the_command_writes_an_alliances_file_and_asks_whose_pupils_they_are(pupils, tmp_path, capsys):
    out = tmp_path / "ours.yml"
    asked = ["priors", str(pupils), "--pupils", "--out", str(out), "--date", "2026-01-31"]
    assert main(asked) == 2
    assert "Say whose pupils these are" in capsys.readouterr().err
    assert not out.exists()
    assert main([*asked, "--source", "Invented pupils of a test"]) == 0
    told = read_priors(out)
    assert told.sources == {"pupils": "Invented pupils of a test"}
    assert told.prior("any_sen", "ethnicity").learned_from > 100
    assert main([*asked[:3], "--out", str(tmp_path / "none" / "x.yml"), "--source", "A test"]) == 2
    assert main(["priors", str(tmp_path / "nowhere")]) == 2


@pytest.mark.parametrize("day", ["31 January 2026", "2026-1-31", "2026-02-30", "20260131"])
def test_a_day_that_is_none_is_refused(pupils, tmp_path, day, capsys):
    out = tmp_path / "ours.yml"
    asked = ["priors", str(pupils), "--pupils", "--source", "A test", "--out", str(out), "--date", day]
    assert main(asked) == 2
    assert "--date" in capsys.readouterr().err
    assert not out.exists()
