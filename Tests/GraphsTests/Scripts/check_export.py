"""Checks an exported model with onnx.checker, runs it in onnxruntime, and compares with the outputs given.

    python check_export.py MODEL.onnx CASE.json      # {"inputs": {NAME: {shape, type, values}}, "output": {shape, values}}

Exits with 1 and the largest difference when it passes 1e-5.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime

model, case = onnx.load(sys.argv[1]), json.load(open(sys.argv[2]))
onnx.checker.check_model(model, full_check=True)
inputs = {name: np.array(value["values"], dtype=value["type"]).reshape(value["shape"]) for name, value in case["inputs"].items()}
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
output = session.run(None, inputs)[0]
difference = np.abs(output - np.array(case["output"]["values"]).reshape(case["output"]["shape"])).max()
if not difference <= 1e-5:
    sys.exit(f"differs by {difference}")
