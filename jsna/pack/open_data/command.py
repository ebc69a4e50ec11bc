"""The command `jsna screen`: would Explore Education Statistics take these files?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jsna.errors import SourceError
from jsna.pack.open_data.places import places_at_hand
from jsna.pack.open_data.screener import Finding, Screening, pairs_in, screen_pair

MOST_OF_A_RULE = 5


def run(where: Path) -> int:
    """Print what the screener says of each file. 0: none failed; 1: one failed.

    Raises ``SourceError`` where files cannot be read, all of them named, after the others were told.
    """
    places, results, unread = places_at_hand(), [], []
    for data, meta in pairs_in(where):
        try:
            results.append(screen_pair(data, meta, places))
        except SourceError as error:
            unread += error.problems
    print("\n".join(line for result in results for line in as_text(result)))
    if unread:
        raise SourceError(*unread)
    return int(any(result.failed for result in results))


def as_text(result: Screening) -> Iterator[str]:
    """A line on the file, and one on each finding, the first few of a rule.

    >>> list(as_text(Screening("pupils.csv", ())))
    ['pupils.csv: passes.']
    """
    warned = f", with {len(result.warned)} warnings" if result.warned else ""
    if result.failed:
        yield f"{result.file}: does not pass. Looked at up to “{result.stopped_at}”; later rules were not reached."
    else:
        yield f"{result.file}: passes{warned}."
    for findings in _by_rule(result.findings):
        yield from (f"  {finding}" for finding in findings[:MOST_OF_A_RULE])
        if len(findings) > MOST_OF_A_RULE:
            yield f"  {findings[0].level} {findings[0].rule}: and {len(findings) - MOST_OF_A_RULE} more."


def _by_rule(findings: Sequence[Finding]) -> list[list[Finding]]:
    kept: dict[str, list[Finding]] = {}
    for finding in findings:
        kept.setdefault(finding.rule, []).append(finding)
    return list(kept.values())
