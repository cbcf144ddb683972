"""How a compile grows with the network: seconds and memory from a thousand weights to ten million."""

from __future__ import annotations

import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import usage

SEED = 20261123
LIMIT = 900
"""Seconds of processors after which a compile is given up."""
EXPONENTS = range(3, 8)
HIDDEN_OF_WIDE, CLASSES = 16, 10
SHAPES = ("square", "wide")
CHOICES = {
    "fixed:1e8 (default)": (),
    "bytes in, weights of 8 bits": ("--input", "u8:1/255", "--weights", "int8"),
}
REFUSED = 1


@dataclass(frozen=True)
class Compile:
    """A network that was compiled, or refused, and what that took."""

    layers: tuple[int, int, int]
    seconds: float
    megabytes: float
    refused: str

    @property
    def weights(self) -> int:
        inputs, hidden, classes = self.layers
        return inputs * hidden + hidden * classes


def layers(shape: str, weights: int) -> tuple[int, int, int]:
    """As many inputs as hidden values, or many inputs and few hidden values, of about so many weights."""
    if shape == "square":
        side = round((-CLASSES + math.sqrt(CLASSES**2 + 4 * weights)) / 2)
        return side, side, CLASSES
    return (weights - HIDDEN_OF_WIDE * CLASSES) // HIDDEN_OF_WIDE, HIDDEN_OF_WIDE, CLASSES


def model(widths: tuple[int, int, int]) -> onnx.ModelProto:
    """Two dense layers with ReLU between and ArgMax after, of weights as training starts with them."""
    random = np.random.default_rng(SEED)
    nodes, constants, value = [], [], "input"
    for place, (width, outputs) in enumerate(zip(widths, widths[1:])):
        weights = random.normal(0, 1 / math.sqrt(width), (width, outputs)).astype(np.float32)
        biases = random.normal(0, 0.1, outputs).astype(np.float32)
        constants += [numpy_helper.from_array(weights, f"w{place}"), numpy_helper.from_array(biases, f"b{place}")]
        nodes.append(helper.make_node("Gemm", [value, f"w{place}", f"b{place}"], [f"sum{place}"]))
        value = f"sum{place}"
        if place == 0:
            nodes.append(helper.make_node("Relu", [value], ["hidden"]))
            value = "hidden"
    nodes.append(helper.make_node("ArgMax", [value], ["class"], axis=1, keepdims=0))
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, widths[0]])
    answer = helper.make_tensor_value_info("class", TensorProto.INT64, [1])
    graph = helper.make_graph(nodes, "scaling", [given], [answer], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def compiled(binary: Path, widths: tuple[int, int, int], file: Path, options: tuple[str, ...]) -> Compile:
    took = usage.of([binary, file, *options, "--quiet", "--output", "/dev/null"], LIMIT)
    return Compile(widths, took.seconds, took.megabytes, "" if took.code == 0 else reason(took))


def reason(took: usage.Usage) -> str:
    """Why nothing came of it, in a few words."""
    if took.stopped:
        return f"stopped after {LIMIT} s"
    if took.code != REFUSED:
        return f"exit code {took.code}"
    lines = [line.strip() for line in took.said.splitlines() if line.strip()]
    return next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), lines[-1])[:120]


def slope(points: list[tuple[float, float]]) -> float:
    """The exponent of growth: 1 is linear."""
    xs, ys = (np.log([point[axis] for point in points]) for axis in (0, 1))
    return float(np.polyfit(xs, ys, 1)[0])


def row(shape: str, choice: str, found: Compile) -> str:
    network = f"| {shape} | {'-'.join(map(str, found.layers))} | {found.weights:,} | {choice}"
    each = f"{found.megabytes * 1024**2 / found.weights:,.0f}"
    said = f"refused: {found.refused}" if found.refused else "compiled"
    return f"{network} | {found.seconds:.2f} | {found.megabytes:,.0f} | {each} | {said} |"


def growth(shape: str, choice: str, series: list[Compile]) -> str:
    """The exponents of what compiled, from where the fixed cost no longer shows."""
    done = [each for each in series if not each.refused and each.weights > 5_000]
    if len(done) < 2:
        return f"- {shape}, {choice}: too few sizes compiled to tell"
    time, memory = ([(each.weights, value(each)) for each in done]
                    for value in (lambda each: each.seconds, lambda each: each.megabytes))
    span = f"{done[0].weights:,} to {done[-1].weights:,} weights"
    return f"- {shape}, {choice}: time by the power {slope(time):.2f}, memory by {slope(memory):.2f} ({span})"


def section(binary: Path, exponents: range = EXPONENTS) -> str:
    rows, grown = [], []
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            series: dict[str, list[Compile]] = {choice: [] for choice in CHOICES}
            for exponent in exponents:
                widths, file = layers(shape, 10**exponent), Path(folder, "model.onnx")
                onnx.save(model(widths), file)
                for choice, options in CHOICES.items():
                    series[choice].append(compiled(binary, widths, file, options))
                    rows.append(row(shape, choice, series[choice][-1]))
                    print(rows[-1], file=sys.stderr)
            grown += [growth(shape, choice, found) for choice, found in series.items()]
    return "\n".join([
        "## Time and memory of a compile",
        "",
        "| shape | network | weights | options | seconds | memory, MB | bytes a weight | outcome |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: | --- |",
        *rows,
        "",
        "Growth, fitted to what compiled from ten thousand weights on (1 is linear):",
        "",
        *grown,
        "",
        f"Dense networks of random weights (seed {SEED}): a hidden layer with ReLU, {CLASSES} classes, ArgMax. One",
        "compile each, of the file to a contract in /dev/null, with every check that a compile makes. Memory is the most",
        "that the process held.",
    ])
