"""Each rule of the pupil table, by rows made by hand."""

import re

import census_samples as cs
import pandas as pd
import pytest

from jsna.errors import SourceError
from jsna.files.result import together
from jsna.sources import gathered, pupil_table
from jsna.sources import pupil_fields as fields
from jsna.sources.gathered import fine, phrase, rules
from jsna.sources.identity import make_upn, pseudonyms
from jsna.sources.pupil_table import RAW, Raw, canonical

USUAL = {
    "dob": "2015-03-04",
    "sex": "F",
    "ethnicity": "WBRI",
    "language": "ENG",
    "nc_year": "6",
    "enrolment_status": "C",
    "sen_provision": "N",
    "fsm": "0",
    "postcode": "XL1 1AA",
    "la": "821",
    "urn": "900060",
    "laestab": "8219060",
    "phase": "PS",
    "census_date": "2026-01-15",
}


def raw(*changes: dict, name: str = "pupils.csv", form: str = "made by hand", lacks: tuple = ()) -> Raw:
    """Rows 2, 3, … of a file, each as usual but for its changes."""
    rows = [{"upn": make_upn("999", "9060", "20", f"{i:03}"), **USUAL, **change} for i, change in enumerate(changes)]
    frame = pd.DataFrame(rows, index=range(2, len(rows) + 2)).fillna("").astype("str")
    file = pd.Series(name, index=frame.index)
    return Raw(frame, file, len(frame), together([]), form, "", frozenset(set(RAW) - set(frame)) | set(lacks))


def read(*changes: dict, **named):
    return canonical([raw(*changes, **named)], cs.context())


def each(*changes: dict, register: bool = True):
    """The table of rows 2, 3, …, one for each change; and its pupils in that order, None for those put aside."""
    table = canonical([raw(*changes)], cs.context(register=register))
    numbers = pd.Series([make_upn("999", "9060", "20", f"{i:03}") for i in range(len(changes))])
    kept = table.loaded.frame.astype({c: "str" for c in ("year_group", "age")}).set_index("pupil_id").to_dict("index")
    return table, [kept.get(p) for p in pseudonyms(numbers, cs.KEY)]


def values(column: str, given: str, cells, **usual) -> list:
    """What a canonical column has for each cell of a raw one."""
    return [row and row[column] for row in each(*({**usual, given: cell} for cell in cells))[1]]


def asked(table) -> dict[str, list[int]]:
    """The rows of each finding."""
    rows = [[int(n) for n in re.findall(r"\d+", place.partition(", row")[2])] for place in table.findings["place"]]
    return dict(zip(table.findings["check"], rows, strict=True))


@pytest.fixture(autouse=True)
def every_row_is_named(monkeypatch):
    monkeypatch.setattr(gathered, "ROWS_SHOWN", 1000)
    monkeypatch.setattr(pupil_table, "SHARED_HOME", 1000)


def found(table) -> dict[str, int]:
    return dict(zip(table.findings["check"], table.findings["count"], strict=True))


def put_aside(table) -> list[tuple]:
    q = table.loaded.quarantine
    return list(zip(q["row"], q["column"], q["rule"], strict=True))


def test_a_usual_pupil_raises_no_question():
    table = read({}, {})
    assert (table.loaded.summary.rows_kept, len(table.loaded.quarantine), len(table.findings)) == (2, 0, 0)


def test_who_is_a_pupil_of_the_school():
    statuses = ["C", "M", "", "m", "S", "F", "O", "Q"]
    table, rows = each(*({"enrolment_status": s} for s in statuses))
    assert [row and row["enrolment_status"] for row in rows] == ["C", "M", "", "M", None, None, None, None]
    assert [(r, rule.split(",")[0].split(":")[0]) for r, _, rule in put_aside(table)] == [
        (6, "a second registration"),
        (7, "registered with a college"),
        (8, "registered with another provider"),
        (9, "no code of an enrolment status (C"),
    ]
    assert asked(table) == {"enrolment status empty": [4]}


def test_a_file_without_the_column_of_statuses_is_not_asked_for_each_row():
    rows = raw({"enrolment_status": ""}, {"enrolment_status": ""}, lacks=("enrolment_status",))
    assert found(canonical([rows], cs.context())) == {}


TWIN = make_upn("999", "9060", "20", "500")


TWINS = [
    ("MS", "M", 0),
    ("SM", "M", 0),
    ("CS", "C", 0),
    ("CC", "C", 1),
    ("MC", "C", 1),
    (" C", "C", 1),
    ("MM", "M", 1),
    ("CCC", "C", 2),
]


def test_a_child_registered_twice_counts_once():
    numbers = [make_upn("999", "9061", "20", f"{i:03}") for i in range(len(TWINS))]
    rows = [
        {"upn": number, "enrolment_status": status, "urn": f"90006{place}"}
        for number, (statuses, _, _) in zip(numbers, TWINS, strict=True)
        for place, status in enumerate(statuses)
    ]
    table = read(*rows)
    kept = table.loaded.frame.set_index("pupil_id")["enrolment_status"].astype("str")
    assert kept.reindex(pseudonyms(pd.Series(numbers), cs.KEY)).tolist() == [k for _, k, _ in TWINS]
    assert found(table)["pupil twice"] == sum(n for *_, n in TWINS)
    assert table.loaded.summary.rows_refused == len(rows) - len(TWINS) == len(table.loaded.quarantine)
    assert not any(number in table.loaded.quarantine.to_string() for number in numbers)


def test_which_of_two_records_is_kept_does_not_depend_on_their_order():
    a, b = {"upn": TWIN, "ethnicity": "WBRI"}, {"upn": TWIN, "ethnicity": "APKN", "urn": "900061"}
    first, second = read(a, b).loaded.frame, read(b, a).loaded.frame
    pd.testing.assert_frame_equal(first, second)


def test_a_child_in_two_censuses_is_two_rows_with_one_pseudonym():
    rows = ({"upn": TWIN}, {"upn": TWIN, "census_date": "2025-01-16", "nc_year": "5"})
    frame = read(*rows).loaded.frame
    assert frame["time_period"].astype("str").tolist() == ["202425", "202526"]
    assert frame["pupil_id"].nunique() == 1


def test_the_same_child_in_two_files_of_one_census_counts_once():
    files = [
        raw({"upn": TWIN}, *[{}] * 9, name="one.xml"),
        raw({"upn": TWIN}, *({"upn": make_upn("999", "9061", "20", f"{i:03}")} for i in range(9)), name="two.xml"),
    ]
    table = canonical(files, cs.context())
    assert table.loaded.summary.rows_kept == 19
    assert found(table)["pupil twice"] == 1


def test_the_same_census_twice_is_refused_with_both_names():
    rows = [{}] * 6
    with pytest.raises(SourceError, match=r"(?s)one.csv.*and.*two.xml.*named twice: 6 pupils") as caught:
        canonical([raw(*rows, name="one.csv"), raw(*rows, name="two.xml")], cs.context())
    assert "Take one of them out" in str(caught.value)


@pytest.mark.parametrize("number", ["", "C99900000", "9.99E+12"])
def test_children_without_a_number_that_can_be_used_all_count(number):
    table = read(*({"upn": number, "ethnicity": e} for e in ("WBRI", "WBRI", "APKN")))
    assert table.loaded.frame["pupil_id"].nunique() == table.loaded.summary.rows_kept == 3
    assert found(table) == {"upn missing" if not number else "upn malformed": 3}


def test_a_child_without_a_number_is_not_met_again_in_another_year_or_file():
    table = read({"upn": ""}, {"upn": "", "census_date": "2025-01-16", "nc_year": "5"})
    assert table.loaded.frame["pupil_id"].nunique() == 2


def test_provision_then_and_now():
    cells = {"N": "N", "k": "K", " E ": "E", "S": "E", "A": "K", "P": "K", "Q": "K"}
    cells |= {"SEN support": "K", "EHC plan": "E", "EHCP": "E"}
    table, rows = each(*({"sen_provision": c, "need1": "" if c == "N" else "MLD"} for c in cells))
    assert [row and row["sen_provision"] for row in rows] == list(cells.values())
    assert asked(table) == {"provision out of date": [5, 6, 7, 8]}


def test_a_row_without_provision_is_put_aside_and_never_counted_as_without_sen():
    table, rows = each({}, *({"sen_provision": c} for c in ("", "None", "SLCN", "X")))
    assert [row and row["sen_provision"] for row in rows] == ["N", None, None, None, None]
    assert [(r, c, rule[:17]) for r, c, rule in put_aside(table)] == [
        (3, "sen_provision", "no SEN provision:"),
        (4, "sen_provision", "no SEN provision:"),
        (5, "sen_provision", "a type of need st"),
        (6, "sen_provision", "no code of SEN pr"),
    ]


NEEDS = [
    ("K", ("SLCN", "MLD"), ("SLCN", "MLD"), ""),
    ("E", ("asd", ""), ("ASD", ""), ""),
    ("K", ("", "MLD"), ("MLD", ""), "secondary need alone"),
    ("K", ("MLD", "MLD"), ("MLD", ""), "same need twice"),
    ("K", ("", ""), ("", ""), "need missing"),
    ("E", ("NSA", ""), ("NSA", ""), "NSA with a plan"),
    ("K", ("NSA", ""), ("NSA", ""), ""),
    ("K", ("DS", ""), ("DS", ""), ""),
    ("K", ("BESD", ""), ("BESD", ""), "need out of date"),
    ("K", ("Autism", ""), ("ASD", ""), ""),
    ("N", ("", ""), ("", ""), ""),
    ("E", ("XXX", "VI"), ("VI", ""), ""),
]


def test_types_of_need():
    table, rows = each(*({"sen_provision": p, "need1": n[0], "need2": n[1]} for p, n, _, _ in NEEDS))
    assert [(row["primary_need"], row["secondary_need"]) for row in rows] == [kept for _, _, kept, _ in NEEDS]
    checks = {check: [i] for i, (*_, check) in enumerate(NEEDS, 2) if check}
    checks["secondary need alone"].append(13)
    assert asked(table) == checks
    assert put_aside(table) == [(13, "need1", "no code of a type of need")]


@pytest.mark.parametrize("needs", [("SLCN", ""), ("", "MLD")])
def test_a_need_without_provision_is_listed_and_not_counted(needs):
    table = read({"need1": needs[0], "need2": needs[1]})
    assert table.loaded.frame.iloc[0]["primary_need"] == ""
    assert table.loaded.quarantine["value"].tolist() == [max(needs)]
    assert "not counted as a need" in put_aside(table)[0][2]


BIRTHS = [
    ("2015-08-31", 10),  # ten on the day
    ("2015-09-01", 9),
    ("2016-02-29", 9),
    ("2021-08-31", 4),
    ("2025-09-01", 0),  # a baby in a nursery is not minus one
    ("2007-08-31", 18),
    ("04/03/2015", 10),  # the fourth of March
    ("42067", 10),  # the same, as a spreadsheet counts days
    ("2015-Mar-04 00:00:00", 10),
]


def test_age_on_31_august_before_the_school_year():
    assert values("age", "dob", [b for b, _ in BIRTHS], nc_year="X") == [str(age) for _, age in BIRTHS]


def test_without_a_birthday_that_makes_sense_the_year_group_says_the_age():
    cells = ["", "31/02/2015", "04/03/15", "2027-01-01", "1960-01-01", "soon"]
    table, rows = each(*({"dob": d, "nc_year": "5"} for d in cells))
    assert [row["age"] for row in rows] == ["9"] * 6
    assert [r[:2] for r in put_aside(table)] == [(r, "dob") for r in range(3, 8)]
    assert table.loaded.quarantine["value"].str.startswith("(hidden, ").all()


def test_a_column_of_ages_stands_in_for_the_birthday():
    table, rows = each(*({"dob": "", "age": a, "nc_year": "2"} for a in ("7.0", "200", "-1", "6.5", "")))
    assert [row["age"] for row in rows] == ["7", "6", "6", "6", "6"]
    assert [r[:2] for r in put_aside(table)] == [(3, "age"), (4, "age"), (5, "age")]


def test_month_first_is_never_guessed():
    """Of 25 March, written 03/25/2015, the reader sees the order; then 04/03/2015 cannot be told."""
    table = read({"dob": "03/25/2015"}, {"dob": "04/03/2015"}, {"dob": "12/31/2014"}, {"dob": "2015-03-04"})
    assert [r[:2] for r in put_aside(table)] == [(2, "dob"), (3, "dob"), (4, "dob")]
    assert found(table)["day before month"] == 1
    assert table.loaded.summary.rows_kept == 4


def test_one_slip_in_many_dates_does_not_turn_the_others_round():
    rows = [{"dob": "04/03/2015"}] * 30 + [{"dob": "02/30/2015"}]
    assert found(read(*rows)) == {}


YEARS = [
    ("6", "6"),
    ("06", "6"),
    ("6.0", "6"),
    ("Year 6", "6"),
    ("Y6", "6"),
    ("R", "R"),
    ("Reception", "R"),
    ("N1", "N1"),
    ("n2", "N2"),
    ("E1", "N1"),
    ("E2", "N1"),
    ("X", "6"),
    ("M", "6"),
    ("", "6"),
    ("01-Jan", "6"),
    ("15", "6"),
    ("0", "6"),
]


def test_year_groups_as_given_or_by_age():
    assert values("year_group", "nc_year", [g for g, _ in YEARS]) == [year for _, year in YEARS]


def test_the_year_group_of_an_age():
    births = {
        "2025-01-01": "N1",
        "2022-08-31": "N2",
        "2022-09-01": "N1",
        "2021-08-31": "R",
        "2020-08-31": "1",
        "2005-01-01": "14",
    }
    assert values("year_group", "dob", births, nc_year="X") == list(births.values())


def test_a_year_group_that_is_no_code_is_listed():
    table = read({"nc_year": "01-Jan"}, {})
    assert put_aside(table)[0][:2] == (2, "nc_year")
    assert table.loaded.quarantine["value"].tolist() == ["01-Jan"]
    assert found(table) == {"year group from age": 1}


def test_a_row_with_neither_age_nor_year_group_cannot_be_counted():
    table = read({}, {"dob": "", "nc_year": "X"})
    assert table.loaded.summary.rows_kept == 1
    assert "neither a date of birth nor a year group" in put_aside(table)[0][2]


def test_an_age_far_from_the_year_group_is_pointed_out():
    table = each(*({"nc_year": y} for y in ("4", "5", "6", "7", "8", "6")))[0]
    assert asked(table) == {"age outside the year group": [2, 6]}


def test_last_years_file_under_this_years_day_is_noticed():
    rows = [{"nc_year": str(y), "dob": f"{2020 - y}-03-04"} for y in range(1, 12)]
    assert found(read(*rows))["day of another year"] == 11


ETHNICITIES = [
    ("WBRI", "WBRI", "WBRI"),
    ("bsom ", "BSOM", "BAFR"),
    ("ABRI", "ABRI", "AOTH"),
    ("AWEL", "AWEL", "AOTH"),
    ("BBRI", "BBRI", "BOTH"),
    ("BWEL", "BWEL", "BOTH"),
    ("CHKC", "CHKC", "CHNE"),
    ("MOTM", "MOTM", "MOTH"),
    ("WROR", "WROR", "WROM"),
    ("OIRQ", "OIRQ", "OOTH"),
    ("White - Irish", "WIRI", "WIRI"),
    ("Somali", "BSOM", "BAFR"),
    ("WBRI - White British", "WBRI", "WBRI"),
    ("WBRI (White British)", "WBRI", "WBRI"),
    ("REFU", "REFU", "REFU"),
    ("NOBT", "NOBT", "NOBT"),
    ("", "NOBT", "NOBT"),
    ("N/A ", "NOBT", "NOBT"),
    ("BOTH parents Asian", "NOBT", "NOBT"),
    ("WBRI - Pakistani", "NOBT", "NOBT"),
    ("Other", "NOBT", "NOBT"),
    ("ZZZZ", "NOBT", "NOBT"),
    ("OTHER", "NOBT", "NOBT"),
]


def test_ethnic_groups_by_code_or_label_and_never_by_guess():
    table, rows = each(*({"ethnicity": g} for g, _, _ in ETHNICITIES))
    assert [(row["ethnicity_detailed"], row["ethnicity"]) for row in rows] == [e[1:] for e in ETHNICITIES]
    silent = ("NOBT", "", "N/A ")
    strange = [i for i, (g, _, main) in enumerate(ETHNICITIES, 2) if main == "NOBT" and g not in silent]
    assert [r for r, _, _ in put_aside(table)] == strange


LANGUAGES = [
    ("ENG", "ENG", "ENG"),
    ("ENB", "ENB", "ENG"),
    ("PNJM", "PNJ", "OTH"),
    ("CHIC", "CHI", "OTH"),
    ("OTH", "OTH", "OTH"),
    ("CYM", "CYM", "OTH"),
    ("BSL", "BSL", "OTH"),
    ("NOT", "NOT", "UNC"),
    ("REF", "REF", "UNC"),
    ("ZZZ", "ZZZ", "UNC"),
    ("", "NOT", "UNC"),
    ("Polish", "POL", "OTH"),
    ("PNJX", "NOT", "UNC"),
    ("XX", "NOT", "UNC"),
]


def test_languages_cut_to_their_parent():
    table, rows = each(*({"language": g} for g, _, _ in LANGUAGES))
    assert [(row["first_language"], row["language_group"]) for row in rows] == [x[1:] for x in LANGUAGES]
    assert [r for r, _, _ in put_aside(table)] == [14, 15]
    assert asked(table) == {"language empty": [12, 14, 15]}


SEXES = [
    ("F", "", "F"),
    ("", "m", "M"),
    ("Male", "", "M"),
    ("G", "", "F"),
    ("B", "", "M"),
    ("M", "M", "M"),
    ("M", "F", "U"),
    ("1", "", "U"),
    ("", "", "U"),
]


def test_sex_and_gender_fill_each_other_and_never_contradict():
    table, rows = each(*({"sex": s, "gender": g} for s, g, _ in SEXES))
    assert [row["sex"] for row in rows] == [kept for *_, kept in SEXES]
    assert [r[::2] for r in put_aside(table)] == [
        (8, "the columns sex and gender say different things"),
        (9, "neither M nor F"),
    ]
    assert asked(table) == {"sex unknown": [8, 9, 10]}


def test_free_meals():
    table, rows = each(*({"fsm": cell} for cell in ("1", "No", "true", "", "maybe")))
    assert [row["fsm_eligible"] for row in rows] == [True, False, True, False, False]
    assert asked(table) == {"free meals empty": [5, 6]}
    assert put_aside(table) == [(6, "fsm", "neither yes nor no")]


def test_units_and_resourced_provision():
    pairs = [("1", "0"), ("0", "Yes"), ("0", "0"), ("", "")]
    rows = each(*({"sen_unit": u, "resourced_provision": r} for u, r in pairs))[1]
    assert [row["in_unit"] for row in rows] == [True, True, False, False]


def test_a_school_is_known_by_urn_then_by_its_number_then_by_an_anonymous_one():
    context = cs.context(register=False)
    rows = [{}, {"urn": ""}, {"urn": "", "laestab": "9061"}, {"urn": "", "laestab": "", "school_reference": "A12"}]
    table = canonical([raw(*rows)], context)
    assert sorted(table.loaded.frame["school_urn"].astype("str")) == ["8219061", "900060", "900060", "A12"]
    assert found(table)["school without urn"] == 1


def test_a_register_leads_from_the_number_to_the_urn_and_the_kind_of_school():
    table = read({"urn": "", "laestab": "821/9062", "phase": ""})
    assert table.loaded.frame.iloc[0][["school_urn", "school_phase"]].tolist() == ["900062", "special"]


def test_a_number_that_a_spreadsheet_has_shortened_is_no_school():
    table, rows = each(*({"urn": "", "laestab": n} for n in ("8.22E+06", "82190", "A school", "821 9061")))
    assert [row["school_urn"] for row in rows] == ["", "", "", "900061"]
    assert [r[:2] for r in put_aside(table)] == [(2, "laestab"), (3, "laestab"), (4, "laestab")]
    assert asked(table)["school missing"] == [2, 3, 4]


PHASES = [
    ("PS", "6", "primary"),
    ("MP", "6", "primary"),
    ("MS", "8", "secondary"),
    ("NS", "N1", "nursery"),
    ("SP", "X", "special"),
    ("PR", "10", "alternative"),
    ("AT", "6", "primary"),
    ("AT", "9", "secondary"),
    ("Special school", "6", "special"),
    ("", "11", "secondary"),
    ("??", "6", "primary"),
]


def test_kinds_of_school():
    table, rows = each(*({"phase": p, "nc_year": y} for p, y, _ in PHASES), register=False)
    assert [row["school_phase"] for row in rows] == [kind for *_, kind in PHASES]
    assert asked(table)["kind of school unknown"] == [11, 12]
    assert put_aside(table) == [(12, "phase", "no code of a kind of school")]


def test_pupils_of_another_authority_are_pointed_out():
    table = canonical([raw({}, {"la": "823", "laestab": "8239060"}, {"la": "", "laestab": "8239060"})], cs.context())
    assert found(table)["other authority"] == 2
    assert table.findings.set_index("check").loc["other authority", "severity"] == "error"


HOMES = [
    ("XL1 1AA", cs.HERE, ""),
    ("xl11ab", cs.THERE, ""),
    ("XL9 9ZZ", cs.ELSEWHERE, ""),
    ("", "", ""),
    ("XL5 5XX", "", "not in the postcode directory"),
    ("ZZ99 3VZ", "", "a stand-in for no fixed home (ZZ99)"),
    ("A street", "", "not formed as a postcode"),
]


def test_homes_by_postcode():
    table, rows = each(*({"postcode": p} for p, _, _ in HOMES))
    assert [row["lsoa21"] for row in rows] == [lsoa for _, lsoa, _ in HOMES]
    assert [(r, rule) for r, _, rule in put_aside(table)] == [(i, h[2]) for i, h in enumerate(HOMES, 2) if h[2]]
    assert not any(p and p in table.loaded.quarantine.to_string() for p, _, _ in HOMES)


def test_without_a_directory_one_finding_says_that_homes_are_not_known():
    table = canonical([raw({}, {})], cs.context(directory=False))
    assert found(table) == {"no directory": 2}
    assert table.loaded.frame["ward_code"].astype("str").tolist() == ["unknown"] * 2


def test_an_lsoa_in_the_file_places_the_home_and_a_strange_one_is_listed():
    table = canonical(
        [raw({"postcode": "", "lsoa21": cs.THERE}, {"postcode": "", "lsoa21": "01XX"})], cs.context(False)
    )
    assert sorted(table.loaded.frame["lsoa21"].astype("str")) == ["", cs.THERE]
    assert put_aside(table)[0][2] == "no code of an LSOA in England"


def test_one_postcode_of_very_many_pupils_of_a_school_is_pointed_out(monkeypatch):
    monkeypatch.setattr(pupil_table, "SHARED_HOME", 10)
    rows = [{"postcode": "XL1 1AA"}] * 10 + [{"postcode": "XL1 1AB"}] * 9
    assert found(read(*rows)) == {"school as home": 10}


def test_invented_children_among_real_ones_are_refused():
    with pytest.raises(SourceError, match="1 of 3 pupils are invented ones") as caught:
        read({"upn": "P207000016049"}, {"upn": "B801200005001"}, {})
    assert "P2070" not in str(caught.value)


def test_a_table_of_invented_children_says_so():
    assert read({}, {}).loaded.summary.synthetic
    assert not read({"upn": "P207000016049"}, {"upn": "B801200005001"}).loaded.summary.synthetic


@pytest.mark.parametrize("day", ["2025-10-02", "2026-05-21"])
def test_autumn_and_summer_are_refused(day):
    with pytest.raises(SourceError, match=r"pupils.csv: This is not a January census.*" + day):
        read({"census_date": day}, {})


def test_a_row_without_a_day_has_that_of_its_file_or_is_put_aside_where_the_file_has_several():
    table = read({}, {"census_date": ""}, {"census_date": "then"})
    assert table.loaded.summary.rows_kept == 3
    assert found(table) == {"day filled": 1}
    assert put_aside(table) == [(4, "census_date", "not a date")]
    several = read({}, {"census_date": "2025-01-16", "nc_year": "5"}, {"census_date": ""})
    assert several.loaded.summary.rows_kept == 2
    assert put_aside(several)[0][0] == 4


def test_a_census_without_any_day_names_the_param():
    with pytest.raises(SourceError, match="census_date: 2026-01-15"):
        read({"census_date": ""})


def test_a_file_of_which_nothing_is_left_says_why():
    with pytest.raises(SourceError, match=r"No pupil.*2 rows read.*no SEN provision: .*\(2\)"):
        read({"sen_provision": ""}, {"sen_provision": ""})


def test_pupils_no_longer_on_roll_are_put_aside_as_they_should_be():
    table = read({}, {"on_roll": "0"}, {"on_roll": "1"})
    assert table.loaded.summary.rows_kept == 2
    assert set(table.loaded.quarantine["rule"]) <= fine()


def test_findings_count_only_pupils_who_are_counted():
    table = read({}, {"enrolment_status": "S", "ethnicity": ""}, {"ethnicity": ""})
    assert found(table) == {"ethnicity empty": 1}
    assert table.findings["place"].tolist() == ["pupils.csv, row 4"]


def test_two_provisions_of_a_research_extract_that_disagree():
    rows = [
        {"sen_provision": "K", "need1": "MLD", "sen_provision_major": m} for m in ("2_SNS", "1_NON", "SLS", "4_UNCL")
    ]
    table = read(*rows)
    assert found(table) == {"provisions disagree": 1}
    assert [r[:2] for r in put_aside(table)] == [(4, "sen_provision_major")]


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 pupil has no sex."), (2, "2 pupils have no sex."), (1000, "1,000 pupils have no sex.")]
)
def test_sentences_agree_with_their_number(n, said):
    assert phrase("{n} [pupil has|pupils have] no sex.", n) == said


@pytest.mark.parametrize("n", [1, 2])
def test_every_rule_speaks_in_whole_sentences_and_says_what_to_do(n):
    for name, rule in rules()["findings"].items():
        said = phrase(rule["says"], n)
        assert said.endswith((".", "?")), name
        assert not set("[]{}|") & set(said), name
        assert rule["mend"], name
        assert rule["severity"] in ("error", "look"), name
    for name, rule in rules()["refusals"].items():
        assert rule["mend"], name
        assert rule["says"], name
        assert rule["shows"] in ("code", "hidden", "no"), name


def test_every_rule_that_is_named_in_the_code_exists_and_every_rule_is_used(repository):
    code = "".join(
        (repository / "jsna/sources" / f"{name}.py").read_text() for name in ("pupil_fields", "pupil_table", "homes")
    )
    named = set(rules()["findings"]) | set(rules()["refusals"])
    unused = [n for n in named if f'"{n}"' not in code and not n.startswith(("status ", "upn "))]
    assert unused == []


def test_ages_and_year_groups_lead_to_each_other():
    back = {year: age for age, year in fields.expected_years().items() if age >= 3 and age <= 18}
    assert all(fields.usual_ages()[year] == age for year, age in back.items())
