"""True counts and the ways out: a number that is planted in them comes out of none."""

import copy
import dataclasses
import inspect
import io
import json
import logging
import pickle
import pprint
import traceback
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from jsna.disclosure import Released, publish_facts, publish_official
from jsna.errors import DisclosureError
from jsna.exhibits.charts import bars
from jsna.notebook import told
from jsna.pack.harvest import EXHIBIT, scrub
from jsna.refresh import refresh
from jsna.refresh.expected import Expected
from jsna.refresh.log import Log
from jsna.refresh.pool import Done
from jsna.refresh.tasks import Job, Outcome, make
from jsna.sealed import Sealed

matplotlib.use("Agg")
PLANTED = "918726451"
SECRET = float(PLANTED)


def sealed() -> Sealed:
    return Sealed(pd.DataFrame({"group": list("AB"), "pupils": [SECRET, 40.0]}), counts=("pupils",))


def printed(s):
    stream = io.StringIO()
    with redirect_stdout(stream):
        print(s, [s], {"s": s}, sep="\n")
    return stream.getvalue()


def logged(s):
    stream = io.StringIO()
    logger = logging.Logger("a test", logging.DEBUG)
    logger.addHandler(logging.StreamHandler(stream))
    try:
        raise ValueError(s)
    except ValueError:
        logger.exception("%s %r", s, s)
    return stream.getvalue()


def warned(s):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.warn(str(s), stacklevel=1)
    return str([str(w.message) for w in seen])


def trace_with_locals(s):
    held, error = {"counts": s}, None
    try:
        raise KeyError(held)
    except KeyError as raised:
        error = traceback.TracebackException.from_exception(raised, capture_locals=True)
    return "".join(error.format())


def shown_by_jupyter(s):
    from IPython.core.formatters import DisplayFormatter

    return str(DisplayFormatter().format(s))


def svg_of(draw):
    def picture(s):
        from matplotlib import pyplot as plt

        figure, axes = plt.subplots()
        try:
            draw(axes, s)
            stream = io.StringIO()
            figure.savefig(stream, format="svg")
            return stream.getvalue()
        finally:
            plt.close(figure)

    return picture


def by_seaborn(axes, s):
    import seaborn

    seaborn.barplot(data=s, x="group", y="pupils", ax=axes)


def everything_readable(s):
    found = []
    for name in dir(s):
        try:
            found.append(repr(getattr(s, name)))
        except Exception as error:
            found.append(repr(error))
    return "\n".join(found)


WAYS = {
    "repr": repr,
    "ascii": ascii,
    "format": lambda s: f"{s} {s!r:>200} {s:.3f} {'%s'} " % s,
    "print": printed,
    "pprint": pprint.pformat,
    "vars": vars,
    "__dict__": lambda s: s.__dict__,
    "every attribute": everything_readable,
    "getmembers": inspect.getmembers,
    "asdict": dataclasses.asdict,
    "astuple": dataclasses.astuple,
    "replace": lambda s: dataclasses.replace(s, counts=()),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of what holds it": lambda s: copy.deepcopy({"a": [s]}),
    "pickle": pickle.dumps,
    "json by default": lambda s: json.dumps(s, default=vars),
    "json as text": lambda s: json.dumps({"s": s}, default=str),
    "yaml": yaml.dump,
    "frame of it": lambda s: pd.DataFrame([s]).to_string(),
    "column of it": lambda s: pd.Series([s]).to_string(),
    "frame from it": lambda s: pd.DataFrame(s).to_string(),
    "array": lambda s: np.array2string(np.asarray(s)),
    "array of objects": lambda s: repr(np.asarray(s, dtype=object).tolist()),
    "loop": lambda s: list(s),
    "in": lambda s: 3 in s,
    "column": lambda s: s["pupils"],
    "frame": lambda s: s.frame,
    "_frame": lambda s: s._frame,
    "values": lambda s: s.values,
    "to_csv": lambda s: s.to_csv(),
    "to_html": lambda s: s.to_html(),
    "error's text": lambda s: f"{ValueError('no', s)} {KeyError(s)!r}",
    "log": logged,
    "warning": warned,
    "traceback with locals": trace_with_locals,
    "display": shown_by_jupyter,
    "line": svg_of(lambda axes, s: axes.plot(s)),
    "bars": svg_of(lambda axes, s: axes.bar([0, 1], s)),
    "picture's title": svg_of(lambda axes, s: axes.set(title=str(s), gid=str(s))),
    "seaborn": svg_of(by_seaborn),
    "as official": lambda s: publish_official(s, source="somebody").text().to_string(),
    "as facts": lambda s: publish_facts(s, source="somebody", synthetic=False).text().to_string(),
    "as released": lambda s: Released(s, s, "somebody").text().to_string(),
    "exhibit": lambda s: bars(s, id="x", title="x", group="group", value="pupils", unit="pupils").html(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_no_way_out_of_sealed_counts_shows_the_planted_number(way):
    try:
        out = way(sealed())
    except Exception as error:
        out = "".join(traceback.format_exception(error))
    assert PLANTED not in (out.decode("latin-1") if isinstance(out, bytes) else repr(out) + str(out))


def test_the_planted_number_would_be_found():
    open_frame = sealed().unseal("a test")
    assert PLANTED in repr(open_frame)
    assert PLANTED in "".join(trace_with_locals(open_frame))


@pytest.mark.parametrize("name", ["__main__", "analyst.helpers", ""])
def test_true_counts_open_for_code_of_the_workbench_alone(name):
    code = "got = counts.unseal('to look')\n"
    with pytest.raises(DisclosureError, match="not in a notebook"):
        exec(compile(code, "a cell", "exec"), {"__name__": name, "counts": sealed()})
    exec(compile(code, "a cell", "exec"), {"__name__": "jsna.chapters.population", "counts": sealed()})


def test_counts_do_not_outlive_their_wrapper():
    from jsna import sealed as module

    before = len(module._FRAMES)
    held = sealed()
    assert len(module._FRAMES) == before + 1
    del held
    assert len(module._FRAMES) == before


PARAMETERS = 'areas = ["E06000032"]'
OPENED = f"""
import warnings
import pandas as pd
from IPython.display import display
from jsna.notebook import open_area
from jsna.sealed import Sealed
area = open_area({{"areas": ["E06000032"]}})
secret = {int(PLANTED) - 1} + 1.0
raw = pd.DataFrame({{"group": list("AB"), "pupils": [secret, 40.0], "total": [50.0, 90.0]}})
hidden = Sealed(raw, ("pupils",))
class Breaks:
    def _repr_html_(self):
        raise ValueError(f"no picture of {{raw}}")
"""
# What must show nothing even on the analyst's own screen,
NEVER = {
    "last line": "hidden",
    "print": "print(hidden, [hidden])",
    "display": "display(hidden)",
    "unsealed": "hidden.unseal('to look')",
    "unsealed by a detour": "list(map(lambda s: s.unseal('to look'), [hidden]))",
    "error of arithmetic": "raise ValueError(raw)",
    "missing key": "{}[raw['pupils'][0]]",
    "lookup": "raw.set_index('pupils').loc[1.0, str(secret)]",
    "own error with a value": (
        "from jsna.disproportionality.patterns import usable_counts\n"
        "usable_counts(raw['pupils'], raw['total'], raw['group'])"
    ),
    "error of an error": "try:\n    raise KeyError(secret)\nexcept KeyError as e:\n    raise ValueError(raw) from e",
    "several at once": "raise ExceptionGroup('both', [ValueError(secret), KeyError(secret)])",
    "traceback with all values": "%xmode Verbose\nraise RuntimeError(raw.to_json())",
    "traceback again": "%tb",
    "error while showing": "Breaks()",
}
# and what a pack must not hold, whatever the analyst sees.
NOT_IN_A_PACK = {
    "open frame": "raw",
    "open column": "raw['pupils'].tolist()",
    "printed frame": "print(raw.to_csv())",
    "frame shown": "display(raw, metadata={'text/plain': {'count': secret}})",
    "warning": "warnings.warn(str(secret))",
    "picture": "%matplotlib inline\nraw.plot(title=str(secret));",
    "inspector": "%whos",
    "to the terminal": "import sys; print(secret, file=sys.stderr)",
}


@pytest.fixture(scope="module")
def executed():
    """A notebook that tries all of these, run to its end in a kernel, by the cells' names."""
    from nbclient import NotebookClient

    names = ["opened", *NEVER, *NOT_IN_A_PACK]
    cells = [nbformat.v4.new_code_cell(c) for c in (OPENED, *NEVER.values(), *NOT_IN_A_PACK.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=120).execute()
    return notebook, dict(zip(names, notebook.cells, strict=True))


@pytest.mark.parametrize("name", NEVER)
def test_a_notebook_cannot_show_true_counts_by_accident(executed, name):
    outputs = executed[1][name].outputs
    assert outputs, "the cell says something"
    assert PLANTED not in json.dumps(outputs)
    assert "Traceback" not in json.dumps(outputs)


def test_what_a_notebook_shows_openly_never_reaches_a_pack(executed):
    notebook, cells = executed
    assert not cells["opened"].outputs
    assert all(PLANTED in json.dumps(cells[name].outputs) for name in ("open frame", "printed frame", "warning"))
    for cell in notebook.cells:
        cell.metadata["papermill"] = {"exception": True, "duration": SECRET}
    notebook.metadata["papermill"] = {"parameters": {"secret": SECRET}}
    kept = scrub(copy.deepcopy(notebook))
    assert PLANTED not in json.dumps(kept)
    assert all(not cell.outputs for cell in kept.cells)


def test_an_exhibit_reaches_a_pack_without_what_was_put_beside_it():
    data = {EXHIBIT: {"id": "x"}, "text/html": "<p>x</p>", "text/plain": "x", "image/png": PLANTED}
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data, metadata={"a": SECRET})])
    (kept,) = scrub(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs
    assert set(kept["data"]) == {EXHIBIT, "text/html", "text/plain"}
    assert not kept["metadata"]


def test_a_chapter_that_fails_says_so_without_a_value_in_notebook_or_report(tmp_path):
    path, output = tmp_path / "09-fails.ipynb", tmp_path / "made.ipynb"
    cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(c) for c in (OPENED, "{}[raw['pupils'][0]]")]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=spec), path)
    outcome = make(Job(0, "09-fails", path, output, {"areas": ["E06000032"]}, {}))
    assert outcome.error.startswith("KeyError: Unexpected fault of kind KeyError")
    assert PLANTED not in outcome.error
    assert not output.exists()
    assert list(tmp_path.iterdir()) == [path], "nothing of it is written anywhere"


def test_the_log_of_a_refresh_names_the_kind_of_an_error_and_not_its_text(tmp_path):
    job = Job(0, "03-ethnicity", Path("03-ethnicity.ipynb"), tmp_path / "03-ethnicity.ipynb", {}, {})
    done = Done((0, job.chapter), Outcome(job, 1.0, f"KeyError: {SECRET}"))
    work = SimpleNamespace(pack=SimpleNamespace(label="Luton"), errors={}, staging=tmp_path)
    said = io.StringIO()
    with Log(said, tmp_path) as log:
        refresh._chapter_done(work, job.chapter, done, Expected(tmp_path / "seconds.json"), log, 1.0)
    (file,) = (tmp_path / "logs").iterdir()
    assert "failed: unexpected fault of kind KeyError" in said.getvalue()
    assert PLANTED not in said.getvalue() + file.read_text(encoding="utf-8") + str(work.errors)


def test_an_error_names_the_places_in_the_workbench_and_no_folder_of_the_computer():
    try:
        Sealed(pd.DataFrame(), ()).unseal(None)  # type: ignore[arg-type]
    except AttributeError as error:
        sentence = told(error)
    assert "jsna/sealed.py, line " in sentence
    assert str(Path(__file__).resolve().parents[2]) not in sentence
