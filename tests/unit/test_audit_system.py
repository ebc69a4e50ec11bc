"""The linear programmes beside every way of filling small tables; what is read, scanned and reported."""

from __future__ import annotations

import itertools
import math
import re

import audit_pack as small
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.audit.attack import verdict
from jsna.audit.audit import audit
from jsna.audit.command import run
from jsna.audit.leaks import check_letter
from jsna.audit.pieces import pieces
from jsna.audit.relations import wilson
from jsna.audit.report import as_json, as_page, as_text, write
from jsna.audit.sheets import html_tables
from jsna.audit.system import System
from jsna.cli import main
from jsna.errors import OutputError, WorkbenchError


def brute(cells, hidden, rows, most):
    """The least and the most of each hidden cell over all fillings of whole numbers that keep to the rows."""
    kept = []
    for filling in itertools.product(range(most + 1), repeat=len(hidden)):
        values = dict(cells) | dict(zip(hidden, filling, strict=True))
        if all(lower <= sum(by * values[n] for n, by in terms.items()) <= upper for terms, lower, upper in rows):
            kept.append(filling)
    columns = list(zip(*kept, strict=True))
    return {name: (min(c), max(c)) for name, c in zip(hidden, columns, strict=True)}


@st.composite
def tables(draw):
    """A table of 2 or 3 rows and columns with its margins, up to five cells hidden, and a rounded share."""
    shape = draw(st.tuples(st.integers(2, 3), st.integers(2, 3)))
    size = shape[0] * shape[1]
    values = draw(st.lists(st.integers(0, 5), min_size=size, max_size=size))
    hidden = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=4, unique=True))
    return np.array(values).reshape(shape), hidden, draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(tables())
def test_intervals_are_those_of_every_filling(case):
    values, hidden, with_share = case
    names = [f"cell {i}" for i in range(values.size)]
    rows = []
    for axis in (0, 1):
        for index in range(values.shape[axis]):
            at = [np.ravel_multi_index(p, values.shape) for p in np.ndindex(values.shape) if p[axis] == index]
            total = float(values.take(index, axis).sum())
            rows.append(({names[a]: 1.0 for a in at}, total, total))
    if with_share:
        share = round(100 * values.flat[hidden[0]] / 40)
        rows.append(({names[hidden[0]]: 2.5}, share - 0.5, share + 0.5))
    system = System()
    for at, value in enumerate(values.flat):
        system.bound(names[at], *((0, 5) if at in hidden else (value, value)))
    for terms, lower, upper in rows:
        system.add(terms, lower, upper, "row")
    open_cells = [names[h] for h in hidden]
    shown = {names[i]: int(v) for i, v in enumerate(values.flat) if i not in hidden}
    assert system.intervals(open_cells) == brute(shown, open_cells, rows, 5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=4), st.integers(2, 3))
def test_weighted_sums_are_those_of_every_filling(values, weight):
    """Sums with weights, where fractions would fit and whole numbers do not."""
    names = [f"cell {i}" for i in range(len(values))]
    rows = [
        (
            {n: float(1 + (i % 2) * weight) for i, n in enumerate(names)},
            *[float(sum((1 + (i % 2) * weight) * v for i, v in enumerate(values)))] * 2,
        ),
        ({names[0]: 1.0, names[1]: -1.0}, values[0] - values[1] - 1.0, values[0] - values[1] + 1.0),
    ]
    system = System()
    for name in names:
        system.bound(name, 0, 4)
    for terms, lower, upper in rows:
        system.add(terms, lower, upper, "row")
    assert system.intervals(names) == brute({}, names, rows, 4)


def test_rows_that_cannot_all_hold_are_left_out_and_named():
    system = System()
    system.bound("a", 0, 10)
    system.bound("b", 0, 10)
    system.add({"a": 1, "b": 1}, 12, 12, "margin")
    system.add({"a": 1, "b": 1}, 30, 30, "a total that does not add up")
    assert system.intervals(["a"]) == {"a": (2, 10)}
    assert system.left_out == ["a total that does not add up"]


def test_rows_that_cannot_hold_together_are_found_by_the_programme():
    """No row alone tells; only together do the three say that half a child is in two places."""
    system = System()
    for name in "abc":
        system.bound(name, 0, 9)
    for pair in ("ab", "bc", "ac"):
        system.add(dict.fromkeys(pair, 1.0), 5, 5, pair)
    system.add(dict.fromkeys("abc", 1.0), 9, 9, "a total that does not add up")
    found = system.intervals(list("abc"))
    assert system.left_out
    assert all(0 <= low <= high <= 9 for low, high in found.values())


@pytest.mark.parametrize(
    ("low", "high", "base", "kind"),
    [
        (3, 3, None, "exact"),
        (40, 40, 100, "exact"),
        (0, 4, None, ""),
        (0, 3, None, "narrow"),
        (4, 6, None, ""),
        (96, 99, 100, "narrow"),
        (96, 100, 100, ""),
        (30, 32, 100, ""),
    ],
)
def test_what_is_too_narrow(low, high, base, kind):
    assert verdict(low, high, base, 5) == kind


def test_limits_are_wilsons():
    """Against statsmodels, another program."""
    from statsmodels.stats.proportion import proportion_confint

    counts = np.array([0, 3, 12, 50])
    low, high = wilson(counts, 50)
    other = [proportion_confint(c, 50, method="wilson") for c in counts]
    assert low == pytest.approx([a for a, _ in other], abs=1e-12)
    assert high == pytest.approx([b for _, b in other], abs=1e-12)


def test_check_letters():
    """By the rule on paper: digits times 2 to 13, the remainder by 23, letters without I, O and S."""
    digits = "801200001001"
    remainder = sum(int(d) * w for d, w in zip(digits, range(2, 14), strict=True)) % 23
    letter = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in "IOS"][remainder]
    assert check_letter(letter + digits)
    assert not check_letter(("A" if letter != "A" else "B") + digits)


@pytest.mark.parametrize(
    "text",
    [
        "Published on 12 June 2025 by the Department for Education",
        "E06000032, E05014735, E01015678, Luton 007A",
        "sen_phase_type_202425.csv and https://explore-education-statistics.service.gov.uk/data/x",
        "#12436D and 0.1.0 and S1 to S10, T1 J1, P3 S5",
        '{"sha256": "deb046775c7163be781c500d68a6d0257bfbc84f26e3f792fa07df990e1a4fa5"}',
        "Born abroad or in England; births by year",
        "No token measure; the key findings: 3 of 5",
    ],
)
def test_what_may_be_published_is_no_leak(text):
    from jsna.audit.leaks import scan

    assert scan({"index.html": text.encode()}) == []


def test_what_lies_in_what_lies_in_a_file_is_reached():
    import base64
    import gzip

    inner = base64.b64encode(gzip.compress(b"at the bottom" * 20)).decode()
    texts = [p.text for p in pieces("a.html", f'<img src="data:x;base64,{inner}">'.encode())]
    assert any("at the bottom" in t for t in texts)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_scan(content):
    from jsna.audit.leaks import scan

    for name in ("a.csv", "a.ipynb", "a.svg", "a.xlsx", "a.html"):
        scan(
            {
                name: content,
                "zip.zip": b"PK" + content,
                "gz": b"\x1f\x8b" + content,
                "p.png": b"\x89PNG\r\n\x1a\n" + content,
            }
        )


def test_tables_of_a_page():
    page = "<p>x</p><table><tr><th>Group</th></tr><tr><td>A &amp; B <b>c</b></td></tr></table>"
    assert html_tables(page) == [[["Group"], ["A & B c"]]]


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    folder = small.write(tmp_path_factory.mktemp("leaky") / "2026")
    small.set_cell(folder, "tables/ethnicity-any-sen-flags.csv", {"Group": "Irish"}, "Share (%)", "6.000")
    small.edit(folder, "index.html", "</body>", "<p>password=swordfish77</p></body>")
    return small.sign(folder)


def test_the_report_tells_where_and_not_what(leaky):
    report = audit(leaky)
    for text in (as_text(report), as_json(report, reveal=False), as_page(report, reveal=False)):
        assert "swordfish77" not in text
        assert "known exactly" in text or '"width": 0' in text
    assert "swordfish77" in as_json(report, reveal=True)
    assert not re.search(r"\b3\b(?! to)", " ".join(f.detail for f in report.findings))


def test_the_report_never_goes_into_the_pack(leaky):
    with pytest.raises(OutputError):
        write(audit(leaky), leaky / "audits", leaky, reveal=False)


def arguments(pack, out, *more: str):
    import argparse

    from jsna.audit.command import add_to

    parser = argparse.ArgumentParser()
    add_to(parser.add_subparsers())
    return parser.parse_args(["audit", str(pack), "--out", str(out), *more])


def test_exit_codes(leaky, tmp_path, capsys):
    clean = small.write(tmp_path / "2027")
    assert run(arguments(clean, tmp_path / "a")) == 0
    assert run(arguments(leaky, tmp_path / "a")) == 1
    assert "Do not publish" in capsys.readouterr().out
    assert {p.name for p in (tmp_path / "a/E06000032-2026").iterdir()} == {"audit.html", "audit.json"}
    with pytest.raises(WorkbenchError) as error:
        run(arguments(tmp_path, tmp_path / "a"))
    assert error.value.exit_code == 2


def test_packs_before_may_be_named_one_by_one_or_together(tmp_path):
    a, b, c = (tmp_path / name for name in "abc")
    options = arguments(tmp_path, tmp_path, "--previous", str(a), "--previous", str(b), str(c))
    assert options.previous == [a, b, c]
    assert arguments(tmp_path, tmp_path).previous == []


def test_from_the_command_line(leaky, tmp_path, capsys):
    assert main(["audit", str(tmp_path / "nothing"), "--out", str(tmp_path / "a")]) == 2
    assert main(["audit", str(leaky), "--out", str(tmp_path / "a")]) == 1
    assert "This is not a pack" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", "{", '{"outputs": []}'])
def test_a_manifest_that_cannot_be_read(tmp_path, content):
    folder = small.write(tmp_path / "2026")
    (folder / "manifest.json").write_text(content)
    with pytest.raises(WorkbenchError) as error:
        audit(folder)
    assert error.value.exit_code == 2
    assert "manifest" in str(error.value)


def test_short_marks_are_refused(leaky, tmp_path):
    marks = tmp_path / "marks.txt"
    marks.write_text("ab\n")
    with pytest.raises(WorkbenchError, match="marks"):
        run(arguments(leaky, tmp_path / "a", "--canaries", str(marks)))


def test_what_is_not_understood_is_named(tmp_path):
    folder = small.write(tmp_path / "2026")
    (folder / "tables/transport.csv").write_text("School,Minutes\nHigh Lane,31.5\n")
    report = audit(small.sign(folder))
    assert ("tables/transport.csv", 1) in {(f, n) for f, _, n in report.attack.not_analysed}
    assert "tables/transport.csv" in as_text(report)


def test_the_attacker_imports_nothing_of_the_gate():
    """In a process of its own: whatever the audit loads, the gate and the protector are not among it."""
    import subprocess
    import sys

    code = (
        "import sys, jsna.audit.report, jsna.audit.command\n"
        "print([m for m in sys.modules if m.startswith(('jsna.disclosure', 'jsna.evidence', 'jsna.sealed'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_half_a_unit_of_the_last_place():
    from jsna.audit.reading import interval

    low, high = interval("6.0")
    fits = [n for n in range(51) if low <= 100 * n / 50 <= high]
    assert fits == [3]
    assert math.isclose(high - low, 0.1)
