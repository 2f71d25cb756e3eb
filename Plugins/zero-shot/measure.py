"""Measures on Banking77 and CLINC150: HIDRA_DATA names the folder that has both. Prints the table of README.md."""

import json
import os
from pathlib import Path

import numpy as np

import hidra
import zero_shot
from hidra.tables import columns_of


def banking77(folder, split):
    table = columns_of(folder / f"banking77/{split}.csv", ["text", "category"])
    return table["text"], table["category"]


def clinc150(folder, split):
    with open(folder / "clinc150/data_full.json", encoding="utf-8") as file:
        rows = json.load(file)[split]
    return [text for text, _ in rows], [label for _, label in rows]


def few(texts, labels, count):
    """The first ``count`` rows of each label."""
    seen: dict = {}
    kept = []
    for row, label in enumerate(labels):
        seen[label] = seen.get(label, 0) + 1
        if seen[label] <= count:
            kept.append(row)
    return [texts[row] for row in kept], [labels[row] for row in kept]


def main():
    folder = Path(os.environ["HIDRA_DATA"])
    print("labels\taccuracy\ttemperature\tECE\tfitted temperature\tECE")
    with hidra.Client() as client:
        described = columns_of(zero_shot.HERE / "data/banking77.tsv", ["label", "description"])
        test, dev = banking77(folder, "test"), few(*banking77(folder, "train"), 2)
        names = sorted(set(test[1]))
        sets = [
            ("Banking77, names", names, (), test, dev),
            ("Banking77, names and descriptions", described["label"], described["description"], test, dev),
            ("CLINC150, names", sorted(set(clinc150(folder, "test")[1])), (), clinc150(folder, "test"), few(*clinc150(folder, "val"), 1)),
        ]
        for title, names, descriptions, (texts, answers), (dev_texts, dev_answers) in sets:
            labels = zero_shot.embed_labels(client, "minilm", names, descriptions)
            vectors, targets = client.embed("minilm", texts, progress=False), np.array([names.index(a) for a in answers])
            dev_targets = np.array([names.index(a) for a in dev_answers])
            fitted = zero_shot.fit_temperature(labels, client.embed("minilm", dev_texts, progress=False), dev_targets)
            row = [f"{(labels.scores(vectors, 1).argmax(1) == targets).mean():.3f}"]
            for temperature in (zero_shot.TEMPERATURE, fitted):
                error = zero_shot.calibration_error(labels.scores(vectors, temperature), targets)
                row += [f"{temperature:.3f}", f"{error:.3f}"]
            print(title, *row, sep="\t", flush=True)


if __name__ == "__main__":
    main()
