"""The gate that everything leaving passes."""

from jsna.disclosure.gate import AddsUp, Policy, protect, publish_facts, publish_official, too_few_for_a_rate
from jsna.disclosure.released import SYMBOLS, Released

__all__ = [
    "SYMBOLS",
    "AddsUp",
    "Policy",
    "Released",
    "protect",
    "publish_facts",
    "publish_official",
    "too_few_for_a_rate",
]
