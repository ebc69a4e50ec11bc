"""What a notebook shows: one value with its picture, its alternative text, the table behind it and its source."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html import escape
from typing import Any

SYNTHETIC = "Synthetic data: no real children."


@dataclass(frozen=True)
class Exhibit:
    """A chart, table, map, finding or notice, ready for a notebook, a page and the pack.

    ``extras`` carries what the pack collects: ``flags`` rows, a ``card``, ``sources``, a ``gap``. A ``folded`` table
    opens when the reader asks for it.
    """

    id: str
    kind: str
    title: str
    alt: str = ""
    body: str = ""
    svg: bytes | None = None
    table_csv: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    synthetic: bool = False
    folded: bool = False
    extras: dict[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """The exhibit as one accessible block."""
        if self.kind == "heading":
            return f"<h3>{escape(self.title)}</h3>"
        if self.kind in ("finding", "notice"):
            return f'<div class="{self.kind}">{self.body}</div>'
        foot = [f"Source: {self.source}." if self.source else "", SYNTHETIC if self.synthetic else "", *self.notes]
        foot_html = "".join(f"<p class='source'>{escape(t)}</p>" for t in foot if t)
        if self.svg is None:
            inside = (
                f"<details><summary>{escape(self.title)}</summary>{self.body}</details>" if self.folded else self.body
            )
            return f'<div class="exhibit">{inside}{foot_html}</div>'
        picture = base64.b64encode(self.svg).decode("ascii")
        image = f'<img alt="{escape(self.alt, quote=True)}" src="data:image/svg+xml;base64,{picture}">'
        # on a small screen a picture keeps its size, so that its words can be read, and scrolls within this region
        named = f'role="region" tabindex="0" aria-label="Picture: {escape(self.title, quote=True)}"'
        image = f'<div class="scroll picture" {named}>{image}</div>'
        table = f"<details><summary>Table: {escape(self.title)}</summary>{self.body}</details>"
        caption = f"<figcaption>{escape(self.title)}</figcaption>"
        return f'<figure class="exhibit">{caption}{image}{foot_html}{table}</figure>'

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        return {
            "text/plain": f"{self.kind}: {self.title}",
            "text/html": self.html(),
            "application/vnd.jsna.exhibit+json": {
                "id": self.id,
                "kind": self.kind,
                "title": self.title,
                "alt": self.alt,
                "table_csv": self.table_csv,
                "source": self.source,
                "notes": list(self.notes),
                "synthetic": self.synthetic,
                "extras": self.extras,
            },
        }


@dataclass(frozen=True)
class Exhibits:
    """Several exhibits that one cell shows, one after the other."""

    items: tuple[Exhibit, ...]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for exhibit in self.items:
            display(exhibit)
