"""Bad input: one message of at most ten lines that says what, where and the mend; exit 2; the pack before untouched."""

import gzip
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from geo.files import read_place_file
from jsna.cli import main
from jsna.errors import SourceError
from jsna.sources.ehc_release import read_ehc_table

HEADER = (
    "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,new_la_code,"
    "old_la_code,la_name,breakdown_topic,breakdown,ehcplans,mainstream_total,special_total"
)
ROW = "202425,Academic year,National,E92000001,England,,,,,,All EHC plans,All EHC plans,10,x,1"


def said(capsys):
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert 1 <= len(text.strip().splitlines()) <= 10
    return text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such params file"),
        ("areas: [E06000032", "YAML"),
        ("area_code: E06000032\nsource: x", "Did you mean 'areas'"),
        ("areas: [E06000033]\nsource: official\ndata: nowhere-at-all", "does not exist"),
        ("areas: [E0600032]", "Did you mean 'E06000032'"),
    ],
    ids=["missing", "not YAML", "unknown key", "no folder", "unknown area"],
)
def test_a_bad_params_file(tmp_path, capsys, content, words):
    path = tmp_path / "p.yml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main(["refresh", str(path), "--out", str(tmp_path / "packs")]) == 2
    assert words in said(capsys)
    assert not (tmp_path / "packs").exists()


def test_an_empty_folder_of_official_files_names_what_is_missing(tmp_path, capsys):
    (tmp_path / "p.yml").write_text(f"source: official\ndata: '{tmp_path.as_posix()}'", encoding="utf-8")
    assert main(["check", str(tmp_path / "p.yml")]) == 2
    assert "Education, health and care plans" in said(capsys)


def test_an_output_that_cannot_be_written(tmp_path, capsys, repository):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    assert main(["refresh", str(repository / "params/luton.yml"), "--out", str(blocked)]) == 2
    assert "--out" in said(capsys)
    assert blocked.read_text(encoding="utf-8") == "in the way"


def test_an_unknown_chapter(tmp_path, capsys, repository):
    words = ["refresh", str(repository / "params/luton.yml"), "--out", str(tmp_path), "--only", "03-ethnicty"]
    assert main(words) == 2
    assert "Did you mean '03-ethnicity'" in said(capsys)


def test_ctrl_c_says_that_nothing_was_changed(tmp_path, capsys, repository, monkeypatch):
    import jsna.refresh.refresh as module

    before = tmp_path / "luton-synthetic" / "2026" / "index.html"
    before.parent.mkdir(parents=True)
    before.write_text("the pack before", encoding="utf-8")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_prepared", stopped)
    assert main(["refresh", str(repository / "params/luton.yml"), "--out", str(tmp_path)]) == 2
    assert "untouched" in said(capsys)
    assert before.read_text(encoding="utf-8") == "the pack before"
    assert [p.name for p in before.parent.parent.iterdir() if not p.name.startswith(".")] == ["2026"]


def release(path: Path, text: str, name="data/caseload.csv"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, text)
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "none.zip", "missing"),
        (lambda p: release(p / "r.zip", f"{HEADER}\n{ROW}", "data/caselod.csv"), "Did you mean 'caselod.csv'"),
        (lambda p: release(p / "r.zip", f"{HEADER.replace('ehcplans', 'ehc_plan')}\n{ROW}"), "Did you mean 'ehc_plan'"),
        (
            lambda p: (
                (p / "cut.zip").write_bytes(release(p / "r.zip", f"{HEADER}\n{ROW}").read_bytes()[:60])
                and p / "cut.zip"
            ),
            "cut short",
        ),
    ],
    ids=["no zip", "no table", "renamed column", "truncated"],
)
def test_a_bad_release(tmp_path, make, words):
    with pytest.raises(SourceError, match=words):
        read_ehc_table(make(tmp_path), "caseload")


def test_a_symbol_is_kept_and_a_strange_cell_is_put_aside(tmp_path):
    strange = ROW.replace(",10,", ",ten,").replace("202425", "202324")
    loaded = read_ehc_table(release(tmp_path / "r.zip", f"{HEADER}\n{ROW}\n{strange}"), "caseload")
    assert loaded.frame["mainstream_total_symbol"].tolist() == ["x", "x"]
    assert loaded.quarantine[["row", "column", "value"]].values.tolist() == [[3, "ehcplans", "ten"]]
    assert loaded.frame["ehcplans"].isna().tolist() == [False, True]


def test_an_unknown_ethnic_label_is_refused_and_never_filed_elsewhere(tmp_path):
    row = ROW.replace("All EHC plans,All EHC plans", "Ethnicity,Asian - _indian")
    with pytest.raises(Exception, match="Did you mean 'Asian - Indian'"):
        read_ehc_table(release(tmp_path / "r.zip", f"{HEADER}\n{row}"), "caseload")


def test_the_wrong_index_file_is_refused(official_data):
    imd = next(official_data.rglob("File_1_IoD2025*.xlsx"))
    with pytest.raises(SourceError, match="File 3"):
        read_place_file(imd, "idaci25_file3")


def test_a_gzip_cut_short(tmp_path):
    path = tmp_path / "imd2019_england_lsoa11.csv.gz"
    path.write_bytes(gzip.compress(b"lsoa11_code,IMD_rank,IMD_decile\n" * 1000)[:-20])
    with pytest.raises(SourceError, match="cut short"):
        read_place_file(path, "imd19")


@pytest.mark.skipif(os.name == "nt", reason="the bootstrap is called as on Linux")
def test_the_bootstrap_names_a_missing_wheelhouse(tmp_path, repository):
    import subprocess
    import sys

    shutil.copy(repository / "workbench.py", tmp_path)
    words = [sys.executable, str(tmp_path / "workbench.py"), "refresh", "p.yml", "--wheelhouse", "nowhere"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "no folder nowhere" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Linux")
@pytest.mark.parametrize("seconds", [1.5, 6])
def test_a_real_ctrl_c_says_one_sentence_and_leaves_nothing_behind(tmp_path, repository, seconds):
    import signal
    import subprocess
    import sys
    import time

    import psutil

    words = [sys.executable, "-m", "jsna.cli", "refresh", "params/luton.yml", "--out", str(tmp_path)]
    listening = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    with subprocess.Popen(
        words, cwd=repository, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=listening
    ) as process:
        time.sleep(seconds)
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        text = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert "Traceback" not in text
    assert text.strip().splitlines()[-1].startswith("Stopped.")
    assert list(tmp_path.rglob("*.html")) == []
    assert list(tmp_path.rglob("*.part")) == []
    assert psutil.wait_procs(children, timeout=20)[1] == []


def test_a_fault_that_nobody_foresaw_is_told_by_kind_and_place_and_without_its_words(monkeypatch, capsys):
    """A fault's words may hold a value of somebody's row; the trace is for who asks for it."""

    def failing(*_, **__):
        return {}["1 pupil of ward Sundon Park"]

    monkeypatch.setattr("jsna.params.Params.model_json_schema", failing)
    assert main(["schema"]) == 4
    text = said(capsys)
    assert "KeyError" in text
    assert "jsna/schema.py, line" in text
    assert "Sundon" not in text
    monkeypatch.setenv("JSNA_TRACEBACK", "1")
    with pytest.raises(KeyError, match="Sundon"):
        main(["schema"])
