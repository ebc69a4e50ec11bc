"""Evidence cards: one message each, with how sure it is, what people say, and what is lacking."""

from jsna.evidence.cards.complete import FIELDS, Setting, completed
from jsna.evidence.cards.confidence import graded, not_known

__all__ = ["FIELDS", "Setting", "completed", "graded", "not_known"]
