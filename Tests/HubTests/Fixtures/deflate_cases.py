"""Compresses sample texts in many ways with zlib, for tests. Standard library only."""

import base64
import random
import zlib

rng = random.Random(7)
samples = {
    "empty": b"",
    "one byte": b"x",
    "a run of one byte": b"a" * 70_000,
    "noise": rng.randbytes(70_000),
    "few symbols": bytes(rng.choice(b"ab") for _ in range(20_000)),
    "words": b" ".join(rng.choice([b"head", b"tap", b"pooling", b"encoder", b"logits"]) for _ in range(20_000)),
    "hexadecimal numbers": b"".join(rng.gauss(0, 1).hex().encode()[:9] for _ in range(8_000)),
    "farthest distances": rng.randbytes(32_768) * 2,
    "longer than the window": rng.randbytes(1_000) * 400,
    # The last copy runs over the end of a reader's buffer when the input has already been used up.
    "just over 256 KiB": b"a" * ((1 << 18) + 1),
}
strategies = {"filtered": 1, "huffman only": 2, "run lengths": 3, "fixed codes": 4}


def deflate(data, level, strategy):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    # Flushes in between make empty stored blocks.
    half = len(data) // 2
    first = packer.compress(data[:half]) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + packer.compress(data[half:]) + packer.flush()


def variants(data):
    for level in (0, 1, 6, 9):
        yield f"level {level}", deflate(data, level, 0)
    for name, strategy in strategies.items():
        yield name, deflate(data, 6, strategy)


def make():
    """Every sample with its packed forms, in base64."""
    return [
        {
            "name": name,
            "plain": base64.b64encode(data).decode(),
            "packed": {variant: base64.b64encode(packed).decode() for variant, packed in variants(data)},
        }
        for name, data in samples.items()
    ]
