"""What may never be in the repository, and what must agree in it."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement


def tracked(repository):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a git checkout")
    return [repository / name for name in listed.stdout.split("\0") if name and (repository / name).is_file()]


def pins(path):
    return set(re.findall(r"^([A-Za-z0-9_.-]+==[^ \\;]+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_no_tracked_file_names_a_machine_path_or_an_index(repository):
    path = re.compile(r"(?<![A-Za-z0-9_./-])/(?:work|tmp|root|home/[a-z]+)/")
    host = re.compile(r"index-url|registry *= *\"http|https?://[^\"\s]*/(?:packages|simple)/")
    found = [
        p.name
        for p in tracked(repository)
        if p.suffix not in (".png", ".parquet")
        and p.name != "test_repository.py"
        and (path.search(t := p.read_text(encoding="utf-8", errors="ignore")) or host.search(t))
    ]
    assert found == []


def test_no_tracked_file_is_over_a_mebibyte(repository):
    assert [p.name for p in tracked(repository) if p.stat().st_size > 1 << 20] == []


def test_both_lock_files_hold_the_same_versions(repository):
    run, test = pins(repository / "requirements.lock"), pins(repository / "requirements-test.lock")
    assert run <= test
    assert "--hash=sha256:" in (repository / "requirements.lock").read_text(encoding="utf-8")


def test_every_dependency_is_locked(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {re.split(r"[<>=\[]", d)[0] for d in project["project"]["dependencies"]}
    assert wanted <= {p.split("==")[0] for p in pins(repository / "requirements.lock")}


def test_spark_is_locked_as_the_project_asks_for_it_and_with_the_same_versions_of_what_others_need(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [wanted] = map(Requirement, project["optional-dependencies"]["spark"])
    text = (repository / "requirements-spark.lock").read_text(encoding="utf-8")
    locked = dict(p.split("==") for p in pins(repository / "requirements-spark.lock"))
    assert locked[wanted.name] in wanted.specifier
    others = dict(p.split("==") for p in pins(repository / "requirements-test.lock"))
    assert all(others.get(name, version) == version for name, version in locked.items())
    assert "--hash=sha256:" in text


def test_conda_users_get_the_same_python_and_pins(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    environment = yaml.safe_load((repository / "environment.yml").read_text(encoding="utf-8"))
    assert environment["dependencies"] == [
        f"python{project['requires-python']}",
        "pip",
        {"pip": ["-r requirements.lock"]},
    ]


def test_the_room_of_places_knows_nothing_of_the_rooms_that_use_it(repository):
    known = {"jsna.errors", "jsna.files"}
    used = {
        name
        for path in (repository / "geo").glob("*.py")
        for name in re.findall(r"^\s*(?:from|import) (jsna[.\w]*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {".".join(name.split(".")[:2]) for name in used} <= known
