"""Synthetic SEN2 in files, read with the standard library and openpyxl alone."""

import csv
from collections import Counter, defaultdict
from datetime import date
from xml.etree import ElementTree

import openpyxl
import pytest

from jsna.synthetic import synthesise
from jsna.synthetic.files import FORMS, write_files

SEED, SCALE = 4, 0.05
YEARS = ("2023", "2024", "2025", "2026")
SEN2 = [f for f in FORMS if f.startswith("sen2")]
PARENT = {
    "person": "sen2",
    "requests": "person",
    "assessment": "requests",
    "namedplan": "assessment",
    "plandetail": "namedplan",
    "activeplans": "requests",
    "placementdetail": "activeplans",
    "senneed": "activeplans",
}


@pytest.fixture(scope="module")
def area():
    return synthesise(SEED, SCALE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("sen2")
    for form in SEN2:
        write_files(place / form, form, seed=SEED, scale=SCALE)
    write_files(place / "census_blade", "census_blade", seed=SEED, scale=SCALE)
    return place


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def blade(folder, year):
    paths = (folder / "sen2_blade" / year).iterdir()
    return {p.stem.rsplit("_", 1)[1]: rows(p) for p in paths}


def as_date(text):
    year, month, day = text.split(" ")[0].split("-")
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return date(int(year), months.index(month) + 1, int(day))


@pytest.mark.parametrize("year", YEARS)
def test_joins_have_no_orphans_and_parents_have_their_children(folder, year):
    t = blade(folder, year)
    for child, parent in PARENT.items():
        key = f"{parent}tableid"
        assert {r[key] for r in t[child]} <= {r[key] for r in t[parent]}, child
        assert len({r[f"{child}tableid"] for r in t[child]}) == len(t[child])
    for parent, child in (("person", "requests"), ("activeplans", "placementdetail"), ("activeplans", "senneed")):
        key = f"{parent}tableid"
        assert {r[key] for r in t[parent]} == {r[key] for r in t[child]}


@pytest.mark.parametrize("year", YEARS[1:])
def test_the_caseload_holds_exactly_the_plans_of_the_census(folder, year):
    t = blade(folder, year)
    path = folder / "census_blade" / f"{year}_spring" / f"{year}_spring_pupilonroll.csv"
    pupils = rows(path)
    on_plan = {r["upn"] for r in pupils if r["senprovision"] == "E"}
    live = {r["requeststableid"] for r in t["activeplans"]}
    people = [r["persontableid"] for r in t["requests"] if r["requeststableid"] in live]
    assert len(set(people)) == len(people)
    upn = {r["persontableid"]: r["upn"] for r in t["person"]}
    caseload = {upn[p] for p in people}
    assert on_plan <= caseload
    assert not (caseload - on_plan) & {r["upn"] for r in pupils}


def test_needs_of_the_return_are_those_of_the_census(folder):
    t = blade(folder, "2026")
    place = folder / "census_blade" / "2026_spring"
    pupils = {r["pupilonrolltableid"]: r for r in rows(place / "2026_spring_pupilonroll.csv")}
    census = defaultdict(dict)
    for r in rows(place / "2026_spring_senneeds.csv"):
        pupil = pupils[r["pupilonrolltableid"]]
        if pupil["senprovision"] == "E":
            census[pupil["upn"]][r["sentyperank"]] = r["sentype"]
    request = {r["requeststableid"]: r["persontableid"] for r in t["requests"]}
    upn = {r["persontableid"]: r["upn"] for r in t["person"]}
    plan = {r["activeplanstableid"]: upn[request[r["requeststableid"]]] for r in t["activeplans"]}
    found = defaultdict(dict)
    for r in t["senneed"]:
        found[plan[r["activeplanstableid"]]][r["sentyperank"]] = r["sentype"]
    assert {u: n for u, n in found.items() if u in census} == census


@pytest.mark.parametrize("year", ["2025", "2026"])
def test_plans_of_a_year_are_those_of_the_synthetic_cases(folder, area, year):
    """In calendar 2024 a few more are issued, of the invented requests of 2022."""
    t = blade(folder, year)
    received = {r["requeststableid"]: r["receiveddate"] for r in t["requests"]}
    days = [
        ((as_date(a["assessmentoutcomedate"]) - as_date(received[a["requeststableid"]])).days, a["week20"])
        for a in t["assessment"]
        if a["assessmentoutcome"] == "Y"
    ]
    cases = area.ehc_cases
    cases = cases[cases["date_issued"].dt.year == int(year) - 1]
    expected = zip((cases["date_issued"] - cases["date_requested"]).dt.days, cases["exception"], strict=True)
    known = Counter((d, str(int(e))) for d, e in expected)
    found = Counter(days)
    invented = found - known
    assert not known - found
    assert sum(invented.values()) <= (12 if year == "2025" else 0)


@pytest.mark.parametrize("year", YEARS)
def test_dates_are_in_order_and_within_the_year(folder, year):
    t = blade(folder, year)
    request = {r["requeststableid"]: r for r in t["requests"]}
    last = date(int(year) - 1, 12, 31)
    for r in t["requests"]:
        assert bool(r["requestoutcomedate"]) == (r["requestoutcome"] in ("Y", "N"))
        if r["requestoutcomedate"]:
            assert as_date(r["receiveddate"]) < as_date(r["requestoutcomedate"]) <= last
    for a in t["assessment"]:
        assert request[a["requeststableid"]]["requestoutcome"] in ("Y", "H")
        assert bool(a["assessmentoutcomedate"]) == (a["assessmentoutcome"] in ("Y", "N"))
        assert bool(a["week20"]) == (a["assessmentoutcome"] == "Y")
        if a["assessmentoutcomedate"]:
            assert as_date(request[a["requeststableid"]]["receiveddate"]) < as_date(a["assessmentoutcomedate"]) <= last
    for plan in t["namedplan"]:
        assert bool(plan["ceasedate"]) == bool(plan["ceasereason"])
        assert as_date(plan["startdate"]) <= last
    for active in t["activeplans"] if year > "2023" else []:
        if active["lastreview"]:
            assert as_date(active["reviewmeeting"]) < as_date(active["lastreview"]) <= last


def test_each_placement_is_in_one_kind_of_place(folder):
    for year in YEARS:
        for r in blade(folder, year)["placementdetail"]:
            assert sum(bool(r[c]) for c in ("urn", "ukprn", "sensetting")) == 1


def test_columns_change_with_the_year(folder):
    heads = {y: {n: set(f[0]) for n, f in blade(folder, y).items()} for y in YEARS}
    assert [("gendercurrent" in h["person"]) for h in heads.values()] == [True, False, False, False]
    assert [("requestsource" in h["requests"]) for h in heads.values()] == [False, False, True, True]
    assert [("res" in h["activeplans"]) for h in heads.values()] == [True, False, False, False]
    assert [("res" in h["placementdetail"]) for h in heads.values()] == [False, True, True, True]
    assert [("dsco" in h["sen2"]) for h in heads.values()] == [False, False, True, True]


def shapes_of_blade(t):
    """For each person what hangs on him or her: number, requests with outcomes, places and needs."""
    found = defaultdict(list)
    by = {n: defaultdict(list) for n in PARENT}
    for name, parent in PARENT.items():
        for r in t[name]:
            by[name][r[f"{parent}tableid"]].append(r)
    for p in t["person"]:
        for r in by["requests"][p["persontableid"]]:
            key = r["requeststableid"]
            assessed = [a["assessmentoutcome"] for a in by["assessment"][key]]
            needs, places = [], []
            for a in by["activeplans"][key]:
                needs += [(n["sentyperank"], n["sentype"]) for n in by["senneed"][a["activeplanstableid"]]]
                places += [d["urn"] for d in by["placementdetail"][a["activeplanstableid"]]]
            found[p["surname"]].append((r["requestoutcome"], tuple(assessed), tuple(places), tuple(needs)))
    return found


@pytest.mark.parametrize("year", YEARS)
def test_xml_holds_what_the_tables_hold(folder, year):
    root = ElementTree.fromstring((folder / "sen2_xml" / f"sen2_{year}.xml").read_bytes())
    found = defaultdict(list)
    for p in root.iter("Person"):
        for r in p.findall("Requests"):
            needs = tuple((n.findtext("SENtypeRank"), n.findtext("SENtype")) for n in r.iter("SENneed"))
            places = tuple(d.findtext("URN") or "" for d in r.iter("PlacementDetail"))
            assessed = tuple(a.findtext("AssessmentOutcome") for a in r.findall("Assessment"))
            found[p.findtext("Surname")].append((r.findtext("RequestOutcome"), assessed, places, needs))
    assert found == shapes_of_blade(blade(folder, year))


@pytest.mark.parametrize(("year", "after"), [("2024", "ReviewOutcome"), ("2025", "ReviewMeeting")])
def test_the_place_of_the_last_review_differs_in_2025(folder, year, after):
    root = ElementTree.fromstring((folder / "sen2_xml" / f"sen2_{year}.xml").read_bytes())
    for plan in root.iter("ActivePlans"):
        names = [e.tag for e in plan]
        if "LastReview" in names:
            assert names[names.index("LastReview") - 1] == after


@pytest.mark.parametrize("year", YEARS)
def test_workbooks_and_module_files_hold_as_many_rows(folder, year):
    t = blade(folder, year)
    book = openpyxl.load_workbook(folder / "sen2_presubmission" / f"sen2_{year}_presubmission.xlsx", read_only=True)
    sheets = dict(zip([s.title for s in book], [len(list(s.iter_rows())) - 1 for s in book], strict=True))
    assert list(sheets.values()) == [len(t[n]) for n in PARENT]
    book.close()
    book = openpyxl.load_workbook(folder / "sen2_template" / f"sen2_{year}_template.xlsx", read_only=True)
    first = [r[0] if r else None for r in book["Data Entry Template"].iter_rows(values_only=True)]
    book.close()
    kinds = Counter(first)
    assert kinds["Person"] == len(t["person"])
    assert kinds["SENneed"] == len(t["senneed"])
    assert first.index("Requests Records") == len(t["person"]) + len(t["sen2"]) + 8
    counts = [len(rows(folder / "sen2_modules" / year / f"m{i}.csv")) for i in range(1, 6)]
    assert counts == [len(t[n]) for n in ("person", "requests", "assessment", "namedplan", "activeplans")]


@pytest.mark.parametrize("form", ["sen2_xml", "sen2_template", "sen2_modules"])
def test_the_same_seed_gives_the_same_bytes(folder, tmp_path, form):
    again = write_files(tmp_path, form, seed=SEED, scale=SCALE)
    assert [p.read_bytes() for p in again] == [(folder / form / p.relative_to(tmp_path)).read_bytes() for p in again]
