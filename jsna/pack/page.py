"""The pack's pages: a chapter from its executed notebook, and the index with the findings first."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from jsna.area import period_name
from jsna.chapters.disparity import outcome_name, texts


@cache
def _style() -> str:
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
    """An executed notebook as a page: prose and exhibits, no code, no outside request; cells of ``drop_tags`` out."""
    exporter = _exporter()
    kept = [c for c in notebook["cells"] if not set(drop_tags) & set(c["metadata"].get("tags", ()))]
    page = {"title": title, "area_name": area_name, "cycle": cycle, "nav": nav, "synthetic": synthetic, "css": _style()}
    html, _ = exporter.from_notebook_node(type(notebook)({**notebook, "cells": kept}), resources={"jsna": page})
    return html


@cache
def _exporter():
    from nbconvert import HTMLExporter

    folder = str(files("jsna.pack").joinpath("templates"))
    return HTMLExporter(
        template_name="chapter",
        extra_template_basedirs=[folder],
        exclude_input=True,
        exclude_output_prompt=True,
    )


def index_page(*, flags: list[dict[str, Any]], brings: str, **values: Any) -> str:
    """The first page of a pack: findings, groups that stand out, data used, how to read it, what is missing."""
    from jinja2 import Environment

    text = files("jsna.pack").joinpath("templates/index.html.j2").read_text(encoding="utf-8")
    gaps = yaml.safe_load(files("jsna.pack").joinpath("gaps.yml").read_text(encoding="utf-8"))
    template = Environment(autoescape=True, trim_blocks=True).from_string(text)
    named = [
        f
        | {
            "measure": outcome_name(f["outcome"]),
            "period": period_name(f["period"]),
            "by": texts()["dimensions"][f["characteristic"]]["one"],
        }
        for f in flags
    ]
    return template.render(css=_style(), flags=named, gaps=gaps["always"] + gaps[brings], **values)
