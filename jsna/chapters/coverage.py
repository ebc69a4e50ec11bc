"""Which evidence each priority, criterion and outcome has in this pack and lacks, and the register of gaps."""

from __future__ import annotations

from typing import Any

import pandas as pd

from jsna.area import Area
from jsna.chapters.base import frame_of_area, summary_row, with_extras
from jsna.chapters.scorecard_sentences import frame_sentence
from jsna.chapters.scorecard_words import lower_first, measured, name_of, short
from jsna.disclosure import publish_facts
from jsna.evidence.catalogue import Frame, FrameList, Item, catalogue
from jsna.evidence.coverage import coverage, register, statuses
from jsna.evidence.scorecard import settings
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding, listing

FIRST = "success_criteria"  # the list that the finding begins with, where the frame has it
SOURCE = "The frame of the area, the catalogue of indicators and the figures of this pack"


def coverage_finding(area: Area) -> Exhibit:
    """How many of the priorities and criteria have evidence in this pack, in a sentence a list."""
    frame = frame_of_area(area)
    found = statuses(frame, _table(area, frame))
    said = {entry.key: _covered(entry, found[found["list"] == entry.key]) for entry in frame.lists}
    first = FIRST if FIRST in said else frame.lists[0].key
    others = [words for key, words in said.items() if key != first]
    return finding("coverage", said[first], detail=[*others, frame_sentence(frame, "list")])


def _covered(entry: FrameList, found: pd.DataFrame) -> str:
    """``Of the ten success criteria, 1 is covered by figures in this pack (S5), …``."""
    words = settings()["coverage"]
    parts = [
        f"{len(codes)} {words[status]} ({listing(codes)})"
        for status in ("whole", "part", "pointers", "none")
        if (codes := found.loc[found["status"] == status, "code"].tolist())
    ]
    number, rest = parts[0].split(" ", 1)
    covered = f"{number} {'is' if number == '1' else 'are'} covered {rest}"
    # a title that is a question cannot follow "of the"
    asks = entry.title.split(" ")[0] in ("How", "What", "Where", "Which", "Who", "Why")
    whole = f"Of {len(entry.items)} items under “{entry.title}”" if asks else f"Of the {lower_first(entry.title)}"
    return f"{whole}, {listing([covered, *parts[1:]])}."


def coverage_tables(area: Area) -> Exhibits:
    """For each list of the frame a table: what evidence each item has, what it awaits, and what no figure says."""
    frame = frame_of_area(area)
    table = _table(area, frame)
    return Exhibits(tuple(_list_table(area, entry, table) for entry in frame.lists))


def _table(area: Area, frame: Frame) -> pd.DataFrame:
    values = area.values.frame
    return coverage(frame, values[values["area_code"] == area.code], area.brings)


def _list_table(area: Area, entry: FrameList, table: pd.DataFrame) -> Exhibit:
    own = table[table["list"] == entry.key]
    rows = pd.DataFrame([_item(item, own[own["code"] == item.code]) for item in entry.items])
    return table_exhibit(
        publish_facts(rows, source=SOURCE, synthetic=area.synthetic),
        id=f"coverage-{entry.key.replace('_', '-')}",
        title=entry.title,
        columns=[
            {"name": "item", "label": "What was agreed", "kind": "text"},
            {"name": "official", "label": "Is there an official statistic?", "kind": "text"},
            {"name": "has", "label": "Evidence in this pack", "kind": "words"},
            {"name": "awaits", "label": "Awaits data", "kind": "words"},
            {"name": "lacks", "label": "What no figure says", "kind": "words"},
        ],
        row_header="item",
        folded=entry.key not in ("priorities", FIRST),
    )


def _item(item: Item, rows: pd.DataFrame) -> dict[str, Any]:
    words = settings()["coverage"]
    here = rows[rows["at_hand"]]
    guarded = {m for family in settings()["guarded"] for m in family["measures"] if "IDN-07" in family["measures"]}
    has = [_figure(row) for row in here.itertuples()]
    alone = f" {words['plans']}" if guarded & set(here["indicator"]) else ""
    awaited = rows[rows["bring"] != ""].groupby("bring", sort=False)["name"]
    awaits = [f"{listing(names.tolist())} ({lower_first(what)})" for what, names in awaited]
    return {
        "item": f"{item.code} {item.name}",
        "official": item.official or words["unsaid"],
        "has": "; ".join(has) + f".{alone}" if has else words["nothing"],
        "awaits": "; ".join(awaits) + "." if awaits else words["awaits_nothing"],
        "lacks": "; ".join(item.lacks) + "." if item.lacks else words["lacks_nothing"],
    }


def _figure(row: Any) -> str:
    return f"{name_of(row)}: {measured(row.value, catalogue()[row.indicator])} ({short(row.period)})"


def gaps_register(area: Area) -> Exhibit:
    """Every indicator of the catalogue without a figure here, why, and what would mend it; the index lists it too."""
    values = area.values
    rows = register(catalogue(), values.frame[values.frame["area_code"] == area.code], values.absent, area.brings)
    if rows.empty:
        return finding("gaps", "Every indicator of the catalogue has a figure in this pack.")
    words, partly = settings()["words"], int(rows["partly"].sum())
    title = words["register"].format(n=len(rows) - partly, of=len(catalogue().indicators))
    has = rows["partly"].map({True: "some, from another file", False: "none"})
    shown = table_exhibit(
        publish_facts(rows.assign(has=has), source=SOURCE, synthetic=area.synthetic),
        id="gaps",
        title=title + (words["register_partly"].format(partly=partly) if partly else ""),
        columns=[
            {"name": "name", "label": "Indicator", "kind": "text"},
            {"name": "indicator", "label": "Number", "kind": "text"},
            {"name": "has", "label": "Figures here", "kind": "text"},
            {"name": "why", "label": "Why", "kind": "words"},
            {"name": "mend", "label": "What would mend it", "kind": "words"},
        ],
        row_header="name",
        folded=True,
    )
    return with_extras(
        shown, absent_indicators=rows.to_dict("records"), sources=[summary_row(s) for s in values.sources]
    )


def vintages(area: Area) -> Exhibit:
    """Figures of the area in which two issues of one table differ: both are named, and which one is shown."""
    rows = area.values.vintages
    own = rows[rows["area_code"] == area.code].reset_index(drop=True)
    if own.empty:
        none = finding("vintages", f"No figure of {area.label} differs between two issues of one table.")
        return with_extras(none, minor=True)
    known = catalogue()
    text = pd.DataFrame(
        {
            "name": [known[n].name for n in own["indicator"]],
            "period": own["period"],
            **{
                f"{side}_value": [
                    measured(v, known[n]) for v, n in zip(own[f"{side}_value"], own["indicator"], strict=True)
                ]
                for side in ("pinned", "other")
            },
            "pinned_file": own["pinned_file"],
            "other_file": own["other_file"],
        }
    )
    return table_exhibit(
        publish_facts(text, source="Two issues of one table", synthetic=False),
        id="vintages",
        title=f"{len(own)} {'figure differs' if len(own) == 1 else 'figures differ'} between two issues of one table",
        columns=[
            {"name": "name", "label": "Indicator", "kind": "text"},
            {"name": "period", "label": "Period", "kind": "text"},
            {"name": "pinned_value", "label": "Shown", "kind": "text"},
            {"name": "pinned_file", "label": "Shown: file", "kind": "text"},
            {"name": "other_value", "label": "Not shown", "kind": "text"},
            {"name": "other_file", "label": "Not shown: file", "kind": "text"},
        ],
        row_header="name",
    )
