"""Small packs of figures and flags, as far as the next cycle reads them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

LUTON = "E06000032"


def write_pack(folder: Path, **changes: str) -> Path:
    files = {
        "cards.json": "[]",
        "flags.csv": "group,status\n",
        "tables/figures.csv": "Indicator,Group,Period,Value\nEHC-05,all,2024,27.1\n",
    } | changes
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    outputs = {n: hashlib.sha256(t.encode()).hexdigest() for n, t in files.items()}
    manifest = {"area_code": LUTON, "area_name": "Luton", "parameters": {"cycle": folder.name}, "outputs": outputs}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
