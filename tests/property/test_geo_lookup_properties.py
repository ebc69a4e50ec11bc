"""Whatever the areas, weights and counts: nobody is lost, nobody is invented, and the order of rows never matters."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.boundaries import match
from geo.kinds import Geography
from geo.lookups import Lookup, chain, convert, coverage, make_lookup
from geo.places import LOOKUPS, embedded_lookup
from geo.postcodes import STATUSES, normalise_postcodes, place_postcodes
from geo.recoding import la_recoding, recodings
from geo.small_areas import lsoa_changes

AREAS = [f"E010000{n:02d}" for n in range(1, 9)]
TARGETS = [f"E010338{n:02d}" for n in range(1, 9)]
quick = settings(max_examples=60, deadline=None)
few = settings(max_examples=8, deadline=None)
sizes = st.one_of(st.integers(0, 3), st.integers(0, 10**6), st.floats(0, 1e6, allow_nan=False))


@st.composite
def lookups(draw):
    pairs = draw(st.lists(st.tuples(st.sampled_from(AREAS), st.sampled_from(TARGETS)), min_size=1, unique=True))
    size = {t: draw(sizes) for t in TARGETS}
    return make_lookup("lsoa11", "lsoa21", pd.DataFrame(pairs, columns=["source", "target"]), size=size, rule="any")


counts_of = st.one_of(st.integers(0, 10), st.integers(0, 10**7))
rows_of = st.lists(
    st.tuples(st.sampled_from([*AREAS, "E01099999", "", None]), st.sampled_from("FM"), st.one_of(st.none(), counts_of)),
    max_size=30,
)


def frame_of(rows):
    return pd.DataFrame(
        {
            "area": pd.Series([r[0] for r in rows], dtype="object"),
            "sex": pd.Series([r[1] for r in rows], dtype="object"),
            "n": pd.Series([r[2] for r in rows], dtype="float64"),
        }
    )


@given(lookups())
@quick
def test_weights_of_every_source_sum_to_one(lookup):
    assert lookup.rows.groupby("source")["weight"].sum().sub(1).abs().max() < 1e-9


@given(lookups(), rows_of, st.booleans())
@quick
def test_totals_are_kept_exactly_and_every_row_is_accounted_for(lookup, rows, whole):
    frame = frame_of(rows)
    made = convert(frame, lookup, code="area", values=["n"], by=["sex"], whole=whole)
    assert made.rows_in == len(rows) == made.rows_converted + len(made.unmatched)
    for sex in "FM":
        kept = made.frame.loc[made.frame["sex"] == sex, "n"].sum()
        lost = made.unmatched.loc[made.unmatched["sex"] == sex, "n"].sum()
        assert kept + lost == frame.loc[frame["sex"] == sex, "n"].sum()
    assert (made.frame["n"] >= 0).all()
    assert (made.frame["n_estimated"] <= made.frame["n"]).all()
    assert 0 <= made.estimated_share["n"] <= 1


@given(lookups(), rows_of, st.booleans(), st.randoms())
@quick
def test_the_order_of_rows_and_of_the_lookup_never_matters(lookup, rows, whole, random):
    mixed = list(rows)
    random.shuffle(mixed)
    turned = Lookup(lookup.source, lookup.target, lookup.rows.iloc[::-1], lookup.rule)
    options = {"code": "area", "values": ["n"], "by": ["sex"], "whole": whole}
    one, other = convert(frame_of(rows), lookup, **options), convert(frame_of(mixed), turned, **options)
    pd.testing.assert_frame_equal(one.frame, other.frame)
    columns = ["area", "sex", "reason"]
    assert sorted(one.unmatched[columns].values.tolist()) == sorted(other.unmatched[columns].values.tolist())


@given(lookups(), st.integers(0, 10**6))
@quick
def test_no_part_is_more_than_one_off_its_exact_share(lookup, count):
    source = lookup.sources[0]
    made = convert(pd.DataFrame({"a": [source], "n": [count]}), lookup, code="a", values=["n"], whole=True)
    exact = lookup.rows[lookup.rows["source"] == source].set_index("target")["weight"] * count
    assert made.frame.set_index("target")["n"].sub(exact).abs().max() < 1 + 1e-6


@given(lookups(), st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=10))
@quick
def test_decimals_are_kept_to_the_last_bits(lookup, amounts):
    frame = pd.DataFrame({"a": [lookup.sources[0]] * len(amounts), "n": amounts})
    made = convert(frame, lookup, code="a", values=["n"])
    assert math.isclose(made.frame["n"].sum(), math.fsum(amounts), rel_tol=1e-12, abs_tol=1e-9)


@pytest.mark.parametrize(("source", "target"), LOOKUPS, ids=lambda v: v)
@given(data=st.data())
@few
def test_every_embedded_lookup_keeps_counts_there_and_back(source, target, data):
    lookup = embedded_lookup(source, target)
    counts = data.draw(st.lists(counts_of, min_size=len(lookup.sources), max_size=len(lookup.sources)))
    frame = pd.DataFrame({"a": lookup.sources, "n": counts})
    whole = data.draw(st.booleans())
    there = convert(frame, lookup, code="a", values=["n"], whole=whole)
    assert there.frame["n"].sum() == sum(counts)
    assert len(there.unmatched) == 0
    if (target, source) in LOOKUPS:
        back = embedded_lookup(target, source)
        again = convert(there.frame, back, code="target", values=["n"], whole=whole)
        assert again.frame["n"].sum() == sum(counts)
        assert len(again.unmatched) == 0


@given(st.lists(counts_of, min_size=125, max_size=125))
@few
def test_from_2021_to_2011_and_on_to_old_wards_is_certain_in_the_embedded_area(counts):
    lookup = chain(embedded_lookup("lsoa21", "lsoa11"), embedded_lookup("lsoa11", "ward17"))
    frame = pd.DataFrame({"a": embedded_lookup("lsoa21", "ward23").sources, "n": counts})
    made = convert(frame, lookup, code="a", values=["n"], whole=True)
    assert (made.frame["n"].sum(), made.estimated_share["n"]) == (sum(counts), 0.0)


@st.composite
def change_files(draw):
    """Exact-fit rows of random splits, merges and unchanged areas, with people on both sides."""
    rows, new = [], 800
    for n in range(draw(st.integers(1, 12))):
        kind, parts = draw(st.sampled_from("USM")), draw(st.integers(2, 4))
        ours = f"E010{n:02d}"
        if kind == "U":
            rows.append((f"{ours}000", f"{ours}000", "U"))
        elif kind == "S":
            rows += [(f"{ours}000", f"E01033{new + p}", "S") for p in range(parts)]
        else:
            rows += [(f"{ours}00{p}", f"E01033{new}", "M") for p in range(parts)]
        new += parts
    frame = pd.DataFrame(rows, columns=["lsoa11", "lsoa21", "change"])
    people = {code: draw(sizes) for code in {*frame["lsoa11"], *frame["lsoa21"]}}
    return frame, people


@given(change_files(), st.data())
@quick
def test_counts_are_conserved_across_vintages_both_ways(changes, data):
    frame, people = changes
    for source, target in (("lsoa11", "lsoa21"), ("lsoa21", "lsoa11")):
        lookup = lsoa_changes(frame, target, people)
        codes = sorted(frame[source].unique())
        counts = data.draw(st.lists(counts_of, min_size=len(codes), max_size=len(codes)))
        made = convert(pd.DataFrame({"a": codes, "n": counts}), lookup, code="a", values=["n"], whole=True)
        assert made.frame["n"].sum() == sum(counts)
        assert set(made.frame["target"]) == set(frame[target])


@given(st.lists(st.sampled_from([*AREAS, "E01099999", "", None]), max_size=20))
@quick
def test_coverage_and_match_account_for_every_code(codes):
    made = make_lookup("lsoa11", "lsoa21", pd.DataFrame({"source": AREAS[:4], "target": TARGETS[:4]}), rule="any")
    found = coverage(made, codes)
    given_codes = {c for c in codes if c}
    assert given_codes == set(found.missing) | (given_codes & set(made.sources))
    assert set(made.sources) == set(found.unused) | (given_codes & set(made.sources))
    shapes = pd.DataFrame({"code": AREAS[:4]})
    paired = match(codes, shapes, "lsoa")
    assert paired.rows_matched + paired.rows_unmatched == len(codes)
    assert set(paired.matched) | set(paired.data_only) == given_codes
    assert set(paired.matched) | set(paired.boundaries_only) == set(AREAS[:4])


@given(st.lists(st.one_of(st.none(), st.text(max_size=9), st.sampled_from(["LU1 2BQ", "lu12bq", "LU9 9ZZ"]))))
@quick
def test_every_postcode_has_one_status(postcodes):
    directory = pd.DataFrame({"postcode": ["LU1 2BQ"], "terminated": [""], "lsoa21": ["E01033806"]})
    placed = place_postcodes(postcodes, directory)
    assert len(placed.frame) == len(postcodes) == sum(placed.counts.values())
    assert set(placed.frame["status"]) <= set(STATUSES)
    assert ((placed.frame["code"] != "") == placed.frame["status"].isin(["placed", "terminated"])).all()


@given(st.text(max_size=10))
@quick
def test_normalising_a_postcode_twice_changes_nothing(text):
    once = normalise_postcodes([text])
    assert normalise_postcodes(once).tolist() == once.tolist()


@given(st.data(), st.integers(2019, 2025), st.sampled_from(["ons", "dfe"]))
@quick
def test_recoding_authorities_keeps_counts_and_is_done_once(data, year, system):
    column = {"ons": "old_code", "dfe": "old_number"}[system]
    known = sorted(set(recodings()[column]) - {""}) + (["E06000032"] if system == "ons" else ["821"])
    codes = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=12))
    counts = data.draw(st.lists(counts_of, min_size=len(codes), max_size=len(codes)))
    lookup = la_recoding(codes, system=system, year=year)
    made = convert(pd.DataFrame({"a": codes, "n": counts}), lookup, code="a", values=["n"], whole=True)
    assert made.frame["n"].sum() == sum(counts)
    again = la_recoding(lookup.targets, system=system, year=year)
    assert (again.rows["source"] == again.rows["target"]).all()
    assert lookup.source == Geography("la")
