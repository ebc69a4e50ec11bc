"""The attacker: what the published files of a pack give away (``jsna.audit.audit.audit``).

It shares no code with the gate and the protector, so that it can catch them.
"""
