"""Labelled rows on their way to the daemon: section 6 of ``proto/README.md``."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple, Union

from . import images
from .errors import HidraError, InvalidArgumentError, InvalidDataError, LimitExceededError, NotFoundError
from .results import DataSet
from .tables import Data, columns_of, missing_column, text_of
from .v1 import data_pb2 as pb
from .wire import check_text

Value = Union[str, bytes]

TEXT_CHUNK = 1 << 20
IMAGE_CHUNK = 4 << 20
_PATH_COLUMNS = ("image", "path", "file", "filename")


@dataclass
class LabelledRows:
    """Rows of named columns, read as they are sent."""

    columns: Tuple[str, ...]
    rows: Callable[[], Iterator[Tuple[Value, ...]]]
    chunk: int
    # Which of them is the label; those before are the inputs, the one after it names the rows.
    label_at: int = 1
    # What was left out, and why; filled while the rows are read.
    problems: List[str] = field(default_factory=list)
    # How many rows the daemon got.
    sent: int = 0
    # Of rows that the daemon has: the data set they are.
    stored: str = ""

    @property
    def inputs(self) -> Tuple[str, ...]:
        return self.columns[: self.label_at]

    @property
    def label(self) -> str:
        return self.columns[self.label_at]

    @property
    def name(self) -> str:
        return self.columns[self.label_at + 1] if len(self.columns) > self.label_at + 1 else ""


def text_rows(data: Data, text: Union[str, Sequence[str]], label: str, separator: str) -> LabelledRows:
    """``text``: the column of the texts, or several, each once."""
    inputs = (text,) if isinstance(text, str) else tuple(text)
    if not inputs or len(set(inputs)) < len(inputs):
        raise InvalidArgumentError(f"text= names the columns to read, each once; it was {text!r}.")
    if label in inputs:
        raise InvalidArgumentError(f"The texts and the labels cannot both be column '{label}'.")
    names = (*inputs, label)
    if isinstance(data, DataSet):
        for name in names:
            if name not in data.columns:
                raise missing_column(name, data.columns, f"the data set {data.name}")
        return LabelledRows(names, lambda: iter(()), TEXT_CHUNK, len(inputs), sent=data.rows, stored=data.name)
    table = columns_of(data, names)

    def rows() -> Iterator[Tuple[Value, ...]]:
        for row, cells in enumerate(zip(*(table[name] for name in names))):
            yield tuple(check_text(text_of(cell, row, name, separator), row, name) for cell, name in zip(cells, names))

    return LabelledRows(names, rows, TEXT_CHUNK, label_at=len(inputs))


def image_rows(data: Data, image: Optional[str], label: str, separator: str) -> LabelledRows:
    """Of a folder or an archive, or of a table with a column of images or of their paths."""
    result = LabelledRows(("image", "label", "path"), lambda: iter(()), IMAGE_CHUNK)
    if isinstance(data, (str, os.PathLike)) and images.is_collection(data):
        result.rows = lambda: images.collection(data, result.problems)
        return result
    folder = os.path.dirname(os.fspath(data)) if isinstance(data, (str, os.PathLike)) else ""
    if image is not None:
        table = columns_of(data, [image, label])
    else:
        table, image = _guess_column(data, label)

    def rows() -> Iterator[Tuple[Value, ...]]:
        for row, (value, target) in enumerate(zip(table[image], table[label])):
            name = os.fspath(value) if isinstance(value, (str, os.PathLike)) else f"row {row + 1}"
            try:
                content = images.image_bytes(value, folder)
            except (InvalidDataError, NotFoundError) as error:
                result.problems.append(error.message)
                continue
            yield content, check_text(text_of(target, row, label, separator), row, label), check_text(name, row)

    result.rows = rows
    return result


def _guess_column(data: Data, label: str) -> Tuple[Any, str]:
    if not isinstance(data, (str, os.PathLike)) and not hasattr(data, "__getitem__"):
        data = list(data)  # It is looked at more than once.
    found = []
    for name in _PATH_COLUMNS:
        try:
            found.append((columns_of(data, [name, label]), name))
        except NotFoundError as error:
            if "columns" not in error.details:
                raise
            if label not in error.details["columns"].split(", "):
                raise missing_column(label, error.details["columns"].split(", "), "the data") from None
    if len(found) != 1:
        raise InvalidArgumentError("Name the column with the images, or their paths, with image=.")
    return found[0]


Append = Callable[[pb.AppendRowsRequest], pb.AppendRowsReply]


def upload(rows: LabelledRows, append: Append, message_bytes: int, most_rows: int, name: Optional[str] = None) -> str:
    """Sends the rows in chunks and returns the data set's name."""
    name = name or "data-" + secrets.token_hex(8)
    chunk: List[Tuple[Value, ...]] = []
    sent = size = 0
    target = min(rows.chunk, message_bytes // 2)

    def send() -> None:
        nonlocal chunk, sent, size
        request = pb.AppendRowsRequest(data=name, first_row=sent)
        for position, column in enumerate(rows.columns):
            values: Sequence[Any] = [row[position] for row in chunk]
            if isinstance(values[0], bytes):
                request.columns.add(name=column, blobs=values)
            else:
                request.columns.add(name=column, values=values)
        sent += len(chunk)
        reply = append(request)
        if reply.rows < sent:
            raise HidraError(f"hidrad has {reply.rows} rows of {name} after {sent} were sent. Try again.")
        chunk, size = [], 0

    for row in rows.rows():
        number = sent + len(chunk) + 1
        # Beside its bytes, a value costs a tag and a length.
        row_size = sum((len(value) if isinstance(value, bytes) else len(value.encode())) + 6 for value in row)
        if row_size > message_bytes - 65_536:
            raise LimitExceededError(
                f"Row {number} has {row_size} bytes; hidrad takes messages of {message_bytes}.",
                details={"row": str(number), "limit": str(message_bytes)},
            )
        if number > most_rows:
            raise LimitExceededError(
                f"There are more than {most_rows} rows, which is what hidrad takes. Use fewer.",
                details={"limit": str(most_rows)},
            )
        if chunk and size + row_size > target:
            send()
        chunk.append(row)
        size += row_size
    if chunk:
        send()
    if sent == 0:
        reasons = f" {'; '.join(rows.problems[:3])}." if rows.problems else ""
        raise InvalidDataError(f"There are no rows to learn from.{reasons}")
    rows.sent = sent
    return name
