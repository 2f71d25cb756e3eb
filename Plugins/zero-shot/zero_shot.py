"""Labels as words, no training: a text gets the label whose name and description lie nearest to it.

    python3 zero_shot.py predict "there is a hole in the road"     # with the labels of data/labels.tsv
    python3 zero_shot.py register                                  # as the head city-hotline: hidra predict city-hotline "…"
    python3 zero_shot.py calibrate data/messages.tsv               # fits the temperature on labelled texts, and says how well
"""

import argparse
import sys
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence

import numpy as np

import hidra
from hidra.graphs import Graph
from hidra.plugin import Plugin
from hidra.tables import columns_of

HERE = Path(__file__).resolve().parent
HEAD = "city-hotline"
# Between what a few labelled texts of Banking77 (0.057) and of CLINC150 (0.049) fit, with MiniLM: see README.md.
TEMPERATURE = 0.055


class Labels(NamedTuple):
    """Names, and their vectors ``[labels, width]`` of length 1."""

    names: List[str]
    vectors: np.ndarray

    def scores(self, texts: np.ndarray, temperature: float) -> np.ndarray:
        """Probabilities ``[texts, labels]`` of texts' vectors ``[texts, width]``: softmax of cosine / temperature."""
        logits = (_unit(texts) @ self.vectors.T).astype(np.float64) / temperature
        exponentials = np.exp(logits - logits.max(1, keepdims=True))
        return exponentials / exponentials.sum(1, keepdims=True)


def embed_labels(client: hidra.Client, encoder: str, names: Sequence[str], descriptions: Sequence[str] = ()) -> Labels:
    """A label is the mean of its name, in words, and its description where it has one.

    Several descriptions are separated by ``" | "``.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        raise hidra.InvalidDataError("There must be two labels or more, each once.")
    texts, owners = [], []
    for owner, name in enumerate(names):
        description = descriptions[owner] if descriptions else ""
        for text in [name.replace("_", " ").replace("-", " "), *description.split(" | ")]:
            if text.strip():
                texts.append(text.strip())
                owners.append(owner)
    vectors = _unit(client.embed(encoder, texts, progress=False))
    sums = np.zeros((len(names), vectors.shape[1]), np.float32)
    np.add.at(sums, owners, vectors)
    return Labels(list(names), _unit(sums))


def read_labels(client: hidra.Client, encoder: str, path: Path) -> Labels:
    """Of a table with the columns ``label`` and ``description``, which may be empty."""
    table = columns_of(path, ["label", "description"])
    return embed_labels(client, encoder, table["label"], table["description"])


def register(client: hidra.Client, labels: Labels, encoder: str, name: str, temperature: float) -> hidra.Head:
    """As a head that anybody can ask: a graph whose only layer is the labels' vectors."""
    graph = Graph()
    outputs = graph.matmul(graph.input("features", labels.vectors.shape[1]), labels.vectors.T / temperature)
    attachment = client.attach(name, encoder=encoder, labels=labels.names, head=graph.model(outputs), replace=True)
    head = attachment.detach(keep=True)
    assert head is not None
    return head


def fit_temperature(labels: Labels, texts: np.ndarray, targets: np.ndarray) -> float:
    """The temperature that makes the right labels most probable, by golden-section search of the log's mean."""

    def loss(logarithm: float) -> float:
        chosen = labels.scores(texts, float(np.exp(logarithm)))[np.arange(len(targets)), targets]
        return -float(np.log(np.maximum(chosen, 1e-12)).mean())

    low, high, ratio = np.log(0.005), np.log(1.0), (5**0.5 - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def calibration_error(scores: np.ndarray, targets: np.ndarray, bins: int = 15) -> float:
    """How far the best label's probability is off its accuracy, averaged over bins of equal width (ECE)."""
    confidence, right = scores.max(1), scores.argmax(1) == targets
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    return sum(
        abs(confidence[places == b].mean() - right[places == b].mean()) * (places == b).mean()
        for b in range(bins) if (places == b).any()
    )  # fmt: skip


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="zero-shot", description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=Path, default=HERE / "data/labels.tsv", help="table: label, description")
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--temperature", type=float, default=TEMPERATURE, help=f"of the softmax (default {TEMPERATURE})")
    commands = parser.add_subparsers(dest="command", required=True)
    predict = commands.add_parser("predict", help="labels of texts")
    predict.add_argument("texts", nargs="+")
    predict.add_argument("--top", type=int, default=3)
    for command, about in (("register", "make a head of the labels"), ("serve", "and stay, as the daemon's plugin")):
        commands.add_parser(command, help=about).add_argument("--name", default=HEAD)
    commands.add_parser("calibrate", help="fit the temperature").add_argument("texts", type=Path)
    options = parser.parse_args(arguments)
    if not options.temperature > 0:
        parser.error("--temperature must be above 0")

    with Plugin("zero-shot", version="1.0.0") as plugin:
        client = plugin.client
        labels = read_labels(client, options.encoder, options.labels)
        if options.command == "predict":
            scores = labels.scores(client.embed(options.encoder, options.texts), options.temperature)
            for text, row in zip(options.texts, scores):
                best = np.argsort(-row, kind="stable")[: options.top]
                print(text, *(f"{labels.names[i]} {row[i]:.3f}" for i in best), sep="\t")
        elif options.command == "calibrate":
            table = columns_of(options.texts, ["text", "label"])
            targets = np.array([labels.names.index(label) for label in table["label"]])
            vectors = client.embed(options.encoder, table["text"])
            temperature = fit_temperature(labels, vectors, targets)
            before, after = (labels.scores(vectors, t) for t in (options.temperature, temperature))
            print(f"{len(targets)} texts, accuracy {(after.argmax(1) == targets).mean():.3f}")
            print(f"temperature {options.temperature:.3f}: calibration error {calibration_error(before, targets):.3f}")
            print(f"temperature {temperature:.3f}: calibration error {calibration_error(after, targets):.3f} (on the same texts)")
        else:
            head = register(client, labels, options.encoder, options.name, options.temperature)
            print(f"{head.name}: {len(head.labels)} labels; hidra predict {head.name} TEXT", flush=True)
            if options.command == "serve":
                plugin.wait()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hidra.HidraError as error:
        sys.exit(f"zero-shot: {error}")
