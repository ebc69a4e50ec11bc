"""What an executed notebook holds for the pack: its exhibits, with their tables, pictures, flags and cards."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

EXHIBIT = "application/vnd.jsna.exhibit+json"
_PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
FORMS = (EXHIBIT, "text/html", "text/plain")
KEPT_METADATA = ("kernelspec", "language_info")


@dataclass(frozen=True)
class Harvest:
    """A chapter's exhibits in order; ``pictures`` by exhibit id, and the HTML of those that make a page alone."""

    chapter: str
    exhibits: tuple[dict[str, Any], ...]
    pictures: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """The exhibits of these kinds."""
        return [e for e in self.exhibits if e["kind"] in kinds]

    def extras(self, name: str) -> Iterator[Any]:
        """Every value that the exhibits carry under ``name``, lists flattened."""
        for exhibit in self.exhibits:
            value = (exhibit.get("extras") or {}).get(name)
            if isinstance(value, list):
                yield from value
            elif value:
                yield value


def harvest(chapter: str, notebook: Any, leave_out: str) -> Harvest:
    """Collect the exhibits of an executed notebook, but for those of cells tagged ``leave_out``."""
    exhibits: list[dict[str, Any]] = []
    pictures: dict[str, bytes] = {}
    pages: dict[str, str] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or leave_out in cell["metadata"].get("tags", ()):
            continue
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if EXHIBIT not in data:
                continue
            exhibit = data[EXHIBIT]
            exhibits.append(exhibit)
            html = "".join(data.get("text/html", ""))
            picture = _PICTURE.search(html)
            if picture:
                pictures[exhibit["id"]] = base64.b64decode(picture.group(1))
            if (exhibit.get("extras") or {}).get("one_page"):
                pages[exhibit["id"]] = html
    return Harvest(chapter, tuple(exhibits), pictures, pages)


def scrub(notebook: Any) -> Any:
    """The executed notebook without times, paths, users or papermill's notes, so that two runs give the same bytes.

    Of its outputs the exhibits alone stay: what a cell shows or prints besides has not passed the gate.
    """
    notebook["metadata"] = {k: v for k, v in notebook["metadata"].items() if k in KEPT_METADATA}
    notebook["metadata"].get("language_info", {}).pop("version", None)
    for number, cell in enumerate(notebook["cells"]):
        tags = cell["metadata"].get("tags", [])
        cell["metadata"] = {"tags": tags} if tags else {}
        cell["id"] = f"cell-{number:03d}"
        if cell["cell_type"] == "code":
            cell["outputs"] = [_only_shown(o) for o in cell["outputs"] if EXHIBIT in o.get("data", {})]
    return notebook


def _only_shown(output: Any) -> Any:
    """An exhibit's output with the forms that exhibits have, and no metadata."""
    output["data"] = {form: output["data"][form] for form in FORMS if form in output["data"]}
    output["metadata"] = {}
    return output
