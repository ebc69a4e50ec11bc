"""The synthetic area's lists of annual reviews and disputes, as an authority's own would be read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from jsna.files.result import Loaded
from jsna.synthetic import _cached, _loaded, synthesise

NOTES = {
    "annual_reviews": "Reviews of calendar 2025 of plans that stood at its end; invented.",
    "disputes": "Mediation and appeals after decisions of 2023 to 2025; invented.",
}


def load_lists(seed: int, scale: float, cache: Path) -> dict[str, Loaded]:
    """Annual reviews and disputes by kind, with the columns of ``read_extract``; from ``cache`` when made before."""
    found = {}
    for kind, note in NOTES.items():
        path = _cached(cache, f"{kind.replace('_', '-')}-{seed}-{scale:g}", partial(_write, kind, seed, scale))
        frame = pd.read_parquet(path)
        name = f"Synthetic {kind.replace('_', ' ')}"
        loaded = _loaded(frame, path, name, "2025" if kind == "annual_reviews" else "2023 to 2025", seed, note)
        found[kind] = replace(loaded, summary=replace(loaded.summary, kind=kind))
    return found


def _write(kind: str, seed: int, scale: float, path: Path) -> None:
    """Made as a file and read as one, so that the columns are those of any authority's list."""
    import tempfile

    from jsna.sources.extracts import read_extract
    from jsna.synthetic.files.extracts import Source, annual_reviews, disputes

    makers = {"annual_reviews": annual_reviews, "disputes": disputes}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / f"{kind}.csv"
        makers[kind](Source(synthesise(seed, scale)))[kind].to_csv(text, index=False)
        read_extract(text, kind).loaded.frame.to_parquet(path, index=False)
