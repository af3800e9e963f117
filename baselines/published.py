"""What has been published on FineDiving, to stand beside our own figures, never among them."""

from __future__ import annotations

COLUMNS = ("rho", "R-l2 x 100", "AIoU@0.5", "AIoU@0.75")

Row = tuple[float | None, ...]

PUBLISHED: dict[str, tuple[Row, Row]] = {
    "USDL": ((0.8302, 0.592, None, None), (0.8504, 0.583, None, None)),
    "MUSDL": ((0.8427, 0.573, None, None), (0.8978, 0.370, None, None)),
    "CoRe": ((0.8631, 0.556, None, None), (0.9061, 0.361, None, None)),
    "TSA": ((0.8925, 0.478, 80.71, 30.17), (0.9203, 0.342, 82.51, 34.31)),
    "MCoRe": ((0.8897, 0.461, 89.42, 74.46), (0.9232, 0.326, 98.26, 79.17)),
    "HPMCR": ((0.9041, 0.411, 98.17, 93.68), (0.9383, 0.269, 99.07, 97.96)),
}
"""By method: without, then with dive number. Source: arXiv 2501.03674, table of results on FineDiving.

No spread over seeds is published. The public code has seed 0 and batches of 8.
"""

CAVEAT = "no spread is published; the public code (seed 0, batches of 8) picks each figure's epoch on the test split"
