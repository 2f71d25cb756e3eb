"""Exports ordinary PyTorch heads to ONNX with both exporters, and writes what PyTorch makes of them: inputs, outputs, and the losses of
ten steps of SGD and of AdamW. The tests load the graphs unmodified and expect the same numbers.

    python export_heads.py        # torch 2.13, onnx, onnxscript

writes HEAD.EXPORTER.onnx and HEAD.json beside this file.
"""

import copy
import json
import pathlib
import warnings

import onnx
import torch
from torch import nn

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent
# Of each node: long, and the first with paths of this machine.
LEFT_OUT = ("pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node", "pkg.torch.onnx.class_hierarchy", "namespace")
STEPS, SGD_RATE, ADAMW_RATE, DECAY = 10, 0.05, 0.01, 0.01


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(12), nn.Linear(12, 16), nn.GELU(), nn.Dropout(0.3), nn.Linear(16, 16), nn.SiLU(), nn.Dropout(0.1), nn.Linear(16, 5)
        )

    def forward(self, features):
        return self.layers(features)


class Transformer(nn.Module):
    """A classifier over the mean of a small encoder's outputs."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.1, batch_first=True, norm_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.output = nn.Linear(8, 4)

    def forward(self, tokens):
        return self.output(self.encoder(tokens).mean(dim=1))


class LSTMTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 5, num_layers=2, batch_first=True, bidirectional=True)
        self.output = nn.Linear(10, 4)

    def forward(self, tokens):
        return self.output(self.lstm(tokens)[0])


class GRUTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(6, 7, batch_first=True)
        self.output = nn.Linear(7, 4)

    def forward(self, tokens):
        return self.output(self.gru(tokens)[0])


class ConvDecoder(nn.Module):
    """A vector to an image of 3×8×8."""

    def __init__(self):
        super().__init__()
        self.input = nn.Linear(8, 6 * 2 * 2)
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(6, 6, 4, stride=2, padding=1), nn.GroupNorm(2, 6), nn.ReLU(), nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(6, 4, 3, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(4, 3, 1), nn.Sigmoid(),
        )

    def forward(self, features):
        return self.layers(self.input(features).view(-1, 6, 2, 2))


class AttentionPooling(nn.Module):
    """One learned query over the tokens that the mask leaves."""

    def __init__(self):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
        self.output = nn.Linear(8, 3)

    def forward(self, tokens, mask):
        scores = self.score(tokens).squeeze(-1).masked_fill(mask == 0, float("-inf"))
        weights = torch.softmax(scores, dim=-1)
        return self.output(torch.einsum("bl,bld->bd", weights, tokens))


class GatedFusion(nn.Module):
    """Two inputs, weighed against each other by a gate that sees both."""

    def __init__(self):
        super().__init__()
        self.text, self.image, self.gate = nn.Linear(10, 8), nn.Linear(6, 8), nn.Linear(16, 8)
        self.output = nn.Linear(8, 3)

    def forward(self, text, image):
        a, b = torch.tanh(self.text(text)), torch.tanh(self.image(image))
        gate = torch.sigmoid(self.gate(torch.cat([a, b], dim=-1)))
        return self.output(gate * a + (1 - gate) * b)


def heads():
    """Name, module, inputs, target, loss, symbolic axes."""
    yield "mlp", MLP(), {"features": torch.randn(6, 12)}, torch.randint(0, 5, (6,)), "classes", {"features": {0: "batch"}}
    tokens = {0: "batch", 1: "sequence"}
    yield "transformer", Transformer(), {"tokens": torch.randn(3, 5, 8)}, torch.randint(0, 4, (3,)), "classes", {"tokens": tokens}
    yield "lstm_tagger", LSTMTagger(), {"tokens": torch.randn(3, 5, 6)}, torch.randint(0, 4, (3, 5)), "tags", {"tokens": tokens}
    yield "gru_tagger", GRUTagger(), {"tokens": torch.randn(3, 5, 6)}, torch.randint(0, 4, (3, 5)), "tags", {"tokens": tokens}
    yield "conv_decoder", ConvDecoder(), {"features": torch.randn(2, 8)}, torch.rand(2, 3, 8, 8), "squares", {"features": {0: "batch"}}
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]])
    yield "attention_pooling", AttentionPooling(), {"tokens": torch.randn(3, 5, 8), "mask": mask}, torch.randint(0, 3, (3,)), "classes", {
        "tokens": tokens, "mask": tokens
    }
    inputs = {"text": torch.randn(4, 10), "image": torch.randn(4, 6)}
    yield "gated_fusion", GatedFusion(), inputs, torch.randint(0, 3, (4,)), "classes", {"text": {0: "batch"}, "image": {0: "batch"}}


def loss_of(kind, output, target):
    if kind == "squares":
        return nn.functional.mse_loss(output, target)
    return nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), target.reshape(-1))


def losses(module, inputs, target, kind, optimiser):
    # In evaluation mode: dropout would make the numbers depend on the generator.
    module = copy.deepcopy(module).eval()
    parameters = module.parameters()
    steps = torch.optim.SGD(parameters, SGD_RATE) if optimiser == "sgd" else torch.optim.AdamW(parameters, ADAMW_RATE, weight_decay=DECAY)
    history = []
    for _ in range(STEPS):
        loss = loss_of(kind, module(*inputs.values()), target)
        steps.zero_grad()
        loss.backward()
        steps.step()
        history.append(loss.item())
    return history


def without_traces(path):
    """Without the Python source lines the exporter notes for each node, which hold paths of this machine. The graph stays as it is."""
    model = onnx.load(path)
    for node in [*model.graph.node, *(node for function in model.functions for node in function.node)]:
        kept = [entry for entry in node.metadata_props if entry.key not in LEFT_OUT]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save_model(model, path)


def described(tensor):
    return {"shape": list(tensor.shape), "type": str(tensor.dtype).removeprefix("torch."), "values": [float(f"{value:.8g}") if tensor.is_floating_point() else value for value in tensor.flatten().tolist()]}


def main():
    torch.manual_seed(0)
    for name, module, inputs, target, kind, axes in heads():
        module.eval()
        output = module(*inputs.values())
        arguments = dict(input_names=list(inputs), output_names=["output"])
        torch.onnx.export(
            module, tuple(inputs.values()), str(FOLDER / f"{name}.script.onnx"), dynamo=False, opset_version=17,
            dynamic_axes=axes | {"output": {0: "batch"}}, **arguments,
        )
        shapes = tuple({axis: torch.export.Dim(symbol) for axis, symbol in axes[key].items()} for key in inputs)
        torch.onnx.export(
            module, tuple(inputs.values()), str(FOLDER / f"{name}.dynamo.onnx"), dynamo=True, opset_version=20, dynamic_shapes=shapes,
            external_data=False, verbose=False, **arguments,
        )
        without_traces(FOLDER / f"{name}.dynamo.onnx")
        record = {
            "inputs": {key: described(value) for key, value in inputs.items()}, "output": described(output), "target": described(target),
            "loss": kind, "sgd": {"rate": SGD_RATE, "losses": losses(module, inputs, target, kind, "sgd")},
            "adamw": {"rate": ADAMW_RATE, "decay": DECAY, "losses": losses(module, inputs, target, kind, "adamw")},
            "parameters": sum(parameter.numel() for parameter in module.parameters()), "torch": torch.__version__,
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(record))
    # As a module in training: dropout stays in the graph.
    module = MLP().train()
    features = torch.randn(4, 12)
    torch.onnx.export(
        module, (features,), str(FOLDER / "mlp_training.script.onnx"), dynamo=False, opset_version=17, do_constant_folding=False,
        training=torch.onnx.TrainingMode.TRAINING, input_names=["features"], output_names=["output"], dynamic_axes={"features": {0: "batch"}},
    )
    module.eval()
    record = {"inputs": {"features": described(features)}, "output": described(module(features))}
    (FOLDER / "mlp_training.json").write_text(json.dumps(record))


main()
