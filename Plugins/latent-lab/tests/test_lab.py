"""The quick demonstration, on a daemon of its own."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from hidra.testing import client, home  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import lab
import png
import scenes


def test_files_come_back_as_they_were():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    assert np.array_equal(png.read(png.write(pixels)), pixels)


def test_the_pictures_differ_by_kind_and_are_the_same_each_time():
    images, kinds = scenes.scenes(20, 28, seed=3)
    assert set(kinds) == set(scenes.KINDS) and len(set(images)) == 20
    assert images == scenes.scenes(20, 28, seed=3)[0]


def test_the_quick_form_makes_a_sheet_in_two_minutes(client):
    images, labels = scenes.scenes(2000, 28, seed=0)
    start = time.monotonic()
    sheets, numbers = lab.work(client, images, labels, quick=True)
    seconds = time.monotonic() - start
    sheet = png.read(lab.joined(sheets))
    assert len(sheets) == 6 and sheet.shape[0] > 1000 and sheet.std() > 20
    assert numbers["vae reconstruction"]["psnr"] > 14, json.dumps(numbers)
    assert numbers["rbm reconstruction"]["psnr"] > 12, json.dumps(numbers)
    assert numbers["accuracy of a linear head on a tenth of the labels"] > 0.4, json.dumps(numbers)
    if os.environ.get("HIDRA_TIMED"):
        assert seconds < 120
