"""Sorts texts by the nearest examples. A label is added by adding examples; nothing is trained.

    python3 nearest.py add --label compost "my heap smells" "what may go on the compost?"
    python3 nearest.py add more.tsv                                # a table: text, label
    python3 nearest.py predict "why does my heap stink"            # with the example that decided
    python3 nearest.py register                                    # as the head garden: hidra predict garden "…"
"""

import argparse
import collections
import sys
from pathlib import Path
from typing import Optional, Sequence

import numpy as np

import hidra
from examples import Examples
from hidra.home import home_path
from hidra.plugin import Plugin
from hidra.tables import columns_of

HERE = Path(__file__).resolve().parent
HEAD = "garden"


def register(client: hidra.Client, examples: Examples, name: str) -> hidra.Head:
    """As a head that anybody can ask; again after each change of the examples."""
    names = examples.names
    if len(names) < 2:
        raise hidra.InvalidDataError("A head needs examples of two labels or more.")
    attachment = client.attach(name, encoder=examples.encoder, labels=names, head=examples.graph(), replace=True)
    head = attachment.detach(keep=True)
    assert head is not None
    return head


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="nearest", description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=Path, default=Path(home_path()) / "plugin-state/nearest.npz", help="where the examples are kept")
    parser.add_argument("--encoder", default="minilm", help="of examples that are not there yet")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="add examples")
    add.add_argument("--label", help="of the texts that follow; without it they are tables: text, label")
    add.add_argument("texts", nargs="+")
    commands.add_parser("remove", help="remove labels with their examples").add_argument("labels", nargs="+")
    predict = commands.add_parser("predict", help="labels of texts")
    predict.add_argument("texts", nargs="+")
    predict.add_argument("--top", type=int, default=3)
    commands.add_parser("labels", help="labels and their numbers of examples")
    for command, about in (("register", "make a head of the examples"), ("serve", "and stay, as the daemon's plugin")):
        commands.add_parser(command, help=about).add_argument("--name", default=HEAD)
    options = parser.parse_args(arguments)

    with Plugin("nearest", version="1.0.0") as plugin:
        client = plugin.client
        if options.state.exists():
            examples = Examples.load(options.state, client)
        else:
            examples = Examples.of(client, options.encoder)
            table = columns_of(HERE / "data/garden.tsv", ["text", "label"])
            examples.add(client, table["text"], table["label"])
        if options.command == "add":
            if options.label is not None:
                count = examples.add(client, options.texts, [options.label] * len(options.texts))
            else:
                tables = [columns_of(path, ["text", "label"]) for path in options.texts]
                count = sum(examples.add(client, table["text"], table["label"]) for table in tables)
            print(f"{count} examples added; {len(examples.texts)} of {len(examples.names)} labels")
        elif options.command == "remove":
            for label in options.labels:
                print(f"{examples.remove(label)} examples of {label} removed")
        elif options.command == "labels":
            for label, count in sorted(collections.Counter(examples.labels).items()):
                print(label, count, sep="\t")
        elif options.command == "predict":
            vectors = client.embed(examples.encoder, options.texts)
            for text, row, nearest in zip(options.texts, examples.scores(vectors), examples.nearest(vectors)):
                best = np.argsort(-row, kind="stable")[: options.top]
                print(text, *(f"{examples.names[i]} {row[i]:.3f}" for i in best), f"like: {examples.texts[nearest]}", sep="\t")
        else:
            head = register(client, examples, options.name)
            print(f"{head.name}: {len(examples.texts)} examples of {len(head.labels)} labels; hidra predict {head.name} TEXT", flush=True)
            if options.command == "serve":
                plugin.wait()
        if options.command in ("add", "remove"):
            examples.save(options.state)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hidra.HidraError as error:
        sys.exit(f"nearest: {error}")
