"""The catalogue of indicators and the frames: what is in them, and what is refused, in words that say what to mend."""

from __future__ import annotations

import copy
import re
from collections import Counter

import pytest
import yaml

from jsna.codes import code_list
from jsna.errors import CodeListError
from jsna.evidence.catalogue import bases, catalogue, frame_of, read_catalogue, read_frame, refuse_across
from jsna.evidence.local_values.specification import specification, ways_of

IDS = {
    "POP": 10,
    "IDN": 12,
    "EHC": 18,
    "PRO": 12,
    "ATT": 11,
    "ATD": 9,
    "HEA": 9,
    "SOC": 7,
    "PFA": 10,
    "FIN": 4,
    "VOI": 11,
}
SCORECARD = {
    "EHC": [1, 2, 3, 4, 5, 6, 9, 10, 12, 16, 17],
    "PRO": [6, 7, 9],
    "ATD": [1, 2, 3, 4, 5, 6, 7, 8],
    "HEA": [1, 2, 3, 4, 5, 6, 7],
    "SOC": [1, 2, 5],
    "PFA": [3, 4, 5, 9],
    "FIN": [1],
    "VOI": [1, 2, 3, 4, 5, 6, 9],
}
HEADINGS = {"Outcomes", "Experiences", "Identification", "Financial sustainability", "Alternative provision"}
WAY = {"numerator": {"source": "ehc", "table": "requests", "columns": ["a"], "basis": "responsible_la"}}
WAY["denominator"] = {**WAY["numerator"], "columns": ["b"]}
GOOD = {
    "name": "Requests refused",
    "question": "How many requests are refused?",
    "numerator": "requests refused",
    "denominator": "requests",
    "kind": "proportion",
    "basis": "responsible_la",
    "unit": "%",
    "direction": "neutral",
    "comparators": ["england", "trend"],
    "interval": "wilson",
    "period": "calendar_year",
    "release": "DfE, Education, health and care plans",
    "official": [WAY],
}
FRAME = {
    "name": "Ours",
    "source": "Our strategy",
    "lists": [
        {"key": "a", "title": "A list", "items": [{"code": "P1", "name": "Early help", "indicators": ["EHC-05"]}]}
    ],
}


def written(folder, record, name="EHC-90"):
    """A file of one indicator."""
    path = folder / "indicators.yml"
    path.write_text(yaml.safe_dump({name: record}, allow_unicode=True), encoding="utf-8")
    return path


def message(read, *arguments) -> str:
    with pytest.raises(CodeListError) as caught:
        read(*arguments)
    return str(caught.value)


def test_every_indicator_of_the_research_is_there():
    wanted = [f"{part}-{number:02d}" for part, most in IDS.items() for number in range(1, most + 1)]
    assert sorted(catalogue().indicators) == sorted(wanted)


def test_every_name_and_question_is_its_own():
    indicators = catalogue().indicators.values()
    for texts in ([i.name for i in indicators], [i.question for i in indicators]):
        assert max(Counter(texts).values()) == 1


def test_the_scorecard_is_the_boards_list_and_the_yearly_parts():
    quarterly = [i.id for i in catalogue().indicators.values() if i.scorecard and i.id[:3] not in ("POP", "IDN")]
    assert sorted(quarterly) == sorted(f"{part}-{n:02d}" for part, numbers in SCORECARD.items() for n in numbers)
    assert {i.dashboard for i in catalogue().indicators.values()} - {""} == HEADINGS


@pytest.mark.parametrize(
    ("indicator", "kind", "interval"),
    [
        ("ATD-04", "event_rate", "overdispersed"),
        ("ATD-05", "proportion", "wilson"),
        ("ATD-01", "event_rate", "overdispersed"),
        ("EHC-12", "event_rate", "byar"),
        ("ATT-06", "mean", "none"),
        ("POP-01", "count", "none"),
    ],
)
def test_events_are_no_proportions(indicator, kind, interval):
    assert (catalogue()[indicator].kind, catalogue()[indicator].interval) == (kind, interval)


@pytest.mark.parametrize(
    ("indicator", "beside"),
    [
        ("EHC-05", {"EHC-08", "EHC-02"}),
        ("IDN-07", {"EHC-02", "EHC-12", "EHC-14", "ATT-05", "ATD-02", "ATD-04"}),
        ("IDN-08", {"EHC-02", "EHC-12", "EHC-14", "ATT-05", "ATD-02", "ATD-04"}),
        ("EHC-01", {"EHC-02", "EHC-12", "EHC-14"}),
        ("EHC-12", {"EHC-02", "VOI-01"}),
    ],
)
def test_what_could_be_gamed_has_its_counterweight(indicator, beside):
    assert beside <= set(catalogue()[indicator].balancing)


@pytest.mark.parametrize("indicator", ["IDN-07", "IDN-08", "EHC-01", "EHC-02"])
def test_fewer_plans_are_neither_good_nor_bad(indicator):
    assert catalogue()[indicator].direction == "neutral"


def test_what_cannot_be_made_says_what_to_bring():
    bare = [i.id for i in catalogue().indicators.values() if i.available == ("not_yet",) and len(i.needs) < 20]
    assert not bare


def test_a_definition_counts_as_confirmed_only_where_a_file_was_read():
    for indicator in catalogue().indicators.values():
        if indicator.confirmed:
            assert "official" in indicator.available
            assert re.search(r"\.(csv|parquet)", indicator.confirmed), indicator.id


def test_notes_on_single_areas_stand_under_codes_of_authorities_and_on_no_other_page():
    known = code_list("local_authority")
    for indicator in catalogue().indicators.values():
        assert set(indicator.area_notes) <= set(known.index), indicator.id
        assert not [n for n in known["name"] if re.search(rf"\b{re.escape(n)}\b", " ".join(indicator.footnotes))]
    reviews = catalogue()["EHC-09"]
    assert reviews.notes_for(["E06000032"]) == reviews.footnotes
    assert len(reviews.notes_for(["E06000032", "E06000038"])) == len(reviews.footnotes) + 1


def test_own_records_are_counted_on_the_basis_of_the_indicator():
    ways = ways_of(catalogue().indicators.values())
    assert not ways.loc[ways["numerator"] == "", ["indicator", "measure"]].to_numpy().tolist()
    other = [
        (way.indicator, way.brings)
        for way in ways.itertuples()
        if specification()[way.brings]["basis"] != catalogue()[way.indicator].basis
    ]
    assert not other


ALLOWED = {
    ("responsible_la", "residence"),
    ("council", "residence"),
    *((basis, basis) for basis in bases()),
}


@pytest.mark.parametrize("numerator", list(bases()))
@pytest.mark.parametrize("denominator", list(bases()))
def test_a_rate_across_two_bases_is_refused(numerator, denominator):
    if (numerator, denominator) in ALLOWED:
        refuse_across(numerator, denominator)
    else:
        assert "A rate across two bases is refused" in message(refuse_across, numerator, denominator)


def test_a_good_record_is_read(tmp_path):
    assert read_catalogue([written(tmp_path, GOOD)])["EHC-90"].available == ("official",)


SCHOOLS = {**WAY["denominator"], "basis": "school_location"}
LOCAL = {"brings": "cases", "measure": "requests_refused", "group": "parents"}
FAULTS = [
    pytest.param({"basis": "school"}, "basis: Input should be", id="unknown basis"),
    pytest.param({"official": [{**WAY, "denominator": SCHOOLS}]}, "A rate across two bases", id="rate across bases"),
    pytest.param({"basis": "residence"}, "on another basis than the indicator", id="way on another basis"),
    pytest.param({"kind": "count", "interval": "none"}, "only the trend", id="count compared across areas"),
    pytest.param({"kind": "event_rate"}, "not that of a proportion", id="events with Wilson"),
    pytest.param({"official": []}, "say under `needs`", id="nothing to make it from"),
    pytest.param({"balancing": ["EHC-05"]}, "the balancing measure 'EHC-05' is not in", id="unknown balancing"),
    pytest.param(
        {"derived": [{"how": "change", "of": ["EHC-1"], "years": 5}]}, "worked out from 'EHC-1'", id="derived"
    ),
    pytest.param({"denominator": ""}, "needs a denominator in words", id="no denominator in words"),
    pytest.param({"official": [{"numerator": WAY["numerator"]}]}, "needs a denominator's counts", id="no counts below"),
    pytest.param({"official": [{"denominator": SCHOOLS}]}, "give either counts", id="neither counts nor figure"),
    pytest.param({"splits": ["sex", "sex"]}, "a value stands twice", id="split twice"),
    pytest.param({"splits": ["gender"]}, "splits, 0: Input should be", id="unknown split"),
    pytest.param({"direction": "up"}, "direction: Input should be", id="unknown direction"),
    pytest.param({"interval": "normal"}, "interval: Input should be", id="unknown interval"),
    pytest.param({"question": "Requests refused"}, "question: String should match", id="no question"),
    pytest.param({"colour": "red"}, "colour: Extra inputs are not permitted", id="unknown field"),
    pytest.param({"per": 0}, "per: Input should be greater than 0", id="per nothing"),
    pytest.param({"per": "100"}, "per: Input should be a valid integer", id="number as text"),
    pytest.param({"breaks": [{"period": "2022/23", "why": "new"}]}, "breaks, 0, period", id="break without a year"),
    pytest.param({"shown": ["ehc_plan"]}, "`shown` names a group that no way has", id="shown without a way"),
    pytest.param({"local": [LOCAL], "shown": ["plan"]}, "there are all, parents", id="shown names its fellows"),
    pytest.param({"area_notes": {"Luton": "x"}}, "area_notes", id="area by name"),
    pytest.param({"derived": [{"how": "gap", "of": ["EHC-90"]}]}, "names the group", id="gap from nothing"),
    pytest.param({"derived": [{"how": "sum", "of": ["EHC-90"]}]}, "is of several indicators", id="sum of one"),
    pytest.param({"derived": [{"how": "change", "of": ["EHC-90"]}]}, "over how many years", id="change over no time"),
]


@pytest.mark.parametrize(("change", "says"), FAULTS)
def test_a_faulty_record_is_refused_with_its_place(tmp_path, change, says):
    said = message(read_catalogue, [written(tmp_path, copy.deepcopy(GOOD) | change)])
    assert says in said
    assert "EHC-90" in said


def test_an_id_of_another_form_is_refused(tmp_path):
    assert "indicators.yml, ehc5, id" in message(read_catalogue, [written(tmp_path, GOOD, "ehc5")])


def test_all_faults_are_told_together(tmp_path):
    path = written(tmp_path, GOOD | {"basis": "school", "direction": "up"})
    said = message(read_catalogue, [path])
    assert "EHC-90, basis" in said
    assert "EHC-90, direction" in said


@pytest.mark.parametrize("files", [1, 2], ids=["in one file", "in two files"])
def test_an_indicator_that_stands_twice_is_refused(tmp_path, files):
    once = yaml.safe_dump({"EHC-90": GOOD})
    paths = [tmp_path / f"{n}.yml" for n in range(files)]
    for path in paths:
        path.write_text(once * (3 - files), encoding="utf-8")
    assert "An indicator stands twice" in message(read_catalogue, paths)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("EHC-90: [unclosed", "cannot be read as YAML"),
        ("- EHC-90\n", "no mapping of names to fields"),
        ("", "no mapping of names to fields"),
        ("EHC-90: later\n", "There are no fields here"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path, text, says):
    path = tmp_path / "broken.yml"
    path.write_text(text, encoding="utf-8")
    said = message(read_catalogue, [path])
    assert says in said
    assert "broken.yml" in said


def test_an_unknown_indicator_is_named_with_the_nearest():
    said = message(catalogue().__getitem__, "EHC-5")
    assert "Did you mean 'EHC-05'" in said or "Did you mean 'EHC-15'" in said


@pytest.mark.parametrize(("area", "frame"), [("E06000032", "Luton"), ("E08000003", "Duties"), ("", "Duties")])
def test_an_area_has_its_own_frame_or_that_for_any(area, frame):
    assert frame_of(area).name.startswith(frame)


def test_luton_keeps_every_list_of_its_strategy():
    lists = {entry.key: [item.code for item in entry.items] for entry in frame_of("E06000032").lists}
    assert lists["priorities"] == [f"P{n}" for n in range(1, 7)]
    assert lists["success_criteria"] == [f"S{n}" for n in range(1, 11)]
    assert lists["target_outcomes"] == [f"T{n}" for n in range(1, 6)]
    assert lists["joint_target_outcomes"] == [f"J{n}" for n in range(1, 6)]
    assert lists["send_outcomes"] == [f"O{n}" for n in range(1, 7)]
    names = {i.code: i.name for entry in frame_of("E06000032").lists for i in entry.items}
    assert "health inequalities" in names["J2"].casefold()
    assert "play" in names["T3"].casefold()


def test_lutons_promises_are_of_three_kinds():
    targets = {t.indicator: (t.kind, t.top) for t in frame_of("E06000032").targets}
    assert targets == {
        "EHC-05": ("all", 0),
        "EHC-09": ("all", 0),
        "EHC-16": ("all", 0),
        "HEA-04": ("all", 0),
        "PFA-03": ("rank", 5),
    }


@pytest.mark.parametrize("area", ["E06000032", ""])
def test_every_item_says_what_covers_it_and_every_indicator_has_an_item(area):
    frame = frame_of(area)
    for item in (item for entry in frame.lists for item in entry.items):
        assert item.official
        assert item.indicators or item.lacks
    assert set(frame.of_indicator) == set(catalogue().indicators)


@pytest.mark.parametrize("code", ["S1", "S4", "S7", "S8", "S9"])
def test_criteria_without_an_official_statistic_say_so_and_what_they_lack(code):
    item = next(i for entry in frame_of("E06000032").lists for i in entry.items if i.code == code)
    assert item.official.startswith("No.")
    assert item.lacks
    assert any(name.startswith("VOI") for name in item.indicators)


def changed(**parts):
    """The good frame with fields of its one item changed."""
    frame = copy.deepcopy(FRAME)
    frame["lists"][0]["items"][0] |= parts
    return frame


TWICE = copy.deepcopy(FRAME)
TWICE["lists"].append({**copy.deepcopy(FRAME["lists"][0]), "key": "b"})
FRAME_FAULTS = [
    pytest.param(changed(indicators=["EHC-0"]), "P1: No such indicator.", id="unknown indicator"),
    pytest.param(TWICE, "A code stands twice.", id="code twice"),
    pytest.param(changed(indicators=[]), "say under `lacks`", id="an item that says nothing"),
    pytest.param(changed(code="first"), "code", id="code of another form"),
    pytest.param(changed(colour="red"), "Extra inputs", id="unknown field"),
    pytest.param({**FRAME, "lists": []}, "at least 1 item", id="no list"),
    pytest.param({"name": "Ours"}, "source: Field required", id="no source"),
    pytest.param(
        FRAME | {"targets": [{"indicator": "EHC-99", "kind": "all", "words": "All"}]}, "EHC-99", id="unknown target"
    ),
    pytest.param(
        FRAME | {"targets": [{"indicator": "PFA-03", "kind": "rank", "words": "Top"}]}, "among how many", id="no rank"
    ),
]


@pytest.mark.parametrize(("frame", "says"), FRAME_FAULTS)
def test_a_faulty_frame_is_refused(tmp_path, frame, says):
    path = tmp_path / "ours.yml"
    path.write_text(yaml.safe_dump(frame), encoding="utf-8")
    assert says in message(frame_of, "E06000032", str(path))


def test_a_frame_of_ones_own_is_read(tmp_path):
    path = tmp_path / "ours.yml"
    path.write_text(yaml.safe_dump(FRAME), encoding="utf-8")
    assert frame_of("E06000032", str(path)).of_indicator == {"EHC-05": ["P1"]}


def test_another_areas_frame_is_refused(tmp_path):
    path = tmp_path / "theirs.yml"
    path.write_text(yaml.safe_dump(FRAME | {"area": "E08000032"}), encoding="utf-8")
    assert frame_of("E08000032", str(path)).area == "E08000032"
    said = message(frame_of, "E06000032", str(path))
    assert all(part in said for part in ("another area's", "theirs.yml", "E08000032", "E06000032"))


def test_a_frame_with_a_field_twice_is_refused(tmp_path):
    path = tmp_path / "ours.yml"
    path.write_text(yaml.safe_dump(FRAME) + "name: Theirs\n", encoding="utf-8")
    assert "A field stands twice." in message(read_frame, path)


def test_a_frame_that_is_not_there_is_named():
    assert "no such file of frames" in message(frame_of, "E06000032", "nowhere.yml")


def test_the_table_has_a_row_an_indicator():
    table = catalogue().table
    assert table["id"].tolist() == list(catalogue().indicators)
    assert set(table["available"]) <= {"official", "local", "official, local", "not_yet"}


def test_the_guide_lists_what_is_there_and_what_is_unconfirmed(repository):
    guide = (repository / "docs" / "indicators.md").read_text(encoding="utf-8")
    table = catalogue().table
    unconfirmed = guide.partition("## Unconfirmed")[2].partition("\n## ")[0]
    assert re.findall(r"[A-Z]{3}-\d\d", unconfirmed) == table.loc[table["confirmed"] == "", "id"].tolist()
    rows = re.findall(r"^\| ([a-z, ]+) \| (\d+) \|", guide, re.MULTILINE)
    words = {"official": "official files", "local": "own records", "official, local": "both", "not_yet": "not yet"}
    counted = table["available"].map(words).value_counts()
    assert {kind: int(number) for kind, number in rows} == {**counted, "together": len(table)}
