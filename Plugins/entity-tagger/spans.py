"""How well pieces are found: precision, recall and F1 as conlleval counts them."""

from collections import Counter
from typing import Dict, List, NamedTuple, Sequence, Tuple


class Score(NamedTuple):
    precision: float
    recall: float
    f1: float
    support: int
    """Pieces that there are."""

    @classmethod
    def of(cls, right: int, found: int, there: int) -> "Score":
        precision, recall = right / found if found else 0.0, right / there if there else 0.0
        return cls(precision, recall, 2 * right / (found + there) if right else 0.0, there)


def pieces(tags: Sequence[str]) -> List[Tuple[str, int, int]]:
    """Label, first word and end of the pieces. As conlleval, leniently: an ``I-`` that continues no piece of its label begins one."""
    result: List[Tuple[str, int, int]] = []
    label, start = "", 0
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, own = tag.partition("-")
        if label and not (prefix == "I" and own == label):
            result.append((label, start, place))
            label = ""
        if prefix in ("B", "I") and not label:
            label, start = own, place
    return result


def score(actual: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Tuple[Score, Dict[str, Score]]:
    """Of all pieces together, and by label. A piece is right when its label and both its ends are."""
    right: Counter = Counter()
    found: Counter = Counter()
    there: Counter = Counter()
    for truth, guess in zip(actual, predicted):
        if len(truth) != len(guess):
            raise ValueError(f"a sentence has {len(truth)} labels and {len(guess)} predicted ones")
        truths, guesses = set(pieces(truth)), set(pieces(guess))
        there.update(label for label, _, _ in truths)
        found.update(label for label, _, _ in guesses)
        right.update(label for label, _, _ in truths & guesses)
    by_label = {label: Score.of(right[label], found[label], there[label]) for label in sorted({*there, *found})}
    return Score.of(sum(right.values()), sum(found.values()), sum(there.values())), by_label
