"""Evidence for what no official statistic tells: surveys, comments, quotes, what was done, and audits of plans.

``gathered`` → ``tallied`` (true counts) → the gate → ``estimates``, ``weighting`` (``raking``, ``population``),
``themes``, ``quotes``, ``actions``, ``audits``; ``pairs`` sets families' answers beside figures, ``confidence`` grades
what can be said. Questions to ask are in ``questions.yml``, and ``kit`` writes them to files.
"""

from jsna.evidence.voice.gathered import Voice, voice_lists, voice_of, wave_name
from jsna.evidence.voice.tallied import VoiceCounts, area_counts, counts_of

__all__ = ["Voice", "VoiceCounts", "area_counts", "counts_of", "voice_lists", "voice_of", "wave_name"]
