"""The command `jsna compare`: what changed, in words and on a page, or why two packs cannot be compared."""

from __future__ import annotations

import pytest

from jsna.cli import main
from tests.cycle_packs import write_pack

HEAD = "Indicator,Group,Period,Value,Lower limit,Upper limit,Numerator,Denominator,Origin,Definition,Source,History\n"
FLAGS = "place_level,place_code,outcome,characteristic,group,period,status,"
FLAGS += "adjusted_risk_ratio,adjusted_lower,adjusted_upper\n"
OLD = {
    "tables/figures.csv": HEAD + "EHC-09,all,2024,25.0,21,29,100,400,official,1,DfE,\n",
    "flags.csv": FLAGS + "Local authority,E06000032,any_sen,ethnicity,Indian,202223,no evidence,1.00,0.90,1.11\n",
}
NEW = {
    "tables/figures.csv": HEAD + "EHC-09,all,2025,45.0,40,50,180,400,official,1,DfE,2024=26.0; 2025=45.0\n",
    "flags.csv": FLAGS + "Local authority,E06000032,any_sen,ethnicity,Indian,202526,under-identified,0.50,0.45,0.56\n",
}


@pytest.fixture
def packs(tmp_path):
    return write_pack(tmp_path / "2023", **OLD), write_pack(tmp_path / "2026", **NEW)


def test_what_changed_is_said_and_written_as_a_page_with_its_tables(packs, tmp_path, capsys):
    assert main(["compare", *map(str, packs), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "1 improved, 0 got worse" in said
    assert "1 newly" in said
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert "25.0% (2024)" in page
    assert "The earlier figure is now given as 26.0%" in page
    assert "under-identified, 0.50" in (tmp_path / "out" / "flags-changed.csv").read_text(encoding="utf-8")


def test_nothing_is_written_over(packs, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    assert main(["compare", *map(str, packs), "--out", str(tmp_path / "out")]) == 2
    assert "not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(
            lambda old: (old / "flags.csv").write_text("edited"), "was changed after the pack was made", id="edited"
        ),
        pytest.param(
            lambda old: (old / "manifest.json").write_text(
                (old / "manifest.json").read_text().replace("E06000032", "E06000055")
            ),
            "another area",
            id="another area",
        ),
        pytest.param(lambda old: (old / "manifest.json").unlink(), "There is no pack here", id="no pack"),
    ],
)
def test_packs_that_cannot_be_compared_are_refused_in_words(packs, capsys, spoil, said):
    spoil(packs[0])
    assert main(["compare", *map(str, packs)]) == 2
    assert said in capsys.readouterr().err


def test_packs_in_the_wrong_order_and_made_up_beside_real_are_refused(packs, capsys):
    assert main(["compare", *map(str, reversed(packs))]) == 2
    assert "Name the older pack first" in capsys.readouterr().err
    manifest = packs[0] / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"area_name"', '"synthetic": true, "area_name"'))
    assert main(["compare", *map(str, packs)]) == 2
    assert "nothing of them can be compared" in capsys.readouterr().err
