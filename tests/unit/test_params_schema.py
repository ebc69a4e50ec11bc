"""The schema that editors use is the one that the workbench checks by, and its own params files keep to it."""

import json

import jsonschema
import pytest
import yaml

from jsna.params import Params
from jsna.schema import FILE, schema


def test_the_schema_that_comes_with_the_workbench_is_that_of_its_model():
    assert FILE.read_text(encoding="utf-8") == schema(), "make it anew: python3 workbench.py schema > " + FILE.name


def test_every_key_is_described():
    told = json.loads(schema())["properties"]
    assert set(told) == set(Params.model_fields)
    assert [name for name, key in told.items() if not key.get("description")] == []


def test_the_params_files_name_the_schema_and_keep_to_it(repository):
    for path in (repository / "params").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# yaml-language-server: $schema={FILE.name}\n")
        jsonschema.validate(yaml.safe_load(text), json.loads(schema()))


@pytest.mark.parametrize("wrong", [{"area": ["E06000032"]}, {"seed": "many"}, {"source": "x"}, {"scale": -1}])
def test_an_editor_is_told_of_what_the_workbench_would_refuse(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json.loads(schema()))
