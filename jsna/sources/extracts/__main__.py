"""``python -m jsna.sources.extracts docs/extracts.md``: write the page about local extracts anew."""

import sys
from pathlib import Path

from jsna.sources.extracts import guide_page

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(guide_page(), encoding="utf-8", newline="\n")
