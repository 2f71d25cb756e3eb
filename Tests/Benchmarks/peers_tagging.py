#!/usr/bin/env python3
"""Entities in WNUT 2017 by heads on the same frozen encoder: the daemon's tagger beside scikit-learn and PyTorch.

    pip install ./Plugins/python-sdk torch transformers scikit-learn
    python peers_tagging.py MODEL_FOLDER DATA_FOLDER [--only PEER]

MODEL_FOLDER is the Hugging Face folder of the encoder; DATA_FOLDER has wnut17train.conll, emerging.dev.conll and emerging.test.annotated
(github.com/leondz/emerging_entities_17). Every peer learns from the training sentences alone; what it has to choose, it chooses on dev;
then it is measured once on test. Prints a line for each setting tried, and a table. Pieces are counted by the plugin's `spans.py`, and by
seqeval too where it is installed.

All read one state for each word: that of its first token, at the layer chosen.
- "logistic regression": scikit-learn's, each word for itself, the most likely label.
- "linear + CRF in PyTorch": a linear layer and a linear-chain CRF, AdamW, the epoch of every fifth that does best on dev.
- "hidra": the daemon's tagger, trained and asked through the Python package. Its epochs are the plugin's.
"""
import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Plugins/entity-tagger"))
import spans
import words

FILES = {"train": "wnut17train.conll", "dev": "emerging.dev.conll", "test": "emerging.test.annotated"}
TAPS = (3, 4)
"""Layers tried. 2, 5 and 6 of MiniLM did worse by 0.03 to 0.14 with the daemon's tagger on dev."""
SETTINGS = (
    dict(dropout=0.1, lr=0.003, epochs=60),
    dict(dropout=0.3, lr=0.01, epochs=30),
    dict(hidden=256, dropout=0.3, lr=0.002, epochs=8),
)
"""Of the daemon's tagger."""


def states(folder, sentences, taps):
    """For each tap the states [words of all sentences, width]; and how many words each sentence has."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    counts = [len(sentence.words) for sentence in sentences]
    order = sorted(range(len(sentences)), key=lambda row: counts[row])
    found = {}
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        batch = tokenizer([list(sentences[row].words) for row in rows], is_split_into_words=True, padding=True, return_tensors="pt")
        with torch.inference_mode():
            layers = model(**batch, output_hidden_states=True).hidden_states
        for place, row in enumerate(rows):
            first, last = {}, {}
            for token, word in enumerate(batch.word_ids(place)):
                if word is not None:
                    first.setdefault(word, token)
                    last[word] = token
            tokens = []
            for word in range(counts[row]):
                # A word of signs that the tokenizer drops has no token: the one before stands for it, as in the daemon.
                tokens.append(first.get(word, max([1, *(last[w] for w in range(word) if w in last)])))
            found[row] = {tap: layers[tap][place, tokens].numpy() for tap in taps}
    return {tap: np.concatenate([found[row][tap] for row in range(len(sentences))]) for tap in taps}, counts


def cut(values, counts):
    return np.split(values, np.cumsum(counts)[:-1])


def f1(sentences, predicted):
    whole, _ = spans.score([sentence.tags for sentence in sentences], predicted)
    try:
        from seqeval.metrics import f1_score
    except ImportError:
        return whole
    other = f1_score([list(sentence.tags) for sentence in sentences], [list(tags) for tags in predicted])
    assert abs(other - whole.f1) < 1e-9, (other, whole)
    return whole


def logistic_regression(data, features, counts, report):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    truth = np.array([tag for sentence in data["train"] for tag in sentence.tags])
    best = None
    for tap in TAPS:
        for strength in (0.01, 0.1):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=200))
            model.fit(features["train"][tap], truth)
            score = f1(data["dev"], cut(model.predict(features["dev"][tap]), counts["dev"]))
            report("logistic regression", f"tap {tap}, C {strength}", score)
            if best is None or score.f1 > best[0].f1:
                best = score, f1(data["test"], cut(model.predict(features["test"][tap]), counts["test"]))
    return best


def chain(data, features, counts, report):
    import torch

    labels = sorted({tag for sentence in data["train"] for tag in sentence.tags})
    index = {tag: number for number, tag in enumerate(labels)}
    truth = [torch.tensor([index[tag] for tag in sentence.tags]) for sentence in data["train"]]

    class Chain(torch.nn.Module):
        def __init__(self, width, size):
            super().__init__()
            self.drop, self.linear = torch.nn.Dropout(0.3), torch.nn.Linear(width, size)
            self.start, self.end = torch.nn.Parameter(torch.zeros(size)), torch.nn.Parameter(torch.zeros(size))
            self.moves = torch.nn.Parameter(torch.zeros(size, size))

        def loss(self, x, y, mask):
            """Negative log-likelihood, a word's mean. x [rows, words, width], y and mask [rows, words]."""
            e, rows = self.linear(self.drop(x)), torch.arange(len(x))
            own = self.start[y[:, 0]] + e[:, 0].gather(1, y[:, :1])[:, 0]
            every = self.start + e[:, 0]
            for step in range(1, e.shape[1]):
                here = mask[:, step]
                own = own + here * (self.moves[y[:, step - 1], y[:, step]] + e[rows, step, y[:, step]])
                following = torch.logsumexp(every[:, :, None] + self.moves, 1) + e[:, step]
                every = torch.where(here[:, None], following, every)
            own = own + self.end[y[rows, mask.sum(1) - 1]]
            return (torch.logsumexp(every + self.end, 1) - own).sum() / mask.sum()

        @torch.inference_mode()
        def decode(self, x):
            """The most likely labels of one sentence's words."""
            e, back = self.linear(x), []
            best = self.start + e[0]
            for step in range(1, len(e)):
                best, source = (best[:, None] + self.moves).max(0)
                best = best + e[step]
                back.append(source)
            path = [int((best + self.end).argmax())]
            for source in reversed(back):
                path.append(int(source[path[-1]]))
            return [labels[number] for number in reversed(path)]

    best = None
    for tap in TAPS:
        torch.manual_seed(0)
        parts = {name: [torch.from_numpy(part) for part in cut(features[name][tap], counts[name])] for name in FILES}
        model = Chain(parts["train"][0].shape[1], len(labels))
        epochs = 20
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
        for epoch in range(1, epochs + 1):
            model.train()
            for rows in torch.randperm(len(truth)).split(64):
                x = torch.nn.utils.rnn.pad_sequence([parts["train"][row] for row in rows], batch_first=True)
                y = torch.nn.utils.rnn.pad_sequence([truth[row] for row in rows], batch_first=True, padding_value=-1)
                optimiser.zero_grad()
                model.loss(x, y.clamp(min=0), y >= 0).backward()
                optimiser.step()
            schedule.step()
            model.eval()
            if epoch % 5:
                continue
            score = f1(data["dev"], [model.decode(part) for part in parts["dev"]])
            report("linear + CRF in PyTorch", f"tap {tap}, epoch {epoch}", score)
            if best is None or score.f1 > best[0].f1:
                best = score, f1(data["test"], [model.decode(part) for part in parts["test"]])
    return best


def tagger(data, report):
    import entity_tagger
    import hidra

    best = None
    with hidra.Client() as client:
        for tap, settings in itertools.product(TAPS, SETTINGS):
            entity_tagger.train(client, "minilm", "peers-tagging", data["train"], tap=str(tap), **settings)
            score = f1(data["dev"], entity_tagger.predicted(client, "peers-tagging", data["dev"]))
            report("hidra", f"tap {tap}, {settings}", score)
            if best is None or score.f1 > best[0].f1:
                best = score, f1(data["test"], entity_tagger.predicted(client, "peers-tagging", data["test"]))
        client.remove("peers-tagging")
    return best


PEERS = ["logistic regression", "linear + CRF in PyTorch", "hidra"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=PEERS, help="measure this one alone")
    options = parser.parse_args()

    def report(peer, settings, score):
        print(f"{peer}: {settings}: dev F1 {score.f1:.3f}", file=sys.stderr, flush=True)

    peers = [options.only] if options.only else PEERS
    data = {name: words.read_conll(options.data / file) for name, file in FILES.items()}
    features, counts = {}, {}
    if peers != ["hidra"]:
        for name, sentences in data.items():
            features[name], counts[name] = states(options.model, sentences, TAPS)
    print("| head | dev F1 | test F1 | precision | recall |\n|---|---|---|---|---|")
    for peer in peers:
        if peer == "hidra":
            dev, test = tagger(data, report)
        else:
            dev, test = (logistic_regression if peer == PEERS[0] else chain)(data, features, counts, report)
        print(f"| {peer} | {dev.f1:.3f} | {test.f1:.3f} | {test.precision:.3f} | {test.recall:.3f} |", flush=True)


if __name__ == "__main__":
    main()
