"""`jsna check` on broken censuses: the exit code, what it says, the page that it writes, and that these name nobody."""

import re

import census_samples as cs
import pytest
from corpus_census import CASES, PERSONAL, Case, contains

from jsna.cli import main

FROM_THE_COMMAND_LINE = [c for c in CASES if c.cli]


def test_there_are_enough_cases_of_both_kinds():
    assert len(FROM_THE_COMMAND_LINE) >= 25
    assert {c.outcome for c in FROM_THE_COMMAND_LINE} == {"error", "found"}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """`jsna check` on a census: exit code, what is said, and the page."""
    monkeypatch.delenv("JSNA_DATA", raising=False)

    def check(census, date: str) -> tuple[int, str, str]:
        key = tmp_path / "project.key"
        key.write_text(cs.KEY.hex())
        key.chmod(0o600)
        rows = "".join(f"{p},,{code}\n" for p, code in cs.POSTCODES.items())
        cs.put(tmp_path / "directory.csv", "pcds,doterm,lsoa21cd\n" + rows)
        register = "".join(f"{urn},821{e},{p}\n" for e, (urn, p) in cs.SCHOOLS.items())
        cs.put(
            tmp_path / "schools.csv",
            "URN,LAESTAB,phase\n"
            + register.replace("PS", "Primary").replace("SS", "Secondary").replace("SP", "Special"),
        )
        params = cs.put(
            tmp_path / "own.yml",
            f"areas: [{cs.AREA}]\nsource: local\npupils: ['{census}']\nkey_file: '{key}'\ncensus_date: '{date}'\n"
            f"postcodes: '{tmp_path / 'directory.csv'}'\nschools: '{tmp_path / 'schools.csv'}'\n",
        )
        code = main(["check", str(params), "--out", str(tmp_path / "checks")])
        said = capsys.readouterr()
        page = (tmp_path / "checks" / f"{cs.AREA}-2026.html").read_text()
        return code, said.out + said.err, page

    return check


@pytest.mark.parametrize("case", FROM_THE_COMMAND_LINE, ids=lambda c: c.name)
def test_what_the_command_line_makes_of_a_broken_census(case: Case, tmp_path, run):
    code, said, page = run(case.make(tmp_path / "in"), case.date)
    assert code == {"error": 2, "found": 1}[case.outcome]
    assert "Traceback" not in said
    shown = re.sub(r"<[^>]+>", " ", page).replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&")
    rest = tuple(w for w in case.words if not w.startswith("row "))
    assert contains(shown, rest) == []
    if case.outcome == "error":
        assert contains(said, rest) == []
        assert (case.names or "pupils.csv") in said
    for text in (said, page):
        assert [p for p in PERSONAL if p in text] == []
