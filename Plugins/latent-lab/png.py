"""PNG files of eight bits a channel, grey or RGB, in NumPy alone: the daemon writes such files."""

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def write(pixels):
    """uint8 ``[height, width]`` or ``[height, width, 3]`` as a file."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    data = zlib.compress(np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes())

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    return _SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def read(file):
    """uint8 ``[height, width, 3]`` of an RGB file without interlacing."""
    position, data = 8, b""
    while position < len(file):
        (length,) = struct.unpack(">I", file[position : position + 4])
        kind, content = file[position + 4 : position + 8], file[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            if (depth, colour, interlaced) != (8, 2, 0):
                raise ValueError("not an RGB file of eight bits")
        elif kind == b"IDAT":
            data += content
        position += length + 12
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 3 * width)
    pixels = np.zeros((height + 1, 3 * width + 3), np.int32)  # a row above and a pixel to the left of zeros
    for row in range(height):
        _unfilter(lines[row, 0], lines[row, 1:].astype(np.int32), pixels[row], pixels[row + 1])
    return pixels[1:, 3:].astype(np.uint8).reshape(height, width, 3)


def _unfilter(kind, line, above, here):
    if kind == 0:
        here[3:] = line
    elif kind == 2:
        here[3:] = (line + above[3:]) & 255
    else:
        for i in range(3, len(here)):
            left, up, corner = here[i - 3], above[i], above[i - 3]
            if kind == 1:
                guess = left
            elif kind == 3:
                guess = (left + up) // 2
            else:
                estimate = left + up - corner
                near = [(abs(estimate - left), 0, left), (abs(estimate - up), 1, up), (abs(estimate - corner), 2, corner)]
                guess = min(near)[2]
            here[i] = (line[i - 3] + guess) & 255
