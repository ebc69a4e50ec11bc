"""The check: what it points out, how it counts, what it returns, and that it names nobody."""

import shutil

import census_samples as cs
import pandas as pd
import pytest

from jsna.check.joins import join_findings, unmatched
from jsna.check.pupils import by_school, completeness, gaps_by, jumps, limits, pupil_findings, vanished
from jsna.check.report import Report, as_page, as_text, write_page
from jsna.cli import main
from jsna.files.result import Loaded, Summary, refused, together
from jsna.sources.gathered import FINDING_COLUMNS


def school(urn="1", period="202526", pupils=100, sen=0, plans=0, unknown=0, meals=0, **columns) -> pd.DataFrame:
    """Pupils of one school in one census, of whom the first so many have what is named."""
    place = pd.Series(range(pupils))
    frame = pd.DataFrame(
        {
            "pupil_id": [f"{urn}-{i}" for i in place],
            "time_period": period,
            "school_urn": urn,
            "ethnicity": pd.Series("WBRI", index=place.index).mask(place < unknown, "NOBT"),
            "first_language": "ENG",
            "sex": "F",
            "lsoa21": cs.HERE,
            "ward_code": "E05014735",
            "idaci_decile": 5,
            "year_group": "5",
            "sen_provision": pd.Series("N", index=place.index).mask(place < sen + plans, "K").mask(place < plans, "E"),
            "primary_need": pd.Series("", index=place.index).mask(place < sen + plans, "MLD"),
            "fsm_eligible": place < meals,
        }
    )
    return frame.assign(**columns)


def together_(*parts) -> pd.DataFrame:
    frame = pd.concat(parts, ignore_index=True)
    return frame.astype({"time_period": "category", "school_urn": "category", "ethnicity": "category"})


def checks(frame) -> list[str]:
    return pupil_findings(frame)["check"].tolist()


def test_completeness_is_the_share_that_is_known_in_each_census():
    frame = together_(school(period="202425", unknown=25), school(unknown=10, idaci_decile=0, ward_code="unknown"))
    share = completeness(frame).set_index(["time_period", "characteristic"])["share"]
    assert share["202425", "ethnicity"] == 0.75
    assert share["202526", "ethnicity"] == 0.9
    assert share["202526", "idaci_decile"] == share["202526", "ward_code"] == 0
    assert share["202526", "sex"] == 1


def test_completeness_by_school():
    table = completeness(together_(school("1", unknown=50), school("2")), by="school_urn")
    own = table[table["characteristic"] == "ethnicity"].set_index("school_urn")
    assert own["known"].to_dict() == {"1": 50, "2": 100}
    assert "school_urn" not in set(table["characteristic"])


@pytest.mark.parametrize(("unknown", "found"), [(0, 0), (2, 0), (3, 1)])
def test_what_is_known_for_less_than_98_in_100_is_named(unknown, found):
    frame = together_(school(sex=pd.Series(["U"] * unknown + ["F"] * (100 - unknown))))
    rows = pupil_findings(frame)
    assert len(rows) == found
    assert not found or "for 3.0% of pupils the sex is not known" in rows.iloc[0]["sentence"]


@pytest.mark.parametrize(("unknown", "unsafe"), [(4, False), (5, True)])
def test_from_one_in_twenty_unknown_on_flags_by_ethnic_group_are_unsafe(unknown, unsafe):
    frame = together_(school("1", unknown=unknown))
    assert limits()["not_obtained_unsafe"] == 0.05
    assert ("flags unsafe" in checks(frame)) == unsafe
    assert not unsafe or set(pupil_findings(frame)["severity"]) == {"error", "look"}


def test_only_the_latest_census_can_make_flags_unsafe():
    assert "flags unsafe" not in checks(together_(school(period="202425", unknown=50), school()))


def test_a_school_without_ethnic_groups_is_named():
    rows = pupil_findings(together_(school("101", unknown=30), school("102", unknown=29)))
    named = rows[rows["check"] == "school without ethnicity"]
    assert named["sentence"].tolist() == ["January 2026, school 101: 30% of 100 pupils have no known ethnic group."]


MOVES = [
    ({"sen": 10}, {"sen": 15}, []),  # five points
    ({"sen": 10}, {"sen": 40}, ["any_sen"]),
    ({"plans": 2}, {"plans": 30}, ["any_sen", "ehc_plan"]),
    ({"meals": 50}, {"meals": 10}, ["fsm_eligible"]),
    ({"unknown": 0}, {"unknown": 40}, ["not_obtained"]),
    ({"pupils": 100}, {"pupils": 129}, []),
    ({"pupils": 100}, {"pupils": 130}, ["pupils"]),
    ({"pupils": 100}, {"pupils": 70}, ["pupils"]),
    ({"pupils": 29, "sen": 0}, {"pupils": 60, "sen": 60}, []),  # too small to say
    ({"pupils": 30, "sen": 3}, {"pupils": 30, "sen": 8}, []),  # 17 points, and chance alone could do it
    ({"sen": 0}, {"sen": 0}, []),
]


@pytest.mark.parametrize(("before", "after", "fields"), MOVES, ids=range(len(MOVES)))
def test_schools_that_jump(before, after, fields):
    frame = together_(school(period="202425", **before), school(period="202526", **after))
    assert sorted(jumps(frame)["field"]) == sorted(fields)


def test_a_jump_says_from_what_to_what():
    frame = together_(school("77", period="202425", sen=10), school("77", sen=40))
    sentence = pupil_findings(frame).set_index("check").loc["school jumps", "sentence"]
    assert sentence == "School 77: pupils with SEN go from 10% to 40% from January 2025 to January 2026."


def test_by_school_counts_what_it_says():
    row = by_school(together_(school(sen=10, plans=5, unknown=20, meals=30))).iloc[0]
    assert row[["pupils", "any_sen", "ehc_plan", "not_obtained", "fsm_eligible"]].tolist() == [
        100,
        0.15,
        0.05,
        0.2,
        0.3,
    ]


@pytest.mark.parametrize(("size", "gone"), [(9, 0), (10, 1)])
def test_groups_that_vanish(size, gone):
    first = pd.concat([school(period="202425"), school(period="202425", pupils=size, ethnicity="APKN")])
    frame = together_(first, school())
    assert len(vanished(frame)) == gone
    assert checks(frame).count("group vanished") == gone


def test_a_vanished_group_is_called_by_its_name():
    frame = together_(school(period="202425", ethnicity="BAFR"), school())
    sentence = pupil_findings(frame).set_index("check").loc["group vanished", "sentence"]
    assert sentence == (
        "January 2026: ethnic group BAFR (Black African) has no pupils; in the census before it had 100."
    )


def test_a_clean_table_has_no_findings():
    assert checks(together_(school("1", sen=12, plans=4, meals=20), school("2", sen=15, meals=30))) == []


def report(findings=(), aside=None, unreadable=()) -> Report:
    from jsna.check.report import _refused

    quarantine = together([aside] if aside is not None else [])
    columns = pd.DataFrame(
        [dict(zip(FINDING_COLUMNS, f, strict=True)) for f in findings], columns=list(FINDING_COLUMNS)
    )
    summary = Summary("School census", "a.csv", "202526", 1, 1, 0)
    sources = (Loaded(pd.DataFrame({"x": [1]}), quarantine, summary),)
    return Report("Luton", sources, columns, _refused(quarantine), pd.DataFrame(), tuple(unreadable))


FINDING = ("upn missing", "look", "upn", 1, "1 row has no pupil number.", "Add the number.", "a.csv, row 2")
BAD = refused("a.csv", [2], "sex", ["Q"], "neither M nor F", "Write M or F.")
SECOND = "a second registration: the pupil is counted at the main school"
USUAL = refused("a.csv", [3, 4], "enrolment_status", ["S", "S"], SECOND, "Nothing to mend.")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (report(), 0),
        (report(aside=USUAL), 0),
        (report([FINDING]), 1),
        (report(aside=BAD), 1),
        (report(aside=together([BAD, USUAL])), 1),
        (report([FINDING], unreadable=["a.csv: The file is empty."]), 2),
    ],
    ids=["clean", "as it should be", "finding", "refused", "refused and usual", "unreadable"],
)
def test_exit_codes(made, code):
    assert made.exit_code == code


def test_the_text_has_errors_first_then_what_was_put_aside():
    error = ("pupil twice", "error", "upn", 2, "2 records repeat.", "Ask.", "")
    text = as_text(report([FINDING, error], together([BAD, USUAL])))
    order = [
        text.index(words) for words in ("error: 2 records", "put aside: a.csv, sex, 1 place (row 2)", "look: 1 row")
    ]
    assert order == sorted(order)
    assert "See a.csv, row 2." in text
    assert "As it should be: 2 rows put aside" in text


def test_a_long_list_ends_on_the_page():
    text = as_text(report([FINDING] * 30))
    assert text.count("look:") == 12
    assert "and 18 more, on the page" in text


def test_the_page_is_for_its_owner_alone(tmp_path):
    path = write_page(report([FINDING], BAD), tmp_path / "checks", "luton")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["luton.html"]
    assert "For the analyst alone" in path.read_text()


# Through the command line --------------------------------------------------------------------------------------------

PERSONAL = ("Surname0001", "999906020", "2014-06-99", "XL1 1A", "XL5", "05/06/2014", "A street")


def params(folder, census, area=cs.AREA, date=""):
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "project.key"
    if not key.exists():
        key.write_text(cs.KEY.hex() + "\n")
        key.chmod(0o600)
    directory = "pcds,doterm,lsoa21cd\n" + "".join(f"{p},,{code}\n" for p, code in cs.POSTCODES.items())
    (folder / "postcodes.csv").write_text(directory)
    path = folder / "own.yml"
    path.write_text(
        f"areas: [{area}]\nsource: local\npupils: [{census}]\nkey_file: {key}\npostcodes: {folder / 'postcodes.csv'}\n"
        f'census_date: "{date}"\n'
    )
    return path


@pytest.fixture(autouse=True)
def no_official_files(monkeypatch):
    monkeypatch.delenv("JSNA_DATA", raising=False)


def damaged_census(folder):
    """A census in which much is wrong, with a child's data in columns where they do not belong."""
    rows = cs.flat_rows()
    rows[0]["Ethnicity"] = "Surname0001"
    rows[1]["Language"] = rows[1]["UPN"]
    rows[2]["NCyearActual"] = "05/06/2014"
    rows[3]["SENprovision"] = "XL1 1AA"
    rows[4]["DoB"] = "2014-06-99"
    rows[5]["Postcode"] = "XL5 5XX"
    rows[6]["UPN"] = rows[5]["UPN"]
    rows[7]["Gender"] = "A street"
    return cs.write_flat(folder / "2026_spring.csv", rows)


def test_the_check_of_a_damaged_census_names_what_to_mend_and_nobody(tmp_path, capsys):
    path = params(tmp_path, damaged_census(tmp_path / "in"))
    assert main(["check", str(path), "--out", str(tmp_path / "out")]) == 1
    page = (tmp_path / "out" / "E06000032-2026.html").read_text()
    said = capsys.readouterr()
    for text in (page, said.out, said.err):
        assert [p for p in PERSONAL if p in text] == []
        assert cs.KEY.hex()[:8] not in text
    for words in (
        "no ethnicity code",
        "no language code",
        "not a year group",
        "no code of SEN provision",
        "not a date",
    ):
        assert words in page
    assert "2026_spring.csv" in said.out


def test_the_check_of_a_clean_census_has_no_errors(tmp_path, capsys):
    known = [cs.other(p, ethnicity="WBRI", language="ENG") for p in cs.PUPILS]
    census = cs.write_blades(tmp_path / "in", cs.collect_tables(known))
    assert main(["check", str(params(tmp_path, census)), "--out", str(tmp_path / "out")]) == 1
    text = capsys.readouterr().out
    assert "12 rows read, 11 kept, 1 put aside" in text
    assert "Luton (synthetic)" in text
    assert "error:" not in text


def test_the_check_of_a_census_that_cannot_be_read(tmp_path, capsys):
    census = cs.put(tmp_path / "in" / "pupils.csv", "")
    assert main(["check", str(params(tmp_path, census)), "--out", str(tmp_path / "out")]) == 2
    assert "pupils.csv: The file is empty" in capsys.readouterr().err
    assert "What cannot be read" in (tmp_path / "out" / "E06000032-2026.html").read_text()


def test_init_makes_params_that_the_check_takes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    key, path = tmp_path / "keys" / "luton.key", tmp_path / "luton-local.yml"
    assert main(["init", "821", "--key", str(key), "--params", str(path)]) == 0
    assert main(["check", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "No School Census is named" in capsys.readouterr().err
    first = key.read_text()
    assert main(["init", "821", "--key", str(key), "--params", str(path)]) == 2
    assert main(["init", "821", "--key", str(key), "--params", str(tmp_path / "second.yml")]) == 0
    assert key.read_text() == first
    assert first.strip() not in capsys.readouterr().out


def test_init_keeps_the_key_out_of_the_project_and_refuses_what_is_no_key(tmp_path, capsys, repository):
    inside = str(repository / "my.key")
    assert main(["init", "821", "--key", inside, "--params", str(tmp_path / "p.yml")]) == 2
    assert "in the project" in capsys.readouterr().err
    other = cs.put(tmp_path / "other.key", "not a key")
    assert main(["init", "821", "--key", str(other), "--params", str(tmp_path / "p.yml")]) == 2
    assert not (tmp_path / "p.yml").exists()
    assert main(["init", "E99999999", "--key", str(tmp_path / "k"), "--params", str(tmp_path / "p.yml")]) == 2


# In a browser --------------------------------------------------------------------------------------------------------

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.mark.slow
def test_the_page_is_accessible_asks_for_nothing_and_fits_a_narrow_screen(tmp_path):
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium on this computer")
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    path = params(tmp_path, damaged_census(tmp_path / "in"))
    main(["check", str(path), "--out", str(tmp_path / "out")])
    page = (tmp_path / "out" / "E06000032-2026.html").as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for scheme in ("light", "dark"):
            tab = browser.new_page(color_scheme=scheme, viewport={"width": 320, "height": 640})
            asked = []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto(page)
            found = Axe().run(tab, options=RULES).response["violations"]
            assert [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found] == []
            assert [u for u in asked if not u.startswith(("file:", "data:"))] == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= 320
        browser.close()


def test_a_page_without_anything_still_says_so():
    page = as_page(Report("Luton", (), report().findings, report().refused, pd.DataFrame()))
    assert page.count("<p>Nothing.</p>") == 3


def loaded_with(persons, name):
    frame = pd.DataFrame({"person_id": persons})
    summary = Summary(name, f"{name}.csv", "", len(frame), len(frame), 0)
    return Loaded(frame, together([]), summary)


def test_persons_of_a_list_who_are_in_no_census_are_counted_once():
    pupils = pd.DataFrame({"pupil_id": ["a", "b", "c"]})
    sources = [loaded_with(["a", "a", "x", ""], "absence"), loaded_with(["a", "b"], "reviews")]
    table = unmatched(pupils, sources)
    assert table[["persons", "missing", "share"]].values.tolist() == [[2, 1, 0.5], [2, 0, 0.0]]
    found = join_findings(pupils, [*sources, loaded_with(["p", "q"], "other")])
    assert found["severity"].tolist() == ["look", "error"]
    assert "another key" in found["mend"].iloc[1]


def test_schools_where_something_is_lacking_come_emptiest_first():
    rows = {"time_period": "202526", "sex": "F", "lsoa21": "E01015787", "ward_code": "E05014740", "idaci_decile": 1}
    full = pd.DataFrame([rows | {"school_urn": "1", "ethnicity": "WBRI", "first_language": "ENG"}] * 40)
    half = full.assign(school_urn="2", ethnicity=["NOBT"] * 20 + ["WBRI"] * 20)
    small = half.head(10).assign(school_urn="3")
    table = gaps_by(pd.concat([full, half, small]), "school_urn")
    assert table[["school_urn", "characteristic", "known", "pupils"]].values.tolist() == [["2", "ethnicity", 20, 40]]
