"""The index of a pack: what its ratios are, how many comparisons stand behind it, and which symbols it explains."""

from __future__ import annotations

import re

from jsna.pack.flags import COLUMNS
from jsna.pack.page import index_page, ratio_heading, symbols_in, tally

BASE = dict.fromkeys(COLUMNS, "1.00") | {
    "period": "2024",
    "outcome": "any_sen",
    "characteristic": "sex",
    "status": "watch",
    "reasons": "crude_only",
}
CRUDE = BASE | {"adjusted_risk_ratio": "x"}
OTHERS = [
    CRUDE | {"group": "A", "status": "insufficient data", "reasons": "few_pupils; crude_only"},
    CRUDE | {"group": "B", "status": "insufficient data", "reasons": "not_compared"},
    CRUDE | {"group": "C", "status": "no evidence"},
]


def _source(file, read, refused):
    return {
        "source": "Requests",
        "file": file,
        "publisher": "DfE",
        "period": "2024",
        "rows_read": read,
        "rows_refused": refused,
    }


def _page(flags):
    return index_page(
        flags=flags,
        absent=[],
        brings="official",
        area_name="Luton",
        cycle="2026",
        synthetic=False,
        findings=[],
        chapters=[],
        sources=[_source("a.zip, requests.csv", 13169, 0), _source("requests.csv.gz", 13170, 2)],
        pages=[],
        policy="",
    )


def test_the_heading_says_adjusted_only_where_every_ratio_is():
    assert ratio_heading([CRUDE]) == ("Ratio, steadied", False)
    assert ratio_heading([BASE]) == ("Ratio, adjusted and steadied", False)
    assert ratio_heading([BASE, CRUDE]) == ("Ratio, steadied", True)
    crude = _page([CRUDE, *OTHERS])
    assert "adjusted" not in crude.split("<h2>Data used")[0]
    assert "<td>no: crude</td>" in _page([BASE, CRUDE])


def test_the_headline_counts_the_rows_of_the_flags():
    found = tally([CRUDE, BASE | {"status": "over-identified"}, *OTHERS])
    assert [found[k] for k in ("rows", "compared", "unknown", "unjudged", "unclear")] == [5, 4, 1, 1, 1]
    assert [found[k] for k in ("flagged", "watched", "standing")] == [1, 1, 2]
    html = _page([CRUDE, *OTHERS])
    assert "3 comparisons were made. 1 of them could not be judged" in html
    assert "1 stand out: 0 flagged as over- or under-identified, 1 to watch" in html
    assert "compared with nobody: 4 rows" in html


def test_only_symbols_that_stand_in_the_table_are_explained():
    assert symbols_in([CRUDE]) == ""  # the adjusted ratio is not a column of the table
    assert symbols_in([CRUDE | {"numerator": "c"}]).startswith("c = ")
    assert 'class="legend"' not in _page([CRUDE, CRUDE | {"status": "no evidence", "numerator": "c"}])


def test_sources_stand_with_their_file_and_add_up_to_what_is_said():
    html = _page([])
    assert "2 tables were read for all chapters together, 26,339 rows in all; rows refused: 2." in html
    assert re.search(r"<td>a\.zip, requests\.csv</td>.*<td>requests\.csv\.gz</td>", html, re.S)
