"""Writes the images beside it, and what they decode to: expected.safetensors, `NAME` [height, width, 3] as Pillow sees it.

    python make.py            # needs Pillow and NumPy; the same versions give the same bytes
"""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

here = Path(__file__).parent
expected = {}
rng = np.random.default_rng(7)


def picture(height, width):
    """Smooth colours with a bright corner, so that turning it the wrong way is seen."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([255 * x / (width - 1), 255 * y / (height - 1), 128 + 60 * np.sin(x / 3) * np.cos(y / 4)], axis=2)
    rgb[: height // 3, : width // 4] = [250, 240, 20]
    return rgb.round().astype(np.uint8)


def save(name, image, pixels=None, **options):
    image.save(here / name, **options)
    expect(name, pixels)


def expect(name, pixels=None):
    expected[name] = np.asarray(Image.open(here / name).convert("RGB")) if pixels is None else pixels


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, interlace=0, extra=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    )


def filtered(rows):
    return b"".join(b"\0" + row.tobytes() for row in rows)


rgb = picture(18, 25)
image = Image.fromarray(rgb)
for turn in range(1, 9):
    save(f"orientation_{turn}.jpg", image, quality=95, subsampling=0, exif=exif(turn))
    expected[f"orientation_{turn}.jpg"] = np.asarray(ImageOps.exif_transpose(Image.open(here / f"orientation_{turn}.jpg")))
for name in ["orientation_6.png", "orientation_6.webp"]:
    options = {"lossless": True} if name.endswith("webp") else {}
    save(name, image, rgb, exif=exif(6), **options)
    expected[name] = np.asarray(ImageOps.exif_transpose(Image.open(here / name)).convert("RGB"))

save("gray.jpg", image.convert("L"), quality=90)
save("progressive.jpg", image, quality=90, progressive=True)
save("subsampled.jpg", image, quality=80, subsampling=2)
save("cmyk.jpg", image.convert("CMYK"), quality=95)
# The same stored numbers read as luma, chroma and black: Adobe's transform 2.
inks = (here / "cmyk.jpg").read_bytes()
at = inks.index(b"Adobe") + 11
(here / "ycck.jpg").write_bytes(inks[:at] + b"\2" + inks[at + 1 :])
expect("ycck.jpg")

save("rgb.png", image)
save("gray.png", image.convert("L"))
save("gray_alpha.png", Image.merge("LA", [image.convert("L"), image.convert("L").rotate(180)]))
save("bilevel.png", image.convert("1"))
rgba = image.convert("RGBA")
rgba.putalpha(image.convert("L"))
save("rgba.png", rgba, rgb)
palette = image.quantize(9)
save("palette.png", palette, transparency=2, bits=4)

wide = rng.integers(0, 65536, (11, 13, 3), dtype=np.uint16)
(here / "rgb16.png").write_bytes(png(13, 11, 16, 2, filtered(wide.astype(">u2"))))
expect("rgb16.png", (wide >> 8).astype(np.uint8))
grey = wide[:, :, 0]
(here / "gray16.png").write_bytes(png(13, 11, 16, 0, filtered(grey.astype(">u2"))))
expect("gray16.png", np.repeat((grey >> 8).astype(np.uint8)[:, :, None], 3, axis=2))
# A gamma and a background that Pillow, and so the encoders' training, ignores.
extra = chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"bKGD", struct.pack(">HHH", 9, 9, 9)) + chunk(b"tRNS", bytes(6))
(here / "gamma.png").write_bytes(png(25, 18, 8, 2, filtered(rgb), extra=extra))
expect("gamma.png", rgb)
passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
rows = b"".join(filtered(rgb[y::dy, x::dx]) for y, x, dy, dx in passes)
(here / "interlaced.png").write_bytes(png(25, 18, 8, 2, rows, interlace=1))
expect("interlaced.png", rgb)

save("lossless.webp", image, rgb, lossless=True)
save("lossy.webp", image, quality=80)
save("alpha.webp", rgba, quality=80)
save("alpha_lossless.webp", rgba, rgb, lossless=True, exact=True)
image.save(here / "animated.webp", save_all=True, append_images=[image.rotate(180)], lossless=True)

# Headers that promise far more than the file holds.
(here / "bomb.png").write_bytes(png(60000, 60000, 8, 2, bytes(1000)))
plain = (here / "gray.jpg").read_bytes()
at = plain.index(b"\xff\xc0") + 5
(here / "bomb.jpg").write_bytes(plain[:at] + struct.pack(">HH", 65500, 65500) + plain[at + 4 :])
lossless = (here / "lossless.webp").read_bytes()
at = lossless.index(b"VP8L") + 9
(here / "bomb.webp").write_bytes(lossless[:at] + struct.pack("<I", 0x0FFFFFFF) + lossless[at + 4 :])
# A progressive file whose first scan comes three hundred times.
scans = (here / "progressive.jpg").read_bytes()
at = scans.index(b"\xff\xda")
end = next(i for i in range(at + 14, len(scans)) if scans[i] == 0xFF and scans[i + 1] != 0)
(here / "scans.jpg").write_bytes(scans[:at] + scans[at:end] * 300 + scans[end:])
# Bytes between segments, which many cameras leave.
at = plain.index(b"\xff\xc0")
(here / "stray_bytes.jpg").write_bytes(plain[:at] + bytes(5) + plain[at:])
expect("stray_bytes.jpg", expected["gray.jpg"])

header, data = {}, b""
for name, pixels in sorted(expected.items()):
    header[name] = {"dtype": "U8", "shape": list(pixels.shape), "data_offsets": [len(data), len(data) + pixels.size]}
    data += pixels.astype(np.uint8).tobytes()
text = json.dumps(header, sort_keys=True).encode()
text += b" " * (-len(text) % 8)
(here / "expected.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
