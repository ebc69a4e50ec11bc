"""Where a run puts aside what it has read: a folder for its owner alone, which outlives no run for long."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "jsna-run-"
IN_USE = ".in-use"
SETTLED_SECONDS = 60.0


@contextlib.contextmanager
def put_aside(shared: Path | None = None) -> Iterator[Path]:
    """A folder that its owner alone can read, and that goes when the run ends: in the system's temporary folder, or
    hidden in ``shared``. Folders of runs that were killed are deleted first: no process holds them any more.
    """
    where = shared or Path(tempfile.gettempdir())
    prefix = f".{PREFIX}" if shared else PREFIX
    clear(where, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=where) as name, FileLock(Path(name) / IN_USE):
        yield Path(name)


def clear(where: Path, prefix: str) -> None:
    """Delete this user's folders that no run holds. A young one may be about to be held, and stays."""
    for left in where.glob(f"{prefix}*"):
        with contextlib.suppress(OSError, Timeout):
            about = left.lstat()
            mine = not hasattr(os, "getuid") or about.st_uid == os.getuid()
            if not left.is_symlink() and left.is_dir() and mine and time.time() - about.st_mtime > SETTLED_SECONDS:
                with FileLock(left / IN_USE, timeout=0):
                    pass
                shutil.rmtree(left, ignore_errors=True)
