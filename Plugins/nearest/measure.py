"""Measures on Banking77 with 5, 10 and 20 examples of each label: HIDRA_DATA names the folder. Prints the table of README.md."""

import os
import time
from pathlib import Path

import numpy as np

import hidra
from examples import Examples
from hidra.tables import columns_of

SEEDS = 5


def main():
    folder = Path(os.environ["HIDRA_DATA"]) / "banking77"
    train, test = (columns_of(folder / f"{split}.csv", ["text", "category"]) for split in ("train", "test"))
    print("examples\tnearest\t±\tone nearest\tlinear head, trained\tseconds to add all")
    with hidra.Client() as client:
        vectors = client.embed("minilm", test["text"], progress=False)
        labels = np.array(train["category"])
        for count in (5, 10, 20):
            ours, one, linear, seconds = [], [], [], []
            for seed in range(SEEDS):
                random = np.random.default_rng(seed)
                rows = np.concatenate([random.choice(np.flatnonzero(labels == name), count, replace=False) for name in sorted(set(labels))])
                texts, answers = [train["text"][row] for row in rows], [train["category"][row] for row in rows]
                start = time.perf_counter()
                examples = Examples.of(client, "minilm")
                examples.add(client, texts, answers)
                seconds.append(time.perf_counter() - start)
                names = examples.names
                targets = np.array([names.index(answer) for answer in test["category"]])
                ours.append((examples.scores(vectors).argmax(1) == targets).mean())
                nearest = [examples.labels[row] for row in examples.nearest(vectors)]
                one.append(np.mean([a == b for a, b in zip(nearest, test["category"])]))
                result = client.train(
                    {"text": texts, "label": answers}, encoder="minilm", name="nearest-measured", replace=True, seed=seed,
                    test={"text": test["text"], "label": test["category"]}, validation=0.0, progress=False,
                )  # fmt: skip
                linear.append(result.metrics["accuracy"])
            means = [f"{np.mean(ours):.3f}", f"{np.std(ours):.3f}", f"{np.mean(one):.3f}", f"{np.mean(linear):.3f}"]
            print(count, *means, f"{np.median(seconds):.2f}", sep="\t", flush=True)
        client.remove("nearest-measured")


if __name__ == "__main__":
    main()
