"""Where a pack lies: one run at a time, made beside its place, and moved there whole.

Beside the folder of a pack ``2026`` there are, with a dot before their names: ``.2026.lock``, which a run holds while
it works and the system lets go of however the run ends; ``.2026.part``, in which the next pack is made and finished
chapters of a stopped run wait, with their keys in ``.2026.part.keys``; and, where the system cannot exchange two
folders in one step, ``.2026.previous``.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from jsna.errors import OutputError, Problem

NOTEBOOKS = "notebooks"
AT_FDCWD, EXCHANGE = -100, 2


@contextlib.contextmanager
def claimed(final: Path) -> Iterator[None]:
    """Hold the place of a pack for one run. What a run that was killed left between two names is put right.

    Raises ``OutputError`` where another run holds it, or where the folder cannot be written: nothing has run by then.
    """
    lock = FileLock(final.parent / f".{final.name}.lock", timeout=0)
    try:
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            _put_right(final)
        except Timeout:
            mend = "Wait until it is done, or stop it; then run again. Another folder can be named with --out."
            raise OutputError(Problem("Another run is making this pack.", value=_near(final), mend=mend)) from None
        except OSError as error:
            raise cannot_write(final.parent, error) from None
        yield
    finally:
        lock.release()


def cannot_write(folder: Path, error: OSError) -> OutputError:
    """What a user is told when the system refuses to write."""
    full = is_full(error)
    mend = (
        "Make room, and run again: chapters that were finished are kept."
        if full
        else "Choose a folder you may write to, with --out."
    )
    reason = "there is no space left" if full else error.strerror or str(error)
    return OutputError(Problem(f"The pack cannot be written here ({reason}).", "--out", _near(folder), mend=mend))


def is_full(error: OSError) -> bool:
    """Whether the system refused to write for want of space."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def part_of(final: Path) -> Path:
    """The folder in which the next pack is made."""
    return final.parent / f".{final.name}.part"


def keys_of(staging: Path) -> Path:
    """Where lie, while a pack is made, the keys of its chapters: what each was made from."""
    return staging.with_name(f"{staging.name}.keys")


def staging_folder(final: Path) -> Path:
    """A new, empty folder beside ``final``. Raises ``OutputError`` when it cannot be written."""
    staging = part_of(final)
    try:
        shutil.rmtree(staging, ignore_errors=True)
        (staging / NOTEBOOKS).mkdir(parents=True)
    except OSError as error:
        raise cannot_write(final.parent, error) from None
    return staging


def put_in_place(staging: Path, final: Path) -> None:
    """Move the finished pack to its place; the one before stays whole until then.

    Every file is on the disk before the name is given, so that not even a loss of power leaves half a pack.
    """
    previous = _previous(final)
    try:
        _to_disk(staging)
        if not final.exists():
            staging.rename(final)
        elif _exchange(staging, final):
            shutil.rmtree(staging, ignore_errors=True)
        else:
            shutil.rmtree(previous, ignore_errors=True)
            final.rename(previous)
            staging.rename(final)
            shutil.rmtree(previous, ignore_errors=True)
        shutil.rmtree(keys_of(staging), ignore_errors=True)
        _folder_to_disk(final.parent)
    except OSError as error:
        if previous.exists() and not final.exists():
            previous.rename(final)
        raise OutputError(
            Problem(
                f"The finished pack could not take its place ({error.strerror or error}).",
                value=_near(final),
                mend="Close any program that has a file of the pack open, and run again.",
            )
        ) from None


def _put_right(final: Path) -> None:
    previous = _previous(final)
    if previous.exists() and not final.exists():
        previous.rename(final)
    shutil.rmtree(previous, ignore_errors=True)


def _previous(final: Path) -> Path:
    return final.parent / f".{final.name}.previous"


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where the system can: then there is no moment without a pack."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    return rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE) == 0


def _to_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
    for path in (*(p for p in folder.rglob("*") if p.is_dir()), folder):
        _folder_to_disk(path)


def _folder_to_disk(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _near(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
