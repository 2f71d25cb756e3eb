"""Tables: files as the command line reads them, and what Python programs have in memory, as columns of text."""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
import os
import threading
from typing import Any, Dict, Iterable, List, Mapping, NoReturn, Optional, Sequence, Tuple, Union

from .errors import HidraError, InvalidArgumentError, InvalidDataError, NotFoundError
from .home import PathLike

Data = Union[PathLike, Mapping[str, Sequence[Any]], Iterable[Mapping[str, Any]], Any]
"""Labelled rows: the path of a .csv, .tsv or .jsonl file; columns by name (a dict, a pandas or polars frame, an Arrow
table, a ``datasets.Dataset``); or any iterable of mappings, one for each row."""

_DELIMITERS = {"csv": ",", "tsv": "\t", "tab": "\t"}
_FIELD_LIMIT_LOCK = threading.Lock()


def columns_of(data: Data, names: Sequence[str]) -> Dict[str, List[Any]]:
    """The columns of these names, all of one length, with the values they have in ``data``."""
    if isinstance(data, (str, os.PathLike)):
        return read_table(data, names)
    available = column_names(data)
    if available is not None:
        frame: Any = data
        columns = {}
        for name in names:
            if name not in available:
                raise missing_column(name, available, "the data")
            columns[name] = _class_names(data, name, _values(frame[name]))
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InvalidArgumentError(f"The columns must be of one length; they have {lengths}.")
        return columns
    if isinstance(data, (bytes, bytearray)) or not isinstance(data, Iterable):
        raise InvalidArgumentError(
            f"Rows cannot be taken from a {type(data).__name__}: give a path, a dict of columns, a frame, or dicts."
        )
    rows: Dict[str, List[Any]] = {name: [] for name in names}
    for number, row in enumerate(data, 1):
        if not isinstance(row, Mapping):
            raise InvalidArgumentError(f"Row {number} is a {type(row).__name__}; each row must be a dict.")
        for name, values in rows.items():
            if name not in row:
                if number == 1:
                    raise missing_column(name, list(row), "the first row")
                raise InvalidDataError(f"Row {number} has no '{name}'.", details={"row": str(number)})
            values.append(row[name])
    return rows


def column_names(data: Any) -> Optional[List[str]]:
    if isinstance(data, Mapping):
        return list(data)
    for attribute in ("column_names", "columns"):
        names = getattr(data, attribute, None)
        if names is not None and hasattr(data, "__getitem__"):
            return list(names)
    return None


def _values(column: Any) -> List[Any]:
    if isinstance(column, str):
        raise InvalidArgumentError("A column must be a list of values, not one text.")
    for method in ("tolist", "to_pylist", "to_list"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


def _class_names(data: Any, name: str, values: List[Any]) -> List[Any]:
    """A ``datasets.ClassLabel`` column holds numbers and knows their names."""
    features = getattr(data, "features", None)
    names = getattr(features.get(name), "names", None) if isinstance(features, Mapping) else None
    if not names:
        return values
    return [names[value] if isinstance(value, int) and 0 <= value < len(names) else value for value in values]


def missing_column(name: str, available: Sequence[str], source: str) -> HidraError:
    near = difflib.get_close_matches(name, [str(column) for column in available], 1)
    details = {"columns": ", ".join(map(str, available))}
    if near:
        details["suggestion"] = near[0]
    return NotFoundError(
        f"There is no column '{name}' in {source}{f'; did you mean {near[0]!r}?' if near else '.'} Columns: "
        + ", ".join(f"'{column}'" for column in available),
        details=details,
    )


def text_of(value: Any, row: int, column: str, separator: str) -> str:
    """A cell as the daemon takes it. Numbers as Python writes them, booleans as JSON does, lists of labels joined."""
    if isinstance(value, str):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value)):
        raise InvalidDataError(
            f"Row {row + 1} has no value in column '{column}'; fill it in or remove the row.",
            details={"row": str(row + 1)},
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)) or hasattr(value, "tolist"):
        labels = [text_of(label, row, column, separator) for label in value]
        for label in labels:
            if separator in label:
                raise InvalidDataError(
                    f"Row {row + 1}: the label {label!r} holds the separator {separator!r}; give another with "
                    "label_separator=.",
                    details={"row": str(row + 1)},
                )
        return separator.join(sorted(labels) if isinstance(value, (set, frozenset)) else labels)
    raise InvalidDataError(
        f"Row {row + 1}: a {type(value).__name__} in column '{column}' is no text, number or list of labels.",
        details={"row": str(row + 1)},
    )


def read_table(path: PathLike, names: Sequence[str]) -> Dict[str, List[Any]]:
    """Columns of a .csv, .tsv or .jsonl file with a header, in UTF-8."""
    name = os.fspath(path)
    extension = name.rsplit("/", 1)[-1].rpartition(".")[2].lower()
    if extension not in (*_DELIMITERS, "jsonl", "ndjson"):
        raise InvalidArgumentError(f"{name}: the extension is none of .csv, .tsv, .tab, .jsonl, .ndjson.")
    try:
        with open(name, "rb") as file:
            content = file.read()
    except OSError as error:
        cls = NotFoundError if isinstance(error, FileNotFoundError) else InvalidArgumentError
        raise cls(f"Cannot read {name}: {error.strerror}. Check the path.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidDataError(
            f"{name}, line {line}: byte 0x{content[error.start]:02X} is not UTF-8; save the file as UTF-8."
        ) from error
    if extension in _DELIMITERS:
        return _read_delimited(text, _DELIMITERS[extension], name, names)
    return _read_json_lines(text, name, names)


def _read_delimited(text: str, delimiter: str, source: str, names: Sequence[str]) -> Dict[str, List[Any]]:
    # The limit is the module's, not the reader's.
    with _FIELD_LIMIT_LOCK:
        limit = csv.field_size_limit(2**31 - 1)
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise InvalidDataError(f"{source} cannot be parsed: {error}. Write it anew with every field quoted.") from error
        finally:
            csv.field_size_limit(limit)
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise InvalidDataError(f"{source} is empty; the first line must name the columns.")
    header = rows.pop(0)
    for name in header:
        if not name.strip():
            raise InvalidDataError(f"{source}: a column has no name; give it one.")
        if header.count(name) > 1:
            raise InvalidDataError(f"{source}: two columns are called '{name}'; rename one.")
    for number, row in enumerate(rows, 1):
        # A blank line is a row with one empty field.
        row = rows[number - 1] = row or [""]
        if len(row) != len(header):
            raise InvalidDataError(
                f"{source}, row {number}: {len(row)} fields, but the header names {len(header)}; quote fields that "
                "hold a delimiter.",
                details={"row": str(number), "file": source},
            )
    columns = {}
    for name in names:
        if name not in header:
            raise missing_column(name, header, source)
        position = header.index(name)
        columns[name] = [row[position] for row in rows]
    return columns


def _read_json_lines(text: str, source: str, names: Sequence[str]) -> Dict[str, List[Any]]:
    columns: Dict[str, List[Any]] = {name: [] for name in names}
    keys: Dict[str, None] = {}
    row = 0
    gaps: Dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r"):
            continue
        row += 1
        try:
            # Numbers stay as they are spelt.
            members = json.loads(
                line, parse_int=str, parse_float=str, parse_constant=_no_number, object_pairs_hook=_members
            )
        except ValueError as error:
            raise _json_fault(source, number, row, str(error)) from error
        if not isinstance(members, dict):
            raise _json_fault(source, number, row, "each line must hold one JSON object")
        keys.update(dict.fromkeys(members))
        for name in names:
            if name in members:
                columns[name].append(_json_text(members[name], name, source, number, row))
            else:
                gaps.setdefault(name, row)
    if row == 0:
        raise InvalidDataError(f"{source} is empty; each line must hold one JSON object.")
    for name in names:
        if name not in keys:
            raise missing_column(name, list(keys), source)
        if name in gaps:
            raise InvalidDataError(
                f"{source}, row {gaps[name]} has no '{name}'.", details={"row": str(gaps[name]), "file": source}
            )
    return columns


def _members(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key occurs twice")
    return members


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _json_text(value: Any, name: str, source: str, line: int, row: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        labels = [_json_text(label, name, source, line, row) for label in value]
        if not any("|" in label for label in labels) and not any(isinstance(label, list) for label in value):
            return "|".join(labels)
    raise _json_fault(source, line, row, f"'{name}' must be a string, a number, true, false or an array of strings")


def _json_fault(source: str, line: int, row: int, reason: str) -> HidraError:
    return InvalidDataError(f"{source}, line {line}: {reason}.", details={"row": str(row), "file": source})
