"""Encoders trained without labels, through a real daemon."""

import io

import numpy as np
import pytest

import hidra

Image = pytest.importorskip("PIL.Image", reason="needs Pillow, to make images")


def picture(disc, random):
    """A disc or a bar somewhere, as PNG."""
    y, x = np.mgrid[0:16, 0:16]
    cx, cy = random.uniform(4, 12, 2)
    distance = np.hypot(x - cx, y - cy) - 3 if disc else np.abs(x - cx) - 1.2
    buffer = io.BytesIO()
    Image.fromarray((np.clip(0.5 - distance, 0, 1) * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def shapes():
    random = np.random.default_rng(0)
    return [picture(row % 2 == 0, random) for row in range(400)], ["disc" if row % 2 == 0 else "bar" for row in range(400)]


@pytest.fixture(scope="module")
def trained(home, shapes):
    with hidra.Client(home) as client:
        return client.pretrain(
            shapes[0], name="shapes", kind="vae", size=16, code=6, widths=[8, 16], hidden=32, epochs=80, patience=80, batch_size=16, beta=0.05,
            progress=False,
        )


def test_an_encoder_is_trained_and_serves_a_head(client, trained, shapes):
    images, labels = shapes
    assert trained.figures["psnr"] > 15 and trained.encoder.width == 6
    head = client.train({"image": images, "label": labels}, encoder="shapes", tap="2", name="shape", image="image", holdout=0.25)
    assert head.metrics["accuracy"] > 0.85


def test_codes_are_the_encoders_features_and_come_back_as_the_images(client, trained, shapes):
    images, _ = shapes
    encoded = client.latent("shapes", "encode", images[:8])
    assert encoded.codes.shape == (8, 6) and np.allclose(encoded.codes, client.embed("shapes", images[:8]), atol=1e-5)
    there_and_back = client.latent("shapes", "reconstruct", images[:8])
    assert client.latent("shapes", "decode", codes=encoded.codes).pictures == there_and_back.pictures
    assert there_and_back.figures["psnr"] > 15
    assert Image.open(io.BytesIO(there_and_back.sheet)).size[0] > 8 * 16


def test_a_direction_is_learned_and_edits(client, trained, shapes):
    images, labels = shapes
    learned = client.latent("shapes", "learn", images, labels=labels, direction="bar", label="bar").directions[0]
    edited = client.latent("shapes", "edit", images[:1], direction="bar", amounts=[0, 1])
    assert np.allclose(edited.codes[1] - edited.codes[0], learned.vector, atol=1e-5)
    samples = [client.latent("shapes", "sample", count=4, seed=seed).pictures for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]


def test_what_cannot_be_is_refused(client, trained):
    with pytest.raises(hidra.InvalidArgumentError, match="6 numbers"):
        client.latent("shapes", "decode", codes=np.zeros((2, 5)))
    with pytest.raises(hidra.NotFoundError, match="nowhere"):
        client.latent("shapes", "edit", codes=np.zeros((1, 6)), direction="nowhere")
    with pytest.raises(hidra.InvalidArgumentError, match="verb"):
        client.latent("shapes", "dance")
    with pytest.raises(hidra.AlreadyExistsError):
        client.pretrain([b"no image"], name="shapes")
