"""A params file: right ones are read, wrong ones are answered in sentences, all faults at once."""

import csv
import json
from pathlib import Path

import pytest
import yaml

from jsna.errors import ParamsError
from jsna.params import Params, check_params, params_of_notebook, read_params


@pytest.mark.parametrize("name", ["luton", "luton-open-data", "blmk", "england"])
def test_the_params_files_that_come_with_the_workbench_are_right(repository, name):
    assert read_params(repository / "params" / f"{name}.yml").areas[0].startswith("E0")


def test_the_params_file_for_england_names_every_authority_of_the_list(repository):
    with (repository / "jsna" / "codes" / "local_authority.csv").open(encoding="utf-8", newline="") as stream:
        in_force = {row["code"] for row in csv.DictReader(stream) if not row["valid_to"]}
    areas = read_params(repository / "params" / "england.yml").areas
    assert len(areas) == len(in_force) == 153
    assert set(areas) == in_force


def test_every_fault_is_reported_at_once_with_the_nearest_name():
    with pytest.raises(ParamsError) as caught:
        check_params({"area": ["E06000032"], "source": "offical", "seed": -1, "cycle": "next"}, "p.yml")
    text = str(caught.value)
    assert len(caught.value.problems) == 4
    assert "Did you mean 'areas'?" in text
    assert "'official'" in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"areas": ["E0600032"]}, "Did you mean 'E06000032'?"),
        ({"areas": ["821"]}, "nine-character code 'E06000032'"),
        ({"areas": ["Luton"]}, "The code of Luton is 'E06000032'"),
        ({"areas": ["E06000032", "E06000032"], "source": "official"}, "named twice"),
        ({"areas": ["E06000055"]}, "modelled on Luton"),
        ({"suppress_below": 4}, "4 is no whole number from 5 (3 with audience: restricted) to 20"),
        ({"suppress_below": 21}, "21 is no whole number"),
        ({"suppress_below": "5"}, "'5' is no whole number"),
        ({"suppress_below": True}, "True is no whole number"),
        ({"suppress_below": {"pupils": 5, "case": 5}}, "case: not a source; allowed: pupils, cases, lists"),
        ({"suppress_below": {"cases": 4}}, "cases: 4 is no whole number from 5"),
        ({"audience": "restricted", "suppress_below": 2}, "2 is no whole number from 3 to 20"),
        ({"minimum_denominator": 9}, "9 is no whole number from 10 (5 with audience: restricted) to 100"),
        ({"audience": "restricted", "minimum_denominator": 4}, "4 is no whole number from 5 to 100"),
        ({"minimum_denominator": {"pupils": 10}}, "is no whole number from 10"),
        ({"zeros": "shown"}, "audience: restricted alone"),
        ({"zeros": "shown", "audience": "restricted", "protection": "round_5"}, "no true 0 can be shown"),
        ({"protection": "rounding"}, "'midpoint_6'"),
        ({"reference_ethnicity": "WBR"}, "Did you mean 'WBRI'?"),
        ({"confidence": 95}, "less than 1"),
        ({"areas": ["E10000021"]}, "North Northamptonshire 'E06000061', West Northamptonshire 'E06000062'"),
        ({"areas": ["928"]}, "Northamptonshire ended in 2021"),
        ({"areas": ["E08000039"]}, "here it stands under 'E08000019'"),
        ({"areas": ["E07000106"]}, "name the county"),
        ({"neighbours": {"Mine": ["E06000039", "E06000031", "E0800002"]}}, "Mine: "),
        ({"neighbours": {"Mine": ["E06000039", "E06000031", "E10000006"]}}, "Cumberland 'E06000063'"),
        ({"neighbours": {"Mine": ["E06000039", "E06000031", "871"]}}, "nine-character code 'E06000039'"),
        ({"neighbours": {"Mine": ["E06000039", "E06000031"]}}, "at least 3 neighbours are needed, and 2 are named"),
        ({"neighbours": {"Mine": ["E06000039", "E06000031", "E06000039"]}}, "named twice: E06000039"),
        (
            {"neighbours": {"Mine": ["E06000039", "E06000031", "E06000032"]}},
            "the area itself, E06000032, is in the set",
        ),
        ({"neighbours": {" ": ["E06000039", "E06000031", "E06000030"]}}, "the set has no name"),
        ({"neighbours": ["E06000039"]}, "valid dictionary"),
        ({"frames": 3}, "valid string"),
        ({"chapters": "11-scorecard"}, "valid list"),
    ],
)
def test_impossible_values_are_named(values, words):
    with pytest.raises(ParamsError) as caught:
        check_params(values, "p.yml")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("values", "thresholds"),
    [
        ({}, (5, 5, 5)),
        ({"suppress_below": 7}, (7, 7, 7)),
        ({"suppress_below": {"pupils": 10, "lists": 6}}, (10, 5, 6)),
        ({"suppress_below": {"cases": 6}}, (5, 6, 5)),
        ({"audience": "restricted", "suppress_below": {"pupils": 3}}, (3, 5, 5)),
    ],
)
def test_each_source_has_its_threshold_or_the_default(values, thresholds):
    policy = check_params(values, "p.yml").policy()
    assert tuple(policy.threshold_of(s) for s in ("pupils", "cases", "lists")) == thresholds
    assert policy.threshold == thresholds[0]


def test_a_restricted_pack_may_hide_less_and_the_policy_has_all_that_was_asked_for():
    asked = {"audience": "restricted", "zeros": "shown", "suppress_below": 3, "minimum_denominator": 5}
    policy = check_params({**asked, "protection": "midpoint_6"}, "p.yml").policy()
    assert (policy.audience, policy.zeros, policy.method) == ("restricted", "shown", "midpoint_6")
    assert (policy.threshold, policy.minimum_denominator) == (3, 5)


def test_faults_of_the_protection_are_told_with_all_others():
    wrong = {"audience": "pub", "zeros": "no", "suppress_below": 2, "minimum_denominator": 4, "seed": -1}
    with pytest.raises(ParamsError) as caught:
        check_params(wrong, "p.yml")
    assert len(caught.value.problems) == 5
    with pytest.raises(ParamsError) as caught:
        check_params({"zeros": "shown", "suppress_below": 4, "minimum_denominator": 5}, "p.yml")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [1", "not readable as YAML"),
        ("just words", "holds no keys"),
        ("", "holds no keys"),
        ("\xff\xfe", "YAML|keys"),
    ],
)
def test_files_that_are_no_params(tmp_path, content, words):
    path = tmp_path / "p.yml"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ParamsError, match=words):
        read_params(path)


def test_a_missing_file_is_answered_with_the_nearest(repository):
    with pytest.raises(ParamsError, match=r"Did you mean 'luton\.yml'"):
        read_params(repository / "params" / "lutn.yml")


def test_a_misspelt_parameter_in_a_notebook_is_refused():
    with pytest.raises(ParamsError, match="Did you mean 'cycle'"):
        params_of_notebook({"areas": ["E06000032"], "cycel": "2026", "_hidden": 1, "In": [], "Path": Path})


def test_an_unquoted_year_is_understood():
    assert check_params(yaml.safe_load("cycle: 2026"), "p.yml") == Params(cycle="2026")


def test_every_chapter_opens_with_all_parameters_and_their_defaults(repository):
    for path in sorted((repository / "notebooks").glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        source = next("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", []))
        named: dict = {}
        exec(compile(source, path.name, "exec"), named)  # a parameters cell holds plain assignments
        given = {k: v for k, v in named.items() if not k.startswith("__")}
        assert given == Params().model_dump(), path.name


def test_local_keys_belong_to_local_data_and_never_reach_a_notebook():
    with pytest.raises(ParamsError, match="source: local"):
        check_params({"pupils": ["census.csv"]}, where="p.yml")
    params = check_params({"source": "local", "pupils": ["secret-folder/census.csv"], "key_file": "k"}, where="p.yml")
    assert "secret-folder" not in str(params.without_places())
    assert "secret-folder" not in str(Params(source="official", data="secret-folder").without_places())


def test_a_path_that_is_not_there_is_named_with_the_nearest_one(tmp_path):
    (tmp_path / "census_2026.csv").write_text("x")
    params = Params(source="local", pupils=[str(tmp_path / "census_2062.csv")])
    with pytest.raises(ParamsError, match=r"pupils.*census_2062.csv.*Did you mean 'census_2026.csv'"):
        params.paths("pupils")


def test_every_fault_of_a_set_of_neighbours_is_told_at_once():
    with pytest.raises(ParamsError) as caught:
        check_params({"neighbours": {"One": ["E99999999"], "Two": ["E06000039", "E06000039"]}}, "p.yml")
    text = str(caught.value)
    assert "One: " in text
    assert "'E99999999'" in text
    assert "Two: named twice" in text


def test_areas_may_share_a_set_of_neighbours_and_each_is_left_out_of_its_own():
    shared = {"BLMK and Slough": ["E06000055", "E06000032", "E06000042", "E06000039"]}
    params = check_params({"areas": ["E06000055", "E06000032"], "source": "official", "neighbours": shared}, "p.yml")
    assert params.one_area("E06000032").neighbours == {"BLMK and Slough": ["E06000055", "E06000042", "E06000039"]}
    few = {"Mine": ["E06000055", "E06000042", "E06000039"]}
    with pytest.raises(ParamsError, match="without E06000055, which is one of the areas, fewer than 3"):
        check_params({"areas": ["E06000055", "E06000032"], "source": "official", "neighbours": few}, "p.yml")


def test_the_file_of_frames_reaches_a_notebook_by_the_environment_and_is_not_written_into_it(monkeypatch):
    assert "secret-folder" not in str(Params(frames="secret-folder/ours.yml").without_places())
    monkeypatch.setenv("JSNA_FRAMES", "ours.yml")
    assert params_of_notebook({"frames": ""}).frames == "ours.yml"
    assert params_of_notebook({"frames": "mine.yml"}).frames == "mine.yml"
