"""Rows from files and from memory."""

import collections
import tarfile

import numpy as np
import pytest

import hidra
from hidra import images
from hidra.rows import image_rows, text_rows, upload
from hidra.tables import columns_of, text_of
from hidra.v1 import data_pb2

COLUMNS = {"text": ["a", "b, c", 'd "e"', "f\ng"], "label": ["1", "2.0", "1e3", "x"]}


def _columns(data):
    return columns_of(data, ["text", "label"])


class Dataset:
    """The face of ``datasets.Dataset``: columns by name, features, and rows by iteration."""

    def __init__(self, columns, features):
        self._columns, self.features, self.column_names = columns, features, list(columns)

    def __getitem__(self, name):
        return self._columns[name]


def test_every_form_of_the_same_rows_gives_the_same_columns(tmp_path):
    pandas = pytest.importorskip("pandas")
    (tmp_path / "t.csv").write_bytes(
        '\ufefftext,other,label\r\na,,1\r\n"b, c",,2.0\r\n"d ""e""",,1e3\r\n"f\ng",,x\r\n'.encode()
    )
    (tmp_path / "t.tsv").write_text('label\ttext\n1\ta\n2.0\tb, c\n1e3\t"d ""e"""\nx\t"f\ng"\n')
    lines = ['{"text": "a", "label": 1}', '{"label": 2.0, "text": "b, c"}', "", '{"text": "d \\"e\\"", "label": 1e3}']
    (tmp_path / "t.jsonl").write_text("\n".join([*lines, '{"text": "f\\ng", "label": "x"}']) + "\n")
    rows = [dict(zip(COLUMNS, values)) for values in zip(*COLUMNS.values())]
    forms = [
        tmp_path / "t.csv", str(tmp_path / "t.tsv"), tmp_path / "t.jsonl", COLUMNS, rows, iter(rows), tuple(rows),
        pandas.DataFrame(COLUMNS), {name: np.array(values) for name, values in COLUMNS.items()}, Dataset(COLUMNS, {}),
    ]  # fmt: skip
    for form in forms:
        assert _columns(form) == COLUMNS, form


def test_class_labels_of_datasets_get_their_names():
    label = collections.namedtuple("ClassLabel", "names")(["no", "yes"])
    assert _columns(Dataset({"text": ["a", "b"], "label": [1, 0]}, {"label": label}))["label"] == ["yes", "no"]


@pytest.mark.parametrize(
    "value, text",
    [("a", "a"), (3, "3"), (np.int64(3), "3"), (0.5, "0.5"), (np.float32(0.5), "0.5"), (True, "true"), (["b", "a"], "b|a"),
     ({"b", "a"}, "a|b"), (np.array(["x", "y"]), "x|y"), ([], "")],
)  # fmt: skip
def test_cells_become_text(value, text):
    assert text_of(value, 0, "label", "|") == text


@pytest.mark.parametrize("value", [None, float("nan"), np.float64("nan"), object(), ["a|b"], {"a": 1}, b"a"])
def test_cells_that_are_no_value_name_their_row(value):
    with pytest.raises(hidra.InvalidDataError, match="Row 7") as raised:
        text_of(value, 6, "label", "|")
    assert raised.value.details["row"] == "7"


def test_a_missing_value_of_pandas_is_named():
    pandas = pytest.importorskip("pandas")
    rows = text_rows(pandas.DataFrame({"text": ["a", "b"], "label": ["x", pandas.NA]}), "text", "label", "|")
    with pytest.raises(hidra.InvalidDataError, match="Row 2"):
        list(rows.rows())


def test_unknown_columns_are_named_with_the_nearest():
    for data in (COLUMNS, [{"text": "a", "label": "b"}], Dataset(COLUMNS, {})):
        with pytest.raises(hidra.NotFoundError, match="did you mean 'label'") as raised:
            columns_of(data, ["text", "labels"])
        assert raised.value.details["suggestion"] == "label" and "text" in raised.value.details["columns"]


@pytest.mark.parametrize(
    "name, content, error, match",
    [
        ("a.csv", b"", hidra.InvalidDataError, "empty"),
        ("a.csv", b"text,label\na\n", hidra.InvalidDataError, "row 1: 1 field"),
        ("a.csv", b"text,label\n\na,b\n", hidra.InvalidDataError, "row 1"),
        ("a.csv", b"text,text\na,b\n", hidra.InvalidDataError, "two columns"),
        ("a.csv", b"text,\na,b\n", hidra.InvalidDataError, "no name"),
        ("a.csv", b'text,label\n"a,b\n', hidra.InvalidDataError, "cannot be parsed"),
        ("a.csv", b"text,label\na,\xff\n", hidra.InvalidDataError, "line 2: byte 0xFF"),
        ("a.jsonl", b"[]\n", hidra.InvalidDataError, "one JSON object"),
        ("a.jsonl", b'{"text": null, "label": "b"}\n', hidra.InvalidDataError, "'text' must be"),
        ("a.jsonl", b'{"text": "a", "label": NaN}\n', hidra.InvalidDataError, "NaN"),
        ("a.jsonl", b'{"text": "a", "text": "b"}\n', hidra.InvalidDataError, "twice"),
        ("a.jsonl", b'{"text": "a", "label": "b"}\n{"text": "a"}\n', hidra.InvalidDataError, "row 2 has no 'label'"),
        ("a.parquet", b"", hidra.InvalidArgumentError, "extension"),
    ],
)
def test_broken_files_say_where(tmp_path, name, content, error, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=match):
        _columns(tmp_path / name)


def test_a_long_field_is_read_and_the_limit_of_csv_stays_as_it_was(tmp_path):
    import csv

    (tmp_path / "a.csv").write_text("text,label\n" + "x" * 200_000 + ",b\n")
    assert len(_columns(tmp_path / "a.csv")["text"][0]) == 200_000
    assert csv.field_size_limit() == 131_072


def test_files_that_are_not_there_and_things_that_are_no_rows():
    with pytest.raises(hidra.NotFoundError):
        _columns("nowhere.csv")
    for data in (3, b"x", ["a", "b"], {"text": "abc", "label": "abc"}, {"text": ["a"], "label": []}):
        with pytest.raises(hidra.InvalidArgumentError):
            _columns(data)


def test_rows_travel_in_chunks_that_follow_each_other():
    texts, requests = ["x" * 100_000 for _ in range(50)], []

    def append(request):
        requests.append(request)
        return data_pb2.AppendRowsReply(rows=request.first_row + len(request.columns[0].values))

    rows = text_rows({"text": texts, "label": list(range(50))}, "text", "label", "|")
    name = upload(rows, append, 64 << 20, 1000)
    assert len(requests) == 5 and all(request.ByteSize() < 1.1 * (1 << 20) for request in requests)
    assert {request.data for request in requests} == {name}
    assert [v for request in requests for v in request.columns[1].values] == [str(i) for i in range(50)]
    assert [request.first_row for request in requests] == [0, 10, 20, 30, 40]
    with pytest.raises(hidra.LimitExceededError, match="more than 7 rows"):
        upload(rows, append, 64 << 20, 7)
    with pytest.raises(hidra.LimitExceededError, match="Row 1 has"):
        upload(rows, append, 100_000, 1000)


def test_texts_that_are_not_unicode_name_their_row():
    with pytest.raises(hidra.InvalidDataError, match="Row 2"):
        list(text_rows({"text": ["a", "\ud800"], "label": ["x", "y"]}, "text", "label", "|").rows())


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


def test_images_come_from_folders_archives_tables_and_memory(tmp_path):
    folder = tmp_path / "photos"
    for name in ("cat/b.png", "cat/a.JPG", "dog/c.webp", "dog/.hidden.png", "dog/notes.txt", "lone.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)
    with tarfile.open(tmp_path / "photos.tar.gz", "w:gz") as archive:
        archive.add(folder, "photos")
    (tmp_path / "list.csv").write_text("path,label\nphotos/cat/b.png,cat\nphotos/none.png,cat\n")

    rows = image_rows(folder, None, "label", "|")
    assert [row[1:] for row in rows.rows()] == [("cat", "cat/a.JPG"), ("cat", "cat/b.png"), ("dog", "dog/c.webp")]
    assert rows.problems == ["lone.png lies in no folder that would name its label"]
    archived = image_rows(tmp_path / "photos.tar.gz", None, "label", "|")
    assert sorted(row[2] for row in archived.rows())[:3] == ["photos/cat/a.JPG", "photos/cat/b.png", "photos/dog/c.webp"]
    listed = image_rows(tmp_path / "list.csv", None, "label", "|")
    assert list(listed.rows()) == [(PNG, "cat", "photos/cat/b.png")] and "none.png" in listed.problems[0]
    memory = image_rows([{"image": {"bytes": PNG, "path": None}, "label": 1}], None, "label", "|")
    assert list(memory.rows()) == [(PNG, "1", "row 1")]
    with pytest.raises(hidra.InvalidArgumentError, match="image="):
        image_rows({"picture": [PNG], "label": [1]}, None, "label", "|")
    with pytest.raises(hidra.NotFoundError, match="'labels'"):
        image_rows({"image": [PNG], "label": [1]}, None, "labels", "|")


def test_pictures_of_pillow_travel_without_loss():
    pillow = pytest.importorskip("PIL.Image")
    picture = pillow.frombytes("RGB", (3, 2), bytes(range(18)))
    import io

    back = pillow.open(io.BytesIO(images.image_bytes(picture)))
    assert back.tobytes() == bytes(range(18))
    with pytest.raises(hidra.InvalidArgumentError):
        images.image_bytes(3)
