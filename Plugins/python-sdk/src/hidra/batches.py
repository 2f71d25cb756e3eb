"""Batches of an attachment's steps."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from .errors import InvalidArgumentError
from .rows import LabelledRows
from .tables import column_names, columns_of, text_of
from .v1 import steps_pb2
from .wire import check_text


class LoadedRows(NamedTuple):
    """A data set of the daemon, and what it was made of: the next daemon needs it again."""

    name: str
    table: LabelledRows
    label: str
    separator: str


class Labels(NamedTuple):
    """``values``, or where there are none the batch's column ``column``."""

    values: Optional[Sequence[Any]]
    column: str


def batch_of(
    batch: Any, rows: Optional[Sequence[int]], columns: Sequence[str], loaded: Optional[LoadedRows], labels: Optional[Labels] = None
) -> steps_pb2.Batch:
    """``batch``: texts, tuples, or rows as ``Client.train`` takes them; or ``rows``, by their numbers in ``loaded``."""
    result = steps_pb2.Batch(input_column=columns[0] if len(columns) == 1 else "")
    if rows is not None:
        if batch is not None or loaded is None:
            raise InvalidArgumentError("rows= names rows that load() has sent, instead of a batch.")
        result.data = loaded.name
        result.rows.extend(int(row) for row in rows)
        result.label_column, result.label_separator = loaded.label, loaded.separator
        return result
    if batch is None:
        raise InvalidArgumentError("Give a batch, or rows= of what load() has sent.")
    # The column of labels, where the batch itself has it.
    own = [labels.column] if labels is not None and labels.values is None else []
    for name, values in _columns(batch, columns, own).items():
        result.columns.add(name=name, values=_texts(values, name))
    if labels is not None:
        result.label_column = labels.column
        if labels.values is not None:
            result.columns.add(name=labels.column, values=_texts(labels.values, labels.column))
    return result


def _columns(batch: Any, columns: Sequence[str], labels: List[str]) -> Mapping[str, Sequence[Any]]:
    if column_names(batch) is not None:
        return columns_of(batch, [*columns, *labels])
    values = [batch] if isinstance(batch, str) else list(batch)
    if values and isinstance(values[0], Mapping):
        return columns_of(values, [*columns, *labels])
    if labels:
        raise InvalidArgumentError("Give the labels too: labels=[…], or a batch with a column of them.")
    if values and isinstance(values[0], (tuple, list)):
        if any(len(row) != len(columns) for row in values):
            raise InvalidArgumentError(f"Each row must have {len(columns)} values: {', '.join(columns)}.")
        return dict(zip(columns, zip(*values)))
    if len(columns) > 1:
        raise InvalidArgumentError(f"The head reads the columns {', '.join(columns)}: give tuples, or a table.")
    return {columns[0]: values}


def _texts(values: Iterable[Any], name: str) -> List[str]:
    return [check_text(text_of(value, row, name, "|"), row, name) for row, value in enumerate(values)]
