"""Measures the head on the plugin's own data: cross-validation in five parts, and the sentences held out. Prints README.md's table."""

import numpy as np

import entity_tagger
import hidra
import spans
import words

FOLDS = 5


def main():
    sentences, unseen = words.read(entity_tagger.DATA), words.read(entity_tagger.DATA.with_name("unseen.txt"))
    order = np.random.default_rng(0).permutation(len(sentences))
    truth, guess = [], []
    with hidra.Client() as client:
        for fold in range(FOLDS):
            held = set(order[fold::FOLDS].tolist())
            rest = [sentence for row, sentence in enumerate(sentences) if row not in held]
            entity_tagger.train(client, "minilm", "entities-measured", rest, seed=fold)
            own = [sentences[row] for row in sorted(held)]
            truth += [sentence.tags for sentence in own]
            guess += entity_tagger.predicted(client, "entities-measured", own)
        entity_tagger.train(client, "minilm", "entities-measured", sentences)
        held_out = entity_tagger.evaluate(client, "entities-measured", unseen)
        client.remove("entities-measured")
    columns = [spans.score(truth, guess), held_out]
    for name in [*columns[0][1], "all"]:
        scores = [by_label.get(name, whole) for whole, by_label in columns]
        print(f"| {name} | " + " | ".join(f"{score.f1:.3f} | {score.support}" for score in scores) + " |")
    print("precision and recall:", *(f"{whole.precision:.3f} {whole.recall:.3f}" for whole, _ in columns))


if __name__ == "__main__":
    main()
