"""Heads that read several columns, and graphs made without any other package."""

import numpy as np
import pytest

import hidra
from hidra.graphs import Graph

FIRST = ["the cat sleeps", "a train is late", "the soup is cold", "rain all day"] * 5
SECOND = ["a cat is asleep", "the bus is early", "the soup has gone cold", "sunshine all day"] * 5
ROWS = {"one": FIRST, "two": SECOND, "relation": ["same", "other"] * 10}


def _pairs(seed=0):
    graph = Graph(seed)
    u, v = graph.input("u", 384), graph.input("v", 384)
    hidden = graph.linear(graph.concat(u, v, abs(u - v), u * v), 32).relu()
    return graph.model(graph.linear(hidden, 2))


@pytest.fixture(scope="module")
def pairs(home):
    with hidra.Client(home) as client:
        settings = dict(label="relation", encoder="minilm", head=_pairs(), epochs=20, seed=1)
        client.train(ROWS, name="pairs", text=["one", "two"], **settings)
        client.train(ROWS, name="named", inputs={"v": "two", "u": hidra.HeadInput("one", tap="3")}, **settings)
    return "pairs"


def test_a_graph_of_two_inputs_reads_two_columns(client, pairs):
    head = client.show(pairs)
    assert head.columns == ("one", "two") and [input.name for input in head.inputs] == ["u", "v"]
    expected = client.predict(pairs, list(zip(FIRST, SECOND)))
    assert [answer.label for answer in expected[:4]] == ["same", "other"] * 2
    assert client.predict(pairs, ROWS) == expected
    assert client.predict(pairs, [dict(zip(ROWS, row)) for row in zip(*ROWS.values())]) == expected
    assert client.predict(pairs, (pair for pair in zip(FIRST, SECOND))) == expected
    assert client.evaluate(pairs, ROWS, label="relation").metrics["accuracy"] > 0.9
    assert client.evaluate(pairs, ROWS, text=["two", "one"], label="relation").rows == 20
    pandas = pytest.importorskip("pandas")
    assert client.predict(pairs, pandas.DataFrame(ROWS)) == expected


def test_inputs_are_named_with_their_encoders_and_taps(client, pairs):
    head = client.show("named")
    assert {(input.name, input.column, input.tap) for input in head.inputs} == {("u", "one", "3"), ("v", "two", "")} or head.columns
    answers = client.predict("named", {"two": SECOND[:4], "one": FIRST[:4]})
    assert [answer.label for answer in answers] == ["same", "other"] * 2


@pytest.mark.parametrize(
    "inputs, error, match",
    [
        ([("a", "b"), "c"], hidra.InvalidDataError, "Input 2"),
        ([("a", "b"), ("c",)], hidra.InvalidDataError, "Input 2"),
        ([("a", 3)], hidra.InvalidArgumentError, "Input 1"),
        ({"one": ["a"]}, hidra.NotFoundError, "'two'"),
        ([("a", "b", "c")], hidra.HidraError, "."),
        (["a"], hidra.HidraError, "."),
    ],
)
def test_what_is_no_row_of_its_columns_is_refused(client, pairs, inputs, error, match):
    with pytest.raises(error, match=match):
        client.predict(pairs, inputs)


@pytest.mark.parametrize("text", [["one", "one"], [], ["one", "relation"], ["one", "three"]])
def test_columns_that_cannot_be_read_are_refused(client, text):
    with pytest.raises(hidra.HidraError):
        client.train(ROWS, name="never", text=text, label="relation", encoder="minilm", head=_pairs())


def test_a_table_can_be_embedded_and_predicted_by_its_column(client, tickets):
    rows = {name: values[:40] for name, values in tickets.items()}
    expected = client.embed("minilm", rows["message"])
    assert (client.embed("minilm", rows, column="message") == expected).all()
    client.train(rows, text="message", label="tone", encoder="minilm", name="by-column", epochs=2)
    assert client.predict("by-column", rows, text="message") == client.predict("by-column", rows["message"])
    with pytest.raises(hidra.NotFoundError, match="message"):
        client.predict("by-column", rows)


def test_a_graph_computes_what_it_says(client):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 3, 4)).astype(np.float32)
    weight = random.normal(size=(4, 2)).astype(np.float32)
    graph = Graph()
    a, b = graph.input("a", 4), graph.input("b", 4)
    value = graph.matmul((a + b) * (a - b) / 2.0, weight, [1, 2])
    outputs = client.run_graph(graph.model(value.softmax().log().exp()), {"a": x, "b": y})["outputs"]
    expected = (x + y) * (x - y) / 2 @ weight + [1, 2]
    expected = np.exp(expected - expected.max(1, keepdims=True))
    np.testing.assert_allclose(outputs, expected / expected.sum(1, keepdims=True), rtol=1e-4)
    assert client.check_graph(graph.model(value)).parameters == 10


def test_a_graph_agrees_with_onnxs_own_checker():
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    model = onnx.load_from_string(_pairs())
    onnx.checker.check_model(model, full_check=True)
    assert [input.name for input in model.graph.input] == ["u", "v"]


def test_shapes_that_do_not_fit_are_refused():
    graph = Graph()
    a, b = graph.input("a", 4), graph.input("b", 5)
    with pytest.raises(hidra.InvalidArgumentError, match="4 and 5"):
        a + b
    with pytest.raises(hidra.InvalidArgumentError, match="4, width"):
        graph.matmul(a, np.zeros((3, 2)))


def test_a_module_of_two_inputs_is_exported_by_the_names_of_its_arguments(client):
    torch = pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("onnx", reason="needs onnx, which torch exports with")

    class Pairs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.last = torch.nn.Linear(768, 2)

        def forward(self, left, right):
            return self.last(torch.cat([left * right, (left - right).abs()], 1))

    client.train(ROWS, name="module", text=["one", "two"], label="relation", encoder="minilm", head=Pairs(), epochs=1)
    assert [input.name for input in client.show("module").inputs] == ["left", "right"]


def test_a_module_over_token_states_is_exported_by_shapes(client):
    torch = pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("onnx", reason="needs onnx, which torch exports with")
    import hidra.torch

    class Attention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.score, self.last = torch.nn.Linear(384, 1), torch.nn.Linear(384, 2)

        def forward(self, states, mask):
            weights = torch.softmax(self.score(states).squeeze(2) + (mask - 1) * 1e4, 1)
            return self.last((weights.unsqueeze(2) * states).sum(1))

    shapes = {"states": ("rows", "tokens", 384), "mask": ("rows", "tokens")}
    model = hidra.torch.graph(Attention(), shapes, client=client)
    result = client.train(ROWS, name="states", text="one", label="relation", encoder="minilm", head=model, epochs=1)
    assert result.head.kind == "graph" and client.predict("states", FIRST[0])[0].label in ("same", "other")

    class Unknown(torch.nn.Module):
        def forward(self, features):
            return torch.fft.rfft(features).real

    with pytest.raises(hidra.HidraError):
        client.train(ROWS, name="never", text="one", label="relation", encoder="minilm", head=Unknown())
