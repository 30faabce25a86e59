"""Small ONNX files with the layout of InsightFace's, made of operators by hand."""

from pathlib import Path

import numpy as np
import pytest

from expressive.encoders.alignment import ARCFACE_POINTS

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

BLOB = 128  # a "face" is a bright red cell of 32 input pixels; around its corner the detector sees a head of this size
OFFSETS = (np.array(ARCFACE_POINTS, dtype=np.float32) - 56) / 112  # of the five points, in shares of the head
_MAGNITUDE = 10.0


def save(path: Path, nodes: list, weights: dict[str, np.ndarray], entry: list, outputs: dict[str, list]) -> Path:
    """opset 11, as the published files."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, entry)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def detector(path: Path, side: int | str = "?", points: bool = True) -> Path:
    """SCRFD's nine outputs. It finds red squares: score = how much redder than green a cell of 8, 16, 32 pixels is, for
    the first of the two anchors; boxes of BLOB pixels around the cell's corner, half as large again where it is also
    blue; points as in ArcFace's template."""
    nodes, weights, outputs = [], {}, {}
    parts = [("score", 1), ("box", 4), ("points", 10)][: 3 if points else 2]
    for part, width in parts:
        for stride in (8, 16, 32):
            name = f"{part}_{stride}"
            kernel = np.zeros((2 * width, 3, stride, stride), dtype=np.float32)
            bias = np.zeros(2 * width, dtype=np.float32)
            if part == "score":
                kernel[0, 0], kernel[0, 1] = _MAGNITUDE / stride**2, -_MAGNITUDE / stride**2
                bias[:] = (-2 * _MAGNITUDE + 2 + stride / 16, -1e4)  # larger cells win
            elif part == "box":
                kernel[:, 2] = BLOB / 8 / stride**3
                bias[:] = BLOB * 5 / 8 / stride
            else:
                bias[:] = np.tile((OFFSETS * BLOB / stride).reshape(-1), 2)
            weights |= {f"{name}_w": kernel, f"{name}_b": bias, f"{name}_s": np.array([-1, width], dtype=np.int64)}
            nodes += [
                helper.make_node(
                    "Conv",
                    ["input.1", f"{name}_w", f"{name}_b"],
                    [f"{name}_map"],
                    kernel_shape=[stride, stride],
                    strides=[stride, stride],
                ),
                helper.make_node("Transpose", [f"{name}_map"], [f"{name}_last"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}_last", f"{name}_s"], [name if width > 1 else f"{name}_flat"]),
            ]
            if width == 1:
                nodes.append(helper.make_node("Sigmoid", [f"{name}_flat"], [name]))
            outputs[name] = ["n", width]
    return save(path, nodes, weights, [1, 3, side, side], outputs)


def recognition(
    path: Path, side: int = 112, width: int = 512, batch: int | str = "None", strange: bool = False
) -> Path:
    """IResNet in small: a stem, one residual unit with a shortcut, norm, Flatten, Gemm, norm; random weights."""
    random = np.random.default_rng(7)
    weights: dict[str, np.ndarray] = {}
    nodes: list = []

    def weight(name: str, *shape: int, scale: float = 1.0) -> str:
        weights[name] = (random.standard_normal(shape) * scale).astype(np.float32)
        return name

    def norm(source: str, name: str, channels: int) -> str:
        parts = [weight(f"{name}_{part}", channels, scale=0.3) for part in ("b", "m")]
        scales = []
        for part in ("g", "v"):
            weights[f"{name}_{part}"] = random.uniform(0.5, 2.0, channels).astype(np.float32)
            scales.append(f"{name}_{part}")
        inputs = [source, scales[0], parts[0], parts[1], scales[1]]
        nodes.append(helper.make_node("BatchNormalization", inputs, [name], epsilon=1e-5, momentum=0.9))
        return name

    def conv(source: str, name: str, into: int, out: int, kernel: int, stride: int) -> str:
        inputs = [source, weight(f"{name}_w", out, into, kernel, kernel, scale=(into * kernel**2) ** -0.5)]
        inputs.append(weight(f"{name}_bias", out, scale=0.1))
        pad = [kernel // 2] * 4
        nodes.append(
            helper.make_node("Conv", inputs, [name], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pad, group=1)
        )
        return name

    def prelu(source: str, name: str, channels: int) -> str:
        nodes.append(helper.make_node("PRelu", [source, weight(f"{name}_slope", channels, 1, 1, scale=0.3)], [name]))
        return name

    x = prelu(conv("input.1", "stem", 3, 8, 3, 2), "stem_act", 8)
    unit = conv(norm(x, "unit_norm", 8), "unit_conv", 8, 8, 3, 1)
    unit = conv(prelu(unit, "unit_act", 8), "unit_conv2", 8, 16, 3, 8)
    nodes.append(helper.make_node("Add", [unit, conv(x, "shortcut", 8, 16, 1, 8)], ["sum"]))
    x = norm("sum", "last_norm", 16)
    if strange:
        nodes.append(helper.make_node("Hardmax", [x], ["strange"], axis=1))
        x = "strange"
    nodes.append(helper.make_node("Flatten", [x], ["flat"], axis=1))
    flat = 16 * (side // 16) ** 2
    inputs = ["flat", weight("fc_w", width, flat, scale=flat**-0.5), weight("fc_b", width, scale=0.1)]
    nodes.append(helper.make_node("Gemm", inputs, ["fc"], alpha=1.0, beta=1.0, transB=1))
    norm("fc", "683", width)
    return save(path, nodes, weights, [batch, 3, side, side], {"683": [batch, width]})
