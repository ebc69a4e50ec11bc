"""Which chapters a refresh makes, and which files it asks for before it begins."""

from importlib.resources import files

import pandas as pd
import pytest

from jsna.area import Area
from jsna.errors import ParamsError, SourceError
from jsna.params import Params
from jsna.refresh.needs import check_files, lacking
from jsna.refresh.plan import all_chapters, chosen_chapters, plan
from jsna.refresh.refresh import Asked, Work, _begin
from jsna.refresh.tasks import Prepare, prepare
from jsna.sources.folder import OfficialFolder


def _params(folder, text):
    path = folder / "p.yml"
    path.write_text(text, encoding="utf-8")
    return path


def _names(chapters):
    return [c.name for c in chapters]


def test_the_chapters_that_the_params_list_are_made_in_the_order_of_their_numbers(tmp_path):
    path = _params(tmp_path, 'chapters: ["03", 01-population]')
    (pack,) = plan([path], tmp_path / "out", [])
    assert _names(pack.chapters) == _names(pack.holds) == ["01-population", "03-ethnicity"]


def test_without_a_list_every_chapter_is_made(tmp_path):
    (pack,) = plan([_params(tmp_path, "chapters: []")], tmp_path / "out", [])
    assert pack.chapters == pack.holds == all_chapters()


def test_what_is_asked_for_on_the_command_line_is_made_and_the_listed_ones_stay(tmp_path):
    (pack,) = plan([_params(tmp_path, "chapters: [01-population]")], tmp_path / "out", ["05-deprivation"])
    assert _names(pack.chapters) == ["05-deprivation"]
    assert _names(pack.holds) == ["01-population", "05-deprivation"]


def test_unknown_chapters_are_refused_with_the_nearest_and_with_the_other_faults(tmp_path):
    wrong = _params(tmp_path, "chapters: [03-ethnicty, 99]".replace("99", '"99"'))
    also = tmp_path / "q.yml"
    also.write_text("seed: -1", encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        plan([wrong, also], tmp_path / "out", [])
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "p.yml, chapters: There is no such chapter. Found: '03-ethnicty'. Did you mean '03-ethnicity'?" in text
    assert "'99'" in text
    assert "q.yml, seed" in text


def test_chapters_that_are_no_longer_listed_do_not_stay_in_the_pack(tmp_path):
    (pack,) = plan([_params(tmp_path, "chapters: [01-population, 04-language]")], tmp_path / "out", ["01"])
    for name in ("01-population", "03-ethnicity", "04-language"):
        (pack.folder / "notebooks").mkdir(parents=True, exist_ok=True)
        (pack.folder / "notebooks" / f"{name}.ipynb").write_text("{}", encoding="utf-8")
    work = Work(pack, {"01-population": {}}, pack.chapters, {}, {"01-population": "--force"})
    _begin([work], Asked(tmp_path / "out", force=True))
    assert [p.stem for p in (work.staging / "notebooks").iterdir()] == ["04-language"]


def test_a_file_is_asked_for_only_where_a_chapter_needs_it(tmp_path):
    folder = OfficialFolder(tmp_path)
    with pytest.raises(SourceError) as caught:
        check_files(folder, chosen_chapters(["04-language", "02-identification"]))
    assert len(caught.value.problems) == 3
    assert "“DfE: Statistical neighbours, May 2025”" in str(caught.value)
    (tmp_path / "bds_long_0.parquet").write_bytes(b"")
    (tmp_path / "sn_may_2025.xlsx").write_bytes(b"")
    check_files(OfficialFolder(tmp_path), chosen_chapters(["04-language"]))
    assert lacking(OfficialFolder(tmp_path), "02-identification") == ["ehc"]


def test_a_damaged_release_is_found_before_anything_runs(tmp_path):
    (tmp_path / "education-health-and-care-plans_2025.zip").write_bytes(b"no zip")
    with pytest.raises(SourceError, match=r"education-health-and-care-plans_2025\.zip"):
        check_files(OfficialFolder(tmp_path), chosen_chapters(["03"]))


def test_the_file_of_frames_is_handed_to_the_kernels_by_the_environment(tmp_path):
    frames = tmp_path / "ours.yml"
    (pack,) = plan([_params(tmp_path, f"frames: '{frames.as_posix()}'")], tmp_path / "out", ["01"])
    params = pack.area.params
    frames.write_bytes((files("jsna.evidence.frames") / "luton.yml").read_bytes())
    told = prepare(Prepare(params, pack.chapters, tmp_path / "aside")).folders
    assert told["JSNA_FRAMES"] == str(frames.resolve())
    assert pack.area.params.without_places()["frames"] == Params().frames == ""


def test_what_all_chapters_of_a_synthetic_area_ask_is_put_aside_as_it_would_be_worked_out(tmp_path, monkeypatch):
    (pack,) = plan([_params(tmp_path, "areas: [E06000032]\nscale: 0.25\n")], tmp_path / "out", [])
    made = prepare(Prepare(pack.area.params, pack.chapters, tmp_path / "aside"))
    alone = Area(pack.area.params)
    values, lists = alone.values, alone.voice.lists
    for variable, folder in made.folders.items():
        monkeypatch.setenv(variable, folder)
    monkeypatch.setattr("jsna.synthetic.voice.load_voice", None)
    monkeypatch.setattr("jsna.evidence.local_values.brought", None)
    found = Area(pack.area.params)
    pd.testing.assert_frame_equal(found.values.frame, values.frame)
    pd.testing.assert_frame_equal(found.values.absent, values.absent.reset_index(drop=True), check_dtype=False)
    assert found.values.sources == values.sources
    assert list(found.voice.lists) == list(lists)
    for kind, loaded in lists.items():
        pd.testing.assert_frame_equal(found.voice.lists[kind].frame, loaded.frame)
        assert found.voice.lists[kind].summary == loaded.summary
