"""The paper's network in integers at scale 10^8, a sample, and what the network makes of it.

Invariant: `infer` is the arithmetic that every source text in this folder spells out, so a script that takes its
class and refuses another computes the network, and its bytes may be compared.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

SCALE = 10**8


@dataclass
class Layer:
    weights: list[list[int]]  # by output, then by input
    biases: list[int]


@dataclass
class Network:
    layers: list[Layer]

    def macs(self) -> int:
        return sum(len(row) for layer in self.layers for row in layer.weights)

    def infer(self, pixels: list[int], rescale: str) -> int:
        """The class, with a division after every product, or after the sum."""
        hidden = [max(rescaled(total, rescale), 0) for total in sums(self.layers[0], pixels, rescale)]
        # ArgMax is of the last sums as they are: a division would only make ties.
        totals = sums(self.layers[1], hidden, rescale)
        return totals.index(max(totals))


def truncated(value: int) -> int:
    """OP_DIV by the scale, which rounds toward zero."""
    return value // SCALE if value >= 0 else -(-value // SCALE)


def rescaled(total: int, rescale: str) -> int:
    return total if rescale == "product" else truncated(total)


def sums(layer: Layer, values: list[int], rescale: str) -> list[int]:
    if rescale == "product":
        return [bias + sum(truncated(weight * value) for weight, value in zip(row, values))
                for row, bias in zip(layer.weights, layer.biases)]
    return [bias * SCALE + sum(weight * value for weight, value in zip(row, values))
            for row, bias in zip(layer.weights, layer.biases)]


def integers(array: np.ndarray) -> list:
    return np.rint(array.astype(np.float64) * SCALE).astype(np.int64).tolist()


def load(model: Path) -> Network:
    graph = onnx.load(model).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    matrices = [constants[node.input[1]] for node in graph.node if node.op_type == "MatMul"]
    biases = [constants[node.input[1]] for node in graph.node if node.op_type == "Add"]
    return Network([Layer(integers(matrix.T), integers(bias)) for matrix, bias in zip(matrices, biases, strict=True)])


def load_sample(samples: Path) -> list[int]:
    """The first picture: bytes worth 1/255, at scale 10^8."""
    return integers(np.load(samples)[0].astype(np.float64) / 255)
