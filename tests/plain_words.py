"""Words that pages must not use of figures from one point in time, and claims that no figure can carry."""

from __future__ import annotations

import re

CAUSAL = re.compile(
    r"\b(because of|caus\w*|due to|led to|leads to|result(?:s|ed)? (?:in|from)|thanks to|impact)\b", re.I
)
# "No difference" claims what no interval can show; groups are named one by one.
CLAIMS = re.compile(r"\b(no difference between|proves?|BAME|BME|non-white|ethnic minorit\w+|disproven)\b", re.I)
