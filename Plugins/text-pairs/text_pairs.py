"""Whether two sentences mean the same, are about the same thing, or have nothing to do with each other.

    python3 text_pairs.py train                                            # the head same-meaning, of two columns
    python3 text_pairs.py compare "I lost my key" "My key is gone"         # same 0.9 …
    python3 text_pairs.py rank "my soup has too much salt"                 # the sentences of data/pairs.tsv nearest to it
    python3 text_pairs.py rank --from answers.txt "how do I ..."           # or of a file, one a line
"""

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np

import hidra
import pairs
from hidra.plugin import Plugin

HEAD = "same-meaning"
SETTINGS = dict(label="relation", text=["first", "second"], epochs=60, patience=60, lr=0.003, weight_decay=0.1, validation=0.0)
"""Of the training. Few rows and many features: it needs the decay, and stops for nothing."""


def train(client: hidra.Client, encoder: str, name: str, rows: Sequence[pairs.Pair], seed: int = 0) -> hidra.TrainResult:
    record = client.show(encoder)
    if not isinstance(record, hidra.Encoder):
        raise hidra.NotFoundError(f"'{encoder}' is no encoder.")
    return client.train(
        pairs.columns(rows, both_ways=True), encoder=encoder, name=name, head=pairs.network(record.width, seed), seed=seed,
        replace=True, class_weights=True, progress=False, **SETTINGS,
    )  # fmt: skip


def relations(client: hidra.Client, head: str, firsts: Sequence[str], seconds: Sequence[str]) -> np.ndarray:
    """Probabilities ``[pairs, relations]``: the mean of those of both orders."""
    result = np.zeros((len(firsts), len(pairs.RELATIONS)))
    for left, right in ((firsts, seconds), (seconds, firsts)):
        for row, answer in enumerate(client.predict(head, list(zip(left, right)), top=len(pairs.RELATIONS))):
            for score in answer.labels:
                result[row, pairs.RELATIONS.index(score.label)] += score.score / 2
    return result


def rank(client: hidra.Client, head: str, encoder: str, query: str, candidates: Sequence[str], top: int) -> List[Tuple[str, float]]:
    """The best candidates: ``4 × top`` are found by their cosine, and ordered by that and by how probably they mean the same.

    A candidate that is merely about the same counts half.
    """
    vectors = client.embed(encoder, [query, *candidates], progress=False)
    cosines = vectors[1:] @ vectors[0]
    found = np.argsort(-cosines, kind="stable")[: 4 * top]
    texts = [candidates[row] for row in found]
    scores = (relations(client, head, [query] * len(texts), texts) @ [0.5, 1.0, 0.0] + cosines[found]) / 2
    order = np.argsort(-scores, kind="stable")[:top]
    return [(texts[row], float(scores[row])) for row in order]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="text-pairs", description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--name", default=HEAD, help=f"of the head (default {HEAD})")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train", help="train the head").add_argument("--data", type=Path, default=pairs.DATA)
    commands.add_parser("serve", help="train the head if it is not there, and stay, as the daemon's plugin")
    compare = commands.add_parser("compare", help="how two sentences are related")
    compare.add_argument("first")
    compare.add_argument("second")
    ranking = commands.add_parser("rank", help="order candidates by their meaning")
    ranking.add_argument("query")
    ranking.add_argument("--from", dest="source", type=Path, help="candidates, one a line")
    ranking.add_argument("--top", type=int, default=5)
    options = parser.parse_args(arguments)

    with Plugin("text-pairs", version="1.0.0") as plugin:
        client = plugin.client
        if options.command == "train" or not any(head.name == options.name for head in client.heads()):
            rows = pairs.complete(pairs.read(getattr(options, "data", pairs.DATA)), seed=0)
            result = train(client, options.encoder, options.name, rows)
            print(f"{result.head.name}: trained on {result.train_rows} pairs in {result.timings['total']:.1f} s", file=sys.stderr)
        if options.command == "compare":
            (row,) = relations(client, options.name, [options.first], [options.second])
            for column in np.argsort(-row, kind="stable"):
                print(f"{pairs.RELATIONS[column]}\t{row[column]:.3f}")
        elif options.command == "rank":
            if options.source is not None:
                candidates = options.source.read_text(encoding="utf-8").splitlines()
            else:
                candidates = [group[0].first for group in pairs.read()]
            candidates = [line for line in dict.fromkeys(candidates) if line.strip()]
            for text, score in rank(client, options.name, options.encoder, options.query, candidates, options.top):
                print(f"{score:.3f}\t{text}")
        elif options.command == "serve":
            plugin.wait()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hidra.HidraError as error:
        sys.exit(f"text-pairs: {error}")
