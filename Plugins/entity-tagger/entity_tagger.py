"""Finds people, organisations, places, products and dates in texts; trains on texts that are annotated inline, or in CoNLL's form.

    python3 entity_tagger.py train                                         # the head entities, on data/city.txt
    python3 entity_tagger.py train my.conll --name mine                    # on data of your own
    python3 entity_tagger.py tag "Ana Ruiz flies to Lisbon on 3 May."      # the pieces, where they stand, how sure it is
    python3 entity_tagger.py evaluate data/unseen.txt                      # precision, recall, F1
"""

import argparse
import itertools
import sys
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import hidra
import spans
import words
from hidra.plugin import Plugin

HEAD = "entities"
DATA = Path(__file__).resolve().parent / "data/city.txt"
TAP = "3"
"""The layer that is read. Higher ones of an encoder of sentences know more of the sentence and less of the word."""
SETTINGS = dict(
    text="text", label="tags", task="tag", head="tagger", tap=TAP, lr=0.03, dropout=0.5, batch_size=16, epochs=100, patience=100,
    validation=0.0,
)  # fmt: skip
"""Of the training, for some hundred sentences. It does not stop early: the loss of a validation set is at its best long before the
pieces are. With thousands of sentences a rate of 0.003 and a dropout of 0.1 do better."""


def train(client: hidra.Client, encoder: str, name: str, sentences: Sequence[words.Sentence], **settings) -> hidra.TrainResult:
    """``settings``: as of ``Client.train``, before those of this plugin."""
    return client.train(
        words.columns(sentences), encoder=encoder, name=name, replace=True, progress=False, **{**SETTINGS, **settings},
    )  # fmt: skip


def tag(client: hidra.Client, head: str, texts: Sequence[str]) -> List[Tuple[hidra.Span, ...]]:
    """The pieces of each text; ``start`` and ``end`` count the text's Unicode scalars, as Python's strings do."""
    places = [words.split(text) for text in texts]
    # The daemon's words end at white space; signs of punctuation are to be words too.
    spaced = [" ".join(text[start:end] for start, end in own) for text, own in zip(texts, places)]
    result = []
    for own, answer in zip(places, client.predict(head, spaced)):
        starts, ends, at = {}, {}, 0
        for start, end in own:
            starts[at], ends[at + end - start] = start, end
            at += end - start + 1
        result.append(tuple(hidra.Span(s.label, starts[s.start], ends[s.end], s.score) for s in answer.spans))
    return result


def predicted(client: hidra.Client, head: str, sentences: Sequence[words.Sentence]) -> List[List[str]]:
    """A label for each word of sentences that are split already."""
    result = []
    for sentence, answer in zip(sentences, client.predict(head, words.columns(sentences)["text"], progress=False)):
        starts = list(itertools.accumulate((len(word) + 1 for word in sentence.words), initial=0))[:-1]
        tags = ["O"] * len(starts)
        for span in answer.spans:
            inside = [number for number, start in enumerate(starts) if span.start <= start < span.end]
            for number in inside:
                tags[number] = f"{'B' if number == inside[0] else 'I'}-{span.label}"
        result.append(tags)
    return result


def evaluate(client: hidra.Client, head: str, sentences: Sequence[words.Sentence]) -> Tuple[spans.Score, Dict[str, spans.Score]]:
    return spans.score([sentence.tags for sentence in sentences], predicted(client, head, sentences))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="entity-tagger", description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--name", default=HEAD, help=f"of the head (default {HEAD})")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train the head")
    training.add_argument("data", type=Path, nargs="?", default=DATA, help="annotated sentences, or CoNLL (default data/city.txt)")
    training.add_argument("--tap", help=f"layer of the encoder (default {TAP})")
    training.add_argument("--epochs", type=int)
    training.add_argument("--lr", type=float, help="learning rate")
    training.add_argument("--dropout", type=float)
    training.add_argument("--hidden", type=int, help="width of a hidden layer (default: none)")
    tagging = commands.add_parser("tag", help="find the pieces of texts, given or on standard input, one a line")
    tagging.add_argument("texts", nargs="*", metavar="TEXT")
    evaluating = commands.add_parser("evaluate", help="measure the head on sentences with labels")
    evaluating.add_argument("data", type=Path)
    commands.add_parser("serve", help="train the head if it is not there, and stay, as the daemon's plugin")
    options = parser.parse_args(arguments)

    try:
        with Plugin("entity-tagger", version="1.0.0") as plugin:
            run(plugin, options)
    except hidra.HidraError as error:
        print(f"entity-tagger: {error.message}", file=sys.stderr)
        return 1
    return 0


def run(plugin: Plugin, options: argparse.Namespace) -> None:
    client = plugin.client
    if options.command == "train" or options.name == HEAD and not any(head.name == HEAD for head in client.heads()):
        sentences = words.read(options.data if options.command == "train" else DATA)
        given = {name: getattr(options, name, None) for name in ("tap", "epochs", "lr", "dropout", "hidden")}
        settings = {name: value for name, value in given.items() if value is not None}
        result = train(client, options.encoder, options.name, sentences, **settings)
        print(f"{result.head.name}: trained on {len(sentences)} sentences in {result.timings['total']:.1f} s", file=sys.stderr)
    if options.command == "tag":
        texts = options.texts or [line.rstrip("\n") for line in sys.stdin]
        for text, pieces in zip(texts, tag(client, options.name, texts)):
            if len(texts) > 1:
                print(text)
            for piece in pieces:
                print(f"{piece.label}\t{piece.start}\t{piece.end}\t{piece.score:.3f}\t{text[piece.start:piece.end]}")
    elif options.command == "evaluate":
        whole, by_label = evaluate(client, options.name, words.read(options.data))
        width = max(map(len, [*by_label, "all"]))
        print(f"{'':{width}}  precision  recall     F1  pieces")
        for name, score in [*by_label.items(), ("all", whole)]:
            print(f"{name:{width}}  {score.precision:9.3f}  {score.recall:6.3f}  {score.f1:5.3f}  {score.support:6}")
    elif options.command == "serve":
        plugin.wait()


if __name__ == "__main__":
    sys.exit(main())
