"""Single-operator models of many shapes, types and attributes, with what onnxruntime makes of them, in the layout of ONNX's backend
tests. Models that onnxruntime does not run are left out.

    python single_ops.py FOLDER
"""

import itertools
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(sys.argv[1])
RANDOM = np.random.default_rng(5)
F32, F64, F16 = np.float32, np.float64, np.float16
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
SHAPES = [(), (1,), (5,), (3, 4), (2, 3, 4), (2, 1, 3, 2), (0,), (2, 0, 3)]
PAIRS = [((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3, 4), (3, 1)), ((), (2, 3)), ((2, 3), ()), ((0, 3), (3,)), ((1, 0), (4, 1)), ((5,), (5,))]
manifest, options = [], onnxruntime.SessionOptions()
options.log_severity_level = 4
options.intra_op_num_threads = 1
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL


# What onnxruntime does otherwise than the specification and numpy: means of nothing are 0, logarithms of integer sums are rounded down,
# and align_corners counts whole elements where the specification takes the scaled length.
def is_odd(op, inputs, attributes):
    if op == "ReduceLogSumExp":
        return np.issubdtype(inputs[0].dtype, np.integer)
    if op == "ReduceMean":
        return inputs[0].size == 0
    return op == "Resize" and attributes["coordinate_transformation_mode"] == "align_corners" and inputs[2] is not None and 0.6 in inputs[2].round(3)


def case(op, inputs, outputs=1, opset=21, rtol=1e-4, atol=1e-5, **attributes):
    if is_odd(op, inputs, attributes):
        return
    names = [f"i{index}" if value is not None else "" for index, value in enumerate(inputs)]
    results = [f"o{index}" for index in range(outputs)]
    present = [(name, value) for name, value in zip(names, inputs) if value is not None]
    node = helper.make_node(op, names, results, name="node", **attributes)
    information = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape) for name, value in present]
    graph = helper.make_graph([node], "single", information, [onnx.ValueInfoProto(name=name) for name in results])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        expected = session.run(None, dict(present))
    except Exception:
        return
    if any(not isinstance(value, np.ndarray) for value in expected):
        return
    kind = present[0][1].dtype if present else F32
    if kind == F16:
        rtol, atol = 4e-3, 2e-3
    name = f"{op}-{len(manifest)}-{kind}"
    folder = FOLDER / name
    folder.mkdir(parents=True)
    # The outputs' types are known now.
    for info, value in zip(model.graph.output, expected):
        info.CopyFrom(helper.make_tensor_value_info(info.name, helper.np_dtype_to_tensor_dtype(value.dtype), None))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    for index, (key, value) in enumerate(present):
        (folder / f"input_{index}.pb").write_bytes(numpy_helper.from_array(value, key).SerializeToString())
    for index, (key, value) in enumerate(zip(results, expected)):
        (folder / f"output_{index}.pb").write_bytes(numpy_helper.from_array(value, key).SerializeToString())
    manifest.append({"name": name, "rtol": rtol, "atol": atol})


def numbers(shape, kind, low=-3, high=3):
    if kind == np.bool_:
        return RANDOM.integers(0, 2, shape).astype(np.bool_)
    if np.issubdtype(kind, np.integer):
        return RANDOM.integers(0 if np.issubdtype(kind, np.unsignedinteger) else int(low) * 10, int(high) * 10 + 1, shape).astype(kind)
    return np.asarray(RANDOM.uniform(low, high, shape)).astype(kind)


def i64(*values):
    return np.array(values, dtype=np.int64)


def elementwise():
    domains = {"Log": (0.1, 4), "Sqrt": (0, 4), "Acosh": (1.1, 4), "Asin": (-1, 1), "Acos": (-1, 1), "Atanh": (-0.9, 0.9), "Reciprocal": (0.5, 3)}
    unary = "Abs Neg Sign Floor Ceil Round Exp Log Sqrt Reciprocal Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Relu Sigmoid Tanh "
    unary += "Softplus Softsign HardSwish HardSigmoid LeakyRelu Elu Celu Selu ThresholdedRelu Mish Gelu Shrink Identity IsNaN IsInf Not"
    for op in unary.split():
        kinds = [np.bool_] if op == "Not" else [F32, F64, F16] + (INTEGERS if op in ("Abs", "Neg", "Sign", "Relu", "Identity") else [])
        for kind, shape in itertools.product(kinds, SHAPES[1:6:2] + [(), (0,)]):
            case(op, [numbers(shape, kind, *domains.get(op, (-3, 3)))])
    case("Gelu", [numbers((3, 4), F32)], approximate="tanh")
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], F32)
    for op in "Abs Neg Sign Relu Sigmoid Tanh Exp Floor IsNaN IsInf Softplus Elu LeakyRelu".split():
        case(op, [special])
    case("IsInf", [special], detect_negative=0)
    case("IsInf", [special], detect_positive=0)
    for op in "Add Sub Mul Div Pow Mod Max Min Equal Greater Less GreaterOrEqual LessOrEqual".split():
        for kind in [F32, F64, F16, *INTEGERS]:
            for a, b in PAIRS:
                left, right = numbers(a, kind), numbers(b, kind)
                if op in ("Div", "Mod"):
                    right = np.where(right == 0, np.asarray(1, kind), right).astype(kind)
                if op == "Pow":
                    left, right = np.abs(left), np.clip(right, 0, 3).astype(kind)
                case(op, [left, right], **({"fmod": 1} if op == "Mod" and kind in (F32, F64, F16) else {}))
        case(op, [special, special[::-1].copy()], **({"fmod": 1} if op == "Mod" else {}))
    for kind in [np.int32, np.int64]:
        case("Mod", [np.array([-7, 7, -7, 7], kind), np.array([3, -3, -3, 3], kind)], fmod=1)
        case("Div", [np.array([-7, 7, -7, 7], kind), np.array([3, -3, -3, 3], kind)])
        case("Pow", [numbers((4,), F32, 0.5, 2), numbers((4,), kind, 0, 1)])
        case("Pow", [numbers((4,), kind, 1, 3), np.array([0.5, 2, 1.5, 1], F32)])
    for op, (a, b) in itertools.product("And Or Xor Equal".split(), PAIRS):
        case(op, [numbers(a, np.bool_), numbers(b, np.bool_)])
    for op, kind in itertools.product("BitwiseAnd BitwiseOr BitwiseXor".split(), INTEGERS):
        case(op, [numbers((3, 4), kind), numbers((4,), kind)])
    for kind in INTEGERS:
        case("BitwiseNot", [numbers((3, 4), kind)])
        if np.issubdtype(kind, np.unsignedinteger):
            for direction in ("LEFT", "RIGHT"):
                case("BitShift", [numbers((5,), kind), np.array([0, 1, 2, 3, 7], kind)], direction=direction)
    for op in "Sum Mean Max Min".split():
        case(op, [numbers((3, 4), F32), numbers((4,), F32), numbers((3, 1), F32)])
        case(op, [numbers((3, 4), F64)])
    for kind in [F32, F64, np.int32, np.int64, np.uint8, np.int8]:
        x = numbers((3, 5), kind)
        case("Clip", [x, np.asarray(1, kind), np.asarray(2, kind)])
        case("Clip", [x, None, np.asarray(2, kind)])
        case("Clip", [x, np.asarray(2, kind), np.asarray(1, kind)])
        for a, b in PAIRS:
            case("Where", [numbers(b, np.bool_), numbers(a, kind), numbers(b, kind)])
    case("PRelu", [numbers((2, 3, 4), F32), numbers((3, 1), F32)])
    kinds = [F32, F64, F16, np.bool_, *INTEGERS]
    for a, b in itertools.product(kinds, kinds):
        case("Cast", [numbers((7,), a, 0, 3)], to=helper.np_dtype_to_tensor_dtype(np.dtype(b)))


def reductions():
    for op in "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceSumSquare ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp".split():
        low = 0.1 if op == "ReduceLogSum" else -2
        for kind in [F32, F64, np.int32, np.int64] + ([np.int8, np.uint8, np.bool_] if op in ("ReduceMax", "ReduceMin") else []):
            x = numbers((2, 3, 4), kind, low, 2)
            for axes, keep in itertools.product([None, i64(1), i64(0, 2), i64(-1), i64()], (0, 1)):
                case(op, [x, axes], keepdims=keep)
            case(op, [x, i64()], noop_with_empty_axes=1)
            case(op, [numbers((2, 0, 3), kind, low, 2), i64(2)])
        case(op, [numbers((2, 0, 3), F32, low, 2), i64(1)])
        case(op, [numbers((), F32, 1, 2)])
    for op, kind in itertools.product(("ArgMax", "ArgMin"), (F32, F64, np.int32, np.int8)):
        x = numbers((3, 4, 5), kind, -1, 1)
        for axis, keep, last in itertools.product((0, 1, -1), (0, 1), (0, 1)):
            case(op, [x], axis=axis, keepdims=keep, select_last_index=last)
    for kind in (F32, F64, np.int32, np.int64):
        for axis, largest in itertools.product((0, -1), (0, 1)):
            case("TopK", [numbers((4, 6), kind), i64(3)], outputs=2, axis=axis, largest=largest)
        for exclusive, reverse, axis in itertools.product((0, 1), (0, 1), (0, -1)):
            case("CumSum", [numbers((3, 4), kind), np.asarray(axis, np.int32)], exclusive=exclusive, reverse=reverse)
    for op, axis in itertools.product(("Softmax", "LogSoftmax", "Hardmax"), (0, 1, -1)):
        for kind in (F32, F64, F16):
            case(op, [numbers((2, 3, 4), kind)], axis=axis)
    case("Softmax", [numbers((2, 0), F32)])


def shapes():
    kinds = [F32, F64, np.int64, np.int32, np.uint8, np.bool_, F16]
    for kind in kinds:
        x = numbers((2, 3, 4), kind)
        for target in (i64(4, -1), i64(0, 12), i64(24), i64(2, 1, 3, 4), i64(-1, 0, 2)):
            case("Reshape", [x, target])
        case("Reshape", [numbers((0, 3), kind), i64(3, 0)], allowzero=1)
        for order in ([0, 2, 1], [2, 1, 0], [1, 0, 2], None):
            case("Transpose", [x], **({"perm": order} if order else {}))
        for axis in (0, 1, 2, 3, -1):
            case("Flatten", [x], axis=axis)
        case("Squeeze", [numbers((1, 3, 1), kind)])
        case("Squeeze", [numbers((1, 3, 1), kind), i64(-1)])
        case("Unsqueeze", [x, i64(0, -1)])
        case("Expand", [numbers((3, 1), kind), i64(2, 1, 4)])
        case("Expand", [numbers((), kind), i64(2, 0)])
        case("Tile", [x, i64(1, 2, 3)])
        case("Tile", [x, i64(1, 0, 1)])
        for axis in (0, 1, -1):
            case("Concat", [x, x, numbers((2, 3, 4), kind)], axis=axis)
        case("Concat", [numbers((2, 0), kind), numbers((2, 3), kind)], axis=1)
        case("Split", [numbers((6, 2), kind), i64(1, 2, 3)], outputs=3)
        case("Split", [numbers((5, 2), kind)], outputs=3, num_outputs=3)
        for start, end, axes, step in [
            ((1,), (3,), (1,), (1,)), ((-1,), (-100,), (0,), (-1,)), ((0, 1), (2, 100), (0, 2), (1, 2)), ((3,), (1,), (2,), (1,)),
            ((100,), (0,), (1,), (-2,)), ((-3,), (2**62,), (-1,), (2,)), ((0,), (3,), (1,), (2**40,)),
        ]:
            case("Slice", [x, i64(*start), i64(*end), i64(*axes), i64(*step)])
        for mode in ("constant", "reflect", "edge", "wrap"):
            case("Pad", [x, i64(0, 1, 2, 1, 0, 1)], mode=mode)
        case("Pad", [x, i64(1, 2), None, i64(1)])
        case("Pad", [x, i64(0, -1, 1, 0, 0, -1), np.asarray(1, kind)])
        case("Shape", [x], start=1)
        case("Size", [x])
        for k in (-1, 0, 2):
            case("Trilu", [x, np.asarray(k, np.int64)], upper=k % 2)
        case("NonZero", [numbers((3, 4), kind, 0, 1)])
        case("EyeLike", [numbers((3, 4), kind)], k=1)
        for index in (i64(0, 2), np.asarray(-1, np.int64), np.array([[0, 1], [2, 0]], np.int32)):
            case("Gather", [x, index], axis=1)
        case("Gather", [numbers((5, 3), kind), i64()])
        case("GatherElements", [x, RANDOM.integers(-3, 3, (2, 2, 4))], axis=1)
        case("GatherND", [x, np.array([[0, 1], [1, -1]])])
        case("GatherND", [x, np.array([[1], [0]])], batch_dims=1)
        updates = numbers((2, 2, 4), kind)
        for reduction in ("none", "add", "mul", "max", "min"):
            case("ScatterElements", [x, np.tile(np.array([[0], [2]]), (2, 1, 4)), updates], axis=1, reduction=reduction)
            case("ScatterND", [x, np.array([[0, 1], [1, 2]]), numbers((2, 4), kind)], reduction=reduction)
        case("OneHot", [np.array([[0, -1], [5, 2]]), np.asarray(3, np.int64), numbers((2,), kind)], axis=1)
        case("DepthToSpace", [numbers((1, 8, 2, 3), kind)], blocksize=2)
        case("DepthToSpace", [numbers((1, 8, 2, 3), kind)], blocksize=2, mode="CRD")
        case("SpaceToDepth", [numbers((1, 2, 4, 6), kind)], blocksize=2)
        case("ReverseSequence", [numbers((4, 3), kind), i64(1, 4, 2)])
        case("Compress", [x, np.array([True, False, True])], axis=1)
        case("Compress", [x, np.array([False, True, True])])
    for kind in (F32, F64, np.int32, np.int64, np.int16):
        case("Range", [np.asarray(1, kind), np.asarray(9, kind), np.asarray(3, kind)])
        case("Range", [np.asarray(9, kind), np.asarray(1, kind), np.asarray(-3, kind)])


def networks():
    for kind in (F32, F64, np.int32, np.int64, np.uint32, F16):
        for a, b in [((3, 4), (4, 2)), ((4,), (4,)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4, 2)), ((2, 1, 3, 4), (5, 4, 2)), ((0, 4), (4, 2)), ((2, 0), (0, 3))]:
            case("MatMul", [numbers(a, kind), numbers(b, kind)])
        for ta, tb in itertools.product((0, 1), (0, 1)):
            a, b = numbers((4, 3) if ta else (3, 4), kind), numbers((2, 4) if tb else (4, 2), kind)
            case("Gemm", [a, b, numbers((2,), kind)], transA=ta, transB=tb)
            case("Gemm", [a, b, numbers((3, 1), kind)], transA=ta, transB=tb, alpha=0.5, beta=2.0)
            case("Gemm", [a, b], transA=ta, transB=tb)
    for equation, a, b in [
        ("ij,jk->ik", (3, 4), (4, 2)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("i,j", (3,), (4,)), ("bld,bd->bl", (2, 3, 4), (2, 4)),
        ("...ij,...jk->...ik", (2, 3, 4), (4, 5)), ("ab,ab->", (3, 4), (3, 4)), ("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 5, 4)),
    ]:
        for kind in (F32, F64):
            case("Einsum", [numbers(a, kind), numbers(b, kind)], equation=equation)
    case("Einsum", [numbers((3, 3), F32)], equation="ii->i")
    case("Einsum", [numbers((3, 4), F32)], equation="ij->ji")
    for kind in (F32, F64, F16):
        x, w, b = numbers((2, 4, 7, 6), kind), numbers((6, 2, 3, 2), kind), numbers((6,), kind)
        for attributes in (
            {}, {"pads": [1, 0, 2, 1]}, {"strides": [2, 1]}, {"dilations": [2, 2]}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
        ):
            case("Conv", [x, w, b], group=2, **attributes)
        case("Conv", [numbers((2, 3, 9), kind), numbers((4, 3, 3), kind)])
        case("Conv", [numbers((1, 2, 4, 5, 4), kind), numbers((3, 2, 2, 2, 2), kind)], pads=[0, 1, 0, 1, 0, 1])
        case("Conv", [numbers((2, 4, 5, 5), kind), numbers((4, 1, 3, 3), kind)], group=4)
        y, v = numbers((2, 4, 4, 3), kind), numbers((4, 3, 3, 2), kind)
        for attributes in ({}, {"strides": [2, 2]}, {"strides": [2, 1], "pads": [1, 0, 1, 1]}, {"strides": [2, 2], "output_padding": [1, 1]}, {"dilations": [2, 1]}, {"strides": [2, 2], "output_shape": [8, 6]}):
            case("ConvTranspose", [y, v, numbers((6,), kind)], group=2, **attributes)
        case("ConvTranspose", [numbers((1, 2, 5), kind), numbers((2, 3, 4), kind)], strides=[2])
        for op in ("MaxPool", "AveragePool", "LpPool"):
            for attributes in (
                {"kernel_shape": [2, 2]}, {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}, {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
                {"kernel_shape": [2, 2], "dilations": [2, 2]}, {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
            ):
                case(op, [x], **attributes)
                if op == "AveragePool":
                    case(op, [x], count_include_pad=1, **attributes)
        case("MaxPool", [x], outputs=2, kernel_shape=[2, 2], strides=[1, 2])
        case("MaxPool", [x], outputs=2, kernel_shape=[2, 2], storage_order=1)
        for op in ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"):
            case(op, [x])
        channels = [numbers((4,), kind), numbers((4,), kind)]
        case("BatchNormalization", [x, *channels, numbers((4,), kind), numbers((4,), kind, 0.5, 2)])
        case("InstanceNormalization", [x, *channels])
        case("GroupNormalization", [x, *channels], num_groups=2)
        for axis in (-1, 1, 2):
            case("LayerNormalization", [x, numbers(x.shape[axis:], kind), numbers(x.shape[axis:], kind)], axis=axis)
        case("LayerNormalization", [x, numbers((6,), kind)], outputs=3)
        case("RMSNormalization", [x, numbers((6,), kind)], opset=23)
        case("LpNormalization", [x], axis=1, p=1)
        case("LpNormalization", [x], axis=-1, p=2)
        case("LRN", [x], size=3, alpha=0.1, beta=0.6, bias=1.5)
        case("MeanVarianceNormalization", [x])
        for mode, coordinates in itertools.product(("nearest", "linear", "cubic"), ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")):
            for scale in ((1, 1, 2, 2), (1, 1, 0.6, 1.5)):
                case("Resize", [x, None, np.array(scale, F32)], mode=mode, coordinate_transformation_mode=coordinates)
            case("Resize", [x, None, None, i64(2, 4, 5, 9)], mode=mode, coordinate_transformation_mode=coordinates)
    for gates, op in ((1, "RNN"), (3, "GRU"), (4, "LSTM")):
        for direction, layout in itertools.product(("forward", "reverse", "bidirectional"), (0,)):
            sides = 2 if direction == "bidirectional" else 1
            x, w, r = numbers((5, 3, 4), F32, -1, 1), numbers((sides, gates * 6, 4), F32, -1, 1), numbers((sides, gates * 6, 6), F32, -1, 1)
            bias, state = numbers((sides, 2 * gates * 6), F32, -1, 1), numbers((sides, 3, 6), F32, -1, 1)
            outputs = 3 if op == "LSTM" else 2
            extra = [numbers((sides, 3, 6), F32, -1, 1)] if op == "LSTM" else []
            common = dict(outputs=outputs, hidden_size=6, direction=direction)
            case(op, [x, w, r], **common)
            case(op, [x, w, r, bias, None, state, *extra], **common)
            case(op, [x, w, r, bias, np.array([5, 2, 3], np.int32), state, *extra], **common)
            case(op, [x, w, r, bias], clip=0.5, **common)
            if op == "GRU":
                case(op, [x, w, r, bias], linear_before_reset=1, **common)
            if op == "LSTM":
                case(op, [x, w, r, bias, None, state, *extra, numbers((sides, 18), F32, -1, 1)], **common)
    q, k, v = (numbers((2, heads, length, 8), F32) for heads, length in ((4, 5), (2, 6), (2, 6)))
    for attributes in ({}, {"is_causal": 1}, {"scale": 0.3}, {"softcap": 2.0}):
        case("Attention", [q, k, v], opset=23, **attributes)
        case("Attention", [q, k, v, numbers((5, 6), F32)], opset=23, **attributes)
        case("Attention", [q, k, v, numbers((2, 4, 5, 6), np.bool_)], opset=23, **attributes)
    scores, labels = numbers((4, 5, 3), F32), RANDOM.integers(0, 5, (4, 3))
    for reduction in ("none", "sum", "mean"):
        case("SoftmaxCrossEntropyLoss", [scores, labels], outputs=2, reduction=reduction)
        case("SoftmaxCrossEntropyLoss", [scores, labels, numbers((5,), F32, 0.1, 1)], reduction=reduction, ignore_index=2)
        case("NegativeLogLikelihoodLoss", [scores, labels, numbers((5,), F32, 0.1, 1)], reduction=reduction)


for family in (elementwise, reductions, shapes, networks):
    family()
(FOLDER / "manifest.json").write_text(json.dumps(manifest))
print(len(manifest))
