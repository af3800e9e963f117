"""What a pose estimator is: a batch of crops in, joints and their confidence out; and a locator: whole frames in."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Finder(Protocol):
    """Finds k points in each crop.

    Attributes
    ----------
    id : str
        Written beside every pose it makes, so that a pose can be traced to its maker.
    input_size : (width, height) of the crops it wants, pixels
    padding : a box is enlarged by this factor about its centre before it is cropped
    unbiased : crops are warped corner-pixel centre to corner-pixel centre (UDP, arXiv 1911.07524)
    """

    id: str
    input_size: tuple[int, int]
    padding: float
    unbiased: bool

    def estimate(self, crops: np.ndarray, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """The points of each crop.

        Parameters
        ----------
        crops : uint8 (n, height, width, 3), RGB
        places : 2 also for the second best place of every point, as another k points after the first; where two divers
            are in the crop, it is the other's. An estimator without heatmaps finds none

        Returns
        -------
        points : float32 (n, k, 2), fractions of the crop's width and height, (0, 0) its top-left
            corner; NaN where nothing was found
        confidence : float32 (n, k), 0 to 1; 0 where nothing was found
        """
        ...


class Estimator(Finder, Protocol):
    """Finds the 16 joints of one diver in each crop.

    Attributes
    ----------
    thorough : the same estimator, taking the mean over as many views of every crop as its configuration names; itself
        where it names none
    """

    @property
    def thorough(self) -> Estimator: ...

    def mirror_gaps(self, crops: np.ndarray) -> np.ndarray:
        """How far the joints of each crop lie from those of its mirror image, in widths of the crop: float (n, 16).

        An estimator that knows where a joint is finds it in both at the same place.
        """
        ...
