"""The command line on the chapters of another folder: ``run.py CHAPTERS refresh PARAMS --out OUT ...``."""

from __future__ import annotations

import sys
from pathlib import Path

from jsna import cli
from jsna.refresh import plan

if __name__ == "__main__":
    plan.NOTEBOOKS = Path(sys.argv[1])
    sys.exit(cli.main(sys.argv[2:]))
