"""What a run says while it works: a bar where somebody watches, lines where not, and a file of each run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from jsna.errors import WorkbenchError

FOLDER = "logs"
KEPT = 50


class Log:
    """``with Log(stream, out) as log``: ``line`` says something, ``begin`` and ``did`` move the bar.

    The bar counts expected seconds and not tasks, so that what it says is left is about right.
    """

    def __init__(self, stream: TextIO, out: Path) -> None:
        self._stream = stream
        self._out = out / FOLDER
        self._file: TextIO | None = None
        self._bar = None
        self._done = self._number = 0

    def __enter__(self) -> Log:
        now = datetime.now(UTC)
        # a log that cannot be written must not stop the run: what is wrong with the folder is said in its place
        with contextlib.suppress(OSError):
            self._out.mkdir(parents=True, exist_ok=True)
            path = self._out / f"{now:%Y-%m-%dT%H%M%S}-{os.getpid()}.log"
            self._file = path.open("w", encoding="utf-8")
            for old in sorted(self._out.glob("*.log"))[:-KEPT]:
                old.unlink(missing_ok=True)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        if kind is not None:
            # of other errors the text could hold figures about pupils
            told = f": {error}" if isinstance(error, WorkbenchError) else ""
            self._keep(f"ended: {kind.__name__}{told}")
        if self._bar is not None:
            self._bar.close()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def line(self, text: str) -> None:
        """Say something that stays."""
        self._keep(text)
        if self._bar is not None:
            self._bar.write(text, file=self._stream)
        else:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def begin(self, seconds: Iterable[float]) -> None:
        """Tasks that are expected to take ``seconds`` each are about to be done."""
        expected = list(seconds)
        self._number = len(expected)
        if self._stream.isatty():
            from tqdm import tqdm

            form = "{desc} {percentage:3.0f}%|{bar}| {elapsed} so far, about {remaining} left"
            self._bar = tqdm(total=sum(expected), file=self._stream, leave=False, bar_format=form)
            self._bar.set_description_str(f"0 of {self._number}")

    def did(self, text: str, seconds: float, *, failed: bool = False) -> None:
        """One of the tasks is done; a line where nobody watches the bar, or where it failed."""
        self._done += 1
        if self._bar is not None:
            self._bar.update(seconds)
            self._bar.set_description_str(f"{self._done} of {self._number}")
        if self._bar is None or failed:
            self.line(text)
        else:
            self._keep(text)

    def _keep(self, text: str) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
                self._file.flush()
