"""HPMCR on MTL-AQA, 1412 dives (Parmar and Morris, CVPR 2019), paired by dive number.

Its labels have no stages, so no transitions can be learnt: stages are equal thirds of the clip, and there is no AIoU.
Scores over the degree of difficulty are regressed, as in CoRe (Yu et al., ICCV 2021), whose protocol the field
follows there; the paper does not say.
"""

_base_ = "full.py"

without = ["segmentation"]
data = {"target": "score_over_difficulty"}
