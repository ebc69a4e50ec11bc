"""`jsna init --open`: a params file from open data alone, which says what it found and what lacks."""

import csv
import shutil

import pytest
import yaml

from jsna.cli import main
from jsna.codes import code_list
from jsna.codes.boards import boards_of
from jsna.params import read_params
from jsna.refresh.needs import needs
from jsna.refresh.plan import all_chapters
from jsna.sources.folder import every_file, known_files


def _folder(root, *names):
    """A folder that holds files of these names: what `init` looks at is names, and the neighbours' workbook alone."""
    folder = root / "official files"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def _init(*words):
    return main(["init", *map(str, words)])


def test_a_folder_without_some_files_gives_the_chapters_that_the_others_allow(tmp_path, capsys):
    folder, path = _folder(tmp_path, "education-health-and-care-plans_2025.zip"), tmp_path / "p.yml"
    assert _init("E06000032", "--open", "--data", folder, "--params", path) == 0
    text = path.read_text(encoding="utf-8")
    params = read_params(path)
    assert params.source == "official"
    assert params.data == folder.as_posix()
    assert "03-ethnicity" in params.chapters
    assert not {"02-identification", "04-language", "05-deprivation", "06-wards"} & set(params.chapters)
    assert "#   DfE: Statistical neighbours, May 2025: without it there is no 00-data" in text
    assert "April 2021: Birmingham; Slough; Sandwell" in text
    assert "#   May 2025: " not in text
    assert "workbench.py refresh" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["it's here", "a: b # c", "größe"])
def test_a_path_with_signs_of_yaml_is_read_back_as_it_was(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "bds_long_0.parquet").write_bytes(b"")
    path = tmp_path / "p.yml"
    assert _init("E10000016", "--open", "--data", folder, "--params", path) == 0
    assert read_params(path).data == folder.as_posix()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("E10000021", "North Northamptonshire 'E06000061', West Northamptonshire 'E06000062'"),
        ("E10000006", "Cumberland 'E06000063', Westmorland and Furness 'E06000064'"),
        ("E10000002", "Buckinghamshire 'E06000060'"),
        ("E08000038", "Barnsley has this code in other lists; here it stands under 'E08000016'"),
        ("E0600032", "Did you mean 'E06000032'?"),
        ("Luton", "The code of Luton is 'E06000032'"),
    ],
)
def test_a_code_that_is_not_in_force_is_answered_with_what_is(tmp_path, capsys, code, words):
    folder, path = _folder(tmp_path, "bds_long_0.parquet"), tmp_path / "p.yml"
    assert _init(code, "--open", "--data", folder, "--params", path) == 2
    assert words in capsys.readouterr().err
    assert not path.exists()


def test_a_file_that_is_there_is_kept(tmp_path, capsys):
    folder, path = _folder(tmp_path, "bds_long_0.parquet"), tmp_path / "p.yml"
    path.write_text("mine", encoding="utf-8")
    assert _init("E06000032", "--open", "--data", folder, "--params", path) == 2
    assert "There is a params file already" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_not_there_or_holds_nothing_of_use_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("JSNA_DATA", raising=False)
    path = tmp_path / "p.yml"
    assert _init("E06000032", "--open", "--data", tmp_path / "nowhere", "--params", path) == 2
    assert "--data: The folder of official files does not exist." in capsys.readouterr().err
    assert _init("E06000032", "--open", "--params", path) == 2
    assert "No folder of official files is named" in capsys.readouterr().err
    assert _init("E06000032", "--open", "--data", _folder(tmp_path, "notes.txt"), "--params", path) == 2
    assert "holds none of the official files" in capsys.readouterr().err
    assert not path.exists()


def test_a_damaged_workbook_of_neighbours_is_a_sentence_and_writes_nothing(tmp_path, capsys):
    folder, path = _folder(tmp_path, "sn_may_2025.xlsx"), tmp_path / "p.yml"
    assert _init("E06000032", "--open", "--data", folder, "--params", path) == 2
    assert "sn_may_2025.xlsx" in capsys.readouterr().err
    assert not path.exists()


def test_own_data_may_name_the_folder_of_official_files_too(tmp_path):
    folder, path = _folder(tmp_path, "bds_long_0.parquet"), tmp_path / "p.yml"
    assert _init("821", "--key", tmp_path / "k.key", "--params", path, "--data", folder) == 0
    params = read_params(path)
    assert (params.source, params.data) == ("local", folder.as_posix())


def test_every_authority_in_force_has_a_board_and_each_board_that_ended_a_successor(repository):
    with (repository / "jsna/codes/integrated_care_board.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    now = [r for r in rows if not r["valid_to"]]
    assert {r["area_code"] for r in now} == set(code_list("local_authority").index)
    assert len({r["board"] for r in rows if r["valid_from"] == "2022-07"}) == 42
    # 12 boards ended on 1 April 2026 and 6 began
    assert len({r["board"] for r in rows if r["valid_to"]}) == 12
    assert len({r["board"] for r in now}) == 42 - 12 + 6
    ended = {r["area_code"] for r in rows if r["valid_to"]}
    assert ended <= {r["area_code"] for r in now}
    assert all((r["part"] == "1") == (len(boards_of(r["area_code"]).query("valid_to == ''")) > 1) for r in now)


@pytest.mark.parametrize(
    ("code", "now"),
    [
        ("E06000055", {"Central East"}),
        ("E08000016", {"South Yorkshire"}),
        ("E10000016", {"Kent and Medway"}),
        ("E10000012", {"Essex"}),
        ("E10000023", {"Humber and North Yorkshire", "Lancashire and South Cumbria", "West Yorkshire"}),
    ],
)
def test_boards_of_some_authorities(code, now):
    assert set(boards_of(code).query("valid_to == ''")["board"]) == now


def test_what_chapters_need_are_chapters_and_files_that_exist():
    assert set(needs()) <= {c.name for c in all_chapters()}
    assert {source for sources in needs().values() for source in sources} <= set(known_files()) <= set(every_file())


@pytest.mark.parametrize("code", ["E06000032", "E06000055", "E10000016", "E08000016"])
def test_with_the_official_files_every_chapter_can_be_made_and_the_neighbours_are_named(tmp_path, official_data, code):
    path = tmp_path / "p.yml"
    assert _init(code, "--open", "--data", official_data, "--params", path) == 0
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["areas"] == [code]
    assert read_params(path).chapters == []
    assert "# Not there:\n#   nothing" in text
    named = next(line for line in text.splitlines() if line.startswith("#   May 2025: "))
    with (official_data / "lait" / "stat neighbours.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    lists = {row["code"]: row["lait_name"] for row in csv.DictReader(_authorities())}
    plain = {row["lait_name"]: row["name"] for row in csv.DictReader(_authorities())}
    published = [plain[row[lists[code]]] for row in rows if row[lists[code]]]
    assert named == f"#   May 2025: {'; '.join(published)}"


def _authorities():
    from importlib.resources import files

    return files("jsna.codes").joinpath("local_authority.csv").read_text(encoding="utf-8").splitlines()


def test_missing_official_files_are_named_by_title(tmp_path, official_data):
    folder = tmp_path / "some"
    folder.mkdir()
    for pattern in ("lait/bds_long_0.parquet", "lait/sn_may_2025.xlsx"):
        shutil.copy(official_data / pattern, folder)
    path = tmp_path / "p.yml"
    assert _init("E06000032", "--open", "--data", folder, "--params", path) == 0
    text = path.read_text(encoding="utf-8")
    assert (
        "MHCLG: English Indices of Deprivation 2025, File 1: without it there is no 00-data and 05-deprivation" in text
    )
    assert "04-language" in read_params(path).chapters
    assert "05-deprivation" not in read_params(path).chapters
