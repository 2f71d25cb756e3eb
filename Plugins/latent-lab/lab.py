#!/usr/bin/env python3
"""Trains a VAE and a Boltzmann machine on images without labels, looks into their latent spaces, and writes a contact sheet."""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

import hidra
import png
from hidra.plugin import Plugin
from scenes import scenes


def train(client, images, name, **settings):
    """Trains an encoder under a name that may be taken by an earlier run."""
    if any(encoder.name == name for encoder in client.encoders()):
        client.remove(name, with_heads=True)
    return client.pretrain(images, name=name, **settings)


def parted(images, labels):
    """The images a training sees, and some that it does not."""
    held = max(24, len(images) // 20)
    return images[held:], labels[held:], images[:held], labels[:held]


def work(client, images, labels, quick):
    """Returns the sheets, each with its name, and the numbers."""
    seen, seen_labels, held, _ = parted(images, labels)
    start = time.monotonic()
    vae = train(
        client, seen, "lab-vae", kind="vae", code=16, epochs=60 if quick else 80, patience=80, beta=0.03,
        widths=[16, 32] if quick else [32, 64], hidden=128 if quick else 256)  # fmt: skip
    belief = train(
        client, seen, "lab-belief", kind="rbm", units=[128 if quick else 256], epochs=60, learning_rate=0.02, batch_size=20)
    sheets, numbers = [], {"vae": dict(vae.figures), "rbm": dict(belief.figures), "images": len(seen)}

    def show(title, encoder, verb, *arguments, **options):
        result = client.latent(encoder, verb, *arguments, **options)
        if result.sheet:
            sheets.append((title, result.sheet))
        return result

    numbers["vae reconstruction"] = dict(show("VAE: images, and what their codes are decoded to", "lab-vae", "reconstruct", held[:24]).figures)
    show("VAE: drawn at random", "lab-vae", "sample", count=24, seed=1)
    show("VAE: from one image to another", "lab-vae", "interpolate", held[:2], count=12)
    if len(set(seen_labels)) > 1:
        first = sorted(set(seen_labels))[0]
        learned = client.latent(
            "lab-vae", "learn", seen[:2000], labels=seen_labels[:2000], direction=first, label=first, method="probe").directions[0]
        numbers[f"direction {first}"] = learned.quality
        show(f"VAE: more and more {first}", "lab-vae", "edit", held[1:3], direction=first, amounts=[round(0.2 * i, 2) for i in range(12)])
        # A tenth of the labels, on the layer below the code.
        few = len(seen) // 10
        head = client.train(
            {"image": seen[:few], "label": seen_labels[:few]}, test={"image": held, "label": labels[: len(held)]}, image="image",
            encoder="lab-vae", tap=vae.encoder.taps[-2], name="lab-kind", replace=True, progress=False)  # fmt: skip
        numbers["accuracy of a linear head on a tenth of the labels"] = head.evaluation.metrics["accuracy"]
    numbers["rbm reconstruction"] = dict(
        show("Boltzmann machine: images, and what comes back", "lab-belief", "reconstruct", held[:24]).figures)
    show("Boltzmann machine: drawn by Gibbs sampling", "lab-belief", "sample", count=24, seed=1)
    numbers["seconds"] = time.monotonic() - start
    return sheets, numbers


def joined(sheets):
    """All sheets below each other, of one width."""
    pictures = [png.read(sheet) for _, sheet in sheets]
    width = max(picture.shape[1] for picture in pictures)
    rows = []
    for picture in pictures:
        row = np.full((picture.shape[0] + 12, width, 3), 32, np.uint8)
        row[: picture.shape[0], : picture.shape[1]] = picture
        row[picture.shape[0] + 4 : picture.shape[0] + 6] = 90
        rows.append(row)
    return png.write(np.concatenate(rows))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of images, a sub-folder for each label (default: pictures made here)")
    parser.add_argument("--quick", action="store_true", help="small networks, few pictures: less than two minutes")
    parser.add_argument("-o", "--output", type=Path, default=Path("latent-lab.png"), help="the contact sheet")
    parser.add_argument("--serve", action="store_true", help="and stay, as the daemon's plugin")
    options = parser.parse_args(arguments)
    with Plugin("latent-lab", version="1.0.0") as plugin:
        if options.data is not None:
            files = sorted(path for path in options.data.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))
            order = np.random.default_rng(0).permutation(len(files))
            images, labels = [files[i].read_bytes() for i in order], [files[i].parent.name for i in order]
        else:
            images, labels = scenes(2000 if options.quick else 6000, 28, seed=0)
        sheets, numbers = work(plugin.client, images, labels, options.quick)
        options.output.write_bytes(joined(sheets))
        for title, _ in sheets:
            print(title)
        print(json.dumps(numbers, indent=1, sort_keys=True))
        if options.serve:
            plugin.wait()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hidra.HidraError as error:
        sys.exit(f"latent-lab: {error}")
