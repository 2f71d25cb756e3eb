"""Labelled examples with their vectors, on disk."""

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import List, Sequence

import numpy as np

import hidra
from hidra.graphs import Graph

# Of the kernel exp(cosine / KERNEL) that weighs examples, and of the softmax over labels. See README.md.
KERNEL = 0.05
TEMPERATURE = 0.035


class Examples:
    """Texts, labels and vectors ``[examples, width]`` of length 1, all of one encoder.

    A label's score for a text is the mean of two: its cosine with the mean of the label's examples, and the soft maximum of its
    cosines with each of them. The first is better with few examples, the second with many.
    """

    def __init__(self, encoder: str, digest: str) -> None:
        self.encoder = encoder
        # Of the encoder's weights: vectors of others do not compare.
        self.digest = digest
        self.texts: List[str] = []
        self.labels: List[str] = []
        self.vectors = np.zeros((0, 0), np.float32)

    @property
    def names(self) -> List[str]:
        return sorted(set(self.labels))

    def add(self, client: hidra.Client, texts: Sequence[str], labels: Sequence[str]) -> int:
        """Those that are there already under the same label are left out. Returns how many are new."""
        known = set(zip(self.texts, self.labels))
        new = [pair for pair in dict.fromkeys(zip(texts, labels)) if pair not in known]
        if any(not label.strip() for _, label in new):
            raise hidra.InvalidDataError("A label is empty; each example needs one.")
        if new:
            vectors = unit(client.embed(self.encoder, [text for text, _ in new], progress=False))
            self.vectors = np.concatenate([self.vectors, vectors]) if len(self.vectors) else vectors
            self.texts += [text for text, _ in new]
            self.labels += [label for _, label in new]
        return len(new)

    def remove(self, label: str) -> int:
        """A label with all its examples. Returns how many there were."""
        keep = [row for row, name in enumerate(self.labels) if name != label]
        count = len(self.labels) - len(keep)
        self.texts, self.labels = [self.texts[row] for row in keep], [self.labels[row] for row in keep]
        self.vectors = self.vectors[keep]
        return count

    def scores(self, vectors: np.ndarray) -> np.ndarray:
        """Probabilities ``[texts, labels]``, in the order of ``names``."""
        vectors = unit(vectors)
        soft = KERNEL * np.log(np.exp((vectors @ self.vectors.T) / KERNEL) @ self._membership())
        logits = ((soft + vectors @ self._prototypes().T) / (2 * TEMPERATURE)).astype(np.float64)
        exponentials = np.exp(logits - logits.max(1, keepdims=True))
        return exponentials / exponentials.sum(1, keepdims=True)

    def nearest(self, vectors: np.ndarray) -> List[int]:
        """The example nearest to each text."""
        return [int(row) for row in (unit(vectors) @ self.vectors.T).argmax(1)]

    def graph(self) -> bytes:
        """The same scores as a head: before the softmax."""
        graph = Graph()
        x = graph.input("features", self.vectors.shape[1])
        soft = graph.matmul(graph.matmul(x, self.vectors.T / KERNEL).exp(), self._membership()).log() * KERNEL
        return graph.model((soft + graph.matmul(x, self._prototypes().T)) / (2 * TEMPERATURE))

    def _membership(self) -> np.ndarray:
        """``[examples, labels]``: 1 / the label's number of examples, where the example has it."""
        places = np.array([self.names.index(label) for label in self.labels])
        counts = np.bincount(places)
        result = np.zeros((len(places), len(counts)), np.float32)
        result[np.arange(len(places)), places] = 1 / counts[places]
        return result

    def _prototypes(self) -> np.ndarray:
        return unit(self._membership().T @ self.vectors)

    # On disk

    def save(self, path: Path) -> None:
        """All or nothing: a program that is killed meanwhile leaves the file as it was."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "wb") as file:
                about = json.dumps([self.encoder, self.digest, self.texts, self.labels])
                np.savez(file, about=np.frombuffer(about.encode(), np.uint8), vectors=self.vectors)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise

    @classmethod
    def load(cls, path: Path, client: hidra.Client) -> "Examples":
        """Embeds the texts anew when the encoder of that name has other weights now."""
        try:
            # Read whole first: NumPy leaves a file open that it cannot make sense of.
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                encoder, digest, texts, labels = json.loads(file["about"].tobytes())
                vectors = file["vectors"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise hidra.InvalidDataError(f"{path} cannot be read: {error}. Move it away, and add the examples anew.") from error
        result = cls.of(client, encoder)
        if result.digest != digest:
            result.add(client, texts, labels)
        else:
            result.texts, result.labels, result.vectors = texts, labels, vectors
        return result

    @classmethod
    def of(cls, client: hidra.Client, encoder: str) -> "Examples":
        record = client.show(encoder)
        if not isinstance(record, hidra.Encoder):
            raise hidra.NotFoundError(f"'{encoder}' is no encoder.")
        return cls(encoder, record.digest)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
