"""The plan of what is shown by home: each number of the chapter is a count of the plan, and hidden where that is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from geo.places import embedded_lookup, embedded_lsoas, embedded_shapes
from jsna.area import Area
from jsna.chapters import small_areas, wards
from jsna.counts import OUTCOMES
from jsna.disclosure import Policy
from jsna.disclosure.cells import PERIOD, system_of
from jsna.disclosure.suppression import protect_jointly
from jsna.errors import DisclosureError
from jsna.evidence import place_patterns as patterns
from jsna.evidence.comparison import compare, dimension
from jsna.evidence.places import lsoa_rates, ward_rates
from jsna.linked.pattern import plan_of
from jsna.linked.places import GROUPS, INDICES, MOVES, AtHome, embedded_homes, moves_between, plan, plan_of_homes
from jsna.params import Params
from tests.joint_attacker import assert_safe

PAIR = ("numerator", "denominator")
NOWHERE, BEDFORD = 12, 30  # pupils without a small area, and with one in another authority


def somebody_elsewhere(area: Area) -> Area:
    """The area, with some pupils who live elsewhere: of some of them it is not known where."""
    frame = area.pupils.frame.copy()
    text = {c: frame[c].astype("str") for c in ("lsoa21", "ward_code")}
    moved = frame.index[frame["time_period"].astype(str) == area.periods[-1]][: NOWHERE + BEDFORD]
    text["ward_code"][moved] = "elsewhere"
    text["lsoa21"][moved[:NOWHERE]], text["lsoa21"][moved[NOWHERE:]] = "", "E01017397"
    frame.loc[moved[:NOWHERE], "idaci_decile"] = 0
    other = Area(area.params)
    other.__dict__["pupils"] = replace(area.pupils, frame=frame.assign(**text))
    return other


@pytest.fixture(scope="module")
def here():
    return Area(Params(scale=0.1))


@pytest.fixture(scope="module")
def areas(here):
    return {"here": here, "elsewhere": somebody_elsewhere(here)}


@pytest.fixture(scope="module")
def studies(areas):
    return {name: wards.study(area) for name, area in areas.items()}


def counted(made) -> dict[tuple[str, str], int]:
    """The counts of a plan by place and outcome; no two tables may tell one count differently."""
    found = {}
    for table in made.tables:
        frame = table.counts.unseal("to compare")
        for place, *values in frame[["place", *table.measures]].itertuples(index=False):
            for outcome, value in zip(table.measures, values, strict=True):
                assert found.setdefault((place, outcome), value) == value
    return found


def all_tables(study):
    """Each table of counts by place: its rows with the place that they are of."""
    names = embedded_shapes("ward17").set_index("code")["name"]
    people = embedded_lookup("ward23", "ward17").rows
    both, _ = patterns.old_and_new_wards(study, embedded_lookup("lsoa21", "ward17"), names, people)
    deciles, moves = patterns.by_decile(study, INDICES), patterns.edition_moves(study)
    home = None if study.elsewhere else "idaci_2025_decile"
    place = deciles.frame["index"] + " " + deciles.frame["decile"].astype(str) + " at home"
    own = deciles.frame["index"] == home
    place = place.mask(own, "decile " + deciles.frame["decile"].astype(str))
    rates, lsoas, local = ward_rates(study), lsoa_rates(study), patterns.local_clusters(study)
    yield rates, rates.frame["group"], rates.frame["outcome"], PAIR
    for table in (lsoas, local):
        yield table, table.frame["group"], "any_sen", PAIR
    yield deciles, place, "any_sen", PAIR
    yield moves, "move " + moves.frame["move"] + " at home", "any_sen", PAIR
    yield both, both.frame["new_code"], "any_sen", ("new_numerator", "new_denominator")
    yield both, "ward17 " + both.frame["old_code"] + " at home", "any_sen", ("old_numerator", "old_denominator")


@pytest.mark.parametrize("name", ["here", "elsewhere"])
def test_each_number_shown_is_a_count_of_the_plan_and_hidden_where_the_pattern_hides_it(name, areas, studies):
    area, study, cells = areas[name], studies[name], counted(plan(areas[name]))
    pattern, period = area.policy.pattern, area.periods[-1]
    seen = 0
    for table, place, outcome, columns in all_tables(study):
        outcome = pd.Series(outcome, index=place.index) if isinstance(outcome, str) else outcome
        for column, sen in zip(columns, (outcome, pd.Series("", index=place.index)), strict=True):
            for at in place.index[place.notna()]:
                key = place[at], sen[at] or "pupils"
                called = f"pupils|{period}|place={key[0]}" + (f"|sen={sen[at]}" if sen[at] else "")
                hidden, base = pattern.hidden[called], pattern.base[called]
                value, symbol = table.frame[column][at], table.symbols[column][at]
                if hidden and not base:
                    assert symbol == "c"
                    assert pd.isna(value)
                elif hidden:
                    assert abs(value - cells[key]) <= base / 2
                else:
                    assert value == cells[key]
                    assert value >= 5
                seen += 1
    assert seen > 700


@pytest.mark.parametrize("name", ["here", "elsewhere"])
def test_nothing_that_rests_on_a_hidden_count_is_shown(name, studies):
    study, several = studies[name], 0
    for table, *_, columns in all_tables(study):
        front = columns[0].removesuffix("numerator")
        dark = (table.symbols[list(columns)] == "c").any(axis=1)
        names = [f"{front}{c}" for c in ("percent", "percent_lower", "percent_upper")]
        more = ("smoothed", "above", "adjusted_", "crude_", "age_and_sex_", "cluster", "q")
        names = [c for c in table.frame if c in names or c.startswith(more)]
        assert (table.symbols.loc[dark, names] == "c").all(axis=None)
        several += int(dark.sum())
    assert several > 50


def test_of_an_area_in_which_all_live_places_bear_the_names_of_all_pupils(areas):
    made = counted(plan(areas["here"]))
    assert {p for p, _ in made if p.startswith("decile")} == {f"decile {d}" for d in range(1, 10)}
    assert ("", "pupils") in made
    assert "home" not in {p for p, _ in made}
    assert made["", "pupils"] == sum(n for (p, o), n in made.items() if p.startswith("E01") and o == "pupils")


def test_of_an_area_in_which_some_do_not_live_home_is_told_apart(areas, studies):
    area = areas["elsewhere"]
    made, whole = counted(plan(area)), counted(plan(areas["here"]))
    assert made["home", "pupils"] == whole["", "pupils"] - NOWHERE - BEDFORD
    assert not {p for p, _ in made if p.startswith("decile")}
    assert {p for p, _ in made if p.startswith("idaci_2025")} == {
        f"idaci_2025_decile {d} at home" for d in range(1, 10)
    }
    splits = dict(plan(area).splits["place"])
    assert splits["decile 3"] == ("idaci_2025_decile 3 at home", "decile 3 elsewhere")
    assert ("elsewhere", ("decile not known", "decile known elsewhere")) in plan(area).splits["place"]
    assert studies["elsewhere"].elsewhere


def test_how_many_live_elsewhere_is_told_as_the_pattern_says(areas):
    area = areas["elsewhere"]
    name = f"pupils|{area.periods[-1]}|place=elsewhere"
    assert f"{NOWHERE + BEDFORD} pupils" in wards.beyond(area).html()
    pattern = area.policy.pattern
    hidden = pattern.hidden.copy()
    hidden[name] = True
    other = Area(area.params)
    other.__dict__.update(area.__dict__, policy=replace(area.policy, pattern=replace(pattern, hidden=hidden)))
    assert "Some pupils" in wards.beyond(other).html()
    assert str(NOWHERE + BEDFORD) not in wards.beyond(other).html()


def test_no_place_is_in_two_parts_of_one_split_and_each_holds_its_small_areas(areas):
    splits = plan(areas["here"]).splits["place"]
    of = embedded_lsoas().set_index("lsoa21")
    parts = dict(splits)
    assert parts["E05014735"] == tuple(sorted(of.index[of["ward_code"] == "E05014735"]))
    assert parts["imd_2019_decile 3 at home"] == tuple(sorted(of.index[of["imd_2019_decile"] == 3]))
    for whole, inside in splits:
        assert len(set(inside)) == len(inside)
        if whole == "" and not inside[0].startswith("E0"):
            assert sorted(x for p in inside for x in parts[p]) == sorted(of.index)
    kinds = [inside for whole, inside in splits if whole == ""]
    assert len(kinds) == 1 + len(GROUPS)


def test_wards_are_those_of_the_comparison_in_count_and_in_what_is_hidden(here, studies):
    ours = ward_rates(studies["here"])
    by = dimension("ward_code", here.wards.set_index("ward_code"))
    counts, told = here.count(["ward_code"]), {"source": "t", "synthetic": True}
    other = compare(counts, by, OUTCOMES, period=here.periods[-1], policy=here.policy, **told).table
    assert (ours.symbols["numerator"] == "c").sum() >= 2
    assert ours.frame["group"].tolist() == other.frame["group"].tolist()
    for column in ("numerator", "denominator", "percent"):
        assert ours.text()[column].tolist() == other.text()[column].tolist()


def test_an_attacker_with_all_tables_of_125_small_areas_recovers_no_small_count(here):
    made = plan(here)
    system = system_of(made.tables, classifications=made.classifications())
    pattern = protect_jointly(system, Policy())
    assert pattern.small.sum() > 40
    assert pattern.companions.sum() > 20
    assert_safe(pattern)


def test_a_chapter_of_other_counts_than_those_of_the_plan_is_refused(here, studies):
    with pytest.raises(DisclosureError, match="not protected together"):
        lsoa_rates(replace(studies["here"], outcome="ehc_plan"))


def test_an_area_without_embedded_small_areas_has_no_plan_of_places():
    made = plan(SimpleNamespace(code="E06000055"))
    assert (made.tables, made.splits) == ((), {})


def test_small_areas_of_nobody_are_counts_of_nought_and_wards_of_nobody_are_in_no_table():
    homes = embedded_homes()
    ward = homes.loc[0, "ward_code"]
    lived = homes.loc[homes["ward_code"] != ward, ["lsoa21"]].iloc[1:]
    pupils = lived.assign(pupils=50, any_sen=10, sen_support=6, ehc_plan=4)
    cells = counted(plan_of_homes(pupils, homes, AtHome("202526")))
    assert cells[homes.loc[0, "lsoa21"], "pupils"] == 0
    assert (ward, "pupils") not in cells
    assert cells["", "ehc_plan"] == 4 * len(lived)


def test_the_plan_is_in_that_of_the_pack(here):
    names = {t.name for t in plan_of(here).tables}
    assert {f"homes by {c}" for c in ("lsoa21", "ward_code", *GROUPS)} | {"homes"} <= names
    assert all(set(t.counts.unseal("to look")[PERIOD]) == {here.periods[-1]} for t in plan(here).tables)


def test_moves_are_in_the_order_of_their_words():
    assert moves_between(pd.Series([5] * 5), pd.Series([3, 4, 5, 6, 9])).tolist() == list(MOVES)


def test_findings_count_the_small_areas_that_are_shown(here, studies):
    shown = 125 - len(studies["here"].hidden)
    assert 0 < shown < 125
    units = small_areas.units(studies["here"], here).items[0]
    assert f"over {shown} small areas" in units.html()
