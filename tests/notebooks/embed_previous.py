"""Make the earlier edition of the synthetic area that comes with the workbench, as its own refresh would make it.

    .venv/bin/python tests/notebooks/embed_previous.py

Takes some minutes. Of the pack the files stay that the next cycle reads; of the cards what it compares.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from jsna.evidence.cycles.packs import EMBEDDED, READ
from jsna.refresh.refresh import Asked, refresh

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "jsna" / "evidence" / "cycles" / EMBEDDED
PARAMS = 'areas: [E06000032]\ncycle: "2023"\nsource: synthetic\nseed: 2023\n'
OF_A_CARD = ("id", "headline", "frames")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder) / "earlier.yml"
        params.write_text(PARAMS, encoding="utf-8")
        (pack,) = refresh([params], Asked(Path(folder) / "packs")).packs
        shutil.rmtree(TARGET, ignore_errors=True)
        (TARGET / "tables").mkdir(parents=True)
        for name in READ[1:]:
            if (pack / name).is_file():
                shutil.copyfile(pack / name, TARGET / name)
        shutil.copyfile(HERE / "decisions-2023.yml", TARGET / "decisions.yml")
        cards = json.loads((pack / "cards.json").read_text(encoding="utf-8"))
        short = [{k: c[k] for k in OF_A_CARD} for c in cards]
        (TARGET / "cards.json").write_text(json.dumps(short, ensure_ascii=False) + "\n", encoding="utf-8")
        manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    told = {n: hashlib.sha256((TARGET / n).read_bytes()).hexdigest() for n in READ[1:] if (TARGET / n).is_file()}
    keep = ("area_code", "area_name", "synthetic", "parameters", "disclosure")
    text = json.dumps({k: manifest[k] for k in keep} | {"outputs": told}, indent=1, ensure_ascii=False)
    (TARGET / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
