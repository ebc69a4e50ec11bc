"""How sure can one be of a survey's figure? The grade of the house rule, with its reasons.

High: complete, direct, stable, narrow. Each of four things can be weak: who answered, how exact it is, whether it is
stable, whether it is what was asked for. One weakness: medium; two, or a figure that stands in for another: low.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from jsna.evidence.voice.rules import rule


@dataclass(frozen=True)
class Confidence:
    """``grade``: high, medium, low or unknown; ``reasons``: why, as sentences."""

    grade: str
    reasons: tuple[str, ...]

    def as_card(self) -> dict[str, object]:
        """The grade as a card holds it."""
        return {"grade": self.grade, "reasons": list(self.reasons)}


def of_estimate(
    answered: float,
    lower: float,
    upper: float,
    *,
    response: float | None,
    uneven: tuple[str, ...],
    weighted: bool,
    effect: float,
    waves: int,
    proxy: str = "",
) -> Confidence:
    """The grade of a share of answers. ``response``: per cent of those asked, nothing where it is not known;
    ``uneven``: groups that answered clearly less often than their share; ``waves``: how often it was asked; ``proxy``:
    for what the question stands in, and how, as a sentence."""
    if pd.isna(lower) or pd.isna(upper):
        return Confidence("unknown", ("There is no figure that may be shown.",))
    who = []
    if response is None:
        who.append("How many were asked is not known.")
    elif response < rule("low_response"):
        who.append(f"Fewer than {rule('low_response')} of a hundred asked answered.")
    if uneven:
        who.append(f"Answered less often than their share: {', '.join(uneven)}.")
    if not weighted:
        who.append("The answers could not be weighted to the make-up of children with SEND.")
    elif effect > rule("design_effect"):
        who.append("The answers came so unevenly that the weights cost much of their exactness.")
    exact = []
    if upper - lower > rule("widest_points"):
        exact.append(f"The interval is wider than {rule('widest_points')} points.")
    if answered < rule("fewest_for_share"):
        exact.append(f"Fewer than {rule('fewest_for_share')} answered.")
    stable = ["It was asked once: whether it is stable is not known."] if waves < 2 else []
    weak = [" ".join(reasons) for reasons in (who, exact, stable) if reasons]
    if proxy:
        return Confidence("low", (proxy, *weak))
    grade = ("high", "medium")[len(weak)] if len(weak) < 2 else "low"
    return Confidence(grade, tuple(weak) or ("Many were asked and answered, evenly and more than once.",))


def of_round(refusal: str, random: bool, lower: float, upper: float, strong: str, rounds: int) -> Confidence:
    """The grade of a round of audits. ``strong``: why the auditors' agreement is weak or not known, else empty."""
    if refusal or pd.isna(lower):
        return Confidence("unknown", (refusal or "There is no figure that may be shown.",))
    weak = []
    if not random:
        weak.append("The plans were not drawn at random.")
    if upper - lower > rule("widest_points"):
        weak.append(f"The interval is wider than {rule('widest_points')} points.")
    if strong:
        weak.append(strong)
    if rounds < 2:
        weak.append("There was one round: whether it is stable is not known.")
    grade = ("high", "medium")[len(weak)] if len(weak) < 2 else "low"
    return Confidence(grade, tuple(weak) or ("Drawn at random, exact enough, and two auditors agree.",))
