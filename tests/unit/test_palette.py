"""The colours as readers see them who print in grey or see fewer colours: told apart by lightness, or by a mark."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from picture_texts import caught_figures
from test_every_chart import CASES, draw_beside, draw_dots, draw_forest, draw_funnel, draw_gaps, draw_trend

from jsna.exhibits.charts import palette

# Machado, Oliveira and Fernandes 2009, A physiologically-based model for simulation of color vision deficiency, IEEE
# Transactions on Visualization and Computer Graphics 15(6): severity 1.0, applied to linear RGB.
EYES = {
    "all colours": np.eye(3),
    "no red (protanopia)": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green (deuteranopia)": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue (tritanopia)": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
WORDS, MARKS, SIMULATED_MARKS = 4.5, 3.0, 2.5  # contrast with white: WCAG 1.4.3 and 1.4.11; the last is ours
NEXT_CLASS, SAME_MARK = 1.25, 1.5  # contrast between classes of a map next to one another; of series of one mark


def lightness(colour, eye: str) -> float:
    """Relative luminance (WCAG 2), after the eye's loss: what is left of a colour in grey."""
    part = np.array(to_rgb(colour))
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float((EYES[eye] @ linear).clip(0, 1) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other, eye: str) -> float:
    low, high = sorted((lightness(one, eye), lightness(other, eye)))
    return (high + 0.05) / (low + 0.05)


def test_known_contrasts_come_out():
    assert contrast("#000000", "#FFFFFF", "all colours") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF", "all colours") == pytest.approx(4.48, abs=0.005)
    greys = [contrast("#777777", "#FFFFFF", eye) for eye in EYES]
    assert max(greys) - min(greys) < 0.01  # who sees fewer colours sees grey as it is


@pytest.mark.parametrize("eye", EYES)
def test_words_can_be_read_and_marks_be_seen_on_white(eye):
    colours = palette()
    assert all(contrast(colours[name], "white", eye) >= WORDS for name in ("ink", "muted"))
    least = MARKS if eye == "all colours" else SIMULATED_MARKS
    marks = [colours["main"], colours["second"], *colours["others"]]
    assert [c for c in marks if contrast(c, "white", eye) < least] == []


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("fills", ["sequential", "uncertainty"])
def test_classes_of_a_map_grow_darker_step_by_step(fills, eye):
    classes = palette()[fills]
    steps = [contrast(a, b, eye) for a, b in pairwise(classes)]
    assert min(steps) >= NEXT_CLASS
    assert [lightness(c, eye) for c in classes] == sorted((lightness(c, eye) for c in classes), reverse=True)


@pytest.mark.parametrize("case", ["odd names", "large beside small"])
@pytest.mark.parametrize("draw", [draw_trend, draw_gaps, draw_forest, draw_funnel, draw_beside, draw_dots])
def test_what_is_not_told_apart_by_lightness_has_a_mark_or_dash_of_its_own(draw, case, monkeypatch):
    figures = caught_figures(monkeypatch)
    draw(CASES[case])
    lines = [line for axes in figures[0].axes for line in axes.lines if line.get_marker() not in ("None", "", None)]
    looks = {
        (m.get_marker(), m.get_linestyle(), str(m.get_markerfacecolor())): None for m in lines if len(m.get_xdata())
    }
    assert looks
    alike = [
        (one, other)
        for one, other in combinations(looks, 2)
        if one[:2] == other[:2] and min(contrast(one[2], other[2], eye) for eye in EYES) < SAME_MARK
    ]
    assert alike == []


def test_of_twenty_two_lines_no_two_have_mark_and_dash_alike(monkeypatch):
    figures = caught_figures(monkeypatch)
    many = CASES["sixty groups"]
    draw_trend(replace(many, names=many.names[:22], values=many.values[:22]))
    lines = [line for line in figures[0].axes[0].lines if line.get_marker() not in ("None", "", None)]
    assert len(lines) == 22
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 22
