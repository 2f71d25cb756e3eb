"""Exports heads on token states, and heads of two inputs, for features of the tests' tiny encoder.

    python export_heads.py        # torch 2.13, onnx, onnxscript

writes HEAD.onnx beside this file.
"""

import pathlib
import warnings

import onnx
import torch
from torch import nn

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent
# Of each node: long, and the first with paths of this machine.
LEFT_OUT = ("pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node", "pkg.torch.onnx.class_hierarchy", "namespace")
WIDTH, LABELS = 32, 4


class AttentionPooling(nn.Module):
    """One learned query over the tokens that the mask leaves."""

    def __init__(self):
        super().__init__()
        self.score = nn.Linear(WIDTH, 1)
        self.output = nn.Linear(WIDTH, LABELS)

    def forward(self, tokens, mask):
        scores = self.score(tokens).squeeze(-1).masked_fill(mask == 0, float("-inf"))
        return self.output(torch.einsum("bl,bld->bd", torch.softmax(scores, dim=-1), tokens))


class MeanOverMask(nn.Module):
    """A mask that is asked for, and leaves what lies beyond it in the mean's denominator."""

    def __init__(self):
        super().__init__()
        self.output = nn.Linear(WIDTH, LABELS)

    def forward(self, tokens, mask):
        return self.output((tokens * mask.unsqueeze(-1)).mean(dim=1))


class LastState(nn.Module):
    """A GRU's last state: no mask."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(WIDTH, 12, batch_first=True)
        self.output = nn.Linear(12, LABELS)

    def forward(self, tokens):
        return self.output(self.gru(tokens)[1][0])


class GatedFusion(nn.Module):
    """Two vectors, weighed against each other by a gate that sees both."""

    def __init__(self, labels=LABELS):
        super().__init__()
        self.left, self.right, self.gate = nn.Linear(WIDTH, 16), nn.Linear(WIDTH, 16), nn.Linear(32, 16)
        self.output = nn.Linear(16, labels)

    def forward(self, left, right):
        a, b = torch.tanh(self.left(left)), torch.tanh(self.right(right))
        gate = torch.sigmoid(self.gate(torch.cat([a, b], dim=-1)))
        return self.output(gate * a + (1 - gate) * b)


def main():
    torch.manual_seed(0)
    batch = torch.export.Dim("batch")
    tokens = {0: batch, 1: torch.export.Dim("sequence")}
    states = torch.randn(3, 5, WIDTH)
    heads = [
        ("attention", AttentionPooling(), {"tokens": states, "mask": torch.ones(3, 5, dtype=torch.int64)}, (tokens, tokens)),
        ("mean_over_mask", MeanOverMask(), {"tokens": states, "mask": torch.ones(3, 5)}, (tokens, tokens)),
        ("last_state", LastState(), {"tokens": states}, (tokens,)),
        ("gated", GatedFusion(), {"left": torch.randn(3, WIDTH), "right": torch.randn(3, WIDTH)}, ({0: batch}, {0: batch})),
    ]
    for name, module, inputs, shapes in heads:
        path = FOLDER / f"{name}.onnx"
        torch.onnx.export(
            module.eval(), tuple(inputs.values()), str(path), dynamo=True, opset_version=20, dynamic_shapes=shapes, external_data=False,
            verbose=False, input_names=list(inputs), output_names=["output"],
        )
        model = onnx.load(path)
        for node in [*model.graph.node, *(node for function in model.functions for node in function.node)]:
            kept = [entry for entry in node.metadata_props if entry.key not in LEFT_OUT]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
        onnx.save_model(model, path)


main()
