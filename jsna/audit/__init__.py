"""The attacker: what the published files of a pack give away.

It shares no code with the gate and the protector, so that it can catch them.
"""

from jsna.audit.audit import Report, audit

__all__ = ["Report", "audit"]
