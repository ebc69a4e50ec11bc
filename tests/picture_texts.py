"""The texts of a drawn picture, measured: which lie over one another, which leave the picture, how small they are."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text


def caught_figures(monkeypatch) -> list[Figure]:
    """The figures that are drawn from now on, to be measured instead of written."""
    figures: list[Figure] = []
    write = FigureCanvasSVG.print_svg

    def print_svg(canvas, stream, **how):
        if "draw" in vars(canvas.figure):  # it is asked for what it measures text with, and not to draw
            write(canvas, stream, **how)
        else:
            figures.append(canvas.figure)

    monkeypatch.setattr(FigureCanvasSVG, "print_svg", print_svg)
    monkeypatch.setattr(Figure, "savefig", lambda figure, stream, **how: figures.append(figure))
    return figures


def texts(figure: Figure) -> list[Text]:
    """Each text that a reader sees, after the layout was made."""
    figure.draw_without_rendering()
    bare = _bare(figure)
    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and id(t) not in bare]


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts of a picture that lie over one another."""
    return _pairs(texts(figure))


def faults(figure: Figure, least_type: float) -> list[str]:
    """Each text of a picture that lies over another, is cut, or is smaller than ``least_type`` points."""
    seen = texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    boxes = [(t.get_text(), t.get_window_extent()) for t in seen]
    cut = [text for text, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]
    small = [t.get_text() for t in seen if t.get_fontsize() < least_type]
    return [
        *(f"{a!r} lies over {b!r}" for a, b in _pairs(seen)),
        *(f"{text!r} is cut" for text in cut),
        *(f"{text!r} is too small" for text in small),
    ]


def _pairs(seen: list[Text]) -> list[tuple[str, str]]:
    boxes = [(t.get_text(), t.get_window_extent()) for t in seen]
    return [
        (a, b) for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other) and one.width and other.width
    ]


def _bare(figure: Figure) -> set[int]:
    """Texts that are there but not drawn: of a hidden panel, of an axis turned off, or of a number off the axis."""
    bare = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            drawn = {id(t) for t in axis._update_ticks()} if axes.axison else set()
            bare |= {id(label) for t in ticks if id(t) not in drawn for label in (t.label1, t.label2)}
            bare |= set() if axes.axison else {id(axis.label)}
        if not axes.get_visible():
            bare |= {id(t) for t in axes.findobj(Text)}
    return bare
