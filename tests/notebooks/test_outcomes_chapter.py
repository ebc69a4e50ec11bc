"""The chapter on outcomes as it is kept: on the embedded area it says what to bring, and shows every section."""

from __future__ import annotations

import re

import nbformat
import pytest

from jsna.chapters.outcomes_words import texts
from jsna.pack.harvest import harvest


@pytest.fixture(scope="module")
def notebook(repository):
    return nbformat.read(repository / "notebooks/08-outcomes.ipynb", as_version=4)


def test_every_section_of_the_words_is_shown_once(notebook):
    code = "\n".join(c["source"] for c in notebook.cells if c["cell_type"] == "code")
    assert re.findall(r'section\(area, "(\w+)"\)', code) == list(texts()["sections"])


def test_its_parameters_are_those_of_the_other_chapters(notebook, repository):
    other = nbformat.read(repository / "notebooks/07-ehc-plans.ipynb", as_version=4)
    mine, theirs = (next(c for c in n.cells if "parameters" in c.metadata.get("tags", [])) for n in (notebook, other))
    assert mine["source"] == theirs["source"]


def test_on_the_embedded_area_each_section_names_what_to_bring(notebook):
    found = harvest("08-outcomes", notebook, "needs-official")
    assert len({e["id"] for e in found.exhibits}) == len(found.exhibits)
    notices = found.of_kind("notice")
    assert len(notices) == len(texts()["sections"]) + 1
    assert all(e["extras"]["gap"]["mend"] for e in notices)
    table = found.of_kind("table")[0]
    assert "not at hand" in table["table_csv"]
    assert not [o for c in notebook.cells for o in c.get("outputs", []) if o["output_type"] in ("error", "stream")]


def test_the_notebook_is_small_and_thin(notebook, repository):
    assert (repository / "notebooks/08-outcomes.ipynb").stat().st_size < 200_000
    for cell in (c for c in notebook.cells if c["cell_type"] == "code"):
        assert not re.search(r"^\s*(def|for|while|class) ", cell["source"], re.M)
