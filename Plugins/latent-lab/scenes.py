"""Simple pictures that are made here: a disc, a ring, a square, a triangle or a bar, of random size, place and turn, white on black."""

import numpy as np

import png

KINDS = ("bar", "disc", "ring", "square", "triangle")


def picture(kind, side, random):
    """uint8 ``[side, side]``, edges smoothed over a pixel."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float64)
    size = side * random.uniform(0.16, 0.3)
    cx, cy = random.uniform(size + 1, side - size - 2, 2)
    angle = random.uniform(-0.5, 0.5)
    u = np.cos(angle) * (x - cx) + np.sin(angle) * (y - cy)
    v = np.cos(angle) * (y - cy) - np.sin(angle) * (x - cx)
    if kind == "disc":
        distance = np.hypot(u, v) - size
    elif kind == "ring":
        distance = np.abs(np.hypot(u, v) - size * 0.8) - side * 0.045
    elif kind == "square":
        distance = np.maximum(np.abs(u), np.abs(v)) - size * 0.85
    elif kind == "bar":
        distance = np.maximum(np.abs(u) - size * 1.1, np.abs(v) - side * 0.06)
    else:
        distance = np.maximum.reduce([v - size * 0.6, 0.866 * u - 0.5 * v - size * 0.6, -0.866 * u - 0.5 * v - size * 0.6])
    return (np.clip(0.5 - distance, 0, 1) * 255).astype(np.uint8)


def scenes(count, side, seed):
    """PNG files and the name of what each shows."""
    random = np.random.default_rng(seed)
    kinds = [KINDS[row % len(KINDS)] for row in range(count)]
    return [png.write(picture(kind, side, random)) for kind in kinds], kinds
