"""The contracts of ours that are measured: the paper's network in each way to compile it, and models of other kinds."""

from pathlib import Path

from ours import BYTES, Contract

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
PAPERS = MODELS / "mnist_784_64_10.onnx"
MNIST = MODELS / "mnist_samples.npy"

CHOICES = [
    ("mnist", "the paper's arithmetic", ("--rescale", "product")),
    ("mnist", "fixed:1e8, ÷10^8 after the sum, unrolled", ("--codegen", "unrolled")),
    ("mnist", "fixed:1e8, ÷10^8 after the sum (default)", ()),
    ("mnist", "weights of 8 bits, unrolled", (*BYTES, "--weights", "int8", "--codegen", "unrolled")),
    ("mnist", "weights of 8 bits", (*BYTES, "--weights", "int8")),
    ("mnist", "weights of 5 bits", (*BYTES, "--weights", "int5")),
    ("ternary", "trained with weights -1, 0 and 1 (another model)", BYTES),
]
"""A network of the paper's shape, what it is called, and the options that it is compiled by."""

ZOO = [
    ("mnist_residual", "samples_784_ac9a87a8", "1/255"),
    ("mnist_act_leaky", "samples_784_ac9a87a8", "1/255"),
    ("mnist_784_10_linear", "samples_784_ac9a87a8", "1/255"),
    ("ortq_torch_mlp_qdq_s8s8_perchannel", "samples_784_ac9a87a8", "1/255"),
    ("digits_64_32_10", "samples_64_bd0ff546", None),
    ("wine_13-16-3", "samples_13_194c63ae", None),
]
"""A model of the zoo, its samples, and what a step of one in them is worth."""


def papers() -> list[tuple[str, Contract]]:
    """The paper's network, by description."""
    return [
        (described, Contract(MODELS / f"{model}_784_64_10.onnx", options, MNIST, "1/255"))
        for model, described, options in CHOICES
    ]


def zoo() -> list[tuple[str, Contract]]:
    """Models as other tools write them, compiled as they are, by name."""
    folder = MODELS / "zoo"
    return [
        (model, Contract(folder / f"{model}.onnx", (), folder / f"{samples}.npy", unit)) for model, samples, unit in ZOO
    ]
