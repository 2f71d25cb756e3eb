"""Measures the head against plain cosine, by cross-validation over groups of pairs. Prints the tables of README.md."""

import itertools

import numpy as np

import hidra
import pairs
import text_pairs

FOLDS = 5


def balanced(answers: np.ndarray, targets: np.ndarray) -> float:
    """Accuracy, each relation counting the same."""
    return float(np.mean([(answers[targets == label] == label).mean() for label in np.unique(targets)]))


def thresholds(cosines: np.ndarray, targets: np.ndarray) -> tuple:
    """The two cosines between unrelated, related and same that do best on these rows."""
    places = np.linspace(cosines.min(), cosines.max(), 60)
    return max(itertools.combinations(places, 2), key=lambda pair: balanced(by_cosine(cosines, pair), targets))


def by_cosine(cosines: np.ndarray, limits: tuple) -> np.ndarray:
    related, same, unrelated = range(3)
    return np.where(cosines < limits[0], unrelated, np.where(cosines < limits[1], related, same))


def main():
    groups = pairs.read()
    order = np.random.default_rng(0).permutation(len(groups))
    answers = {"cosine, two thresholds": [], "head": [], "head that sees the second alone": []}
    ranks = {"cosine": [], "head": []}
    targets = []
    with hidra.Client() as client:

        def cosines(rows):
            u, v = (client.embed("minilm", [row[side] for row in rows], progress=False) for side in (0, 1))
            return (u * v).sum(1)

        for fold in range(FOLDS):
            held = [groups[i] for i in order[fold::FOLDS]]
            train = pairs.complete([group for group in groups if group not in held], seed=fold)
            test = pairs.complete(held, seed=100 + fold)
            text_pairs.train(client, "minilm", "pairs-measured", train, seed=fold)
            truth = np.array([pairs.RELATIONS.index(pair.relation) for pair in test])
            targets.append(truth)
            limits = thresholds(cosines(train), np.array([pairs.RELATIONS.index(pair.relation) for pair in train]))
            answers["cosine, two thresholds"].append(by_cosine(cosines(test), limits))
            scores = text_pairs.relations(client, "pairs-measured", [p.first for p in test], [p.second for p in test])
            answers["head"].append(scores.argmax(1))
            client.train(
                pairs.columns(train), text="second", label="relation", encoder="minilm", name="pairs-alone", replace=True,
                class_weights=True, progress=False,
            )  # fmt: skip
            alone = client.predict("pairs-alone", [p.second for p in test])
            answers["head that sees the second alone"].append(np.array([pairs.RELATIONS.index(answer.label) for answer in alone]))
            # Queries are held out; candidates are all sentences that mean or concern something of a group.
            candidates = [p.second for group in groups for p in group]
            for group in held:
                wanted = next(p.second for p in group if p.relation == "same")
                u = client.embed("minilm", [group[0].first, *candidates], progress=False)
                found = np.argsort(-(u[1:] @ u[0]), kind="stable")
                ranks["cosine"].append([candidates[i] for i in found].index(wanted))
                ranked = text_pairs.rank(client, "pairs-measured", "minilm", group[0].first, candidates, 10)
                texts = [text for text, _ in ranked]
                ranks["head"].append(texts.index(wanted) if wanted in texts else 1000)
        for name in ("pairs-measured", "pairs-alone"):
            client.remove(name)
    truth = np.concatenate(targets)
    print("by\taccuracy\tbalanced")
    for name, parts in answers.items():
        found = np.concatenate(parts)
        print(name, f"{(found == truth).mean():.3f}", f"{balanced(found, truth):.3f}", sep="\t")
    print("ranking by\tfirst is right\tmean reciprocal rank")
    for name, places in ranks.items():
        places = np.array(places)
        print(name, f"{(places == 0).mean():.3f}", f"{(1 / (places + 1)).mean():.3f}", sep="\t")


if __name__ == "__main__":
    main()
