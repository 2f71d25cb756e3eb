"""Images through a real encoder, against the command line."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

import hidra
from conftest import REPOSITORY

Image = pytest.importorskip("PIL.Image", reason="needs Pillow, to make images")


@pytest.fixture(scope="module")
def encoder(home):
    folder = os.path.join(os.environ.get("HIDRA_MODELS") or REPOSITORY.parent / "shared/models", "cifar-resnet20")
    if not os.path.isdir(folder):
        pytest.skip("needs the encoder cifar-resnet20 in the folder HIDRA_MODELS")
    with hidra.Client(home) as client:
        return client.pull(Path(folder), "resnet").name


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Ten reddish and ten bluish images, in a folder for each."""
    folder, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for label, channel in (("red", 0), ("blue", 2)):
        (folder / label).mkdir()
        for number in range(10):
            pixels = random.integers(0, 90, (32, 32, 3), dtype=np.uint8)
            pixels[..., channel] += 150
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder


def test_vectors_of_paths_bytes_and_pictures_are_those_of_the_command_line(client, cli, encoder, photos, tmp_path):
    paths = sorted((photos / "red").iterdir())
    cli("embed", encoder, *paths, "-o", tmp_path / "v.npy")
    expected = np.load(tmp_path / "v.npy")
    for inputs in (paths, [str(path) for path in paths], [path.read_bytes() for path in paths], map(Image.open, paths)):
        assert client.embed(encoder, inputs).tobytes() == expected.tobytes()
    assert client.embed(encoder, paths[0]).tobytes() == expected[:1].tobytes()


def test_a_folder_an_archive_and_a_table_train_the_same_head_as_the_command_line(client, cli, encoder, photos, tmp_path):
    cli("train", photos, "--image", "--encoder", encoder, "--name", "cli-planes", "--seed", "2")
    digest = client.show("cli-planes").digest
    result = client.train(photos, encoder=encoder, name="folder", seed=2)
    assert result.head.digest == digest and result.head.modality == "image" and result.notes == ()
    paths = sorted(photos.glob("*/*.png"))
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        for path in paths:
            archive.add(path, path.relative_to(photos))
    table = {"image": paths, "label": [path.parent.name for path in paths]}
    pictures = [{"picture": Image.open(path), "kind": path.parent.name} for path in paths]
    assert client.train(tmp_path / "p.tar", encoder=encoder, name="archive", seed=2).head.digest == digest
    assert client.train(table, encoder=encoder, name="table", seed=2).head.digest == digest
    settings = dict(encoder=encoder, name="pictures", seed=2, image="picture", label="kind")
    assert client.train(pictures, **settings).head.labels == ("blue", "red")
    answers = client.predict("folder", paths)
    assert [answer.label for answer in answers] == [path.parent.name for path in paths]
    assert client.evaluate("folder", photos).metrics["accuracy"] == 1


def test_images_that_cannot_be_read_are_named_and_the_rest_is_used(client, encoder, photos):
    paths = sorted(photos.glob("*/*.png"))
    table = {"image": [*paths, photos / "none.png", b"no image"], "label": [p.parent.name for p in paths] + ["red", "red"]}
    result = client.train(table, encoder=encoder, name="some", replace=True)
    assert any("none.png" in note for note in result.notes) and len(result.notes) >= 2
    assert result.train_rows + result.validation_rows == 20
    vectors = client.embed(encoder, [paths[0], b"no image"])
    assert np.isfinite(vectors[0]).all() and np.isnan(vectors[1]).all()
    good, bad = client.predict("some", [paths[0], b"no image"])
    assert good.label and not good.problem and bad.label is None and bad.problem
    with pytest.raises(hidra.NotFoundError):
        client.embed(encoder, "nowhere.png")


def test_texts_and_images_are_not_mixed_up(client, encoder, tickets):
    with pytest.raises(hidra.HidraError):
        client.embed("minilm", [b"bytes"])
    with pytest.raises(hidra.HidraError):
        client.train(tickets, text="message", label="tone", encoder=encoder, name="never")
