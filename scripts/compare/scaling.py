"""How a compile grows with the network: seconds and memory from a thousand weights to ten million."""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import usage
from markdown import paragraph, table

SEED = 20261123
LIMIT = 300
"""Seconds of processors after which a compile is given up."""
MEMORY_MB = 16_000
"""Memory that a compile is given: more would take a machine of 24 GB down."""
EXPONENTS = range(3, 8)
HIDDEN_OF_WIDE, CLASSES = 64, 10
SHAPES = ("square", "wide")
CHOICES = {
    "fixed:1e8 (default)": (),
    "bytes in, weights of 8 bits": ("--input", "u8:1/255", "--weights", "int8"),
}
REFUSED = 1
FIXED_COST = 5_000
"""Weights up to which a compile's time and memory are mostly not theirs."""
MANNER = f"""
Dense networks of random weights (seed {SEED}): a hidden layer with ReLU, {CLASSES} classes, ArgMax. One compile each,
of the file to a contract in /dev/null, with every check that a compile makes. Memory is the most that the process held.
"""


@dataclass(frozen=True)
class Compile:
    """A network that was compiled, or refused, and what that took."""

    layers: tuple[int, int, int]
    seconds: float
    processors: float
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
    took = usage.of([binary, file, *options, "--quiet", "--output", "/dev/null"], LIMIT, MEMORY_MB)
    return Compile(widths, took.seconds, took.processors, took.megabytes, "" if took.code == 0 else reason(took))


def reason(took: usage.Usage) -> str:
    """Why nothing came of it, in a few words."""
    if took.stopped:
        return f"stopped after {LIMIT} s"
    if "memory allocation" in took.said:
        return f"more memory than {MEMORY_MB:,} MB"
    if took.code != REFUSED:
        return f"exit code {took.code}"
    lines = [line.strip() for line in took.said.splitlines() if line.strip()]
    return "refused: " + next((line[7:] for line in lines if line.startswith("error: ")), lines[-1])[:120]


def slope(points: list[tuple[float, float]]) -> float:
    """The exponent of growth: 1 is linear."""
    xs, ys = (np.log([point[axis] for point in points]) for axis in (0, 1))
    return float(np.polyfit(xs, ys, 1)[0])


def cells(shape: str, choice: str, found: Compile) -> list[str]:
    network = [shape, "-".join(map(str, found.layers)), f"{found.weights:,}", choice]
    each = f"{found.megabytes * 1024**2 / found.weights:,.0f}"
    took = [f"{found.seconds:.2f}", f"{found.processors:.2f}", f"{found.megabytes:,.0f}", each]
    return [*network, *took, found.refused or "compiled"]


def growth(shape: str, choice: str, series: list[Compile]) -> str:
    """The exponents of what compiled, from where the fixed cost no longer shows."""
    done = [each for each in series if not each.refused and each.weights > FIXED_COST]
    if len(done) < 2:
        return f"- {shape}, {choice}: too few sizes compiled to tell"
    time = slope([(each.weights, each.processors) for each in done])
    memory = slope([(each.weights, each.megabytes) for each in done])
    span = f"{done[0].weights:,} to {done[-1].weights:,} weights"
    return f"- {shape}, {choice}: time by the power {time:.2f}, memory by {memory:.2f} ({span})"


def compiles(binary: Path, exponents: Iterable[int]) -> Iterator[tuple[str, str, Compile]]:
    """Every network by every choice, from the smallest on."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.onnx")
        for shape, exponent in itertools.product(SHAPES, exponents):
            widths = layers(shape, 10**exponent)
            onnx.save(model(widths), file)
            for choice, options in CHOICES.items():
                found = compiled(binary, widths, file, options)
                print("  ".join(cells(shape, choice, found)), file=sys.stderr)
                yield shape, choice, found


def measured(binary: Path, exponents: Iterable[int] = EXPONENTS) -> str:
    found = list(compiles(binary, exponents))
    grown = [
        growth(shape, choice, [each[2] for each in found if each[:2] == (shape, choice)])
        for shape, choice in itertools.product(SHAPES, CHOICES)
    ]
    numbers = dict.fromkeys(["seconds", "processors, s", "memory, MB", "bytes a weight"], ">")
    columns = {"shape": "<", "network": "<", "weights": ">", "options": "<", **numbers, "outcome": "<"}
    return "\n\n".join([
        "## Time and memory of a compile",
        table(columns, (cells(*each) for each in found)),
        paragraph(f"Growth of time (processors') and memory by weights, over {FIXED_COST:,} of them; 1 is linear:"),
        "\n".join(grown),
        paragraph(MANNER),
    ])
