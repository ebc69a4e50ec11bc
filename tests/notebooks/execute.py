"""Execute the chapters on the embedded area and keep the outputs that nbval compares.

    .venv/bin/python tests/notebooks/execute.py            all chapters
    .venv/bin/python tests/notebooks/execute.py 03 06      some

Cells tagged nbval-ignore-output are run too, but their outputs are not kept: they are large, and packs hold them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path) -> None:
    """Run one notebook from top to bottom in a fresh kernel and write it back."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": FOLDER}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            cell.outputs = []
    notebook.metadata = nbformat.from_dict(METADATA)
    nbformat.write(notebook, path)


def main(wanted: list[str]) -> None:
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not wanted or path.stem[:2] in wanted:
            execute(path)
            print(path.name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
