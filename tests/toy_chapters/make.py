"""Small chapters, run as real ones are: for tests of what happens to a run, and not of what a chapter finds."""

from __future__ import annotations

from pathlib import Path

import nbformat

PARAMETERS = "areas: list = ['E06000032']\ncycle: str = '2026'\nsource: str = 'synthetic'\nseed: int = 2023"
OPENED = """from jsna.exhibits.text import finding
from jsna.notebook import open_area

area = open_area(globals())"""
SPEC = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def chapter(folder: Path, name: str, *cells: str, late: bool = False) -> Path:
    """Write a chapter whose cells come after those that every chapter begins with."""
    tags = ["reads-other-chapters"] if late else []
    made = [nbformat.v4.new_markdown_cell(f"# Chapter {name}\n\nWhat became of it?", metadata={"tags": tags})]
    made.append(nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}))
    made += [nbformat.v4.new_code_cell(source) for source in cells]
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number:03d}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=SPEC), path)
    return path
