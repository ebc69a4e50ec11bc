"""Where the rules live by their names: each is a function from a pair of files to where it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jsna.pack.open_data.pair import Offence, Pair

Rule = Callable[[Pair], Iterable[Offence]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Keep a function as the rule of its own name in `rules.yml`."""
    RULES[function.__name__] = function
    return function
