"""Measures losses on an imbalanced Banking77: HIDRA_DATA names the folder. Prints the table of README.md.

Of each label so many training rows are kept that the first has 100 and the last 3, on an exponential; which is which is drawn
anew with each seed. The test rows are all 3,080, balanced.
"""

import collections
import os
import time
from pathlib import Path

import numpy as np

import hidra
from focal import focal, label_weights
from hidra.tables import columns_of

SEEDS, MOST, LEAST = 5, 100, 3


def imbalanced(texts, labels, seed):
    random = np.random.default_rng(seed)
    labels, names = np.array(labels), sorted(set(labels))
    sizes = np.round(MOST * (LEAST / MOST) ** (np.arange(len(names)) / (len(names) - 1))).astype(int)
    rows = []
    for place, size in zip(random.permutation(len(names)), sizes):
        own = np.flatnonzero(labels == names[place])
        rows.append(random.choice(own, min(size, len(own)), replace=False))
    kept = random.permutation(np.concatenate(rows))
    return {"text": [texts[row] for row in kept], "label": [str(labels[row]) for row in kept]}


def main():
    folder = Path(os.environ["HIDRA_DATA"]) / "banking77"
    train, test = (columns_of(folder / f"{split}.csv", ["text", "category"]) for split in ("train", "test"))
    test = {"text": test["text"], "label": test["category"]}
    scores = collections.defaultdict(list)
    with hidra.Client() as client:
        for seed in range(SEEDS):
            rows = imbalanced(train["text"], train["category"], seed)
            counts = collections.Counter(rows["label"])
            even = label_weights(counts, beta=1)
            losses = {
                "cross-entropy (the daemon's)": dict(label_smoothing=0.0),
                "cross-entropy, smoothed by 0.1 (the daemon's default)": dict(),
                "cross-entropy (here, focal with γ 0)": dict(loss=focal(0)),
                "focal, γ 2": dict(loss=focal(2)),
                "focal, γ 1, weights": dict(loss=focal(1, even)),
                "focal, γ 2, weights": dict(loss=focal(2, even)),
                "cross-entropy, weights (here, focal with γ 0)": dict(loss=focal(0, even)),
                "cross-entropy, weights, smoothed (the daemon's class_weights)": dict(class_weights=True),
            }
            for title, loss in losses.items():
                start = time.perf_counter()
                result = client.train(
                    rows, encoder="minilm", name="focal-measured", replace=True, seed=seed, test=test, lr=0.01, progress=False, **loss
                )
                speed = result.steps / (time.perf_counter() - start)
                metrics = result.evaluation.metrics
                scores[title].append((metrics["macro_f1"], metrics["accuracy"], speed))
        client.remove("focal-measured")
    print("loss\tmacro-F1\t±\taccuracy\tsteps a second, all in")
    for title, rows in scores.items():
        mean, deviation = np.mean(rows, 0), np.std(rows, 0)
        print(title, f"{mean[0]:.3f}", f"{deviation[0]:.3f}", f"{mean[1]:.3f}", f"{mean[2]:.0f}", sep="\t")


if __name__ == "__main__":
    main()
