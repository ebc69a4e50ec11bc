"""The pupils of an area asked in memory and where an engine counts them: every question has the same answer."""

import importlib

import nbformat
import pandas as pd
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG

from jsna.area import Area
from jsna.check.counted import complete_by, looked_at
from jsna.check.pupils import findings_of, gaps_by, gaps_in, pupil_findings
from jsna.counts import record_keys
from jsna.counts.question import Question
from jsna.engines.held import _HELD, let_go
from jsna.errors import SourceError
from jsna.evidence.local_values.counts import of_pupils
from jsna.linked.pattern import plan_of
from jsna.linked.pupils import not_known
from jsna.params import Params
from jsna.refresh.asked import ask_ahead, asked
from jsna.refresh.plan import all_chapters
from jsna.roll import EngineRoll, FrameRoll
from jsna.roll.parts import is_part, part_of
from jsna.synthetic.national import area_pupils
from jsna.warehouse import Warehouse

PURPOSE = "to test"
LATEST = {"time_period": ["202526"]}
QUESTIONS = [
    Question(tuple(map(tuple, groupings)), cell_keys=keys)
    for groupings in asked()["questions"]
    for keys in (False, True)
] + [
    Question((("sex",), ("ward_code",)), keep=LATEST),
    Question((("ethnicity", "idaci_quintile"),), keep=LATEST, leave_out={"idaci_quintile": [0, 3], "sex": ["F"]}),
    Question(((), ("sex",)), leave_out={"ethnicity": ["WBRI"]}, cell_keys=True),
    Question(((),), keep={"ward_code": ["nowhere"]}),
]


def text_of(frame):
    return frame.astype({c: "str" for c in frame if frame[c].dtype == "category"})


@pytest.fixture(scope="module")
def known():
    """An area of a few invented pupils, in memory."""
    area = Area(Params(scale=0.05))
    area.__dict__["policy"] = area.params.policy()
    return area


@pytest.fixture(scope="module")
def folder(known, tmp_path_factory):
    """The same pupils, among those of another authority, as a warehouse holds them."""
    made = tmp_path_factory.mktemp("warehouse")
    own = text_of(known.pupils.frame)
    text_of(area_pupils(3, "E06000001", 500)).to_parquet(made / "a.parquet", index=False)
    own[area_pupils(3, "E06000001", 10).columns].to_parquet(made / "b.parquet", index=False)
    return made


def of_parquet(folder, request):
    return Warehouse(kind="parquet", address=str(folder))


def of_postgres(folder, request):
    import sqlalchemy as sa

    server = request.getfixturevalue("postgres")
    frame = pd.read_parquet(folder)
    engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        keyed = frame.assign(record_key=record_keys(frame["pupil_id"]).astype("int16"))
        keyed.to_sql("roll", connection, index=False, if_exists="replace", chunksize=2000)
    engine.dispose()
    return Warehouse(kind="postgresql", address=server.owner_url(), table="public.roll")


@pytest.fixture(scope="module", params=[of_parquet, of_postgres], ids=["parquet", "postgresql"])
def counted(request, folder):
    """The same area, whose pupils an engine counts; closed at the end."""
    area = Area(Params(source="local", engine=request.param(folder, request)))
    area.__dict__["policy"] = area.params.policy()
    yield area
    let_go()


def same(one, other):
    first, second = (s.unseal(PURPOSE).reset_index(drop=True) for s in (one, other))
    for frame in (first, second):
        for c in frame.select_dtypes(exclude="number"):
            frame[c] = frame[c].astype("str").where(frame[c].notna(), "")
    pd.testing.assert_frame_equal(first, second, check_dtype=False)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{len(q.groupings)} by {len(q.columns)} columns")
def test_every_question_of_the_chapters_has_the_same_answer(known, counted, question):
    fresh = EngineRoll(counted.params.engine, counted.code)
    same(known.roll.count(question), fresh.count(question))


def test_what_is_worked_out_of_the_answers_is_the_same(known, counted):
    same(known.repeats, counted.repeats)
    assert known.periods == counted.periods
    assert known.homes_elsewhere == counted.homes_elsewhere
    same(known.count_at_home(["lsoa21", "sex"]), counted.count_at_home(["lsoa21", "sex"]))
    pd.testing.assert_frame_equal(not_known(known), not_known(counted))
    for keys in (False, True):
        tallies = [of_pupils(a.roll, keys).counts.unseal(PURPOSE).drop(columns="file") for a in (known, counted)]
        for t in tallies:
            t["number"] %= 256 if keys else 1 << 60
        pd.testing.assert_frame_equal(*tallies)


@pytest.mark.parametrize("protection", ["suppress", "round_5", "cell_key"])
def test_counts_that_are_changed_are_changed_alike(known, counted, protection):
    areas = [Area(a.params.model_copy(update={"protection": protection})) for a in (known, counted)]
    same(*(a.count(["ethnicity"], ["sex", "idaci_quintile"]) for a in areas))
    left = {"ethnicity": ("REFU", "NOBT"), "idaci_quintile": ("0",)}
    same(*(a.strata_counts(["ethnicity", "idaci_quintile"], left) for a in areas))
    pd.testing.assert_frame_equal(*(not_known(a) for a in areas))


def test_the_check_finds_the_same_in_counts_and_in_rows(known, counted):
    frame = known.pupils.frame
    lost = frame["school_urn"].astype("str") == frame["school_urn"].astype("str").iloc[0]
    gappy = frame.assign(ethnicity=frame["ethnicity"].mask(lost | (frame.index % 9 == 0), "NOBT"))
    for pupils, rolls in ((frame, (known.roll, counted.roll)), (gappy, (FrameRoll(_loaded(known, gappy)),))):
        for roll in rolls:
            pd.testing.assert_frame_equal(findings_of(looked_at(roll)), pupil_findings(pupils))
            for by in ("ethnicity", "school_urn"):
                pd.testing.assert_frame_equal(gaps_in(complete_by(roll, by), by), gaps_by(pupils, by))
    assert len(pupil_findings(gappy)) > len(pupil_findings(frame))


def _loaded(area, frame):
    from dataclasses import replace

    return replace(area.pupils, frame=frame)


def test_rows_stay_where_they_are(counted):
    with pytest.raises(SourceError, match="rows of pupils stay where they are counted"):
        _ = counted.pupils
    assert not counted.roll.rows
    assert len(counted.roll.quarantine) == 0


def test_invented_pupils_are_told_by_the_table_itself(counted, known):
    assert counted.synthetic
    assert counted.label == known.label == "Luton (synthetic)"
    assert counted.roll.summary.rows_read == len(known.pupils.frame)


def test_invented_pupils_among_others_are_refused(known, tmp_path):
    own = text_of(known.pupils.frame)
    own.assign(pupil_id=own["pupil_id"].mask(own.index % 2 == 0, "a" * 24 + own["pupil_id"])).to_parquet(
        tmp_path / "mixed.parquet", index=False
    )
    roll = EngineRoll(Warehouse(kind="parquet", address=str(tmp_path)), "E06000032")
    with pytest.raises(SourceError, match="holds invented pupils of the workbench beside others"):
        _ = roll.summary


def test_an_answer_within_another_is_not_asked_for_again(folder, tmp_path):
    """And a chapter finds what the run has put aside, with the engine gone."""
    named = Warehouse(kind="parquet", address=str(folder))
    roll = EngineRoll(named, "E06000032")
    whole = Question((("sex", "ethnicity"), ("fsm_eligible",), ("latest_school", "special")), cell_keys=True)
    roll.count(whole)
    parts = [
        Question((("ethnicity", "sex"),)),
        Question((("fsm_eligible",),), keep=LATEST),
        Question((("latest_school", "special"),), leave_out={"special": [True]}, cell_keys=True),
    ]
    direct = [EngineRoll(named, "E06000032").count(part) for part in parts]
    _ = roll.summary
    roll.put_aside(tmp_path)
    let_go()
    gone = EngineRoll(named.model_copy(update={"address": named.address}), "E06000032", tmp_path)
    moved = folder.rename(folder.with_name("away"))
    try:
        for part, expected in zip(parts, direct, strict=True):
            pd.testing.assert_frame_equal(gone.count(part).unseal(PURPOSE), expected.unseal(PURPOSE))
        assert gone.summary == roll.summary
        with pytest.raises(SourceError, match="no parquet files"):
            gone.count(Question((("year_group",),)))
    finally:
        moved.rename(folder)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (Question((("sex",),)), Question((("sex", "ethnicity"),))),
        (Question((("sex",),), keep={"ethnicity": ["WBRI"]}), Question((("sex",),))),
        (Question((("sex",),)), Question((("sex",),), keep=LATEST)),
        (Question((("sex",),), cell_keys=True), Question((("sex",),))),
    ],
    ids=["another grouping", "a filter that no column tells", "some pupils alone", "no record keys"],
)
def test_what_is_no_part_of_an_answer(part, whole):
    assert not is_part(part, whole)


def test_a_part_has_no_groups_that_it_does_not_count(known):
    whole = Question((("ethnicity", "sex"),))
    part = Question((("ethnicity", "sex"),), keep=LATEST, leave_out={"ethnicity": ["WBRI"]})
    made = part_of(known.roll.count(whole).unseal(PURPOSE), whole, part)
    assert "WBRI" not in made["ethnicity"].cat.categories
    assert made["pupils"].sum() == known.roll.count(part).unseal(PURPOSE)["pupils"].sum() > 0


def test_chapters_ask_nothing_that_was_not_asked_before(folder, monkeypatch):
    """Else an engine could fail in the middle of a run. No model is fitted and no picture drawn here: what they are
    given is asked for.
    """
    area = Area(Params(source="local", engine=Warehouse(kind="parquet", address=str(folder))))
    area.__dict__["policy"] = area.params.policy()
    _ = area.synthetic
    ask_ahead(area)
    before = set(area.roll._answers)
    _ = plan_of(area), looked_at(area.roll)
    for module in ("fairness.assess", "inequality.gradient_table", "inequality.strata_table", "wards.SmallAreas"):
        room, name = module.split(".")
        monkeypatch.setattr(importlib.import_module(f"jsna.chapters.{room}"), name, lambda *_, **__: None)
    monkeypatch.setattr(FigureCanvasSVG, "print_svg", lambda *_, **__: None)
    asked_by_chapters = 0
    for chapter in all_chapters():
        names = {"area": area}
        for cell in nbformat.read(chapter.path, 4).cells:
            tags = cell.metadata.get("tags", [])
            if cell.cell_type != "code" or "parameters" in tags or chapter.reads_others:
                continue
            try:
                exec(cell.source.replace("area = open_area(globals())", ""), names)
            except SourceError:
                raise
            except Exception:
                continue
            asked_by_chapters += 1
    assert asked_by_chapters > 20
    new = set(area.roll._answers) - before
    assert not new, sorted(new)


def test_an_engine_is_opened_once_a_process_and_anew_after_a_failure(folder):
    let_go()
    roll = EngineRoll(Warehouse(kind="parquet", address=str(folder)), "E06000032")
    roll.count(Question(((),)))
    (first,) = _HELD.values()
    EngineRoll(roll.named, "E06000001").count(Question(((),)))
    assert next(iter(_HELD.values())) is first
    with pytest.raises(SourceError, match=r"no pupils of this authority.*E06000002"):
        EngineRoll(roll.named, "E06000002").count(Question(((),)))
    assert not _HELD
    roll.count(Question((("sex",),)))
    assert len(_HELD) == 1
    let_go()
