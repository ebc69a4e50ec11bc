"""Runs of small chapters that are killed, and what must be true after each kill."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from toy_chapters.make import OPENED, chapter

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "tests" / "toy_chapters" / "run.py"
KINDS = ("runner", "worker", "kernel", "server", "power")
SEEDS = (2023, 2024)
LONGEST_SECONDS = 120


@dataclass
class Place:
    """A folder with chapters, two params files for one pack, and what each of them makes when nothing disturbs it."""

    folder: Path
    chapters: Path
    words: tuple[str, ...] = ()
    whole: dict[int, dict[str, str]] = field(default_factory=dict)
    seconds: float = 5.0

    def params(self, seed: int) -> Path:
        path = self.folder / f"{seed}.yml"
        path.write_text(f"protection: round_5\nscale: 0.05\nseed: {seed}\n", encoding="utf-8")
        return path

    @property
    def pack(self) -> Path:
        return self.folder / "packs" / "luton-synthetic" / "2026"

    def start(self, seed: int, *more: str, out: str = "packs") -> subprocess.Popen:
        command = [sys.executable, str(RUN), str(self.chapters), "refresh", str(self.params(seed))]
        return subprocess.Popen(
            [*command, "--out", str(self.folder / out), *self.words, *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "JSNA_CACHE": str(self.folder / "cache"), "JSNA_WARM_HOLD": "kernel"},
        )

    def learn(self) -> None:
        """What an undisturbed run makes of each params file, and how long it takes."""
        for seed in SEEDS:
            started = time.monotonic()
            process = self.start(seed, out=f"undisturbed-{seed}")
            said, _ = process.communicate(timeout=LONGEST_SECONDS)
            assert process.returncode == 0, said
            self.seconds = time.monotonic() - started
            self.whole[seed] = contents(self.folder / f"undisturbed-{seed}" / "luton-synthetic" / "2026")


def place_in(folder: Path, cell: str = "") -> Place:
    """Three small chapters in a folder, the second with ``cell`` in it, the last reading the others."""
    chapters = folder / "chapters"
    chapter(chapters, "00-one", OPENED, "finding('one', 'First.')")
    chapter(chapters, "01-two", OPENED, *([cell] if cell else []), "finding('two', 'Second.')")
    chapter(chapters, "02-late", OPENED, "finding('late', 'Last.')", late=True)
    return Place(folder, chapters)


def contents(pack: Path) -> dict[str, str]:
    """A digest of each file of a pack; of its manifest without the moment at which it was made."""
    found = {}
    for path in sorted(p for p in pack.rglob("*") if p.is_file()):
        told = path.read_bytes()
        if path.name == "manifest.json":
            manifest = json.loads(told)
            manifest.pop("made_at")
            told = json.dumps(manifest).encode()
        found[path.relative_to(pack).as_posix()] = hashlib.sha256(told).hexdigest()
    return found


def family(pid: int) -> dict[str, list[psutil.Process]]:
    """The processes of a run by what they do."""
    found: dict[str, list[psutil.Process]] = {kind: [] for kind in KINDS}
    try:
        runner = psutil.Process(pid)
        everybody = [runner, *runner.children(recursive=True)]
    except psutil.Error:
        return found
    found["power"] = everybody
    found["runner"] = [runner]
    for process in everybody[1:]:
        try:
            words, parent = " ".join(process.cmdline()), process.parent()
            above = " ".join(parent.cmdline()) if parent is not None else ""
        except psutil.Error:
            continue
        if "launcher.py" in words or "ipykernel_launcher" in words or "jsna.kernels.server" in above:
            found["kernel"].append(process)
        elif "jsna.kernels.server" in words:
            found["server"].append(process)
        elif "forkserver" in words and "forkserver" in above:
            found["worker"].append(process)
    return found


def kill(process: subprocess.Popen, kind: str, after: float, chance: random.Random) -> list[psutil.Process]:
    """Kill one of the processes of this kind by force, or all for ``power``; every process of the run as it was."""
    until = time.monotonic() + after
    everybody: dict[int, psutil.Process] = {}
    while True:
        found = family(process.pid)
        everybody |= {p.pid: p for p in found["power"]}
        if process.poll() is not None:
            return list(everybody.values())
        if time.monotonic() >= until and found[kind]:
            break
        time.sleep(0.05)
    targets = found[kind] if kind == "power" else [chance.choice(found[kind])]
    for target in targets:
        try:
            target.send_signal(signal.SIGKILL)
        except psutil.Error:
            continue
    return list(everybody.values())


def still_there(processes: list[psutil.Process], patience: float = 10.0) -> list[str]:
    """Those that have not ended a while after their run did."""
    _, alive = psutil.wait_procs(processes, timeout=patience)
    return [" ".join(p.cmdline()) for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@dataclass(frozen=True)
class Told:
    """What was seen after one kill; ``faults`` is empty when all was as it must be."""

    kind: str
    finished: bool
    faults: tuple[str, ...]


def one_kill(place: Place, seed: int, kind: str, chance: random.Random) -> Told:
    """Start a run, kill by ``kind`` at a moment drawn by ``chance``, and look."""
    before = contents(place.pack) if place.pack.exists() else {}
    process = place.start(seed)
    processes = kill(process, kind, chance.uniform(0.2, place.seconds), chance)
    try:
        said, _ = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return Told(kind, False, (f"{kind}: the run hung",))
    faults = [f"{kind}: left running: {words}" for words in still_there(processes)]
    after = contents(place.pack) if place.pack.exists() else {}
    if process.returncode == 0 and after != place.whole[seed]:
        faults.append(f"{kind}: it ended well, and the pack is not what an undisturbed run makes")
    if process.returncode != 0 and after not in (before, place.whole[seed]) and process.returncode != 3:
        faults.append(f"{kind}: neither the pack before nor the new one is in place")
    if process.returncode not in (0, 3, -signal.SIGKILL):
        faults.append(f"{kind}: exit code {process.returncode}: {said[-300:]}")
    if "Traceback" in said:
        faults.append(f"{kind}: a traceback: {said[-300:]}")
    return Told(kind, process.returncode == 0, tuple(faults))


def many_kills(place: Place, number: int, seed: int) -> list[Told]:
    """So many kills, one after the other on the same output; at the end a run that nobody disturbs."""
    chance = random.Random(seed)
    told, which = [], 0
    for count in range(number):
        told.append(one_kill(place, SEEDS[which], KINDS[count % len(KINDS)], chance))
        if told[-1].finished:
            which = 1 - which
    process = place.start(SEEDS[which])
    said, _ = process.communicate(timeout=LONGEST_SECONDS)
    faults = []
    if process.returncode or contents(place.pack) != place.whole[SEEDS[which]]:
        faults.append(f"the run after the last kill: exit code {process.returncode}: {said[-300:]}")
    left = [p.name for p in place.pack.parent.iterdir() if p.name not in ("2026", ".2026.lock")]
    faults += [f"left behind: {name}" for name in left]
    return [*told, Told("none", True, tuple(faults))]
