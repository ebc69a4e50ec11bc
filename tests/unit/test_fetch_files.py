"""Fetching as it should go: each service, the folder that comes of it, resuming, and what changes between two runs."""

import hashlib
import json

import geopandas as gpd
import pandas as pd
import pytest
from fetch_runs import LATER, client, fetch, small, without_network_settings
from fetch_server import Layer, StandIn, content, cut, layer_rows, status, zipped

from jsna.fetch.cache import open_cache
from jsna.fetch.catalogue import catalogue
from jsna.fetch.run import verify_all
from jsna.sources.folder import OfficialFolder, known_files


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    without_network_settings(monkeypatch)


@pytest.fixture
def server():
    with StandIn() as running:
        yield running


def one(server, folder, key, **options):
    outcome = fetch(server, folder, key, **options)[key]
    assert outcome.status in ("fetched", "unchanged"), [str(p) for p in outcome.problems]
    return outcome


def current(folder, key):
    return open_cache(folder).path(key)


def test_every_entry_of_the_catalogue_can_be_fetched_and_verified(server, tmp_path):
    known = small(server)
    for entry in known.files.values():
        server.publish(entry)
    fetched = fetch(server, tmp_path, *known.files, known=known)
    assert {k: o.status for k, o in fetched.items()} == dict.fromkeys(known.files, "fetched") | {
        "low_income": "by hand"
    }
    (tmp_path / "4_AHC_Relative_Ward.csv").write_text("x", encoding="utf-8")
    verified = {o.key: o.status for o in verify_all(list(known.files.values()), known, tmp_path)}
    assert verified == dict.fromkeys(known.files, "there")


def test_the_folder_is_one_that_the_readers_know(server, tmp_path):
    known = small(server)
    for entry in known.chosen([]):
        server.publish(entry)
    fetch(server, tmp_path, known=known)
    (tmp_path / "4_AHC_Relative_Ward.csv").write_text("x", encoding="utf-8")
    found = {s: path for s, path in OfficialFolder(tmp_path).found.items() if s in known_files()}
    assert set(found) == set(known_files())
    assert {s: p.name for s, p in found.items()} == {s: known.files[s].file for s in found}


def test_the_columns_are_those_that_the_readers_of_places_ask_for():
    from geo.files import known_files as place_files

    for key, spec in known_files().items():
        entry = catalogue().files[key]
        if "place" not in spec or place_files()[spec["place"]]["form"] != "csv":
            continue
        assert set(place_files()[spec["place"]]["columns"]) <= set(entry.columns.values()), key


def test_no_reader_takes_an_earlier_or_unfinished_file(server, tmp_path):
    from geo.files import known_files as place_files

    cache = open_cache(tmp_path)
    patterns = [s["pattern"] for s in [*known_files().values(), *place_files().values()]]
    for entry in catalogue().files.values():
        part = cache.unfinished(entry)
        names = [
            part,
            part.with_name(f"made-{part.name}"),
            part.with_name(f"{part.name}.json"),
            tmp_path / f"was-{entry.file}",
        ]
        assert [n.name for n in names if any(n.match(p) for p in patterns)] == []


@pytest.mark.parametrize("geometry", [False, True], ids=["table", "shapes"])
@pytest.mark.parametrize("under_properties", [False, True], ids=["flag on top", "flag under properties"])
@pytest.mark.parametrize("says_more", [True, False], ids=["says more", "never says more"])
def test_a_layer_of_4500_with_a_cap_of_1000_comes_whole(server, tmp_path, geometry, under_properties, says_more):
    key = "ward_shapes" if geometry else "lsoa_ward"
    entry = small(server).files[key]
    server.publish(entry, rows=4500, cap=1000, flag_under_properties=under_properties, says_more=says_more)
    one(server, tmp_path, key)
    path = current(tmp_path, key)
    frame = gpd.read_parquet(path) if geometry else pd.read_csv(path, dtype=str)
    code = next(iter(entry.columns.values()))
    assert frame[code].tolist() == [f"E0{i:07d}" for i in range(4500)]
    assert [*frame.columns] == [*entry.columns.values(), *(["geometry"] if geometry else [])]
    offsets = [p.split("resultOffset=")[1].split("&")[0] for p, _ in server.log if "resultOffset" in p]
    assert offsets == ["0", "1000", "2000", "3000", "4000"]
    assert all("orderByFields=OBJECTID" in p for p, _ in server.log if "resultOffset" in p)
    if geometry:
        assert frame.crs.to_epsg() == 4326


def test_field_names_in_other_capitals_are_found(server, tmp_path):
    entry = small(server).files["ward_shapes"]
    server.layers[entry.layer] = Layer(layer_rows(["wd25cd", "wd25nm", "lad25cd", "lad25nm"], 3), geometry=True)
    one(server, tmp_path, "ward_shapes")
    assert "WD25CD" in gpd.read_parquet(current(tmp_path, "ward_shapes"))


def test_a_lookup_gets_the_readers_names_and_no_others(server, tmp_path):
    server.publish(small(server).files["lsoa_change"], add=["LAD22NMW"])
    one(server, tmp_path, "lsoa_change")
    head = current(tmp_path, "lsoa_change").read_text(encoding="utf-8").splitlines()[0]
    assert head == "lsoa11_code,lsoa11_name,lsoa21_code,lsoa21_name,change_code,ltla22_code,ltla22_name"


def test_the_index_of_2019_is_renamed_and_no_value_changes(server, tmp_path):
    server.publish(small(server).files["imd_2019"], add=["Income Rank"])
    one(server, tmp_path, "imd_2019")
    assert current(tmp_path, "imd_2019").read_bytes() == (b"lsoa11_code,IMD_rank,IMD_decile\n0,0,0\n1,1,1\n2,2,2\n")


def test_the_census_table_becomes_long_without_total_and_wales(server, tmp_path):
    entry = small(server).files["children"]
    head = (
        '"date","geography","geography code","Age: Total","Age: Aged 15 years and under","Age: Aged 16 to 24 years"\n'
    )
    rows = '2021,"City of London 001A",E01000001,30,10,20\n2021,Cardiff 001A,W01000001,9,4,5\n'
    server.files[server.path_of(entry)] = zipped(
        {entry.member: (head + rows).encode(), "census2021-ts007b-oa.csv": b"x"}
    )
    one(server, tmp_path, "children")
    assert current(tmp_path, "children").read_text(encoding="utf-8").splitlines() == [
        "lsoa21_code,lsoa21_name,age_group,usual_residents",
        "E01000001,City of London 001A,Aged 15 years and under,10",
        "E01000001,City of London 001A,Aged 16 to 24 years,20",
    ]


def test_a_data_set_is_found_by_titles_on_a_later_page_and_comes_unpacked(server, tmp_path):
    entry = small(server).files["absence"]
    server.publish(entry)
    one(server, tmp_path, "absence")
    assert current(tmp_path, "absence").read_bytes() == server.files[server.path_of(entry)]
    assert any("page=2" in p for p, _ in server.log)


def test_an_older_address_of_a_release_is_tried_too(server, tmp_path):
    entry = small(server).files["ehc"]
    server.publish(entry)
    new = next(p for p in server.answers if p.endswith("/version-summary"))
    server.answers[new.removesuffix("/version-summary")] = server.answers.pop(new)
    one(server, tmp_path, "ehc")


@pytest.mark.parametrize("ranges", [True, False], ids=["server resumes", "server ignores Range"])
def test_a_broken_download_ends_with_the_same_bytes(server, tmp_path, ranges):
    entry = small(server).files["imd_2019"]
    server.publish(entry, rows=20_000)
    body = server.files[server.path_of(entry)]
    server.ranges = ranges
    etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
    server.spoil("File_7", cut(body, 50_000, etag), times=1)
    part = tmp_path / "x.part"
    waits = []
    came = client(waits).download(f"{server.base}{server.path_of(entry)}", part, where="w")
    assert part.read_bytes() == body
    assert came.size == len(body)
    assert waits == [0]
    second = server.asked("File_7")[1]
    assert second["range"] == "bytes=50000-"
    assert second["if-range"] == etag
    assert any("resumed" in s for s in came.say) is ranges


def test_a_download_is_gone_on_with_in_the_next_run_only_while_the_file_is_the_same(server, tmp_path):
    entry = small(server).files["imd_2019"]
    server.publish(entry, rows=20_000)
    body = server.files[server.path_of(entry)]
    etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
    server.spoil("File_7", cut(body, 50_000, etag), times=3)
    assert fetch(server, tmp_path, "imd_2019")["imd_2019"].status == "failed"
    server.publish(entry, rows=20_001)
    outcome = one(server, tmp_path, "imd_2019")
    assert "20,001 rows" in outcome.words
    assert "resumed" not in outcome.words


def test_without_a_word_of_the_server_nothing_is_resumed(server, tmp_path):
    body = b"a,b\n" * 5000
    server.files["/f"] = body
    server.spoil("/f", cut(body, 1000), times=1)
    client().download(f"{server.base}/f", tmp_path / "p", where="w")
    assert (tmp_path / "p").read_bytes() == body
    assert "range" not in server.asked("/f")[1]


def test_a_weak_etag_does_not_vouch_for_half_a_file(server, tmp_path):
    body = b"a,b\n" * 5000
    server.files["/f"] = body
    server.spoil("/f", cut(body, 1000, 'W/"1"'), times=1)
    client().download(f"{server.base}/f", tmp_path / "p", where="w")
    assert (tmp_path / "p").read_bytes() == body
    assert "range" not in server.asked("/f")[1]


@pytest.mark.parametrize(
    "head",
    [
        {"Content-Range": "bytes 0-999/20000", "ETag": '"1"'},
        {"Content-Range": "bytes 1000-19999/20000", "ETag": '"2"'},
        {},
    ],
    ids=["from another place", "of another file", "from nowhere"],
)
def test_a_second_half_that_does_not_fit_is_thrown_away(server, tmp_path, head):
    body = b"a,b\n" * 5000
    server.files["/f"] = body
    server.spoil("/f", cut(body, 1000, '"1"'), times=1)
    server.spoil("/f", status(206, b"x" * 19_000, head), times=1)
    client().download(f"{server.base}/f", tmp_path / "p", where="w")
    assert (tmp_path / "p").read_bytes() == body


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_server_is_waited_for_as_long_as_it_asks(server, tmp_path, code):
    server.publish(small(server).files["idaci"])
    server.spoil("File_3", status(code, b"", {"Retry-After": "7"}), times=2)
    waits = []
    one(server, tmp_path, "idaci", by=client(waits))
    assert waits == [7.0, 7.0]


def test_the_same_content_is_not_kept_twice(server, tmp_path):
    known = small(server)
    keys = ["ehc", "idaci", "lsoa_ward", "ward_shapes", "children", "absence"]
    for key in keys:
        server.publish(known.files[key])
    fetch(server, tmp_path, *keys, known=known)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "fetched.json"}
    server.publish(known.files["ehc"])  # the zip is packed anew, with other time stamps
    again = fetch(server, tmp_path, *keys, known=known, today=LATER)
    assert {o.words.split(" (")[0] for o in again.values()} == {"unchanged since 2026-06-01"}
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "fetched.json"} == before
    record = json.loads((tmp_path / "fetched.json").read_text(encoding="utf-8"))
    assert {f["looked"] for f in record["files"].values()} == {"2026-11-25"}
    assert server.asked("File_3")[-1]["if-none-match"]


def test_of_two_dates_the_newest_is_read_and_the_older_is_kept(server, tmp_path):
    entry = small(server).files["imd_2019"]
    server.publish(entry, rows=3)
    one(server, tmp_path, "imd_2019")
    old = current(tmp_path, "imd_2019").read_bytes()
    server.publish(entry, rows=4)
    one(server, tmp_path, "imd_2019", today=LATER)
    read = OfficialFolder(tmp_path).found["imd_2019"]
    assert read == current(tmp_path, "imd_2019") == tmp_path / "2026-11-25" / entry.file
    assert len(read.read_text(encoding="utf-8").splitlines()) == 5
    assert (tmp_path / "earlier/2026-06-01" / f"was-{entry.file}").read_bytes() == old
    assert not (tmp_path / "2026-06-01").exists()


def test_a_second_change_on_one_day_keeps_both_older_ones(server, tmp_path):
    entry = small(server).files["imd_2019"]
    for rows in (3, 4, 5):
        server.publish(entry, rows=rows)
        one(server, tmp_path, "imd_2019")
    names = sorted(p.name for p in (tmp_path / "earlier/2026-06-01").iterdir())
    assert names == [f"was-{n}{entry.file}" for n in ("2-", "")]


def test_a_new_column_is_told_and_the_file_taken(server, tmp_path):
    entry = small(server).files["lsoa_ward"]
    server.publish(entry)
    one(server, tmp_path, "lsoa_ward")
    server.publish(entry, rows=4, add=["WD24NMW"])
    assert "new columns: WD24NMW" in one(server, tmp_path, "lsoa_ward", today=LATER).words


def test_an_edited_copy_is_put_aside_and_told(server, tmp_path):
    entry = small(server).files["imd_2019"]
    server.publish(entry)
    one(server, tmp_path, "imd_2019")
    current(tmp_path, "imd_2019").write_text("mine", encoding="utf-8")
    outcome = one(server, tmp_path, "imd_2019", today=LATER)
    assert outcome.status == "fetched"
    assert "had been edited" in outcome.words
    assert (tmp_path / "earlier/2026-06-01" / f"was-{entry.file}").read_text(encoding="utf-8") == "mine"


def test_a_file_that_was_removed_is_fetched_again(server, tmp_path):
    server.publish(small(server).files["imd_2019"])
    one(server, tmp_path, "imd_2019")
    current(tmp_path, "imd_2019").unlink()
    (tmp_path / "2026-06-01").rmdir()
    assert one(server, tmp_path, "imd_2019", today=LATER).status == "fetched"


def test_another_recipe_makes_the_file_anew(server, tmp_path):
    server.publish(small(server).files["imd_2019"])
    one(server, tmp_path, "imd_2019")
    files = small(server).files
    renamed = {**files["imd_2019"].columns, "LSOA code (2011)": "lsoa"}
    known = small(server).model_copy(
        update={"files": {**files, "imd_2019": files["imd_2019"].model_copy(update={"columns": renamed})}}
    )
    assert one(server, tmp_path, "imd_2019", known=known, today=LATER).status == "fetched"


def test_only_the_request_itself_is_sent(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret", encoding="utf-8")
    server.publish(small(server).files["idaci"])
    server.spoil("File_3", status(503, b"", {"Set-Cookie": "a=b", "Retry-After": "0"}), times=1)
    one(server, tmp_path, "idaci")
    sent = {name for headers in server.asked("File_3") for name in headers}
    assert sent <= {"host", "user-agent", "accept-encoding", "accept", "connection"}


def test_the_digests_in_the_record_are_those_of_the_files(server, tmp_path):
    server.publish(small(server).files["ehc"])
    one(server, tmp_path, "ehc")
    kept = json.loads((tmp_path / "fetched.json").read_text(encoding="utf-8"))["files"]["ehc"]
    path = tmp_path / kept["file"]
    assert kept["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert kept["size"] == path.stat().st_size
    assert kept["rows"] == 12
    assert kept["licence"] == "Open Government Licence v3.0"


def test_content_for_the_stand_in_is_made_for_every_form():
    forms = {e.form for e in catalogue().files.values() if e.kind not in ("arcgis_layer", "by_hand")}
    assert forms == {"zip", "csv", "xlsx", "parquet"}
    assert content(catalogue().files["idaci"], ["a"], 1).startswith(b"PK")
