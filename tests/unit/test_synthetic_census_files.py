"""The synthetic census in files, read with the standard library alone: the same pupils in every form."""

import csv
import re
from collections import Counter
from datetime import date
from xml.etree import ElementTree

import pytest

import jsna.synthetic
from jsna.errors import ParamsError
from jsna.synthetic import synthesise
from jsna.synthetic.files import FORMS, write_files

SEED, SCALE = 11, 0.02
CENSUS = [f for f in FORMS if f.startswith(("census", "npd"))]
PERIODS = {"2024": "202324", "2025": "202425", "2026": "202526"}
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("census")
    for form in [*CENSUS, "postcodes", "schools"]:
        write_files(place / form, form, seed=SEED, scale=SCALE)
    return place


@pytest.fixture(scope="module")
def pupils():
    return synthesise(SEED, SCALE).pupils


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def blade(folder, year, table):
    return rows(folder / "census_blade" / f"{year}_spring" / f"{year}_spring_{table}.csv")


def age_in_august(born, year):
    """Age on 31 August of the calendar year before the census."""
    return int(year) - 1 - born.year - ((born.month, born.day) > (8, 31))


def expected(pupils, year):
    """(urn, year group, sex, ethnicity, language, meals, provision, needs, unit) of each pupil, counted."""
    found = Counter()
    for p in pupils[pupils["time_period"] == PERIODS[year]].itertuples():
        needs = [p.primary_need, p.secondary_need]
        urn = str(900_000 + int(p.school_urn[1:]))
        found[
            (
                urn,
                p.year_group,
                p.sex,
                p.ethnicity,
                p.first_language,
                bool(p.fsm_eligible),
                p.sen_provision,
                *needs,
                bool(p.in_unit),
            )
        ] += 1
    return found


def of_blade(folder, year):
    urn = {r["NativeId"]: r["urn"] for r in blade(folder, year, "schoolcensus")}
    day = blade(folder, year, "schoolcensus")[0]["referencedate"]
    needs = {(r["pupilonrolltableid"], r["sentyperank"]): r["sentype"] for r in blade(folder, year, "senneeds")}
    meals = {r["pupilonrolltableid"] for r in blade(folder, year, "fsmperiod") if on_day(r, day)}
    return Counter(
        (
            urn[r["NativeId"]],
            r["ncyearactual"],
            r.get("sex") or r["gender"],
            r["ethnicity"],
            r["language"],
            r["pupilonrolltableid"] in meals,
            r["senprovision"],
            needs.get((r["pupilonrolltableid"], "1"), ""),
            needs.get((r["pupilonrolltableid"], "2"), ""),
            r["senunitindicator"] == "1",
        )
        for r in blade(folder, year, "pupilonroll")
    )


def on_day(row, day):
    return as_date(row["fsmstartdate"]) <= as_date(day) and (
        not row["fsmenddate"] or as_date(row["fsmenddate"]) >= as_date(day)
    )


def as_date(text):
    """A date as blade files write it, such as 2015-Mar-04 00:00:00."""
    year, month, day = text.split(" ")[0].split("-")
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return date(int(year), months.index(month) + 1, int(day))


def of_xml(texts):
    found = Counter()
    for root in map(ElementTree.fromstring, texts):
        day = root.findtext(".//ReferenceDate")
        for school in root.iter("School"):
            holder = school if school.find("Pupils") is not None else root
            for p in holder.iter("PupilOnRoll"):
                needs = {n.findtext("SENtypeRank"): n.findtext("SENtype") for n in p.iter("SENneed")}
                periods = [(m.findtext("FSMstartDate"), m.findtext("FSMendDate")) for m in p.iter("FSMperiod")]
                found[
                    (
                        school.findtext("URN") or root.findtext(".//Source/URN"),
                        p.findtext(".//NCyearActual"),
                        p.findtext(".//Sex") or p.findtext(".//Gender"),
                        p.findtext(".//Ethnicity"),
                        p.findtext(".//Language"),
                        any(start <= day and (not end or end >= day) for start, end in periods),
                        p.findtext(".//SENprovision"),
                        needs.get("1", ""),
                        needs.get("2", ""),
                        p.findtext(".//SENunitIndicator") == "1",
                    )
                ] += 1
    return found


FLAT = {
    "census_flat": "NativeID NCyearActual Gender Ethnicity Language FSME SENprovision SENNeed1 SENNeed2 "
    "SENunitIndicator",
    "census_flat_spaced": "LAESTAB Year+group Sex Ethnicity Language FSM+eligible SEN+status PrimarySENtype "
    "SecondarySENtype SENunitIndicator",
    "census_flat_lower": "laestab ncyearactual gender ethnicity language fsmeligible senprovision sentype1 sentype2 "
    "senunitindicator",
}


def of_flat(folder, form, year):
    names = [n.replace("+", " ").replace("FSME", "FSME on Census Day") for n in FLAT[form].split()]
    found = Counter()
    for r in rows(folder / form / f"{year}_spring.csv"):
        number, *rest = (r[n] for n in names)
        rest[4], rest[-1] = rest[4] in ("1", "Yes", "True"), rest[-1] in ("1", "Yes", "True")
        found[("900" + number.replace("/", "")[4:], *rest)] += 1
    return found


def of_npd(folder, year):
    stems = "URN NCyearActual S Ethnicgroupminor Language FSMeligible SENprovision PrimarySENtype SecondarySENtype "
    stems = [s.lower() for s in f"{stems}SENUnitIndicator".split()]
    stems[2] = "sex" if year == "2026" else "gender"
    found = Counter()
    for r in rows(folder / "npd" / f"npd_spr{year[2:]}.csv"):
        plain = {k.lower().removesuffix(f"_spr{year[2:]}"): v for k, v in r.items()}
        values = [plain[s] for s in stems]
        values[5], values[-1] = values[5] == "1", values[-1] == "1"
        found[tuple(values)] += 1
    return found


@pytest.mark.parametrize("year", PERIODS)
def test_every_form_holds_the_pupils_of_the_area_and_nobody_else(folder, pupils, year):
    area = expected(pupils, year)
    assert of_blade(folder, year) == area
    assert of_xml([(folder / "census_xml" / f"{year}_spring.xml").read_bytes()]) == area
    schools = sorted((folder / "census_xml_schools" / f"{year}_spring").iterdir())
    assert of_xml([s.read_bytes() for s in schools]) == area
    for form in FLAT:
        assert of_flat(folder, form, year) == area, form
    assert of_npd(folder, year) == area


def check_letter(upn):
    value = {c: i for i, c in enumerate(LETTERS)} | {str(i): i for i in range(10)}
    return LETTERS[sum(i * value[c] for i, c in enumerate(upn[1:], 2)) % 23]


def test_a_pupil_number_is_well_formed_synthetic_and_one_childs_alone(folder, pupils):
    numbers = Counter()
    for year in PERIODS:
        upns = [r["upn"] for r in blade(folder, year, "pupilonroll")]
        assert len(set(upns)) == len(upns)
        numbers.update(set(upns))
        assert all(re.fullmatch(r"[A-Z]999\d{8}[0-9A-Z]", u) and u[0] == check_letter(u) for u in upns)
    assert len(numbers) == pupils["pupil_id"].nunique()
    assert Counter(numbers.values()) == Counter(pupils["pupil_id"].value_counts().tolist())


def test_birth_entry_and_age_agree(folder, pupils):
    born = {}
    for year, period in PERIODS.items():
        ages, day = Counter(), as_date(blade(folder, year, "schoolcensus")[0]["referencedate"])
        for r in blade(folder, year, "pupilonroll"):
            birth, entry = as_date(r["dob"]), as_date(r["entrydate"])
            ages[age_in_august(birth, year)] += 1
            assert birth.year + 2 <= entry.year
            assert entry <= day
            assert born.setdefault(r["upn"], birth) == birth
        assert ages == Counter(pupils.loc[pupils["time_period"] == period, "age"].tolist())


def test_child_tables_have_no_orphans_and_homes_are_in_the_directory(folder, pupils):
    places = {r["pcds"]: r for r in rows(folder / "postcodes" / "nspl_synthetic.csv")}
    assert all(re.fullmatch(r"XL\d{1,2} \d[A-Z]{2}", p) for p in places)
    for year, period in PERIODS.items():
        keys = {r["pupilonrolltableid"] for r in blade(folder, year, "pupilonroll")}
        for table in ("addresses", "senneeds", "fsmperiod"):
            assert {r["pupilonrolltableid"] for r in blade(folder, year, table)} <= keys
        first = [r for r in blade(folder, year, "addresses") if r["addressesorderseqcolumn"] == "1"]
        assert {r["pupilonrolltableid"] for r in first} == keys
        assert len(first) == len(keys)
        homes = Counter(places[r["postcode"]]["lsoa21cd"] for r in first)
        assert homes == Counter(pupils.loc[pupils["time_period"] == period, "lsoa21"].tolist())
        assert not any(places[r["postcode"]]["doterm"] for r in first)
    assert sum(bool(p["doterm"]) for p in places.values()) == 2 * 125


def test_names_are_numbered_words(folder):
    for r in blade(folder, "2026", "pupilonroll"):
        assert re.fullmatch(r"Surname\d+", r["surname"])
        assert re.fullmatch(r"Forename\d+", r["forename"])


def test_columns_change_with_the_year(folder):
    heads = {y: set(blade(folder, y, "pupilonroll")[0]) for y in PERIODS}
    assert {y: {"sex", "gender"} & h for y, h in heads.items()} == {
        "2024": {"gender"},
        "2025": {"sex"},
        "2026": {"sex"},
    }
    old = {"thirtyhourcode", "termlysessionsauthorised", "termlysessionsunauthorised"}
    assert [len(h & old) for h in heads.values()] == [3, 3, 0]
    assert [("eligibilitycode" in h) for h in heads.values()] == [False, False, True]


def test_the_register_knows_every_school_and_its_phase(folder, pupils):
    register = {r["URN"]: r for r in rows(folder / "schools" / "schools_synthetic.csv")}
    for school, phase in pupils[["school_urn", "school_phase"]].drop_duplicates().itertuples(index=False):
        found = register[str(900_000 + int(school[1:]))]["PhaseOfEducation (name)"]
        assert found.lower() == (phase if phase in ("nursery", "primary", "secondary") else "not applicable")


@pytest.mark.parametrize("form", CENSUS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder, tmp_path, form):
    again = write_files(tmp_path / "again", form, seed=SEED, scale=SCALE)
    names = [p.relative_to(tmp_path / "again") for p in again]
    assert [p.read_bytes() for p in again] == [(folder / form / n).read_bytes() for n in names]
    other = write_files(tmp_path / "other", form, seed=SEED + 1, scale=SCALE)
    assert other[-1].read_bytes() != again[-1].read_bytes()


def test_blocks_follow_one_another_in_one_file_with_keys_and_schools_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(jsna.synthetic, "BLOCK", 150)
    write_files(tmp_path, "census_blade", seed=3, scale=2)
    pupil, school = (rows(tmp_path / "2026_spring" / f"2026_spring_{t}.csv") for t in ("pupilonroll", "schoolcensus"))
    for table, column in ((pupil, "pupilonrolltableid"), (pupil, "upn"), (school, "urn"), (school, "NativeId")):
        assert len({r[column] for r in table}) == len(table)
    assert {r["urn"][:4] for r in school} == {"9000", "9001"}
    assert {r["schoolcensustableid"] for r in pupil} <= {r["schoolcensustableid"] for r in school}
    path = write_files(tmp_path / "xml", "census_xml", seed=3, scale=2)[-1]
    assert len(list(ElementTree.fromstring(path.read_bytes()).iter("PupilOnRoll"))) == len(pupil)


@pytest.mark.parametrize(
    ("form", "options", "words"),
    [
        ("census_blad", {}, "census_blade"),
        ("npd", {"scale": 0}, "above 0"),
        ("npd", {"scale": 11}, "at most 10"),
        ("npd", {"defects": ["npd_beforebirth"]}, "npd_before_birth"),
        ("npd", {"defects": ["upn_cut"]}, "census_blade"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, form, options, words):
    with pytest.raises(ParamsError, match=words):
        write_files(tmp_path / "out", form, **options)
    assert not (tmp_path / "out").exists()
