"""How a diver looks: skin, hair and face, swimwear with its cut and pattern, painted face by face onto the body.

What tells front from back, and so right from left, is painted as it is in life: the face against the hair, the
neckline against the cut of the back and its straps, breast and navel against the furrow of the spine, kneecaps
against hollows, palms and soles lighter than backs of hands and insteps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finediving_pose.synth.anatomy import ANGLES, SIDES, Tube
from finediving_pose.synth.canvas import Colour, random_colour, shade

TONES: tuple[Colour, ...] = (
    (246, 205, 180), (238, 188, 156), (226, 172, 136), (212, 154, 116), (190, 130, 92), (156, 102, 72), (118, 76, 54),
    (84, 54, 40),
)  # fmt: skip
HAIR: tuple[Colour, ...] = ((26, 22, 22), (40, 29, 24), (70, 46, 30), (120, 84, 50), (176, 140, 88), (20, 20, 26))

FRONT, BACK = np.pi / 2, -np.pi / 2


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and cuts of a diver; ``cut`` are heights in statures (see :mod:`anatomy`), by name."""

    skin: Colour
    hair: Colour
    suit: Colour
    second: Colour
    pattern: str
    tape: Colour | None
    cut: dict[str, float]
    woman: bool
    bun: bool
    shine: float


def random_look(rng: np.random.Generator, woman: bool) -> Look:
    """Skin, hair and swimwear of one diver."""
    tone = rng.beta(1.1, 1.7) * (len(TONES) - 1)
    low = min(int(tone), len(TONES) - 2)
    mixed = np.array(TONES[low]) + (tone - low) * (np.array(TONES[low + 1]) - TONES[low])
    red, green, blue = np.clip(mixed * rng.uniform(0.98, 1.02, 3), 0, 255)
    dark = tone > 4
    hair = HAIR[0 if dark else int(rng.integers(len(HAIR)))]
    suit = _cloth(rng)
    cut = {
        "neckline": float(rng.uniform(0.225, 0.275)), "back": float(rng.uniform(0.10, 0.25)),
        "leg": float(rng.uniform(0.0, 0.06)), "waistband": float(rng.uniform(0.015, 0.06)),
        "trunks": float(rng.choice([0.0, 0.0, 0.3, 0.65])), "slant": float(rng.uniform(-1, 1)),
    }  # fmt: skip
    return Look(
        (float(red), float(green), float(blue)), shade(hair, rng.uniform(0.8, 1.2)), suit, _cloth(rng),
        str(rng.choice(["plain", "plain", "sides", "diagonal", "bands", "top", "front"])),
        (228.0, 222.0, 214.0) if rng.random() < 0.5 else None, cut, woman, woman and rng.random() < 0.8,
        float(rng.uniform(0.1, 0.5)),
    )  # fmt: skip


def _cloth(rng: np.random.Generator) -> Colour:
    """Mostly black, navy, red or white; sometimes anything."""
    if rng.random() < 0.35:
        return random_colour(rng, (0.5, 1.0), (0.35, 0.95))
    usual = ((22, 22, 28), (24, 30, 70), (190, 26, 34), (28, 60, 150), (235, 235, 235), (20, 90, 80), (110, 20, 50))
    return shade(usual[rng.choice(len(usual), p=[0.28, 0.2, 0.18, 0.14, 0.06, 0.07, 0.07])], rng.uniform(0.8, 1.2))


def paint(look: Look, parts: list[Tube]) -> NDArray[np.float64]:
    """Colour of every face (strips, SIDES, 3) RGB 0 to 255, strips in the order of the parts' rings."""
    painted = []
    for part in parts:
        middles = np.array([(a + b) / 2 for a, b in zip(part.levels[:-1], part.levels[1:], strict=True)])
        side, _, name = part.name.rpartition(" ")
        # Angles of a left limb are mirrored, so that 0 is the outer side of both.
        angle = ANGLES if side.startswith("left") or part.limb in ("trunk", "head") else np.pi - ANGLES
        level, around = np.meshgrid(middles, angle, indexing="ij")
        colour = np.empty((len(middles), SIDES, 3))
        colour[:] = look.skin
        _PAINTERS[name](look, colour, level, around)
        painted.append(colour)
    return np.concatenate(painted)


def _near(around: np.ndarray, towards: float, reach: float) -> np.ndarray:
    """Whether faces look to within ``reach`` of an angle, radians."""
    return np.abs((around - towards + np.pi) % (2 * np.pi) - np.pi) < reach


def _suit(look: Look, level: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Cloth with its pattern (..., 3)."""
    x, y = np.cos(around), level
    second = {
        "plain": np.zeros(level.shape, bool),
        "sides": np.abs(x) > 0.8,
        "diagonal": y + 0.12 * look.cut["slant"] * x > 0.12,
        "bands": (y * 22).astype(int) % 2 == 1,
        "top": y > 0.13,
        "front": _near(around, FRONT, 0.9),
    }[look.pattern]
    return np.where(second[..., None], look.second, look.suit)


def _trunk(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    front, back = _near(around, FRONT, 1.2), _near(around, BACK, 1.2)
    spine = _near(around, BACK, 0.2) & (level > 0.03) & (level < 0.29)
    colour[spine] *= 0.86
    colour[_near(around, BACK, 0.7) & (level > 0.19) & (level < 0.28) & ~spine] *= 1.06
    colour[_near(around, FRONT, 0.2) & (level > 0.02)] *= 0.94
    colour[_near(around, FRONT, 0.8) & (level > 0.2) & (level < 0.235)] *= 0.93
    colour[_near(around, FRONT, 0.2) & (level > 0.03) & (level < 0.09)] *= 0.9
    colour[level > 0.34] *= 0.86
    if look.woman:
        top = np.where(front, look.cut["neckline"], np.where(back, look.cut["back"], 0.22))
        straps = (level < 0.315) & (
            (_near(around, BACK, 0.6) & ~_near(around, BACK, 0.2))
            | (_near(around, FRONT, 0.8) & ~_near(around, FRONT, 0.2))
        )
        bottom = np.where(front | back, -1.0, look.cut["leg"] - 0.03)
        worn = ((level < top) | straps) & (level > bottom)
    else:
        worn = level < look.cut["waistband"]
    colour[worn] = (_suit(look, level, around) * np.where(spine, 0.88, 1.0)[..., None])[worn]


def _head(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    line = np.interp(
        np.abs((around - FRONT + np.pi) % (2 * np.pi) - np.pi), [0.6, 1.3, 1.9, 3.2], [0.106, 0.09, 0.06, 0.02]
    )
    cheek = _near(around, FRONT, 1.2) & (level > 0.03) & (level < 0.07)
    colour[cheek] *= (1.03, 0.95, 0.93)
    colour[_near(around, FRONT, 0.2) & (level > 0.015) & (level < 0.045)] *= (0.92, 0.78, 0.76)
    colour[_near(around, FRONT, 0.7) & ~_near(around, FRONT, 0.2) & (level > 0.06) & (level < 0.08)] *= 0.55
    colour[level < 0.02] *= 0.8
    hair = level > line
    colour[hair] = look.hair


def _bun(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    del level, around
    colour[:] = look.hair


def _glute(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    cheek = np.cos(around) > 0.7
    colour[:] = _suit(look, 0 * level, around)
    if look.woman:
        colour[cheek & (level < look.cut["leg"] * 10 - 0.3)] = look.skin


def _thigh(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    worn = (level < 0.0) & (np.cos(around) < 0.3) if look.woman else level < max(look.cut["trunks"], 0.07)
    colour[worn] = _suit(look, 0 * level - 0.02, around)[worn]
    colour[_near(around, FRONT, 0.8) & (level > 0.93)] *= (0.90, 0.84, 0.82)
    colour[_near(around, BACK, 0.8) & (level > 0.7)] *= 0.93


def _shank(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    del look
    colour[_near(around, FRONT, 0.8) & (level < 0.06)] *= (0.90, 0.84, 0.82)
    colour[_near(around, FRONT, 0.3) & (level > 0.1)] *= 1.06
    colour[_near(around, BACK, 0.8) & (level < 0.1)] *= 0.88


def _foot(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    del look
    colour[_near(around, BACK, 1.2)] *= (1.10, 1.0, 0.96)
    colour[_near(around, FRONT, 1.2) & (level > 0.8)] *= (0.96, 0.88, 0.86)


def _arm(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    del look
    colour[(level > 0.95) | (level < 0.0)] *= 0.96
    colour[np.cos(around) < -0.5] *= 1.04


def _forearm(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    del around
    if look.tape:
        colour[level > 0.85] = look.tape


def _hand(look: Look, colour: np.ndarray, level: np.ndarray, around: np.ndarray) -> None:
    del look, level
    colour[np.cos(around) < -0.4] *= (1.14, 1.06, 1.04)


_PAINTERS = {
    "trunk": _trunk, "head": _head, "bun": _bun, "glute": _glute, "thigh": _thigh, "shank": _shank, "foot": _foot,
    "arm": _arm, "forearm": _forearm, "hand": _hand,
}  # fmt: skip
