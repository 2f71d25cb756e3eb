"""Writes the node tests of the onnx package in the layout its backend tests use: CASE/model.onnx, input_N.pb, output_N.pb, and
manifest.json with the tolerances. Cases with sequences, optional values or strings are left out.

    python node_cases.py FOLDER
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

warnings.filterwarnings("ignore")


def tensor(value, name):
    if isinstance(value, onnx.TensorProto):
        return value
    if not isinstance(value, (np.ndarray, np.generic)):
        return None
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind in "USO":
        return None
    return numpy_helper.from_array(array, name)


def main():
    folder = pathlib.Path(sys.argv[1])
    manifest = []
    for case in collect_testcases(None):
        graph = case.model.graph
        for number, (inputs, outputs) in enumerate(case.data_sets):
            names = [(value, info.name) for value, info in zip(inputs, graph.input)]
            expected = [(value, info.name) for value, info in zip(outputs, graph.output)]
            protos = [tensor(*pair) for pair in names], [tensor(*pair) for pair in expected]
            if any(proto is None for group in protos for proto in group):
                continue
            target = folder / (case.name if number == 0 else f"{case.name}-{number}")
            target.mkdir(parents=True, exist_ok=True)
            (target / "model.onnx").write_bytes(case.model.SerializeToString())
            for kind, group in zip(("input", "output"), protos):
                for index, proto in enumerate(group):
                    proto.name = (graph.input if kind == "input" else graph.output)[index].name
                    (target / f"{kind}_{index}.pb").write_bytes(proto.SerializeToString())
            manifest.append({"name": target.name, "rtol": case.rtol, "atol": case.atol})
    (folder / "manifest.json").write_text(json.dumps(manifest))
    print(len(manifest))


main()
