"""What a chapter's first cell needs: check the parameters, open the area, show errors as sentences."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from traceback import extract_tb
from types import MethodType
from typing import Any

from jsna.area import Area
from jsna.errors import CodeListError, DisclosureError, OutputError, ParamsError, WorkbenchError
from jsna.params import params_of_notebook

__all__ = ["open_area", "told"]

WORKBENCH = Path(__file__).resolve().parents[1]
SAID_WHOLE = (ParamsError, OutputError, CodeListError, DisclosureError)


def open_area(names: dict[str, Any]) -> Area:
    """The area that the notebook's parameters describe; call it with ``globals()`` right after the parameters cell.

    Raises ``ParamsError`` naming every parameter that is unknown or wrong. A notebook shows one area: where the
    parameters name several, it is the first, and a line says so.
    """
    _errors_as_sentences()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    params = params_of_notebook(names)
    area = Area(params.one_area(params.areas[0]))
    if len(params.areas) > 1:
        print(f"The parameters name {len(params.areas)} areas. A notebook shows one: {area.name}, the first.")
        print("`jsna refresh` with the same file makes a pack for each.")
    return area


def told(error: BaseException) -> str:
    """An error as a notebook may keep it: what happened and where, never a value that was calculated with.

    The workbench's own messages about what somebody wrote or asked for (params, codes, the gate) stand whole; others
    without what was found. Of any other error there are the kind and the places in the workbench that it went through.

    >>> from jsna.errors import MeasureError, Problem
    >>> told(MeasureError(Problem("Not a count.", where="row 3", value=9187.5)))
    'row 3: Not a count.'
    >>> told(KeyError(9187.0))
    'Unexpected fault of kind KeyError. Its text is not shown, for it could hold figures about pupils.'
    """
    if isinstance(error, SAID_WHOLE):
        return str(error)
    if isinstance(error, WorkbenchError):
        return "\n".join(str(replace(problem, value=None)) for problem in error.problems)
    way = [
        f"{place}, line {step.lineno}" for step in extract_tb(error.__traceback__) if (place := _place(step.filename))
    ]
    kind = f"Unexpected fault of kind {type(error).__name__}"
    text = "Its text is not shown, for it could hold figures about pupils."
    return f"{kind} in {' > '.join(way)}. {text}" if way else f"{kind}. {text}"


def _place(file: str) -> str:
    path = Path(file)
    return path.relative_to(WORKBENCH).as_posix() if path.is_relative_to(WORKBENCH / "jsna") else ""


def _errors_as_sentences() -> None:
    """In a notebook, show every error as a sentence, also where it comes up while something is being displayed."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return

    def show(shell: Any, exc_tuple: Any = None, *_: object, **__: object) -> None:
        kind, error, _trace = shell._get_exc_info(exc_tuple)
        sentence = told(error)
        shell._showtraceback(kind, sentence, [sentence])

    shell.showtraceback = MethodType(show, shell)
