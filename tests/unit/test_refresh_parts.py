"""What a chapter is made from: the digests by which a run sees what has changed, and who does the work."""

import ast
import os
import sys
import time
from concurrent.futures import BrokenExecutor, Future

import pytest
from filelock import FileLock

from jsna.errors import ParamsError
from jsna.refresh import digests, keys
from jsna.refresh.aside import IN_USE, PREFIX, put_aside
from jsna.refresh.cluster import about, unfit
from jsna.refresh.digests import Contents
from jsna.refresh.expected import Expected
from jsna.refresh.log import Log
from jsna.refresh.plan import plan
from jsna.refresh.pool import Done, Task, Workers, run
from jsna.refresh.refresh import Work, _fault


def write(folder, text):
    path = folder / "p.yml"
    path.write_text(text, encoding="utf-8")
    return path


def inputs(folder, text):
    (pack,) = plan([write(folder, text)], folder / "out", [])
    return keys.chapter_parts(pack, keys.Surroundings(Contents(folder / "known.json")))["00-data"]


def test_no_chapter_imports_what_counts_as_no_code_of_chapters(repository):
    outside = tuple(n.removesuffix(".py").replace("/", ".") for n in digests.NOT_OF_CHAPTERS)
    found = []
    for path in sorted((repository / "jsna").rglob("*.py")):
        name = path.relative_to(repository).as_posix()
        if digests._outside(name):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{a.name}" for a in node.names)]
            found += [(name, n) for n in names if n in outside or n.startswith(tuple(f"{o}." for o in outside))]
    assert found == []


def test_a_file_counts_by_its_content(tmp_path):
    known, file = tmp_path / "known.json", tmp_path / "a.csv"
    file.write_text("1", encoding="utf-8")
    first = Contents(known).of_path(tmp_path / "a.csv")
    os.utime(file, (1, 1))
    assert Contents(known).of_path(file) == first
    file.write_text("2", encoding="utf-8")
    os.utime(file, (1, 1))
    assert Contents(known).of_path(file) != first


def test_a_file_that_stays_is_not_read_again_and_one_just_written_is(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(digests, "sha256_of", lambda path: read.append(path) or "d")
    file = tmp_path / "a.csv"
    file.write_text("1", encoding="utf-8")
    for settled in (False, False, True, True):
        monkeypatch.setattr(digests, "SETTLED_SECONDS", -1.0 if settled else 1e9)
        contents = Contents(tmp_path / "known.json")
        contents.of_file(file)
        contents.save()
    assert len(read) == 3


def test_a_folder_counts_with_the_names_in_it(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("1", encoding="utf-8")
    first = Contents(tmp_path / "k").of_path(tmp_path / "in")
    (tmp_path / "in" / "a").rename(tmp_path / "in" / "b")
    assert Contents(tmp_path / "k").of_path(tmp_path / "in") != first


@pytest.mark.parametrize(
    ("one", "other", "part"),
    [
        ("seed: 1", "seed: 2", "parameters"),
        ("rules: {r}", "rules: {s}", "inputs"),
        ("source: official\ndata: {d}", "source: official\ndata: {e}", "inputs"),
    ],
)
def test_what_differs_is_named(tmp_path, repository, one, other, part):
    names = {k: tmp_path / k for k in "rsde"}
    rules = (repository / "jsna/evidence/priorities/rules.yml").read_text(encoding="utf-8")
    names["r"].write_text(rules, encoding="utf-8")
    names["s"].write_text(rules + "# another\n", encoding="utf-8")
    for key in "de":
        names[key].mkdir()
        (names[key] / "a.csv").write_text(key, encoding="utf-8")
    first, second = (inputs(tmp_path, t.format(**{k: p.as_posix() for k, p in names.items()})) for t in (one, other))
    assert keys.changed(first, second) == (keys.PARTS[part],)


def test_a_synthetic_area_does_not_care_for_a_folder_of_official_files(tmp_path, monkeypatch):
    first = inputs(tmp_path, "seed: 1")
    monkeypatch.setenv("JSNA_DATA", str(tmp_path))
    assert inputs(tmp_path, "seed: 1") == first


def test_of_a_notebook_what_it_says_counts_and_not_what_it_showed(tmp_path, monkeypatch):
    from toy_chapters.make import chapter

    from jsna.refresh import plan as planned

    monkeypatch.setattr(planned, "NOTEBOOKS", tmp_path / "c")
    path = chapter(tmp_path / "c", "00-data", "1 + 1")
    first = inputs(tmp_path, "seed: 1")
    path.write_text(path.read_text().replace('"execution_count": null', '"execution_count": 7'), encoding="utf-8")
    assert inputs(tmp_path, "seed: 1") == first
    path.write_text(path.read_text().replace("1 + 1", "1 + 2"), encoding="utf-8")
    assert keys.changed(first, inputs(tmp_path, "seed: 1")) == (keys.PARTS["notebook"],)


class Here:
    """Workers that do a task when it is given, and break when they are told to."""

    def __init__(self, number=1, breaks=()):
        self.number, self.breaks, self.order, self.replaced = number, list(breaks), [], 0

    def submit(self, function, argument):
        future = Future()
        self.order.append(argument)
        if argument in self.breaks:
            self.breaks.remove(argument)
            future.set_exception(BrokenExecutor())
            return future
        try:
            future.set_result(function(argument))
        except Exception as error:
            future.set_exception(error)
        return future

    def replace(self):
        self.replaced += 1


def task(name, function=str.upper, **more):
    return Task(name, function, lambda: name, **more)


def test_longer_tasks_come_first_and_those_that_wait_after_theirs():
    workers = Here()
    tasks = [task("a", seconds=1), task("b", seconds=5), task("c", seconds=9, after=frozenset("a")), task("d", rank=-1)]
    assert {d.name: d.result for d in run(tasks, workers)} == {"a": "A", "b": "B", "c": "C", "d": "D"}
    assert workers.order == ["d", "b", "a", "c"]


def test_a_task_that_raises_stops_no_other():
    done = {d.name: d for d in run([task("a", int), task("b")], Here())}
    assert isinstance(done["a"].error, ValueError)
    assert done["b"].result == "B"


def test_workers_have_the_notebook_libraries_without_the_grammar_of_web_addresses():
    with Workers(1) as workers:
        imported = workers.submit(eval, "sorted({'papermill', 'lark'} & set(__import__('sys').modules))").result()
    assert imported == (["papermill"] if sys.platform != "win32" else [])


def test_a_task_whose_worker_died_is_tried_once_more_and_then_given_up():
    workers = Here(breaks=["a", "b", "b"])
    done = {d.name: d for d in run([task("a"), task("b"), task("c")], workers)}
    assert done["a"].result == "A"
    assert done["b"].lost
    assert done["c"].result == "C"
    assert workers.replaced == 3


def test_what_a_task_takes_is_learned_between_runs(tmp_path):
    notebook = tmp_path / "03.ipynb"
    notebook.write_bytes(b"0" * 500_000)
    expected = Expected(tmp_path / "seconds.json")
    assert expected.of(notebook) == 4.0
    expected.learn(notebook, 10.0)
    expected.learn(notebook, 20.0)
    expected.save()
    assert Expected(tmp_path / "seconds.json").of(notebook) == 15.0
    (tmp_path / "seconds.json").write_text("spoilt", encoding="utf-8")
    assert Expected(tmp_path / "seconds.json").of(notebook) == 4.0


class Terminal:
    def __init__(self, live):
        self.live, self.text = live, ""

    def isatty(self):
        return self.live

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@pytest.mark.parametrize("live", [True, False])
def test_a_run_shows_a_bar_where_somebody_watches_and_lines_where_not(tmp_path, live):
    stream = Terminal(live)
    with Log(stream, tmp_path) as log:
        log.begin([1.0, 3.0])
        log.did("first: made", 1.0)
        time.sleep(0.15)
        log.did("second: failed", 3.0, failed=True)
    assert ("left" in stream.text) == live
    assert ("first: made" in stream.text) == (not live)
    assert "second: failed" in stream.text
    (file,) = (tmp_path / "logs").glob("*.log")
    kept = file.read_text(encoding="utf-8")
    assert "first: made" in kept
    assert "second: failed" in kept


def test_a_worker_that_does_not_fit_is_refused_by_name_with_what_to_do(tmp_path):
    class Worker:
        class state:
            nthreads = 1

    found = about(str(tmp_path / "none"), Worker)
    (problem,) = unfit("w1", found)
    assert "worker w1" in problem.where
    assert "does not see the folder" in problem.what
    other = found | {"code": "x", "packages": "y", "threads": 4, "folder": True}
    assert len(unfit("w2", other)) == 3
    assert all(p.mend for p in unfit("w2", other))


def test_what_own_files_are_is_known_until_they_change(tmp_path):
    from types import SimpleNamespace

    from jsna.params import Params
    from jsna.refresh.marks import Marks

    census, place = tmp_path / "census.csv", tmp_path / "made-up.json"
    census.write_text("1", encoding="utf-8")
    params = Params(source="local", pupils=str(census))
    read = SimpleNamespace(params=params, pupils=SimpleNamespace(summary=SimpleNamespace(synthetic=True)))

    def marks():
        return Marks(place, Contents(tmp_path / "known.json"))

    assert marks().area(params).made_up is None
    marks().learn(read)
    assert marks().area(params).made_up is True
    assert marks().area(params).slug == "luton-synthetic", "the pupils need not be read for it"
    census.write_text("2", encoding="utf-8")
    assert marks().area(params).made_up is None
    place.write_text("spoilt", encoding="utf-8")
    assert marks().area(params).made_up is None


def test_the_log_names_an_unexpected_error_by_its_kind_alone(tmp_path):
    for error in (KeyError("17 pupils"), ParamsError("Write a year.")):
        with pytest.raises(type(error)), Log(Terminal(False), tmp_path / type(error).__name__):
            raise error
    told = {p.parents[1].name: p.read_text(encoding="utf-8") for p in tmp_path.glob("*/logs/*.log")}
    assert "17 pupils" not in told["KeyError"]
    assert "KeyError" in told["KeyError"]
    assert "Write a year." in told["ParamsError"]


@pytest.mark.parametrize(
    ("done", "code", "words"),
    [
        (Done(0, error=ParamsError("Write a year.")), 2, "Write a year."),
        (Done(0, error=OSError(28, "No space left on device")), 2, "no space left"),
        (Done(0, error=PermissionError(13, "Permission denied", "a.csv")), 2, "a.csv"),
        (Done(0, error=KeyError("17 pupils")), 3, "unexpected fault of kind KeyError"),
        (Done(0, error=BrokenExecutor(), lost=True), 3, "--jobs 1"),
    ],
)
def test_whatever_ends_a_task_is_said_in_words_and_without_a_figure(tmp_path, done, code, words):
    (pack,) = plan([write(tmp_path, "seed: 1")], tmp_path / "out", [])
    fault = _fault(Work(pack, {}, (), {}, {}), done, "read the data", "The data could not be read")
    assert fault.exit_code == code
    assert words in str(fault)
    assert "17 pupils" not in str(fault)


def test_what_a_killed_run_put_aside_goes_with_the_next_run_and_nothing_else_does(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("killed", "at-work", "young"):
        (tmp_path / f"{PREFIX}{name}").mkdir()
        (tmp_path / f"{PREFIX}{name}" / "pupils.parquet").write_bytes(b"rows")
    (tmp_path / "others").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "others")
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0), follow_symlinks=False)
    os.utime(tmp_path / f"{PREFIX}young")
    with FileLock(tmp_path / f"{PREFIX}at-work" / IN_USE):
        os.utime(tmp_path / f"{PREFIX}at-work", (0, 0))
        with put_aside() as folder:
            assert folder.stat().st_mode & 0o077 == 0
            assert not (tmp_path / f"{PREFIX}killed").exists()
        left = {path.name for path in tmp_path.iterdir()}
    assert left == {"others", *(f"{PREFIX}{n}" for n in ("at-work", "young", "link"))}
    assert not list((tmp_path / "others").iterdir()), "a link is not followed"
