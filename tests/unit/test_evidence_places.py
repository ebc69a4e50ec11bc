"""Places: known answers, totals that stay, and what is hidden that stays hidden whatever tables lie side by side."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.lookups import Lookup, make_lookup
from geo.neighbours import contiguity
from geo.places import embedded_lookup, embedded_shapes
from jsna.area import Area
from jsna.counts import OUTCOMES
from jsna.disclosure import Policy
from jsna.disclosure.perturbation import cell_keyed
from jsna.errors import DisclosureError, SourceError
from jsna.evidence import place_patterns as patterns
from jsna.evidence.places import LINES, SmallAreas, expected, lsoa_rates, school_factor, ward_rates
from jsna.linked.places import GROUPS, MOVES, embedded_homes, moves_between
from jsna.params import Params
from jsna.sealed import Sealed

SIDE = 6
CODES = [f"E0100{r}{c}" for r in range(SIDE) for c in range(SIDE)]
ROW, COLUMN = np.divmod(np.arange(SIDE * SIDE), SIDE)
# Nine wards of 2 x 2 LSOAs today; before, wards were rows; deciles run by ward, and move by one in the second index.
WARDS = [f"E0500{r // 2}{c // 2}" for r, c in zip(ROW, COLUMN, strict=True)]
OLD = make_lookup(
    "lsoa21", "ward17", pd.DataFrame({"source": CODES, "target": [f"E0400{r}" for r in ROW]}), rule="rows"
)
NAMES = pd.Series({f"E0400{r}": f"Row {r}" for r in range(SIDE)})
PEOPLE = pd.DataFrame({"source": ["E050000"], "target": ["E04000"], "weight": [0.5]})


def lsoas():
    decile = 1 + ROW // 2 + COLUMN // 2
    frame = {"lsoa21": CODES, "label": [f"Area {c}" for c in CODES], "ward_code": WARDS}
    frame |= {"ward_name": [f"Ward {w[-2:]}" for w in WARDS], "quintile": (decile + 1) // 2, "before": decile}
    frame |= {"after": decile + (COLUMN >= 4) - 2 * (ROW == 5), "ward17": [f"E0400{r}" for r in ROW]}
    return pd.DataFrame(frame).assign(move=lambda f: moves_between(f["before"], f["after"]))


def shapes():
    boxes = [shapely.box(c, -r, c + 1000, 1000 - r) for r, c in zip(1000 * ROW, 1000 * COLUMN, strict=True)]
    return gpd.GeoDataFrame({"code": CODES}, geometry=boxes, crs=27700)


def cells(counts, pupils=100, plans=20):
    """One stratum an LSOA: ``counts`` with any SEN, of ``pupils``, and enough with a plan to be shown."""
    frame = pd.DataFrame({"lsoa21": CODES, "year_group": "5", "sex": "F", "any_sen": counts, "pupils": pupils})
    frame["ehc_plan"] = plans
    return frame.assign(sen_support=frame["any_sen"], time_period="202526")


def areas_of(frame, **named):
    settings = {"period": "202526", "policy": Policy(), "source": "a test", "synthetic": True, "outcomes": ("any_sen",)}
    settings |= {"groups": ("ward17", "before", "after", "move")}
    counts = ("pupils", "any_sen", "sen_support", "ehc_plan")
    return SmallAreas(Sealed(frame, counts=counts), lsoas(), shapes(), **(settings | named))


def sums(areas):
    """Every table of sums over LSOAs, as readers see it."""
    tables = {
        "wards": ward_rates(areas),
        "lsoas": lsoa_rates(areas),
        "old": patterns.old_and_new_wards(areas, OLD, NAMES, PEOPLE)[0],
        "deciles": patterns.by_decile(areas, ("before", "after")),
        "moves": patterns.edition_moves(areas),
    }
    return {name: table.text() for name, table in tables.items()}


def everything(areas):
    """Every table that the room makes."""
    tables = {
        "units": patterns.units(areas, [("lsoa21", "LSOA"), ("ward_code", "Ward")]),
        "local": patterns.local_clusters(areas),
        "scan": patterns.scanned(areas, simulations=99)[0],
        "gradients": patterns.gradients(areas, ("before", "after")),
    }
    return sums(areas) | {name: table.text() for name, table in tables.items()}


@pytest.fixture(scope="module")
def area():
    return Area(Params())


@pytest.fixture(scope="module")
def luton(area):
    known = embedded_homes().assign(quintile=lambda f: (f["idaci_2025_decile"] + 1) // 2)
    return SmallAreas(
        area.count(["lsoa21", "year_group", "sex"]),
        known,
        embedded_shapes("lsoa21"),
        period=area.periods[-1],
        policy=area.policy,
        source="a test",
        synthetic=True,
        groups=GROUPS,
    )


# --- known answers


def test_expected_by_hand_in_two_strata():
    # Girls: 30 of 3,600 in all. One LSOA has 100 girls (3 identified) and 300 boys (15).
    girls, boys = cells(0, plans=0), cells(0, plans=0).assign(sex="M")
    girls.loc[:9, "any_sen"], boys.loc[:, "any_sen"] = 3, 9
    boys.loc[0, ["any_sen", "pupils"]] = [15, 300]
    boys.loc[1, "pupils"] = 0
    boys.loc[1, "any_sen"] = 0
    found = expected(areas_of(pd.concat([girls, boys])), "lsoa21", "any_sen", ("year_group", "sex"))
    boys_in_all, pupils_in_all = 15 + 34 * 9, 300 + 34 * 100
    by_hand = 100 * 30 / 3600 + 300 * boys_in_all / pupils_in_all
    assert found.loc[CODES[0], "expected"] == pytest.approx(by_hand)
    assert found.loc[CODES[0], "observed"] == 18
    assert found.loc[CODES[0], "ratio"] == pytest.approx(18 / by_hand)


@pytest.mark.parametrize("line", list(LINES))
@pytest.mark.parametrize("by", ["ward_code", "lsoa21"])
def test_numbers_expected_add_up_to_the_number_identified(luton, line, by):
    for outcome in OUTCOMES if by == "ward_code" else ("any_sen",):
        found = expected(luton, by, outcome, LINES[line])
        assert found["expected"].sum() == pytest.approx(found["observed"].sum())


def test_a_risk_that_goes_by_deprivation_alone_leaves_no_ward_standing_out():
    risk = lsoas()["quintile"].map({1: 40, 2: 20, 3: 10})
    frame = ward_rates(areas_of(cells(risk))).frame.set_index("group")
    assert frame["adjusted_ratio"].tolist() == pytest.approx([1.0] * 9)
    assert (frame["adjusted_lower"] < 1).all()
    assert (frame["adjusted_upper"] > 1).all()
    assert (frame["crude_lower"] > 1).any()
    assert (frame["crude_upper"] < 1).any()
    assert frame["age_and_sex_ratio"].tolist() == pytest.approx(frame["crude_ratio"].tolist())


def test_a_planted_ward_is_above_and_the_others_are_not():
    counts = np.where(np.array(WARDS) == "E050011", 34, 20)
    plants = lsoas().assign(quintile=1)
    areas = replace(areas_of(cells(counts)), lsoas=plants)
    wards = ward_rates(areas).frame.set_index("group")
    assert wards.index[wards["adjusted_lower"] > 1].tolist() == ["E050011"]
    assert wards["adjusted_upper"].min() > 1
    table, cluster, seed = patterns.scanned(areas)
    first = table.frame.iloc[0]
    # A circle around the middle of a square LSOA takes its four neighbours at once: a cross, three of it planted.
    assert (first["direction"], first["n_areas"]) == ("high", 5)
    assert first["wards"].split(", ")[0] == "Ward 11 (3 of 4)"
    assert first["numerator"] == 3 * 34 + 2 * 20
    assert first["p_chance"] <= first["p"]
    assert seed > 0
    assert (cluster == 1).sum() == (5 if first["p"] <= 0.05 else 0)


def test_small_areas_planted_far_above_stand_out_one_by_one_and_no_other_does():
    planted = np.array(WARDS) == "E050011"
    areas = replace(areas_of(cells(np.where(planted, 60, 20))), lsoas=lsoas().assign(quintile=1))
    side = lsoa_rates(areas).frame["adjusted_side"]
    assert side.tolist() == np.where(planted, "above", "unclear").tolist()


def test_areas_all_alike_have_no_side_no_cluster_and_nothing_beyond_chance():
    areas = areas_of(cells(20))
    frame = lsoa_rates(areas).frame
    assert set(frame["adjusted_side"]) == {"unclear"}
    assert frame["smoothed"].tolist() == pytest.approx([20.0] * 36, abs=0.05)
    unit = patterns.units(areas, [("lsoa21", "LSOA")])
    assert unit.frame.loc[0, ["lowest", "highest", "variation", "adjusted_variation"]].tolist() == [
        20.0,
        20.0,
        0.0,
        0.0,
    ]
    assert unit.text().loc[0, "moran"] == "z"
    assert patterns.alikeness(areas)["crude"].status == "nothing varies"


def test_steadied_ward_shares_are_marshalls():
    frame = ward_rates(areas_of(cells(10 + COLUMN))).frame
    x, n = frame["numerator"], frame["denominator"]
    m = x.sum() / n.sum()
    between = max(0.0, (n * (x / n - m) ** 2).sum() / n.sum() - m / n.mean())
    by_hand = m + (x / n - m) * between / (between + m / n)
    assert (frame["smoothed"] / 100).tolist() == pytest.approx(by_hand.tolist())
    assert frame["smoothed"].std() < frame["percent"].std()


def test_the_edition_of_an_index_on_a_small_place_by_hand():
    areas = areas_of(cells(10 + ROW))
    table = patterns.by_decile(areas, ("before", "after")).frame
    before = table[table["index"] == "before"].set_index("decile")
    # Decile 1 is the first ward: rows 0 and 1, two columns each.
    assert before.loc[1, ["areas", "numerator", "denominator"]].tolist() == [4, 2 * 10 + 2 * 11, 400]
    assert before["areas"].tolist() == [4, 8, 12, 8, 4]
    moves = patterns.edition_moves(areas).frame.set_index("move")
    # Two columns of six move up by one; the last row moves down by two, and by one where both apply.
    assert moves["areas"].to_dict() == {
        "two or more deciles more deprived": 4,
        "one decile more deprived": 2,
        "the same decile": 20,
        "one decile less deprived": 10,
    }
    assert moves.loc["two or more deciles more deprived", "numerator"] == 4 * 15
    assert moves["denominator"].sum() == 3600
    for index in ("before", "after"):
        rows = table[table["index"] == index]
        assert (rows["numerator"].sum(), rows["denominator"].sum()) == (6 * (60 + 15), 3600)


def test_a_risk_that_does_not_vary_has_a_flat_gradient_and_a_steep_one_is_steep():
    flat = patterns.gradients(areas_of(cells(20)), ("before",)).frame.iloc[0]
    assert (flat["slope"], flat["relative"]) == pytest.approx((0, 1))
    steep = patterns.gradients(areas_of(cells(50 - 8 * lsoas()["before"])), ("before",)).frame.iloc[0]
    assert steep["slope_lower"] > 20
    assert steep["relative_lower"] < steep["relative"] < steep["relative_upper"]


def test_neighbours_of_merged_areas_are_those_of_their_outlines():
    areas = areas_of(cells(20))
    order = sorted(set(WARDS))
    merged = patterns.merged_neighbours(areas, "ward_code", order)
    outlines = shapes().assign(ward=WARDS).dissolve("ward").reset_index()
    assert merged.pairs().equals(contiguity(outlines, "ward").pairs())
    lone = patterns.merged_neighbours(areas, "lsoa21", CODES)
    assert lone.pairs().equals(areas.neighbours.pairs())


# --- schools


def in_schools(seed, sd, special=0.0, schools=18, pupils=240):
    """LSOAs whose pupils go to three of ``schools`` near by; a school's risk is 0.2 times a factor of its own."""
    random = np.random.default_rng(seed)
    effect = np.exp(random.normal(0, sd, schools))
    rows = []
    for at, code in enumerate(CODES):
        for school in (at // 2 + np.arange(3)) % schools:
            n = pupils // 3
            rows.append((code, f"S{school:02d}", "primary", random.binomial(n, min(0.2 * effect[school], 0.9)), n))
        if special:
            rows.append((code, "S99", "special", (k := random.poisson(special)), k))
    frame = pd.DataFrame(rows, columns=["lsoa21", "school_urn", "school_phase", "any_sen", "pupils"])
    return frame.assign(year_group="5", sex="F", sen_support=0, ehc_plan=0, time_period="202526")


def test_the_school_factor_by_hand():
    areas = areas_of(in_schools(3, 0.4, special=4))
    frame = areas.frame
    risk = frame["any_sen"].sum() / frame["pupils"].sum()
    by_hand, tops, bottoms = {}, [], []
    for ward, rows in frame.groupby("ward_code"):
        mainstream = rows[rows["school_phase"] == "primary"]
        ratio = mainstream["any_sen"].sum() / (risk * mainstream["pupils"].sum())
        squares = [
            (one["any_sen"].sum() - ratio * risk * one["pupils"].sum()) ** 2
            for _, one in mainstream.groupby("school_urn")
        ]
        variance = sum(squares) * len(squares) / (len(squares) - 1)
        tops.append(variance + rows.loc[rows["school_phase"] == "special", "any_sen"].sum())
        bottoms.append(risk * rows["pupils"].sum())
        by_hand[ward] = tops[-1] / bottoms[-1]
    together = sum(tops) / sum(bottoms)
    found = school_factor(areas, "ward_code", "any_sen", ["everybody"])
    assert together > 1
    assert found.to_dict() == pytest.approx({w: max(1, together, d) for w, d in by_hand.items()})


def test_limits_and_p_allow_for_schools_and_the_ratio_does_not_change():
    frame = in_schools(3, 0.4)
    plain = frame.drop(columns=["school_urn", "school_phase"])
    one, two = (expected(areas_of(f), "ward_code", "any_sen", ()) for f in (frame, plain))
    assert one["ratio"].tolist() == pytest.approx(two["ratio"].tolist())
    assert (two["factor"] == 1).all()
    assert (one["factor"] > 1).all()
    assert (one["lower"] < two["lower"]).all()
    assert (one["upper"] > two["upper"]).all()
    assert (one["p"] >= two["p"]).all()
    width = np.log(one["upper"] / one["ratio"]) / np.log(two["upper"] / two["ratio"])
    assert (width**2).tolist() == pytest.approx(one["factor"].tolist())


def test_schools_alone_seldom_make_a_ward_stand_out():
    """Wards that differ by nothing but their schools: 5% may come out at p under 0.05; without schools many more do."""
    called = {"schools": [], "pupils": []}
    nothing_hidden = areas_of(cells(50)).rule
    for seed in range(25):
        frame = in_schools(seed, 0.3)
        plain = frame.drop(columns=["school_urn", "school_phase"])
        for name, one in (("schools", frame), ("pupils", plain)):
            called[name].append(
                (expected(areas_of(one, policy=nothing_hidden), "ward_code", "any_sen", ())["p"] < 0.05).mean()
            )
    assert np.mean(called["schools"]) < 0.15
    assert np.mean(called["pupils"]) > 2 * np.mean(called["schools"])


# --- old and new wards, and totals


def test_totals_are_the_same_in_wards_of_before_and_of_today(luton):
    lookup, people = embedded_lookup("lsoa21", "ward17"), embedded_lookup("ward23", "ward17").rows
    names = embedded_shapes("ward17").set_index("code")["name"]
    table, moved = patterns.old_and_new_wards(luton, lookup, names, people)
    frame = table.frame
    total = luton.frame[["any_sen", "pupils"]].sum().tolist()
    assert frame[["old_numerator", "old_denominator"]].sum().tolist() == total
    assert frame[["new_numerator", "new_denominator"]].sum().tolist() == total
    assert (frame["old_code"].nunique(), frame["new_code"].nunique()) == (19, 20)
    assert (moved.rows_in, moved.rows_converted, moved.rows_estimated) == (125, 125, 0)
    of = lookup.rows.set_index("source")["target"]
    by_hand = luton.frame.groupby(luton.frame["lsoa21"].map(of))["any_sen"].sum()
    shown = frame.dropna(subset=["old_code"]).set_index("old_code")["old_numerator"]
    assert shown.sort_index().tolist() == by_hand.sort_index().tolist()


def test_units_are_counted_and_small_ones_spread_widest(luton):
    pairs = [("lsoa21", "LSOA"), ("msoa21", "MSOA"), ("ward_code", "Ward")]
    frame = patterns.units(luton, pairs).frame
    assert frame["units"].tolist() == [125, 22, 20]
    spread = frame["highest"] - frame["lowest"]
    assert spread.idxmax() == 0
    shares = luton.frame.groupby("ward_code")[["any_sen", "pupils"]].sum()
    by_hand = 100 * shares["any_sen"] / shares["pupils"]
    assert frame.loc[2, ["lowest", "highest"]].tolist() == pytest.approx([by_hand.min(), by_hand.max()])
    assert frame["denominator"].nunique() == 1


# --- what is hidden


SMALL = [20] * 36
SMALL[7], SMALL[6] = 3, 10  # row 1, columns 1 and 0, both of ward 00: a small count and its companion


def test_a_small_count_hides_its_lsoa_a_companion_and_all_that_rests_on_them():
    areas = areas_of(cells(SMALL))
    dark = sorted(areas.hidden)
    assert CODES[7] in dark
    assert len(dark) == 2
    assert {WARDS[CODES.index(c)] for c in dark} == {"E050000"}
    text = lsoa_rates(areas).text().set_index("group")
    labels = {"outcome", "label", "ward_code", "ward_name", "denominator"}
    assert (text.loc[dark, [c for c in text if c not in labels]] == "c").to_numpy().all()
    assert set(text["denominator"]) == {100}
    assert not (text.drop(index=dark) == "c").any(axis=None)
    local = patterns.local_clusters(areas).text().set_index("group")
    assert (local.loc[dark, ["numerator", "cluster", "q"]] == "c").to_numpy().all()


def test_sets_of_areas_that_hold_hidden_ones_are_shown_where_they_give_nothing_away():
    """Both hidden LSOAs lie in one old ward, one decile and one group of moves: these tell no more than their sum."""
    areas = areas_of(cells(SMALL))
    made = everything(areas)
    assert {ROW[CODES.index(c)] for c in areas.hidden} == {1}
    old = made["old"].dropna(subset=["old_code"]).set_index("old_code")["old_numerator"]
    assert old["E04001"] == 10 + 3 + 4 * 20
    deciles = made["deciles"].set_index(["index", "decile"])["numerator"]
    assert deciles["before", 1] == 20 + 20 + 10 + 3
    assert not (made["gradients"] == "c").any(axis=None)


def test_a_decile_of_its_own_is_hidden_with_its_small_count_and_with_the_slope():
    frame = cells([3 if c == CODES[0] else 20 for c in CODES])
    areas = areas_of(frame)
    own = lsoas().assign(before=lambda f: f["before"].where(f["lsoa21"] != CODES[0], 9))
    made = everything(replace(areas, lsoas=own))
    deciles = made["deciles"].set_index(["index", "decile"])
    assert set(deciles.loc[("before", 9), ["numerator", "percent", "percent_lower", "percent_upper"]]) == {"c"}
    assert (deciles.loc["before", "numerator"] == "c").sum() >= 2
    slopes = made["gradients"].set_index("index")
    assert set(slopes.loc["before", ["slope", "slope_lower", "relative"]]) == {"c"}


def test_no_circle_holds_a_hidden_lsoa():
    counts = [40 if w == "E050000" else 20 for w in WARDS]
    counts[7] = 3
    areas = areas_of(cells(counts))
    table, cluster, _ = patterns.scanned(areas, simulations=99)
    assert (cluster[list(areas.hidden)] == 0).all()
    inside = table.frame[table.frame["wards"].str.contains("Ward 00")]
    assert (inside["n_areas"] >= 1).all()
    assert not inside["wards"].str.contains(r"Ward 00 \([34] of").any()


def test_an_exchange_between_two_hidden_lsoas_changes_nothing_that_is_shown():
    """Tables side by side unlock nothing: another truth with the same hidden cells gives the same text."""
    other = list(SMALL)
    other[7] -= 2
    other[6] += 2
    first, second = areas_of(cells(SMALL)), areas_of(cells(other))
    assert first.hidden == second.hidden == {CODES[6], CODES[7]}
    a, b = everything(first), everything(second)
    for name in a:
        pd.testing.assert_frame_equal(a[name], b[name], obj=name)


def test_an_exchange_between_two_hidden_wards_changes_no_other_ward():
    """A ward of nobody and its companion: what is steadied from other wards does not know how they share."""
    plain = lsoas().assign(quintile=1)
    counts = pd.Series([0 if w == "E050022" else 20 + r for w, r in zip(WARDS, ROW, strict=True)], index=CODES)
    first = replace(areas_of(cells(counts.to_numpy())), lsoas=plain)
    (companion,) = first.hidden_wards["any_sen"] - {"E050022"}
    ward = pd.Series(WARDS, index=CODES)
    giver = next(c for c in sorted(first.hidden) if ward[c] == companion)
    counts[giver] -= 4
    counts[ward == "E050022"] += 1
    second = replace(areas_of(cells(counts.to_numpy()), policy=first.rule), lsoas=plain)
    for table in (ward_rates, lsoa_rates, lambda a: patterns.units(a, [("ward_code", "Ward")])):
        pd.testing.assert_frame_equal(table(first).text(), table(second).text())


def _determined(equations, targets):
    """Which targets (sums of unknowns) follow from the equations: those that lie in their row space."""
    rank = np.linalg.matrix_rank(equations) if len(equations) else 0
    return [np.linalg.matrix_rank(np.vstack([*equations, t])) == rank for t in targets]


@pytest.mark.parametrize("seed", range(12))
def test_an_attacker_with_all_tables_finds_no_hidden_count(seed):
    """Linear algebra over all sums shown: no count of a hidden LSOA or of a hidden ward of today follows from them."""
    random = np.random.default_rng(seed)
    areas = areas_of(cells(random.poisson(random.choice([3, 6, 12, 20], size=36)), plans=20))
    made = sums(areas)
    place, known = {c: i for i, c in enumerate(CODES)}, lsoas().set_index("lsoa21")

    def row(codes):
        return np.isin(np.arange(36), [place[c] for c in codes]).astype(float)

    def told(count):
        return not isinstance(count, str)  # neither hidden nor rounded

    lsoa, ward = (made[t].set_index("group")["numerator"] for t in ("lsoas", "wards"))
    old = made["old"].dropna(subset=["old_code"]).set_index("old_code")["old_numerator"]
    new = made["old"].dropna(subset=["new_code"]).set_index("new_code")["new_numerator"]
    assert (new[ward.index] == "c").tolist() == (ward == "c").tolist()
    of = OLD.rows.set_index("source")["target"]
    shown = [row(CODES)]
    shown += [row([c]) for c in CODES if told(lsoa[c])]
    shown += [row(known.index[known["ward_code"] == w]) for w in ward.index if told(ward[w])]
    shown += [row(of.index[of == w]) for w in old.index if told(old[w])]
    for line in made["deciles"].itertuples():
        if told(line.numerator):
            shown.append(row(known.index[known[line.index] == line.decile]))
    step = (known["after"] - known["before"]).clip(-2, 2)
    for line in made["moves"].itertuples():
        if told(line.numerator):
            shown.append(row(step.index[step == MOVES.index(line.move) - 2]))
    hidden = [row([c]) for c in CODES if lsoa[c] == "c"]
    hidden += [row(known.index[known["ward_code"] == w]) for w in ward.index if ward[w] == "c"]
    assert len(hidden) > 2
    assert not any(_determined(np.array(shown), hidden))


def test_figures_of_hidden_wards_are_hidden_and_none_of_their_small_areas_is_alone():
    counts = [0 if w == "E050022" else 20 for w in WARDS]
    areas = areas_of(cells(counts))
    text = ward_rates(areas).text().set_index("group")
    dark = areas.hidden_wards["any_sen"]
    assert "E050022" in dark
    assert len(dark) == 2
    figures = [c for c in text if c not in ("outcome", "label", "denominator")]
    assert set(text.loc[list(dark), figures].to_numpy().ravel()) == {"c"}
    assert not (text.drop(index=list(dark)) == "c").any(axis=None)
    assert areas.hidden >= {c for c, w in zip(CODES, WARDS, strict=True) if w == "E050022"}


def test_numbers_expected_do_not_add_up_to_a_hidden_number():
    """Where the number in all is hidden, those expected of the areas shown add up to what is seen of these alone."""
    areas = areas_of(cells(SMALL))
    pattern = areas.rule.pattern
    assert pattern is not None
    hidden = pattern.hidden.copy()
    hidden["pupils|202526|sen=any_sen"] = True
    unseen = replace(areas, policy=replace(areas.policy, pattern=replace(pattern, hidden=hidden)))
    for one, total in ((areas, sum(SMALL)), (unseen, sum(SMALL) - SMALL[6] - SMALL[7])):
        found = expected(one, "lsoa21", "any_sen", ())["expected"]
        assert found.drop(index=list(one.hidden)).sum() + found[list(one.hidden)].sum() * (one is areas) == (
            pytest.approx(total)
        )


def test_a_count_that_is_shown_rounded_is_so_in_all_that_rests_on_it():
    areas = areas_of(cells([23] * 36))
    name = f"pupils|202526|place={CODES[0]}|sen=any_sen"
    pattern = areas.rule.pattern
    assert pattern is not None
    hidden, base = pattern.hidden.copy(), pattern.base.copy()
    hidden[name], base[name] = True, 10
    rounded = replace(areas, policy=replace(areas.policy, pattern=replace(pattern, hidden=hidden, base=base)))
    table = lsoa_rates(rounded)
    row = table.frame.set_index("group").loc[CODES[0]]
    assert (table.symbols["numerator"] == "r10").sum() == 1
    assert (row["numerator"], row["percent"]) == (20, 20)
    assert row["adjusted_ratio"] * row["adjusted_expected"] == pytest.approx(20)


def test_under_a_policy_that_changes_counts_everything_rests_on_the_changed_ones():
    areas = areas_of(cells(SMALL, pupils=98), policy=Policy(method="round_5"))
    assert areas.hidden == frozenset()
    for table, total in ((lsoa_rates(areas), 100), (ward_rates(areas), 390)):
        frame = table.frame
        assert set(frame["denominator"]) == {total}
        assert (frame["numerator"] % 5 == 0).all()
        assert frame["percent"].tolist() == pytest.approx((100 * frame["numerator"] / frame["denominator"]).tolist())
        by_hand = frame["adjusted_ratio"] * frame["adjusted_expected"]
        assert by_hand.tolist() == pytest.approx(frame["numerator"].tolist())
    made = everything(areas)
    assert (made["deciles"]["denominator"] % 5 == 0).all()
    assert set(made["old"]["old_denominator"].dropna()) - {"z"} == {590}


def test_counts_changed_by_keys_are_those_of_their_cells_in_every_table():
    keys = {f"cell_key_{c}": np.arange(36) * 7 % 256 for c in ("pupils", "any_sen")}
    areas = areas_of(cells(21).assign(**keys), policy=Policy(method="cell_key"))
    by_lsoa = cell_keyed([21] * 36, keys["cell_key_any_sen"]).tolist()
    assert lsoa_rates(areas).frame["numerator"].tolist() == by_lsoa
    of_row = pd.Series(keys["cell_key_any_sen"]).groupby(ROW).sum() % 256
    old = everything(areas)["old"].dropna(subset=["old_code"])
    old = old[old["old_code"] != "z"].sort_values("old_code")["old_numerator"]
    assert old.tolist() == cell_keyed([6 * 21] * 6, of_row).tolist()
    with pytest.raises(DisclosureError, match="keys of their cells"):
        ward_rates(areas_of(cells(21), policy=Policy(method="cell_key")))


def test_old_wards_that_are_shared_out_by_estimate_are_refused():
    next_row = dict(zip(NAMES.index, [*NAMES.index[1:], NAMES.index[0]], strict=True))
    halves = [OLD.rows.assign(weight=0.5, target=t) for t in (OLD.rows["target"], OLD.rows["target"].map(next_row))]
    shared = Lookup(OLD.source, OLD.target, pd.concat(halves, ignore_index=True).assign(estimated=True), "halves")
    with pytest.raises(SourceError, match="shared out"):
        patterns.old_and_new_wards(areas_of(cells(20)), shared, NAMES, PEOPLE)


def test_an_lsoa_without_pupils_is_hidden_like_another_small_count():
    frame = cells(SMALL)
    frame = frame[frame["lsoa21"] != CODES[35]]
    areas = areas_of(frame)
    assert CODES[35] in areas.hidden
    assert lsoa_rates(areas).text().set_index("group").loc[CODES[35], "numerator"] == "c"
    assert len([c for c in areas.hidden if WARDS[CODES.index(c)] == "E050022"]) >= 2


def test_a_note_says_that_hidden_areas_take_no_part():
    assert lsoa_rates(areas_of(cells(20))).notes == ()
    assert "2 small areas are hidden" in lsoa_rates(areas_of(cells(SMALL))).notes[0]


def test_a_pupil_from_an_unknown_lsoa_is_refused():
    frame = cells(20)
    frame.loc[3, "lsoa21"] = "E01999999"
    with pytest.raises(SourceError, match="E01999999"):
        areas_of(frame)


def test_a_list_that_differs_from_the_shapes_is_refused():
    with pytest.raises(SourceError, match="differ"):
        replace(areas_of(cells(20)), shapes=shapes().iloc[1:])
