"""A head from a PyTorch module, in one call."""

import sys

import pytest

import hidra
from hidra.heads import graph_bytes


def test_without_torch_an_unknown_object_says_what_is_taken(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(hidra.InvalidArgumentError, match="torch.nn.Module"):
        graph_bytes(object(), lambda: [4])


@pytest.fixture(scope="module")
def torch():
    torch = pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("onnx", reason="needs onnx, which torch exports with")
    return torch


def test_without_onnx_the_error_says_what_to_install(torch, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(hidra.UnsupportedError, match="pip install"):
        graph_bytes(torch.nn.Linear(4, 2), lambda: [4])


def test_a_module_is_trained_from_its_weights(torch, client, tickets):
    torch.manual_seed(0)
    labels = sorted(set(tickets["tone"]))
    module = torch.nn.Sequential(
        torch.nn.Linear(384, 32), torch.nn.GELU(), torch.nn.Dropout(0.1), torch.nn.Linear(32, len(labels))
    ).train()
    settings = dict(text="message", label="tone", encoder="minilm", seed=1)
    results = [
        client.train(tickets, name=f"module{epochs}", head=module, epochs=epochs, lr=rate, holdout=0.2, **settings)
        for epochs, rate in ((1, 1e-7), (20, 0.01))
    ]
    assert module.training, "the module's mode was changed"
    assert all(result.head.kind == "graph" for result in results)
    assert results[1].head.parameters == sum(parameter.numel() for parameter in module.parameters())
    features = client.embed("minilm", tickets["message"][:8])
    (untouched,) = client.run_graph(client.export("module1"), {"features": features}).values()
    with torch.no_grad():
        expected = module.eval()(torch.from_numpy(features)).numpy()
    assert abs(untouched - expected).max() < 1e-3, "training did not begin at the module's weights"
    assert results[1].metrics["accuracy"] > 0.3
    assert client.predict("module20", "where is my parcel?")[0].label in labels


def test_any_number_of_rows_and_another_layer(torch, client, tickets):
    result = client.train(
        tickets, text="message", label="tone", encoder="minilm", name="layer", tap="3", epochs=1,
        head=torch.nn.Linear(384, len(set(tickets["tone"]))),
    )  # fmt: skip
    assert result.head.tap == "3"


def test_a_module_that_does_not_fit_says_the_shapes(torch, client, tickets):
    for module in (torch.nn.Linear(7, 3), torch.nn.Linear(384, 99)):
        with pytest.raises(hidra.HidraError, match="384|99"):
            client.train(tickets, text="message", label="tone", encoder="minilm", name="never", head=module)


def test_an_estimator_takes_a_module(torch, home, tickets):
    pytest.importorskip("sklearn")
    from hidra.sklearn import HidraClassifier

    classes = len(set(tickets["tone"]))
    module = torch.nn.Linear(384, classes)
    classifier = HidraClassifier(head=module, epochs=2).fit(tickets["message"], tickets["tone"])
    assert classifier.predict_proba(tickets["message"][:2]).shape == (2, classes)
