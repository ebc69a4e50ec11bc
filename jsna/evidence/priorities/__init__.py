"""Which priorities does the evidence speak for, by which stated rules, and how firm is that?"""

from jsna.evidence.priorities.facts import facts_of
from jsna.evidence.priorities.proposals import Proposal, proposals
from jsna.evidence.priorities.rules import Rules, read_rules, rules_of
from jsna.evidence.priorities.scores import scored
from jsna.evidence.priorities.sensitivity import Sensitivity, sensitivity

__all__ = [
    "Proposal",
    "Rules",
    "Sensitivity",
    "facts_of",
    "proposals",
    "read_rules",
    "rules_of",
    "scored",
    "sensitivity",
]
