"""One connection a process: an engine is opened when something is first asked of it, and kept for the next question."""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from jsna.engines import Engine
from jsna.errors import SourceError

if TYPE_CHECKING:
    from jsna.params import Warehouse

_HELD: dict[Warehouse, tuple[Engine, ExitStack]] = {}


@contextmanager
def asking(named: Warehouse) -> Iterator[Engine]:
    """The engine that the params name, open. One that failed is closed, so that the next question opens it anew.

    Raises ``SourceError`` where it cannot be opened, or cannot answer.
    """
    if named not in _HELD:
        stack = ExitStack()
        _HELD[named] = (stack.enter_context(named.opened()), stack)
    try:
        yield _HELD[named][0]
    except SourceError:
        _close(named)
        raise


def let_go() -> None:
    """Close what this process holds open, so that no server waits for it."""
    for named in list(_HELD):
        _close(named)


def _close(named: Warehouse) -> None:
    _, stack = _HELD.pop(named, (None, ExitStack()))
    # What has died cannot be closed, and why it failed has been said already.
    with contextlib.suppress(SourceError, OSError):
        stack.close()


atexit.register(let_go)
