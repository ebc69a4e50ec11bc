"""England's priors are what the official files teach: the shipped file is made again, byte for byte."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from importlib.resources import files

import pytest

from jsna.codes import ethnicity_code
from jsna.disproportionality import national_priors
from jsna.evidence.pipeline import UNKNOWN
from jsna.evidence.priors import official_priors, plans_over_pupils
from jsna.sources.folder import OfficialFolder


@pytest.fixture(scope="module")
def folder(official_data):
    return OfficialFolder(official_data)


def test_the_shipped_file_is_what_the_official_files_teach(folder):
    shipped = files("jsna.disproportionality").joinpath("priors.yml").read_text(encoding="utf-8")
    assert official_priors(folder, national_priors().made) == shipped


def test_plans_are_set_over_the_pupils_of_the_same_authority_and_group(folder):
    paired, period, pupils_of = plans_over_pupils(folder)
    with zipfile.ZipFile(folder.file("ehc")) as archive:
        name = next(n for n in archive.namelist() if n.endswith("/caseload.csv"))
        plans = list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
    with gzip.open(folder.file("pupils"), "rt", encoding="utf-8-sig") as stream:
        pupils = [
            row
            for row in csv.DictReader(stream)
            if row["time_period"] == pupils_of and row["phase_type_grouping"] == row["language"] == "Total"
        ]
    found = paired.set_index(["area_code", "group"])
    # Gateshead stands under an earlier code in the pupils' file.
    for code, old in (("E06000032", "E06000032"), ("E08000037", "E08000020")):
        for label in ("Asian - Pakistani", "White - White British"):
            row = found.loc[(code, ethnicity_code(label))]
            published = [
                r["ehcplans"]
                for r in plans
                if (r["time_period"], r["new_la_code"], r["breakdown"]) == (period, code, label)
            ]
            held = [r["headcount"] for r in pupils if (r["new_la_code"], r["ethnicity"]) == (old, label)]
            assert [row["count"]] == [float(v) for v in published]
            assert [row["total"]] == [float(v) for v in held]


def test_the_years_are_two_apart_and_no_total_or_unknown_group_is_compared(folder):
    paired, period, pupils_of = plans_over_pupils(folder)
    assert (pupils_of, period) == ("202122", "202324")
    assert not paired["area_code"].eq("E92000001").any()
    assert paired.groupby("group")["known"].all().to_dict()[UNKNOWN] is False
    assert paired.loc[paired["known"], "group"].nunique() == 18
    assert not (paired["count"] > paired["total"]).any()
    # The release leaves out groups of which nobody has a plan: without them small groups would seem to have more.
    assert paired["count"].eq(0).sum() > 100
    entry = national_priors().entries["ehc_plan", "ethnicity"]
    assert (entry.period, entry.pupils_of) == (period, pupils_of)
    assert 140 < entry.authorities <= paired["area_code"].nunique()
