"""Draws ``docs/model.svg``, the figure of ``docs/model.md``: python docs/model_figure.py"""

from __future__ import annotations

from pathlib import Path

WIDTH, HEIGHT = 1240, 640
INK, FAINT = "#1f2933", "#66727f"
INPUT, ENCODER, STAGE, COMPARE, LOSS = "#e8eef5", "#cfe3f7", "#d9ecd9", "#f8e3c8", "#b3402f"

parts: list[str] = []


def text(
    x: float, y: float, words: str, size: int = 13, colour: str = INK, weight: int = 400, anchor: str = "middle"
) -> None:
    """Words whose middle (or start) is at x, on the line y."""
    parts.append(
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" font-weight="{weight}" text-anchor="{anchor}">'
        f"{words}</text>"
    )


def box(x: float, y: float, width: float, height: float, fill: str, title: str, *lines: str) -> None:
    """A rounded box with a title and smaller lines below it."""
    parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7" fill="{fill}" stroke="#9aa7b4"/>')
    top = y + height / 2 - 8 * len(lines) + 5
    text(x + width / 2, top, title, 14, weight=600)
    for n, line in enumerate(lines, 1):
        text(x + width / 2, top + 17 * n, line, 12, FAINT)


def arrow(*points: tuple[float, float], shape: str = "", colour: str = INK, dashed: bool = False) -> None:
    """A line through points with a head at the last; the shape of what flows above its first horizontal piece."""
    path = "M" + " L".join(f"{x} {y}" for x, y in points)
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    head = "loss" if colour == LOSS else "ink"
    parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"{dash} marker-end="url(#{head})"/>')
    if shape:
        (x1, y1), (x2, _) = points[0], points[1]
        text((x1 + x2) / 2, y1 - 6, shape, 11, FAINT)


def band(x: float, width: float, title: str) -> None:
    """A column of the figure."""
    parts.append(f'<rect x="{x}" y="44" width="{width}" height="{HEIGHT - 96}" rx="10" fill="#f7f9fb"/>')
    text(x + width / 2, 34, title, 13, FAINT, 600)


def draw() -> str:
    """The figure as SVG."""
    band(14, 116, "clip")
    band(142, 224, "encoders")
    band(378, 434, "stages")
    band(824, 402, "query against exemplar")

    box(24, 92, 96, 130, INPUT, "video", "T = 96", "112 × 112")
    box(24, 432, 96, 90, INPUT, "pose", "T × 16 joints")

    box(192, 76, 164, 72, ENCODER, "I3D", "9 snippets of 16", "dynamic visual")
    box(192, 222, 164, 72, ENCODER, "RegNetY, gate-shift", "every frame", "static visual")
    box(192, 441, 164, 72, ENCODER, "HD-GCN", "5 levels, thorax", "to wrists and ankles")
    arrow((120, 112), (192, 112))
    arrow((120, 190), (156, 190), (156, 258), (192, 258))
    arrow((120, 477), (192, 477))

    box(420, 316, 128, 66, STAGE, "segmentation", "bi-GRU, linear", "transitions t1, t2")
    arrow((356, 258), (484, 258), (484, 316), shape="96 × 368")
    box(420, 79, 128, 66, STAGE, "cut, resample", "K tokens a stage", "reduce to D")
    box(590, 225, 128, 66, STAGE, "cut, resample", "K tokens a stage", "reduce to D")
    box(420, 444, 128, 66, STAGE, "cut, resample", "K tokens a stage")
    arrow((356, 112), (420, 112), shape="9 × 1024")
    arrow((484, 258), (590, 258))
    arrow((356, 477), (420, 477), shape="96 × 256")
    arrow((548, 349), (572, 349), (572, 128), (548, 128), dashed=True)
    arrow((548, 349), (654, 349), (654, 291), dashed=True)
    arrow((484, 382), (484, 444), dashed=True)

    box(660, 79, 118, 66, STAGE, "fusion", "visual tokens see", "the skeleton's")
    arrow((548, 100), (660, 100), shape="S × K × D")
    arrow((548, 477), (748, 477), (748, 145), shape="S × K × D")

    box(868, 79, 152, 66, COMPARE, "4 decoder blocks", "query tokens attend", "to the exemplar's")
    box(868, 225, 152, 66, COMPARE, "4 decoder blocks", "query tokens attend", "to the exemplar's")
    arrow((778, 112), (868, 112), shape="fused")
    arrow((718, 258), (868, 258), shape="static")
    box(1062, 79, 136, 66, COMPARE, "head", "a number a token,", "mean over a stage")
    box(1062, 225, 136, 66, COMPARE, "head", "a number a token,", "mean over a stage")
    arrow((1020, 112), (1062, 112))
    arrow((1020, 258), (1062, 258))
    box(1010, 338, 188, 58, COMPARE, "stage weights", "learnt, shared by both branches")
    arrow((1198, 112), (1214, 112), (1214, 367), (1198, 367))
    arrow((1130, 291), (1130, 338), shape="")
    text(1150, 320, "S numbers", 11, FAINT, anchor="start")
    box(1010, 438, 188, 52, COMPARE, "relative score", "mean of both branches")
    arrow((1104, 396), (1104, 438))
    box(1010, 532, 188, 52, INPUT, "score of the query", "mean of 10 votes")
    arrow((1104, 490), (1104, 532))
    box(838, 532, 132, 52, INPUT, "exemplar's score")
    arrow((970, 558), (1010, 558), shape="+")

    box(838, 438, 132, 52, "#ffffff", "score loss", "both directions")
    arrow((1010, 464), (970, 464), colour=LOSS, dashed=True)
    box(838, 166, 150, 40, "#ffffff", "stage contrast loss")
    arrow((820, 112), (820, 186), (838, 186), colour=LOSS, dashed=True)
    arrow((820, 258), (820, 186), (838, 186), colour=LOSS, dashed=True)
    box(590, 390, 142, 40, "#ffffff", "segmentation loss")
    arrow((530, 382), (530, 410), (590, 410), colour=LOSS, dashed=True)

    symbols = "Every clip is encoded once, pairs of clips are compared. S = 3 stages (native: 5), K = 10, D = 256."
    text(16, 612, symbols, 12, FAINT, anchor="start")
    text(16, 630, "Dashed black: where to cut. Dashed red: what is trained on.", 12, FAINT, anchor="start")
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
        for name, colour in (("ink", INK), ("loss", LOSS))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="Helvetica, Arial, sans-serif"><title>HPMCR: from a clip to a score</title>'
        f'<defs>{heads}</defs><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(parts)}</svg>\n"
    )


if __name__ == "__main__":
    Path(__file__).with_name("model.svg").write_text(draw(), encoding="utf-8")
