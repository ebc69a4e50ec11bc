"""A synthetic area with planted truth, calibrated to published figures: the embedded default, the tests' oracle."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jsna.errors import ParamsError, Problem
from jsna.files.result import Loaded, Summary, sha256_of, together
from jsna.synthetic import cases
from jsna.synthetic.pupils import BLOCK, as_of, block, calibration, edition_of, planted

__all__ = ["SyntheticArea", "as_of", "edition_of", "load_ehc_cases", "load_pupils", "synthesise", "write_pupils"]


@dataclass(frozen=True)
class SyntheticArea:
    """Everything that is made up about an area, with the truth that was planted in it."""

    pupils: pd.DataFrame
    ehc_cases: pd.DataFrame
    survey: pd.DataFrame
    planted: dict[str, Any]
    seed: int
    scale: float


def synthesise(seed: int = 2023, scale: float = 1.0) -> SyntheticArea:
    """A synthetic area: about 40,000 × ``scale`` pupils in each of three January censuses.

    The same ``seed`` and ``scale`` give the same values. Raises ``ParamsError`` for a scale that is not above 0. For
    tests, demonstration and load: never a basis for statements about real children.
    """
    pupils = pd.concat(_blocks(seed, scale), ignore_index=True)
    return SyntheticArea(
        pupils=pupils,
        ehc_cases=cases.ehc_cases(_child(seed, 1), pupils, scale),
        survey=cases.survey(_child(seed, 2), pupils),
        planted=planted(),
        seed=seed,
        scale=scale,
    )


def _child(seed: int, *key: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=key)


def _blocks(seed: int, scale: float) -> Iterator[pd.DataFrame]:
    if not 0 < scale <= 250:
        raise ParamsError(Problem("Not a scale.", where="scale", value=scale, expected="above 0, at most 250"))
    total = max(200, round(BLOCK * scale))
    for number, start in enumerate(range(0, total, BLOCK)):
        yield block(_child(seed, 0, number), number, min(BLOCK, total - start))


def write_pupils(path: Path, seed: int = 2023, scale: float = 1.0) -> None:
    """Write the pupil table to one parquet file, block after block, so that memory does not grow with ``scale``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for frame in _blocks(seed, scale):
            text = frame.astype({c: "str" for c in frame.columns if frame[c].dtype == "category"})
            table = pa.Table.from_pandas(text, preserve_index=False).replace_schema_metadata(None)
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=True)
            writer.write_table(table.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


def load_pupils(seed: int, scale: float, cache: Path, cycle: str = "") -> Loaded:
    """The synthetic pupil table in its canonical form, from ``cache`` when it was made before.

    ``cycle``: the review cycle that sees it, with three censuses up to its year; empty: the newest.
    """
    with as_of(cycle) as edition:
        return _pupils(seed, scale, cache, edition)


def _pupils(seed: int, scale: float, cache: Path, edition: str) -> Loaded:
    path = _cached(cache, f"pupils{edition}-{seed}-{scale:g}", lambda p: write_pupils(p, seed, scale))
    frame = pd.read_parquet(path)
    words = [c for c in frame.columns if pd.api.types.is_string_dtype(frame[c]) and c != "pupil_id"]
    frame = frame.astype({c: "category" for c in words})
    periods = [c["time_period"] for c in calibration()["censuses"]]
    note = "Calibrated to Luton's published margins; planted disparities are listed in jsna/synthetic/planted.yml."
    return _loaded(frame, path, "Synthetic school census", f"{periods[0]} to {periods[-1]}", seed, note)


def load_ehc_cases(seed: int, scale: float, cache: Path, cycle: str = "") -> Loaded:
    """Synthetic requests for EHC needs assessments as ``cycle`` sees them, from ``cache`` when made before."""
    with as_of(cycle) as edition:
        return _ehc_cases(seed, scale, cache, edition)


def _ehc_cases(seed: int, scale: float, cache: Path, edition: str) -> Loaded:
    def write(path: Path) -> None:
        pupils = _pupils(seed, scale, cache, edition).frame
        cases.ehc_cases(_child(seed, 1), pupils, scale).to_parquet(path, index=False)

    path = _cached(cache, f"ehc-cases{edition}-{seed}-{scale:g}", write)
    years = list(calibration()["ehc_cases"]["years"])
    return _loaded(
        pd.read_parquet(path),
        path,
        "Synthetic EHC cases",
        f"{years[0]} to {years[-1]}",
        seed,
        "Timeliness and refusals after Luton's published figures.",
    )


def _loaded(frame: pd.DataFrame, path: Path, source: str, period: str, seed: int, note: str) -> Loaded:
    summary = Summary(
        source=source,
        file=f"made by the workbench, seed {seed}",
        period=period,
        rows_read=len(frame),
        rows_kept=len(frame),
        rows_refused=0,
        sha256=sha256_of(path),
        publisher="The workbench",
        licence="No real data",
        synthetic=True,
        notes=(note,),
    )
    return Loaded(frame, together([]), summary)


def _cached(folder: Path, name: str, write: Callable[[Path], None]) -> Path:
    """The file ``name`` of this version of the generator, made aside and then named, so that readers see it whole."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{_version()}.parquet"
    if not path.is_file():
        part = folder / f".{path.name}.{os.getpid()}"
        write(part)
        part.replace(path)
    return path


@cache
def _version() -> str:
    """A digest of the generator and of what it draws on: another version never finds this one's files."""
    digest = hashlib.sha256()
    for package in ("jsna.synthetic", "jsna.synthetic.files", "geo.data"):
        for item in sorted(resources.files(package).iterdir(), key=lambda i: i.name):
            if item.name.endswith((".py", ".yml", ".csv")):
                digest.update(item.read_bytes())
    return digest.hexdigest()[:12]
