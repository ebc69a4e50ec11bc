"""The gate that everything leaving passes."""

from jsna.disclosure.gate import AddsUp, Policy, protect, publish_facts, publish_official, too_few_for_a_rate
from jsna.disclosure.pattern import PackPattern, names_of
from jsna.disclosure.released import SYMBOLS, Released, with_symbol, with_symbols

__all__ = [
    "SYMBOLS",
    "AddsUp",
    "PackPattern",
    "Policy",
    "Released",
    "names_of",
    "protect",
    "publish_facts",
    "publish_official",
    "too_few_for_a_rate",
    "with_symbol",
    "with_symbols",
]
