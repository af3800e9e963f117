"""Pictures inside a page, so that it is one file."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray


def data_uri(content: bytes, kind: str) -> str:
    """An address that holds the picture itself; ``kind`` as in ``image/<kind>``."""
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()


QUALITY = 82
"""Of JPEG pictures in pages."""


def picture_uri(picture: NDArray[np.uint8]) -> str:
    """An address that holds a picture uint8 (height, width, 3), RGB, as JPEG."""
    import simplejpeg

    return data_uri(simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=QUALITY), "jpeg")
