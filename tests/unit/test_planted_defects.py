"""Each planted defect does what its sentence says and nothing else; the catalogue covers the specification."""

import csv
import re

import openpyxl
import pytest

from jsna.cli import main
from jsna.synthetic import synthesise
from jsna.synthetic.files import DEFECTS, FORMS, PLANTED, write_files
from jsna.synthetic.files.census import blocks, censuses, tables
from jsna.synthetic.files.defects import Planter
from jsna.synthetic.files.extracts import EXTRACTS, Source
from jsna.synthetic.files.npd import npd_table
from jsna.synthetic.files.sen2 import collection

SEED, SCALE = 5, 0.1
# What may change: "table:columns" cells, "table+" rows added, "table-" rows taken out, "table*" a table added,
# "table!" a table taken out, "table#" the order of columns, "table~" the columns themselves.
EXPECTED = {
    "need_rank_three": "senneeds:sentyperank",
    "need_rank_decimal": "senneeds:sentyperank",
    "meals_end_before_start": "fsmperiod:fsmenddate",
    "columns_in_another_order": "schoolcensus# school# pupilonroll# addresses# senneeds# fsmperiod#",
    "needs_of_nobody": "senneeds:pupilonrolltableid",
    "two_first_needs": "senneeds:sentyperank",
    "second_need_without_first": "senneeds:sentyperank",
    "third_need": "senneeds+",
    "need_without_provision": "senneeds+",
    "provision_without_need": "senneeds-",
    "not_assessed_with_plan": "senneeds:sentype",
    "need_in_provision": "pupilonroll:senprovision",
    "descriptions_for_codes": "pupilonroll:ethnicity,language",
    "reason_ds": "termlyexclusionsonroll*",
    "gender_and_sex": "pupilonroll~",
    "sex_spellings": "pupilonroll:sex",
    "sole_registration_twice": "pupilonroll+ addresses+ senneeds+ fsmperiod+",
    "dual_registration": "pupilonroll:enrolstatus pupilonroll+ addresses+ senneeds+ fsmperiod+",
    "on_and_off_roll": "pupilnolongeronroll*",
    "year_blank_in_special_schools": "pupilonroll:ncyearactual",
    "age_outside_year": "pupilonroll:dob",
    "postcode_blank": "addresses:postcode",
    "postcode_pseudo": "addresses:postcode",
    "postcode_ended": "addresses:postcode",
    "postcode_spelling": "addresses:postcode",
    "postcode_of_school": "addresses:postcode",
    "ethnicity_empty_in_a_school": "pupilonroll:ethnicity",
    "ethnicity_not_obtained_in_a_school": "pupilonroll:ethnicity",
    "number_as_power": "pupilonroll:NativeId",
    "upn_cut": "pupilonroll:upn",
    "birth_as_serial": "pupilonroll:dob",
    "year_as_date": "pupilonroll:ncyearactual",
    "upn_missing": "pupilonroll:upn",
    "upn_wrong_letter": "pupilonroll:upn",
    "upn_malformed": "pupilonroll:upn",
    "upn_unknown_la": "pupilonroll:upn",
    "upn_vectors": "pupilonroll:upn",
    "npd_mistyped_heading": "npd~",
    "npd_plans_called_sls": "npd:SENPROVISIONMAJOR_SPR26",
    "npd_descriptions": "npd:ETHNICGROUPMINOR_SPR26",
    "npd_need_in_provision": "npd:SENPROVISION_SPR26",
    "npd_before_birth": "npd:YEAROFBIRTH_SPR26",
    "npd_rows_repeated": "npd+",
    "npd_provisions_disagree": "npd:SENPROVISIONMAJOR_SPR26",
    "npd_deciles_mixed": "npd~",
    "request_without_id": "requests:requeststableid",
    "request_repeated": "requests+",
    "no_number_with_reason": "person:upn,uniquelearnernumber,upnunknown",
    "no_number_no_reason": "person:upn,uniquelearnernumber",
    "two_open_plans": "requests+ assessment+ namedplan+ plandetail+ activeplans+ placementdetail+ senneed+",
    "birth_missing": "person:personbirthdate",
    "too_old": "person:personbirthdate",
    "open_at_25": "person:personbirthdate",
    "plan_without_placement": "activeplans- placementdetail- senneed-",
    "moved_in_without_placement": "placementdetail-",
    "placement_without_plan": "namedplan- plandetail-",
    "placement_without_place": "placementdetail:urn",
    "placement_with_two_places": "placementdetail:sensetting",
    "setting_unknown": "placementdetail:sensetting",
    "unit_not_said": "placementdetail:senunitindicator,resourcedprovisionindicator",
    "unit_where_none_is": "placementdetail:senunitindicator",
    "urn_of_university": "placementdetail:urn",
    "urn_unknown": "placementdetail:urn",
    "only_second_placement": "placementdetail:placementrank",
    "two_first_placements": "placementdetail+",
    "plan_without_need": "senneed-",
    "need_unknown": "senneed:sentype",
    "sen2_second_need_without_first": "senneed:sentyperank",
    "same_need_twice": "senneed+",
    "sen2_two_first_needs": "senneed:sentyperank",
    "orphans": "person:sen2tableid requests:persontableid assessment:requeststableid namedplan:assessmenttableid "
    "plandetail:namedplantableid activeplans:requeststableid placementdetail:activeplanstableid "
    "senneed:activeplanstableid",
    "person_without_requests": "person+",
    "plan_without_detail": "plandetail-",
    "requests_without_assessment": "assessment-",
    "outcome_before_request": "requests:requestoutcomedate",
    "plan_before_decision": "assessment:assessmentoutcomedate",
    "data_below_refusal": "requests:requestoutcome",
    "review_after_letter": "activeplans:reviewmeeting",
    "ceased_without_reason": "namedplan:ceasereason",
    "reason_without_ceasing": "namedplan:ceasereason",
    "received_on_one_day": "requests:receiveddate",
    "received_on_day_of_issue": "requests:receiveddate,requestoutcomedate",
    "exceptions_too_often": "assessment:week20",
    "gender_of_2023": "person~",
    "residence_on_plan": "activeplans~ placementdetail~",
    "lea_of_neighbour": "sen2:lea",
    "reason_in_upn": "person:upn",
    "review_before_plan": "activeplans:reviewmeeting,lastreview",
    "exceptions_not_said": "assessment:week20",
    "table_missing": "assessment!",
    "test_return_mixed_in": "sen2+ person+ requests+ assessment+ namedplan+ plandetail+ activeplans+ placementdetail+ "
    "senneed+",
    "keys_of_two_deliveries": "sen2+ person+ requests+ assessment+ namedplan+ plandetail+ activeplans+ "
    "placementdetail+ senneed+",
    "heading_misspelt": "requests~",
    "closed_cases_missing": "ehc_cases-",
    "case_opened_again": "ehc_cases+",
    "request_date_of_panel": "ehc_cases:request_received_date",
    "working_days_for_dates": "ehc_cases:request_outcome_date",
    "issued_means_draft": "ehc_cases:plan_issued_date",
    "dispute_without_decision": "disputes:decision_letter_date",
    "absence_in_percent": "absence~",
    "totals_row": "ehc_cases+",
    "names_in_case_id": "ehc_cases:case_id",
    "dates_for_blanks": "ehc_cases:request_outcome_date",
}
# Changed as a whole, and tested by themselves below.
OTHERWISE = {"lists_stacked", "rows_hidden"}
# Counted in pupils, plans or persons rather than in rows of the table that changes.
BY_PERSON = {"provision_without_need", "plan_without_need", "npd_deciles_mixed", "residence_on_plan"}


@pytest.fixture(scope="module")
def clean():
    block = next(blocks(SEED, SCALE))
    source = Source(synthesise(SEED, SCALE))
    found = {"census_blade": tables(block, censuses()[-1], 0), "npd": npd_table(block, censuses()[-1])}
    found |= dict.fromkeys(("sen2_blade", "sen2_xml", "sen2_presubmission"), collection(source.plans, 2026))
    return found | {name: make(source) for name, make in EXTRACTS.items()}


def planted(clean, name):
    form = next(f for f in DEFECTS[name].forms if f in clean)
    made, plant = dict(clean[form]), Planter(form, [name], SEED)
    plant(made)
    return clean[form], made, plant.touched[name]


def changes(old, new):
    """What changed, in the words of EXPECTED, and the numbers of rows in which it did."""
    words, counts = [], []
    for name in dict.fromkeys([*old, *new]):
        if name not in new or name not in old:
            words.append(f"{name}{'!' if name in old else '*'}")
            counts.append(len((new if name in new else old)[name]))
            continue
        a, b = old[name].reset_index(drop=True), new[name].reset_index(drop=True)
        if list(a) != list(b):
            words.append(f"{name}{'#' if sorted(a) == sorted(b) else '~'}")
            counts.append(len(b))
        elif len(b) < len(a):
            assert len(a.merge(b, on=list(a))) == len(b), "rows that stay are unchanged"
            words.append(f"{name}-")
            counts.append(len(a) - len(b))
        else:
            differ = a != b.iloc[: len(a)]
            if differ.any(axis=None):
                words.append(f"{name}:{','.join(c for c in differ if differ[c].any())}")
                counts.append(int(differ.any(axis=1).sum()))
            if len(b) > len(a):
                words.append(f"{name}+")
                counts.append(len(b) - len(a))
    return " ".join(words), counts


@pytest.mark.parametrize("name", EXPECTED)
def test_a_defect_changes_what_it_says_and_nothing_else(clean, name):
    before = {n: f.copy() for n, f in next(clean[f] for f in DEFECTS[name].forms if f in clean).items()}
    old, new, touched = planted(clean, name)
    what, counts = changes(old, new)
    assert what == EXPECTED[name]
    assert touched > 0
    assert name in BY_PERSON or touched in (*counts, sum(counts))
    assert all(old[n].equals(f) for n, f in before.items()), "the clean tables stay clean"


def test_every_defect_of_the_catalogue_is_tested():
    assert set(EXPECTED) | OTHERWISE == set(DEFECTS)


def test_every_defect_fits_a_form_and_says_what_it_does():
    for d in DEFECTS.values():
        assert d.forms
        assert set(d.forms) <= set(FORMS)
        assert d.sentence.endswith(".")
        assert re.fullmatch(r"\d\.\d{1,2}", d.section)


def column(frame, name):
    return frame[name].tolist()


def test_planted_values_are_those_of_the_specification(clean):
    _, new, _ = planted(clean, "meals_end_before_start")
    meals = new["fsmperiod"]
    assert ((meals["fsmenddate"] != "") & (meals["fsmenddate"] < meals["fsmstartdate"])).any()
    _, new, _ = planted(clean, "upn_vectors")
    assert column(new["pupilonroll"], "upn")[0] == "P207000016049"
    _, new, _ = planted(clean, "same_need_twice")
    need = new["senneed"]
    assert need.duplicated(["activeplanstableid", "sentype"]).any()
    _, new, _ = planted(clean, "sole_registration_twice")
    twice = new["pupilonroll"][new["pupilonroll"]["upn"].duplicated(keep=False)]
    assert set(twice["enrolstatus"]) == {"C"}
    assert (twice.groupby("upn")["NativeId"].nunique() == 2).all()
    _, new, _ = planted(clean, "needs_of_nobody")
    assert not new["senneeds"]["pupilonrolltableid"].isin(new["pupilonroll"]["pupilonrolltableid"]).all()
    _, new, _ = planted(clean, "upn_wrong_letter")
    letters = "ABCDEFGHJKLMNPQRTUVWXYZ"
    value = {c: i for i, c in enumerate(letters)} | {str(i): i for i in range(10)}
    wrong = [
        u
        for u in column(new["pupilonroll"], "upn")
        if letters[sum(i * value[c] for i, c in enumerate(u[1:], 2)) % 23] != u[0]
    ]
    assert len(wrong) == 20


def test_another_defect_beside_it_does_not_change_which_rows_are_touched(clean):
    alone, both = dict(clean["census_blade"]), dict(clean["census_blade"])
    Planter("census_blade", ["postcode_blank"], SEED)(alone)
    Planter("census_blade", ["sex_spellings", "postcode_blank"], SEED)(both)
    assert alone["addresses"].equals(both["addresses"])


def test_stacked_lists_have_a_second_heading_within(clean):
    old, new, touched = planted(clean, "lists_stacked")
    events = new["exclusions"]
    at = events.index[events["event_id"] == "Event Id"].tolist()
    assert len(at) == 1
    assert len(events) == len(old["exclusions"]) + 1
    assert len(events) - at[0] == touched
    assert events.iloc[at[0] + 1 :]["school_urn"].nunique() == 1


def test_hidden_rows_are_in_the_workbook_and_hidden(tmp_path):
    paths = write_files(tmp_path, "disputes", seed=1, scale=0.2, defects=["rows_hidden"])
    sheet = openpyxl.load_workbook(tmp_path / "disputes.xlsx").active
    hidden = [r for r, d in sheet.row_dimensions.items() if d.hidden]
    with paths[-1].open(encoding="utf-8") as stream:
        report = list(csv.DictReader(stream))
    assert len(hidden) == int(report[0]["rows_touched"]) > 0
    assert sheet.max_row > len(hidden) + 1


def test_the_census_of_the_year_before_stays_clean_and_the_report_says_what_was_done(tmp_path):
    names = ["upn_missing", "postcode_pseudo"]
    clean = write_files(tmp_path / "a", "census_flat", seed=2, scale=0.02)
    made = write_files(tmp_path / "b", "census_flat", seed=2, scale=0.02, defects=names)
    assert [p.name for p in made] == [*(p.name for p in clean), f"b_{PLANTED}"]
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(clean, made, strict=False)] == [True, True, False]
    with made[-1].open(encoding="utf-8") as stream:
        report = list(csv.DictReader(stream))
    assert [r["defect"] for r in report] == names
    with made[-2].open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(not r["UPN"] for r in rows) == int(report[0]["rows_touched"])
    assert sum(r["Postcode"] == "ZZ99 3VZ" for r in rows) == int(report[1]["rows_touched"])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--list"], 0, "census_blade"),
        (["--list-defects", "--form", "npd"], 0, "npd_before_birth"),
        (["OUT", "--form", "disputes", "--scale", "0.05", "--defect", "totals_row"], 0, PLANTED),
        (["OUT", "--form", "dispute"], 2, "Did you mean 'disputes'"),
        (["OUT", "--defect", "totals_row"], 2, "choose a form"),
        ([], 2, "where to write"),
    ],
)
def test_the_command_line_lists_writes_and_refuses(tmp_path, capsys, arguments, code, words):
    given = [str(tmp_path / "out") if a == "OUT" else a for a in arguments]
    assert main(["synth", *given]) == code
    shown = capsys.readouterr()
    assert words in shown.out + shown.err
