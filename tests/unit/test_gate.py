"""What may leave, and what a notebook sees that forgets the gate."""

import pickle

import pandas as pd
import pytest

from jsna.disclosure import AddsUp, Policy, Released, protect, publish_official
from jsna.errors import DisclosureError
from jsna.exhibits.charts import bars
from jsna.sealed import Sealed

SECRET = pd.DataFrame({"group": ["A", "B", "C"], "pupils": [3, 20, 40]})


def released(frame, **roles):
    relations = roles.pop("relations", ((),))
    sealed = Sealed(frame, **({"counts": ("pupils",)} | roles))
    return protect(sealed, Policy(), source="a test", synthetic=True, relations=relations)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        pytest.param([3, 20, 40], ["c", "c", 40.0], id="a lone small count gets a companion"),
        pytest.param([3, 4, 40], ["c", "c", 40.0], id="two small ones protect each other"),
        pytest.param([5, 20, 40], [5.0, 20.0, 40.0], id="five may be shown"),
        pytest.param([0, 20, 40], ["c", "c", 40.0], id="zero is hidden like one to four"),
    ],
)
def test_small_counts_are_hidden_with_a_companion(counts, shown):
    table = released(SECRET.assign(pupils=counts))
    assert table.text()["pupils"].tolist() == shown


def test_everything_worked_out_from_a_hidden_count_is_hidden():
    frame = pd.DataFrame({"x": [3, 50, 60], "n": [100, 200, 300], "risk": [0.03, 0.25, 0.2], "ratio": [0.1, 1.2, 1.0]})
    table = released(frame, counts=("x", "n"), rates={"risk": ("x", "n")}, derived=("ratio",))
    assert table.text().loc[0, ["x", "risk", "ratio"]].tolist() == ["c", "c", "c"]


def test_a_count_is_hidden_when_its_complement_is_small():
    frame = pd.DataFrame({"x": [98, 50, 60], "n": [100, 200, 300], "risk": [0.98, 0.25, 0.2]})
    assert released(frame, counts=("x", "n"), rates={"risk": ("x", "n")}, relations=()).text()["x"].tolist()[0] == "c"


def test_no_rate_under_the_minimum_denominator():
    frame = pd.DataFrame({"x": [5, 50], "n": [9, 200], "risk": [0.5, 0.25]})
    text = released(frame.assign(x=[0, 50]), counts=("n",), rates={}, derived=("risk",), relations=()).text()
    assert text["risk"].tolist() == [0.5, 0.25]
    table = protect(
        Sealed(pd.DataFrame({"x": [5, 50], "n": [9, 200], "risk": [0.5, 0.25]}), ("x", "n"), {"risk": ("x", "n")}),
        Policy(threshold=2),
        source="a test",
        synthetic=True,
        relations=(),
    )
    assert table.text()["risk"].tolist() == ["u", 0.25]


def test_parts_of_a_known_sum_are_protected_together():
    frame = pd.DataFrame({"part": ["any", "support", "plan"], "group": ["A"] * 3, "pupils": [33, 30, 3]})
    assert (released(frame, relations=(("group",),)).text()["pupils"] == "c").sum() == 2


@pytest.mark.parametrize(
    "show",
    [repr, str, "{}".format, lambda s: s._repr_mimebundle_()["text/plain"]],
    ids=["repr", "str", "format", "notebook"],
)
def test_true_counts_show_a_sentence_and_no_figure(show):
    text = show(Sealed(SECRET.assign(pupils=[311, 322, 333]), ("pupils",)))
    assert "not shown" in text
    assert not any(figure in text for figure in ("311", "322", "333"))


@pytest.mark.parametrize(
    "attempt",
    [
        pickle.dumps,
        list,
        lambda s: s["pupils"],
        lambda s: s.to_csv(),
        lambda s: s.unseal(" "),
        lambda s: bars(s, id="x", title="x", group="group", value="pupils", unit="pupils"),
        lambda s: publish_official(s, source="somebody"),
    ],
    ids=["pickle", "loop", "column", "to_csv", "no purpose", "chart", "as official"],
)
def test_true_counts_cannot_be_taken_out(attempt):
    with pytest.raises(DisclosureError):
        attempt(Sealed(SECRET, ("pupils",)))


def test_only_sealed_counts_pass_the_gate():
    with pytest.raises(DisclosureError, match="sealed"):
        protect(SECRET, Policy(), source="a test", synthetic=True)


def test_official_figures_need_their_source_and_never_have_empty_cells():
    with pytest.raises(DisclosureError, match="source"):
        publish_official(SECRET, source=" ")
    table = publish_official(pd.DataFrame({"v": [1.0, None]}), source="DfE")
    assert isinstance(table, Released)
    assert table.text()["v"].tolist() == [1.0, "x"]


def test_a_sum_of_some_rows_gets_its_companion_whatever_else_is_hidden():
    frame = pd.DataFrame(
        {
            "outcome": ["any", "support", "plan", "need one", "need two"],
            "group": "A",
            "pupils": [16.0, 12.0, 4.0, 3.0, 13.0],
        }
    )
    sums = frame["outcome"].isin(["any", "support", "plan"])
    plain, safe = (
        protect(Sealed(frame, counts=("pupils",)), Policy(), source="made up", synthetic=True, relations=r).text()
        for r in ((("group",),), (AddsUp(("group",), sums), AddsUp(("group",), ~sums)))
    )
    # Hidden among many, the plan is still any less support.
    assert (plain["pupils"][:3] == "c").sum() == 1
    assert (safe["pupils"][:3] == "c").sum() == 2
    assert (safe["pupils"][3:] == "c").sum() == 2
