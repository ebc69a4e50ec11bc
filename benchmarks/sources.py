"""How long, and how much memory, does reading a county's census take? Beside a plain reading of the same files.

    python benchmarks/sources.py [--pupils 150000] [--folder FOLDER]

Writes the synthetic area at the size of a county (three censuses of 150,000 pupils) as XML, COLLECT tables and flat
CSV, then reads each in a process of its own: by the workbench up to the canonical table (hashes, ages, homes, every
rule), and plainly (lxml's whole tree; pandas.read_csv with all cells as text) with no rule at all. Prints seconds, the
peak of memory, and the ratio. Bars: XML of about 600 MB under 60 s and 1 GiB; CSV of one census under 10 s.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORMS = ("census_xml", "census_blade", "census_flat")
PER_SCALE = 40_000


def ours(folder: Path, form: str, one: bool) -> int:
    """The canonical pupil table of the files of a form; one census, or all three."""
    from jsna.local import pupils_of
    from jsna.params import Params

    paths = sorted((folder / form).iterdir())
    params = Params(
        source="local",
        pupils=[str(p) for p in (paths[-1:] if one else paths)],
        key_file=str(folder / "key"),
        postcodes=str(next((folder / "postcodes").glob("*.csv"))),
        schools=str(next((folder / "schools").glob("*.csv"))),
    )
    return len(pupils_of(params).loaded.frame)


def plain(folder: Path, form: str, one: bool) -> int:
    """The same files as a plain library reads them: no types, no hashes, no rules."""
    paths = sorted((folder / form).iterdir())
    paths = paths[-1:] if one else paths
    if form == "census_xml":
        from lxml import etree

        return sum(len(etree.parse(p).findall(".//{*}PupilIdentifiers")) for p in paths)
    import pandas as pd

    files = [f for p in paths for f in (sorted(p.glob("*.csv")) if p.is_dir() else [p])]
    sizes = [len(pd.read_csv(f, dtype="str", keep_default_na=False)) for f in files]
    return max(sizes) if form == "census_blade" else sum(sizes)


def measured(folder: Path, form: str, who: str, one: bool) -> dict[str, float]:
    """Seconds and peak mebibytes of one reading, in a process of its own."""
    command = [sys.executable, __file__, "--child", who, form, str(folder), *(["--one"] if one else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def child(who: str, form: str, folder: Path, one: bool) -> None:
    started = time.perf_counter()
    rows = {"ours": ours, "plain": plain}[who](folder, form, one)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "peak_mib": peak}))


def written(folder: Path, pupils: int) -> None:
    from jsna.sources.identity import write_key
    from jsna.synthetic.files import write_files

    write_key(folder / "key")
    for form in ("postcodes", "schools", *FORMS):
        write_files(folder / form, form, scale=pupils / PER_SCALE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pupils", type=int, default=150_000)
    parser.add_argument("--folder", type=Path, default=None, help="where files of an earlier run lie")
    parser.add_argument("--child", nargs=3, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child[0], arguments.child[1], Path(arguments.child[2]), arguments.one)
        return
    if arguments.write:
        written(arguments.folder, arguments.write)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if not (folder / "key").exists():
            folder.mkdir(parents=True, exist_ok=True)
            # In a process of its own: a child's peak of memory counts what its parent held when it began.
            subprocess.run([sys.executable, __file__, "--write", str(arguments.pupils), "--folder", folder], check=True)
        print(f"{'form':14} {'censuses':>8} {'MB':>6} {'ours s':>8} {'MiB':>6} {'plain s':>8} {'MiB':>6} {'ratio':>6}")
        for form in FORMS:
            for one in (True, False):
                paths = sorted((folder / form).iterdir())[-1 if one else 0 :]
                size = sum(f.stat().st_size for p in paths for f in ([p] if p.is_file() else p.rglob("*")))
                a, b = (measured(folder, form, who, one) for who in ("ours", "plain"))
                print(
                    f"{form:14} {1 if one else 3:8} {size / 1e6:6.0f} {a['seconds']:8.1f} {a['peak_mib']:6.0f} "
                    f"{b['seconds']:8.1f} {b['peak_mib']:6.0f} {a['seconds'] / b['seconds']:6.2f}"
                )


if __name__ == "__main__":
    main()
