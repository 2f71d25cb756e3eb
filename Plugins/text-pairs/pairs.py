"""Labelled pairs of sentences, and the network that tells how two are related."""

from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

import numpy as np

from hidra.graphs import Graph
from hidra.tables import columns_of

RELATIONS = ("related", "same", "unrelated")
DATA = Path(__file__).resolve().parent / "data/pairs.tsv"


class Pair(NamedTuple):
    first: str
    second: str
    relation: str


def read(path: Path = DATA) -> List[List[Pair]]:
    """The pairs of each first sentence, together: who splits them must not tear these groups apart."""
    table = columns_of(path, ["first", "second", "relation"])
    groups: Dict[str, List[Pair]] = {}
    for pair in map(Pair, table["first"], table["second"], table["relation"]):
        groups.setdefault(pair.first, []).append(pair)
    return list(groups.values())


def complete(groups: Sequence[Sequence[Pair]], seed: int) -> List[Pair]:
    """Those pairs, and for each first sentence two more that are unrelated: with what belongs to the first of another group.

    Without these, a second sentence's own look would give its relation away.
    """
    random = np.random.default_rng(seed)
    pairs = [pair for group in groups for pair in group]
    for number, group in enumerate(groups):
        for _ in range(2):
            other = groups[(number + int(random.integers(1, len(groups)))) % len(groups)]
            candidates = [pair for pair in other if pair.relation != "unrelated"]
            second = candidates[int(random.integers(len(candidates)))].second
            pairs.append(Pair(group[0].first, second, "unrelated"))
    return pairs


def columns(pairs: Sequence[Pair], *, both_ways: bool = False) -> Dict[str, List[str]]:
    """As ``Client.train`` takes them. ``both_ways``: and with the sentences exchanged, for the relation has no direction."""
    rows = [*pairs, *(Pair(pair.second, pair.first, pair.relation) for pair in pairs)] if both_ways else list(pairs)
    return {name: [getattr(pair, name) for pair in rows] for name in Pair._fields}


def network(width: int, seed: int = 0) -> bytes:
    """``[u; v; |u − v|; u · v; ⟨u, v⟩]`` and one layer: two vectors ``[rows, width]`` in, a score for each relation out."""
    graph = Graph(seed)
    u, v = graph.input("u", width), graph.input("v", width)
    # The cosine could be learnt from u · v, but not from so few pairs.
    cosine = graph.matmul(u * v, np.full((width, 1), 2.0))
    return graph.model(graph.linear(graph.concat(u, v, abs(u - v), u * v, cosine), len(RELATIONS)))
