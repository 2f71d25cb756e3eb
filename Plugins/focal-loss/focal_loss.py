"""Trains a head with focal loss, computed here while the daemon does the rest.

    python3 focal_loss.py train data/log.tsv --test data/unseen.tsv           # the head building-log
    python3 focal_loss.py train mine.csv --text message --label intent --name mine --test test.csv
    python3 focal_loss.py compare mine.csv --text message --label intent      # with plain cross-entropy, on a held-out fifth
"""

import argparse
import collections
import sys
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

import hidra
from focal import focal, label_weights, macro_f1
from hidra.plugin import Plugin
from hidra.tables import columns_of, text_of

HERE = Path(__file__).resolve().parent
HEAD = "building-log"


def weights_of(rows: Any, label: str, beta: float) -> Dict[str, float]:
    """Of the labels of these rows."""
    labels = [text_of(value, row, label, "|").strip() for row, value in enumerate(columns_of(rows, [label])[label])]
    return dict(label_weights(collections.Counter(labels), beta))


def report(title: str, evaluation: Optional[hidra.Evaluation]) -> None:
    if evaluation is None:
        return
    named = sorted(evaluation.metrics.items())
    print(title, *(f"{name} {value:.3f}" for name, value in named), sep="\t")
    for row in evaluation.classes:
        print(f"  {row.label}\tprecision {row.precision:.2f}\trecall {row.recall:.2f}\tF1 {row.f1:.2f}\tof {row.support}")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="focal-loss", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("train", "train a head"), ("compare", "train one with each loss, and compare")):
        command = commands.add_parser(name, help=about)
        command.add_argument("data", type=Path)
        command.add_argument("--text", default="text")
        command.add_argument("--label", default="label")
        command.add_argument("--test", type=Path, help="rows to measure on")
        command.add_argument("--encoder", default="minilm")
        command.add_argument("--gamma", type=float, default=1.0, help="how little what is right already counts (default 1)")
        command.add_argument("--beta", type=float, default=1.0, help="how much rare labels count, 0 to 1 (default 1)")
        command.add_argument("--lr", type=float, default=0.01)
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--name", default=HEAD)
    commands.add_parser("serve", help="train the head of data/log.tsv, then compute losses of sessions, as the daemon's plugin")
    options = parser.parse_args(arguments)
    serves = options.command == "serve"
    if serves:
        options = parser.parse_args(["train", str(HERE / "data/log.tsv"), "--test", str(HERE / "data/unseen.tsv")])

    with Plugin("focal-loss", version="1.0.0") as plugin:
        plugin.loss(focal(options.gamma, weights_of(options.data, options.label, options.beta)))
        plugin.metrics(macro_f1)
        settings: Dict[str, Any] = dict(
            text=options.text, label=options.label, encoder=options.encoder, lr=options.lr, seed=options.seed, progress=False,
            replace=True, test=options.test, holdout=0.2 if options.command == "compare" and options.test is None else 0.0,
        )  # fmt: skip
        result = plugin.train(options.data, name=options.name, **settings)
        seconds = result.timings["total"]
        print(f"{result.head.name}: {result.train_rows} rows, {result.steps} steps, {seconds:.1f} s; {result.metrics or ''}", flush=True)
        if options.command == "compare":
            # The same rows are held out: they are drawn by the seed.
            plain = plugin.client.train(options.data, name=f"{options.name}-plain", **settings)
            plugin.client.remove(f"{options.name}-plain")
            for title, measured in (("focal loss", result), ("cross-entropy", plain)):
                report(title, measured.evaluation)
        if serves:
            # From here on also for sessions: `loss: plugin focal-loss`.
            plugin.serve()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hidra.HidraError as error:
        sys.exit(f"focal-loss: {error}")
