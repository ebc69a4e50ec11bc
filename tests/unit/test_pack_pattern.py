"""What a pack's pattern lets through the gate, count by count."""

import numpy as np
import pandas as pd
import pytest

from jsna.disclosure import PackPattern, Policy, names_of, protect
from jsna.errors import DisclosureError
from jsna.sealed import Sealed

TOLD = {"source": "example", "synthetic": True}


def pattern(**counts):
    """A pattern from ``name=state``: shown, hidden, or a base to which the count is rounded."""
    names = [f"pupils||group={name}" for name in counts]
    base = pd.Series([s if isinstance(s, int) else 0 for s in counts.values()], index=names)
    return PackPattern(pd.Series([s != "shown" for s in counts.values()], index=names), base)


def sealed(pupils, **more):
    frame = pd.DataFrame({"group": list("ABCD")[: len(pupils)], "pupils": pupils, **more})
    return Sealed(frame, counts=("pupils",), derived=tuple(more))


def names(frame, column="pupils"):
    groups = frame.unseal("to name")["group"]
    return {column: names_of(groups.index, "pupils", period="", group=groups)}


def released(frame, kept, **more):
    return protect(frame, Policy(pattern=kept), names=names(frame), **TOLD, **more)


def test_the_pattern_says_what_is_hidden_and_what_hangs_on_it():
    frame = sealed([3, 20, 40], share=[0.1, 0.2, 0.3])
    shown = released(frame, pattern(A="hidden", B="hidden", C="shown")).text()
    assert shown["pupils"].tolist() == ["c", "c", 40]
    assert shown["share"].tolist() == ["c", "c", 0.3]


def test_a_count_that_the_pattern_does_not_know_does_not_leave():
    with pytest.raises(DisclosureError, match="not protected together") as error:
        released(sealed([30, 20, 40]), pattern(A="shown", B="shown"))
    assert "group=C" in str(error.value)


def test_counts_without_names_do_not_leave_in_a_pack():
    with pytest.raises(DisclosureError, match="without their names"):
        protect(sealed([30, 20]), Policy(pattern=pattern(A="shown", B="shown")), **TOLD)


def test_a_small_count_that_an_old_pattern_would_show_is_refused():
    with pytest.raises(DisclosureError, match="pattern was not made from these counts"):
        released(sealed([4, 20]), pattern(A="shown", B="shown"))


def test_a_row_with_no_such_count_is_not_looked_up():
    frame = Sealed(pd.DataFrame({"group": ["A", ""], "pupils": [np.nan, 20.0]}), counts=("pupils",))
    named = {"pupils": pd.Series(["", "pupils||group=B"])}
    shown = protect(frame, Policy(pattern=pattern(B="shown")), names=named, **TOLD).text()
    assert shown["pupils"].tolist() == ["z", 20.0]


def test_a_table_without_rows_leaves_as_one():
    assert released(sealed([]), pattern(A="shown")).frame.empty


def test_a_rounded_count_stands_with_what_it_is_rounded_to_and_an_exact_one_does_not():
    kept = pattern(A=10, B=10, C="shown")
    shown = released(sealed([1170, 1165, 40], share=[1.0, 2.0, 3.0]), kept).text()
    assert shown["pupils"].tolist() == ["1170 (nearest 10)", "c", 40]
    assert shown["share"].tolist() == [1.0, "c", 3.0]


def test_counts_are_rounded_before_anything_is_worked_out_from_them():
    kept = pattern(A=10, B=20, C="shown", D="hidden")
    counts = pd.Series([1165, 1190, 43, 77])
    assert kept.rounded(counts, names(sealed(counts.tolist()))["pupils"]).tolist() == [1170, 1200, 43, 77]


def test_further_cells_can_be_hidden_for_what_rests_on_another_row():
    frame = sealed([30, 20], ratio=[1.5, 0.7])
    shown = released(frame, pattern(A="shown", B="shown"), hide={"ratio": [True, False]}).text()
    assert shown["ratio"].tolist() == ["c", 0.7]
    assert shown["pupils"].tolist() == [30, 20]


def test_a_pattern_comes_back_from_a_file_whole(tmp_path):
    one = pattern(A="hidden", B=20, C="shown")
    one = PackPattern(one.hidden, one.base, ("Every count of the table would be hidden.",))
    one.save(tmp_path / "pattern.parquet")
    other = PackPattern.load(tmp_path / "pattern.parquet")
    pd.testing.assert_series_equal(one.hidden, other.hidden, check_names=False)
    pd.testing.assert_series_equal(one.base, other.base, check_names=False)
    assert other.problems == one.problems
    assert one.share_lost == pytest.approx(1 / 3)


@pytest.mark.parametrize("method", ["round_5", "midpoint_6", "cell_key"])
def test_under_perturbation_nothing_is_hidden_and_no_rate_of_few_is_shown(method):
    frame = pd.DataFrame({"pupils": [0, 5, 5], "of": [5, 40, 10], "share": [0.0, 12.5, 50.0]})
    counts = Sealed(frame, counts=("pupils", "of"), rates={"share": ("pupils", "of")})
    shown = protect(counts, Policy(method=method), **TOLD).text()
    assert shown["pupils"].tolist() == [0, 5, 5]
    assert shown["share"].tolist() == ["u", 12.5, 50.0]
