"""A params file: right ones are read, wrong ones are answered in sentences, all faults at once."""

import json
from pathlib import Path

import pytest
import yaml

from jsna.errors import ParamsError
from jsna.params import Params, check_params, params_of_notebook, read_params


@pytest.mark.parametrize("name", ["luton", "luton-open-data", "blmk"])
def test_the_params_files_that_come_with_the_workbench_are_right(repository, name):
    assert read_params(repository / "params" / f"{name}.yml").areas[0].startswith("E0")


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
        ({"suppress_below": 2}, "greater than or equal to 5"),
        ({"reference_ethnicity": "WBR"}, "Did you mean 'WBRI'?"),
        ({"confidence": 95}, "less than 1"),
    ],
)
def test_impossible_values_are_named(values, words):
    with pytest.raises(ParamsError) as caught:
        check_params(values, "p.yml")
    assert words in str(caught.value)


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
