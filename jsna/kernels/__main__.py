"""Run a command that starts notebooks, such as nbval, with warm kernels: ``python -m jsna.kernels COMMAND ...``.

The word ``{kernel}`` in the command becomes the name of the kernel: the warm one, or the plain one where there is none.
"""

from __future__ import annotations

import os
import subprocess
import sys

from jsna.kernels.warm import Kernels


def main(words: list[str]) -> int:
    """The command's exit code."""
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    with Kernels() as kernels:
        if kernels.why:
            print(f"Kernels start plain: {kernels.why}.", file=sys.stderr)
        command = [word.replace("{kernel}", kernels.name) for word in words]
        return subprocess.run(command, env=os.environ | kernels.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
