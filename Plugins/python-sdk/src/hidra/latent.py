"""Encoders that are trained without labels, and work in their latent spaces."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from . import images as files
from .calls import drop
from .errors import InvalidArgumentError
from .home import PathLike
from .inference import Inference
from .progress import Wish, reporting
from .results import Encoder
from .rows import IMAGE_CHUNK, LabelledRows, Value
from .v1 import latent_pb2

_AUGMENTATIONS = ("rotation", "shift", "crop", "flip", "noise")


@dataclass(frozen=True)
class PretrainResult:
    """What a training without labels came to. ``figures``: of the epoch that was kept, on images that were kept out."""

    encoder: Encoder
    figures: Mapping[str, float]
    images: int
    validation_images: int
    steps: int
    epochs: int
    best_epoch: int
    seconds: float
    images_per_second: float
    notes: Tuple[str, ...]


@dataclass(frozen=True)
class Direction:
    """A way to go in a latent space. ``quality``: the share of the codes it tells apart; of ``pca`` of the variance it explains."""

    name: str
    method: str
    vector: np.ndarray[Any, np.dtype[np.float32]]
    quality: float


@dataclass(frozen=True)
class LatentResult:
    """``sheet``: all pictures as one PNG (empty where there are none); ``pictures``: each in its own size; ``codes``: float32
    ``[rows, code]``; ``items``: a name and the figures (``psnr``, ``ssim``, ``kl``, …) of each; ``figures``: their means."""

    items: Tuple[Tuple[str, Mapping[str, float]], ...]
    figures: Mapping[str, float]
    sheet: bytes
    pictures: Tuple[bytes, ...]
    codes: Optional[np.ndarray[Any, np.dtype[np.float32]]]
    directions: Tuple[Direction, ...]
    notes: Tuple[str, ...]

    def save(self, path: PathLike) -> None:
        """Writes the sheet."""
        if not self.sheet:
            raise InvalidArgumentError("There is no picture to write.")
        with open(path, "wb") as file:
            file.write(self.sheet)


class LatentSpaces(Inference):
    """What ``Client`` does without labels."""

    def pretrain(
        self, images: Any, *, name: str, kind: str = "vae", size: int = 28, color: bool = False,
        augmentation: Optional[Mapping[str, Any]] = None, progress: Wish = True, timeout: Optional[float] = None, **settings: Any,
    ) -> PretrainResult:  # fmt: skip
        """Trains an encoder without labels, and registers it: heads can be trained on it as on any other.

        ``images``: a folder or an archive of them; or paths, bytes or PIL images. ``kind``: ``"ae"``, ``"denoising"``,
        ``"masked"``, ``"vae"``, ``"contrastive"`` or ``"rbm"``. ``settings``: the fields of ``PretrainSettings`` in
        ``proto/hidra/v1/latent.proto``, such as ``code=16``, ``epochs=20``, ``units=[256, 64]``. ``augmentation``: ``rotation``
        in degrees, ``shift``, ``crop``, ``flip``, ``noise``.
        """
        unknown = [key for key in augmentation or {} if key not in _AUGMENTATIONS]
        if unknown:
            raise InvalidArgumentError(f"augmentation= has {', '.join(_AUGMENTATIONS)}; not {', '.join(unknown)}.")
        try:
            fields = latent_pb2.PretrainSettings(kind=kind, side=size, channels=3 if color else 1, **settings)
            if augmentation is not None:
                fields.augmentation.CopyFrom(latent_pb2.Augmentation(**augmentation))
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"These settings cannot be: {error}.") from error
        rows = _rows(images, None)
        request = latent_pb2.PretrainRequest(encoder=name, image_column="image", name_column="path", settings=fields)
        deadline, link, sent = self._deadline(timeout), self._session.link(), []  # type: ignore[var-annotated]
        try:
            request.data = self._upload(link, rows, deadline, sent)
            with reporting(progress) as report:
                answer = self._work("pretrain", request, "pretrain_reply", report=report, deadline=deadline, link=link)
        finally:
            drop(link, sent)
        reply = answer.envelope.pretrain_reply
        return PretrainResult(
            Encoder.of(reply.encoder), dict(reply.figures), reply.images, reply.validation_images, reply.steps, reply.epochs,
            reply.best_epoch, reply.seconds, reply.images_per_second, tuple(rows.problems) + tuple(reply.notes),
        )  # fmt: skip

    def latent(
        self, encoder: str, verb: str, images: Any = None, *, codes: Any = None, labels: Optional[Sequence[str]] = None,
        timeout: Optional[float] = None, **options: Any,
    ) -> LatentResult:  # fmt: skip
        """Does a verb in the latent space of an encoder that ``pretrain`` made.

        ``verb``: ``"encode"``, ``"decode"``, ``"reconstruct"``, ``"sample"``, ``"interpolate"``, ``"edit"``, ``"analogy"``,
        ``"map"``, ``"grid"`` or ``"learn"``. ``images`` as of ``pretrain``, or in their place ``codes`` ``[rows, code]``.
        ``labels``: of the images, for ``map`` and ``learn``; of a folder with a sub-folder for each label they are the folders.
        ``options``: the fields of ``LatentRequest``: ``count``, ``seed``, ``temperature``, ``direction``, ``amounts``, ``method``,
        ``label``, ``against``.
        """
        if images is not None and codes is not None:
            raise InvalidArgumentError("Give images, or codes; not both.")
        tensors = None
        if codes is not None:
            array = np.atleast_2d(np.asarray(codes, np.float32))
            tensors = {"codes": np.ascontiguousarray(array)}
        try:
            request = latent_pb2.LatentRequest(encoder=encoder, verb=verb, **options)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"These options cannot be: {error}.") from error
        deadline, link, sent = self._deadline(timeout), self._session.link(), []  # type: ignore[var-annotated]
        problems: List[str] = []
        try:
            if images is not None:
                rows = _rows(images, labels)
                request.data = self._upload(link, rows, deadline, sent)
                request.image_column, request.name_column = "image", "path"
                if verb in ("map", "learn"):
                    request.label_column = "label"
                problems = rows.problems
            answer = self._work("latent", request, "latent_reply", tensors=tensors, deadline=deadline, link=link)
        finally:
            drop(link, sent)
        reply = answer.envelope.latent_reply
        return LatentResult(
            tuple((item.name, dict(item.figures)) for item in reply.items), dict(reply.figures), reply.sheet, tuple(reply.pictures),
            answer.arrays().get("codes"),
            tuple(Direction(d.name, d.method, np.array(d.vector, np.float32), d.quality) for d in reply.directions),
            tuple(problems) + tuple(reply.notes),
        )  # fmt: skip


def _rows(images: Any, labels: Optional[Sequence[str]]) -> LabelledRows:
    """Columns image, label (empty where there is none) and path."""
    result = LabelledRows(("image", "label", "path"), lambda: iter(()), IMAGE_CHUNK)
    if isinstance(images, (str, os.PathLike)) and files.is_collection(images) and labels is None:
        result.rows = lambda: (
            (image, name.split("/")[-2] if "/" in name else "", name) for name, image in files.entries(images, result.problems)
        )
        return result
    values = [images] if isinstance(images, (str, bytes, os.PathLike)) or hasattr(images, "save") else list(images)
    if labels is not None and len(labels) != len(values):
        raise InvalidArgumentError(f"There are {len(labels)} labels for {len(values)} images.")

    def rows() -> Iterator[Tuple[Value, ...]]:
        for row, value in enumerate(values):
            name = os.fspath(value) if isinstance(value, (str, os.PathLike)) else f"row {row + 1}"
            yield files.image_bytes(value), str(labels[row]) if labels is not None else "", name

    result.rows = rows
    return result
