"""The pack's pages: a chapter from its executed notebook, and the index with the findings first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jsna import WORKBENCH_VERSION
from jsna.area import Area, period_name
from jsna.chapters.disparity import outcome_name, texts
from jsna.disclosure import SYMBOLS
from jsna.disproportionality.rule import FLAGGED, INSUFFICIENT, WATCH
from jsna.evidence.catalogue import Frame
from jsna.evidence.scorecard import headline_list
from jsna.files.packaged import packaged_yaml
from jsna.pack.card_words import rows_of
from jsna.pack.method import folded_cell
from jsna.pack.names import spoken

STANDING = (*FLAGGED, WATCH)
NOT_COMPARED = "not_compared"
FIGURES = ("numerator", "denominator", "risk_ratio", "pooled_risk_ratio", "pooled_lower", "pooled_upper", "gap_points")


@cache
def style() -> str:
    """The style sheet of every page."""
    return files("jsna.pack").joinpath("templates/style.css").read_text(encoding="utf-8")


def chapter_page(
    notebook: Any,
    *,
    area_name: str,
    cycle: str,
    title: str,
    nav: list[tuple[str, str]],
    drop_tags: tuple[str, ...],
    synthetic: bool,
) -> str:
    """An executed notebook as a page: prose and exhibits, no code, no outside request; cells of ``drop_tags`` out.

    Findings, charts, tables and sources are open; notes of method are folded away."""
    exporter = _exporter()
    kept = [folded_cell(c) for c in notebook["cells"] if not set(drop_tags) & set(c["metadata"].get("tags", ()))]
    page = {"title": title, "area_name": area_name, "cycle": cycle, "nav": nav, "synthetic": synthetic, "css": style()}
    html, _ = exporter.from_notebook_node(type(notebook)({**notebook, "cells": kept}), resources={"jsna": page})
    return html


@cache
def _exporter():
    from nbconvert import HTMLExporter, TemplateExporter
    from nbconvert.filters import Highlight2HTML

    class PageExporter(HTMLExporter):
        """The stock exporter without its second reading of the page: it took two thirds of the time, and would write a
        placeholder where a picture lacks its alternative text, which tests are to see."""

        def from_notebook_node(self, nb, resources=None, **more):
            self.register_filter("highlight_code", Highlight2HTML(parent=self))  # the template names it, unused
            return TemplateExporter.from_notebook_node(self, nb, self._init_resources(resources), **more)

    folder = str(files("jsna.pack").joinpath("templates"))
    return PageExporter(
        template_name="chapter",
        extra_template_basedirs=[folder],
        exclude_input=True,
        exclude_output_prompt=True,
    )


def one_page(body: str, *, title: str, area_name: str, cycle: str, synthetic: bool, home: bool = True) -> str:
    """One exhibit (``body``, its HTML) as a page of its own, which prints on one sheet."""
    return template("one-page.html.j2").render(
        css=style(), body=body, title=title, area_name=area_name, cycle=cycle, synthetic=synthetic, home=home
    )


def cards_page(cards: Sequence[Mapping[str, Any]], frame: Frame, area: Area) -> str:
    """Every evidence card, under the first priority that it speaks to; those that lack something say what."""
    items = [(i.code, i.name) for i in headline_list(frame).items]
    first = {str(c["id"]): next((k for k, _ in items if k in c["frames"]), "") for c in cards}
    sections = [
        (f"{code} {name}".strip(), [c for c in cards if first[str(c["id"])] == code])
        for code, name in [*items, ("", "Cards that no priority names")]
    ]
    return template("cards.html.j2").render(
        css=style(),
        sections=[(title, [(c, rows_of(c)) for c in own]) for title, own in sections],
        whole=sum(bool(c["complete"]) for c in cards),
        number=len(cards),
        area_name=area.label,
        cycle=area.params.cycle,
        synthetic=area.synthetic,
    )


def help_pages(area: Area) -> dict[str, str]:
    """The words explained, and the accessibility statement for the council to complete: HTML by file name."""
    terms = packaged_yaml("jsna.pack", "glossary.yml")
    shared = {"css": style(), "area_name": area.label, "cycle": area.params.cycle, "version": WORKBENCH_VERSION}
    made = template("help.html.j2")
    return {
        "glossary.html": made.render(title="Words explained", terms=terms, **shared),
        "accessibility.html": made.render(title="Accessibility statement", terms=(), **shared),
    }


def template(name: str):
    """A template of the pages, which escapes what it is given."""
    from jinja2 import Environment

    text = files("jsna.pack").joinpath(f"templates/{name}").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True).from_string(text)


def tally(flags: list[dict[str, Any]]) -> dict[str, int]:
    """How many comparisons the rows of ``flags.csv`` hold, and what came of them.

    ``rows`` are ``compared`` or ``unknown`` (groups that are not known, compared with nobody); those compared are
    ``unjudged`` (too few children), ``flagged``, ``watched`` or ``unclear`` (no evidence of a difference).

    >>> tally([{"status": "watch", "reasons": ""}, {"status": "insufficient data", "reasons": "not_compared"}])["rows"]
    2
    """
    made = [f["status"] for f in flags if NOT_COMPARED not in f["reasons"].split("; ")]
    counted = {
        "rows": len(flags),
        "compared": len(made),
        "unknown": len(flags) - len(made),
        "unjudged": made.count(INSUFFICIENT),
        "flagged": sum(made.count(status) for status in FLAGGED),
        "watched": made.count(WATCH),
    }
    standing = counted["flagged"] + counted["watched"]
    return counted | {"standing": standing, "unclear": len(made) - counted["unjudged"] - standing}


def ratio_heading(flags: list[dict[str, Any]]) -> tuple[str, bool]:
    """What the steadied ratios of these rows are, and whether each row has to say it for itself."""
    adjusted = {_adjusted(f) for f in flags}
    return ("Ratio, adjusted and steadied" if adjusted == {True} else "Ratio, steadied"), len(adjusted) > 1


def symbols_in(flags: list[dict[str, Any]]) -> str:
    """The key of the symbols that stand in these rows; empty where there is none."""
    there = {str(f[c]) for f in flags for c in FIGURES}
    return "; ".join(f"{s} = {words}" for s, words in SYMBOLS.items() if s in there)


def _adjusted(flag: dict[str, Any]) -> bool:
    return flag["adjusted_risk_ratio"] not in ("", "x")


def index_page(*, flags: list[dict[str, Any]], absent: list[dict[str, Any]], brings: str, **values: Any) -> str:
    """The first page of a pack: findings, groups that stand out, data used, how to read it, what is missing.

    ``flags``: every row of ``flags.csv``. ``absent``: indicators for which the area has no figure, or not from every
    file (``partly``), each with ``name``, ``why`` and ``mend``.
    """
    standing = sorted(
        (f for f in flags if f["status"] in STANDING),
        key=lambda f: (f["status"] == WATCH, f["characteristic"] == "sex"),
    )
    heading, mixed = ratio_heading(standing)
    gaps = packaged_yaml("jsna.pack", "gaps.yml")
    named = [
        f
        | {
            "measure": outcome_name(f["outcome"]),
            "period": period_name(f["period"]),
            "by": texts()["dimensions"][f["characteristic"]]["one"],
            "adjusted": "yes" if _adjusted(f) else "no: crude",
        }
        for f in standing
    ]
    lacking: dict[bool, dict[tuple[str, str], list[str]]] = {False: {}, True: {}}
    for row in absent:
        lacking[row["partly"]].setdefault((row["why"], row["mend"]), []).append(row["name"])
    return template("index.html.j2").render(
        css=style(),
        spoken_name=spoken(values["area_name"]),
        flags=named,
        tally=tally(flags),
        any_adjusted=any(_adjusted(f) for f in flags),
        ratio_heading=heading,
        mixed=mixed,
        legend=symbols_in(standing),
        gaps=gaps["always"] + gaps[brings],
        lacking=lacking,
        absent=absent,
        **values,
    )
