"""What a chapter's first cell needs: check the parameters, open the area, show errors as sentences."""

from __future__ import annotations

import warnings
from typing import Any

from jsna.area import Area
from jsna.errors import WorkbenchError
from jsna.params import params_of_notebook

__all__ = ["open_area"]


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


def _errors_as_sentences() -> None:
    """In a notebook, show the workbench's own errors as their message alone, without a traceback."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return

    def show(shell: Any, kind: type, value: BaseException, trace: object, tb_offset: int | None = None) -> None:
        shell._showtraceback(kind, value, [str(value)])

    shell.set_custom_exc((WorkbenchError,), show)
