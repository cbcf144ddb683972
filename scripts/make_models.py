#!/usr/bin/env python3
"""Make the example networks in models/ (network, samples, and onnxruntime's answers).

Usage:

    python3 -m venv /tmp/venv-models
    /tmp/venv-models/bin/pip install -r scripts/requirements-models.txt
    /tmp/venv-models/bin/python scripts/make_models.py --zoo ZOO_DIR [--out models]
    /tmp/venv-models/bin/python scripts/make_models.py --check

ZOO_DIR is a folder of exported networks described by a zoo.json; without --zoo only
the two hand-made networks (toy_2-2-2 and gemm_6-5-4) are written, which need nothing
from outside. --check writes nothing: it runs every network already in the output
folder over its samples and compares with the answers in its sidecar.

Each network NAME.onnx gets a sidecar NAME.json:

    samples  the .npy file beside it, one sample a row
    unit     what one step of a sample is worth to the network ("1/255": the network's
             input is sample/255); null: the samples are the input
    classes  onnxruntime's class for every row (ties: the lowest index; one output that is a
             probability: 1 where it exceeds one half)
    values   in place of classes: onnxruntime's number, where the network gives one
    source   where the network comes from

The output is deterministic: the same pinned packages give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent

# name in models/, name in the zoo, samples file in models/, where it comes from
COPIED = [
    ("mnist_784_64_10", "mnist98_softmax_keras_export", "mnist_samples.npy",
     "Keras 3: Dense 64 ReLU, Dense 10 softmax trained on MNIST, written by model.export(format='onnx')"),
    ("iris_4-8-3", "iris_4-8-3_keras_export", "iris_samples.npy",
     "Keras 3: Dense 8 ReLU, Dense 3 softmax trained on scikit-learn's iris, written by model.export(format='onnx')"),
    ("digits_64_32_10", "digits_64_32_10", "digits_samples.npy",
     "Keras 3: 64-32-10 trained on scikit-learn's digits (8x8 images), written by tf2onnx"),
    ("breast_cancer_30-16-1", "breast_cancer_30-16-1", "breast_cancer_samples.npy",
     "Keras 3: Dense 16 ReLU, Dense 1 sigmoid trained on scikit-learn's breast cancer data, written by tf2onnx"),
    ("diabetes_10-16-1", "diabetes_10-16-1", "diabetes_samples.npy",
     "Keras 3: Dense 16 ReLU, Dense 1 trained on scikit-learn's diabetes data (a regression), written by tf2onnx"),
    ("ternary_784_64_10", "qat_mnist_64_ternary_in8_uint8argmax", "mnist_samples.npy",
     "TensorFlow: 784-64-10 trained to ternary weights on MNIST bytes, uint8 input, ArgMax in the graph"),
]


def is_number(model: bytes) -> bool:
    """Whether the answer is a number: one output, and no Sigmoid that would make it a probability."""
    graph = onnx.ModelProto.FromString(model).graph
    (output,) = graph.output
    last = [d.dim_value for d in output.type.tensor_type.shape.dim][-1:]
    float_out = output.type.tensor_type.elem_type in (TensorProto.FLOAT, TensorProto.DOUBLE)
    return float_out and last == [1] and graph.node[-1].op_type != "Sigmoid"


def answers_of(model: bytes, rows: np.ndarray, unit: str | None) -> list[int] | list[float]:
    """onnxruntime's class, or number, for every row, one row at a time."""
    number = is_number(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (inp,) = session.get_inputs()
    dtype = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}[inp.type]
    shape = [d if isinstance(d, int) else 1 for d in inp.shape]
    step = Fraction(unit) if unit else None
    answers = []
    for row in rows:
        if step is None:
            x = row.astype(dtype)
        elif step.numerator == 1:  # sample/255, as users write it, rather than sample * 0.0039...
            x = (row.astype(dtype) / dtype(step.denominator)).astype(dtype)
        else:
            x = (row.astype(dtype) * dtype(float(step))).astype(dtype)
        (out,) = session.run(None, {inp.name: x.reshape(shape)})
        out = np.asarray(out).reshape(-1)
        if number:
            answers.append(round(float(out[0]), 6))
        elif np.issubdtype(out.dtype, np.integer):
            answers.append(int(out[0]))
        else:
            answers.append(int(np.argmax(out)) if out.size > 1 else int(out[0] > 0.5))
    return answers


def write_sidecar(out: Path, name: str, samples: str, unit: str | None, answers: list, source: str) -> None:
    number = isinstance(answers[0], float)
    width = 10 if number else 25
    rows = [answers[i:i + width] for i in range(0, len(answers), width)]
    body = ",\n    ".join(", ".join(map(str, r)) for r in rows)
    (out / f"{name}.json").write_text(
        "{\n"
        f'  "samples": {json.dumps(samples)},\n'
        f'  "unit": {json.dumps(unit)},\n'
        f'  "{"values" if number else "classes"}": [\n    {body}\n  ],\n'
        f'  "source": {json.dumps(source)}\n'
        "}\n"
    )


def f32(name: str, values) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def finish(graph: onnx.GraphProto, opset: int, producer: str = "onnx2script make_models.py") -> onnx.ModelProto:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name=producer)
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def toy() -> tuple[onnx.ModelProto, np.ndarray]:
    """Two inputs, two hidden ReLUs, two classes; every number can be followed by hand.

        h0 = relu(0.5*x0 + x1 + 0.25)        s0 = h0 - 2*h1
        h1 = relu(-1.25*x0 - 0.5)            s1 = -0.75*h0 + 1.5*h1 + 0.875

    The class is 0 when h0 - 2*h1 >= 0.5, else 1.
    """
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "W1"], ["m1"], name="hidden_matmul"),
            helper.make_node("Add", ["m1", "b1"], ["a1"], name="hidden_bias"),
            helper.make_node("Relu", ["a1"], ["h"], name="hidden_relu"),
            helper.make_node("MatMul", ["h", "W2"], ["m2"], name="score_matmul"),
            helper.make_node("Add", ["m2", "b2"], ["scores"], name="score_bias"),
            helper.make_node("ArgMax", ["scores"], ["class"], name="pick", axis=1, keepdims=0),
        ],
        "toy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("class", TensorProto.INT64, ["N"])],
        [
            f32("W1", [[0.5, -1.25], [1.0, 0.0]]),
            f32("b1", [0.25, -0.5]),
            f32("W2", [[1.0, -0.75], [-2.0, 1.5]]),
            f32("b2", [0.0, 0.875]),
        ],
    )
    rows = [
        [0, 0], [1, 1], [-1, -1], [1, -1], [-1, 1], [0.5, 0.25], [-0.5, -0.25],
        [0, 0.25],        # exact tie, second hidden unit off
        [-2, 5.25],       # exact tie, both hidden units on
        [0.5, 0],         # exact tie
        [-0.4, 0.7],      # where the second hidden unit turns on
        [-0.5, 1.0],
        [0, -0.25],       # first hidden unit exactly 0
        [0, 0.26], [0, 0.24],      # on both sides of a tie
        [-2, 5.26], [-2, 5.24],
        [100, -50], [-100, 50], [-100, 300.75], [-100, 299],
        [0.001, 0.251], [3.14159, -2.71828], [-7.5, 0],
    ]
    return finish(graph, 13), np.asarray(rows, dtype=np.float32)


def gemm() -> tuple[onnx.ModelProto, np.ndarray]:
    """As torch writes an MLP: Gemm(transB=1), fixed batch 1, logits out; alpha 0.5 and beta 2 to be folded in."""
    rng = np.random.default_rng(11)
    widths = [6, 5, 5, 4]
    inits, nodes, x = [], [], "input"
    for i, (n, m) in enumerate(zip(widths, widths[1:])):
        inits.append(f32(f"net.{2 * i}.weight", rng.integers(-150, 151, (m, n)) / 100))
        inits.append(f32(f"net.{2 * i}.bias", rng.integers(-60, 61, m) / 100))
        last = i == len(widths) - 2
        y = "logits" if last else f"gemm_{i}"
        nodes.append(helper.make_node("Gemm", [x, inits[-2].name, inits[-1].name], [y], alpha=0.5, beta=2.0, transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [y], [f"relu_{i}"]))
            x = f"relu_{i}"
    graph = helper.make_graph(
        nodes, "torch_jit",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 6])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 4])],
        inits,
    )
    model = finish(graph, 17, "pytorch-style")
    weights = [numpy_helper.to_array(t).astype(np.float64) for t in inits]
    pool = [np.zeros(6), np.ones(6), -np.ones(6), 4 * np.ones(6), -4 * np.ones(6)]
    pool += list(rng.integers(-400, 401, (1500, 6)) / 100)
    # 8 rows of every class, none with the best two scores nearer than 0.01, edge rows first
    left, rows = {c: 8 for c in range(4)}, []
    for row in pool:
        h = row.astype(np.float32).astype(np.float64)
        for i in range(3):
            h = 0.5 * weights[2 * i] @ h + 2.0 * weights[2 * i + 1]
            h = np.maximum(h, 0) if i < 2 else h
        top = np.sort(h)[::-1]
        c = int(np.argmax(h))
        if top[0] - top[1] >= 0.01 and left[c]:
            left[c] -= 1
            rows.append(row)
    if any(left.values()):
        raise SystemExit(f"gemm_6-5-4: too few samples of some classes are in the pool: {left}")
    return model, np.asarray(rows, dtype=np.float32)


def make(out: Path, zoo: Path | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, samples, source, (model, rows) in [
        ("toy_2-2-2", "toy_samples.npy", "hand-made by scripts/make_models.py (see toy() for its formula)", toy()),
        ("gemm_6-5-4", "gemm_samples.npy", "hand-made by scripts/make_models.py: 6-5-5-4, three Gemms as torch writes them", gemm()),
    ]:
        data = model.SerializeToString(deterministic=True)
        (out / f"{name}.onnx").write_bytes(data)
        np.save(out / samples, rows)
        write_sidecar(out, name, samples, None, answers_of(data, rows, None), source)
    if zoo is None:
        print("no --zoo given: the copied networks are left as they are", file=sys.stderr)
        return
    try:
        entries = {e["model"]: e for e in json.loads((zoo / "zoo.json").read_text())}
    except OSError as e:
        raise SystemExit(f"cannot read the zoo: {e}")
    for name, original, samples, source in COPIED:
        entry = entries[f"{original}.onnx"]
        shutil.copyfile(zoo / entry["model"], out / f"{name}.onnx")
        shutil.copyfile(zoo / entry["samples"], out / samples)
        answers = answers_of((out / f"{name}.onnx").read_bytes(), np.load(out / samples), entry["unit"])
        if answers != entry["onnxruntime"]:
            raise SystemExit(f"{name}: onnxruntime {ort.__version__} answers otherwise than zoo.json says")
        write_sidecar(out, name, samples, entry["unit"], answers, source)


def described(answers: list) -> str:
    if isinstance(answers[0], float):
        return f"values from {min(answers)} to {max(answers)}"
    return f"classes {dict(zip(*[a.tolist() for a in np.unique(answers, return_counts=True)]))}"


def check(out: Path) -> None:
    bad = 0
    for sidecar in sorted(out.glob("*.json")):
        side = json.loads(sidecar.read_text())
        rows = np.load(out / side["samples"])
        model = sidecar.with_suffix(".onnx")
        answers = answers_of(model.read_bytes(), rows, side["unit"])
        told = side["values"] if is_number(model.read_bytes()) else side["classes"]
        wrong = sum(a != b for a, b in zip(answers, told)) + abs(len(answers) - len(told))
        bad += wrong
        print(f"{model.name:24} {model.stat().st_size:7} bytes  {len(rows):4} samples {str(rows.shape):12} {rows.dtype}"
              f"  {described(answers)}  wrong {wrong}")
    if bad:
        raise SystemExit(f"{bad} answers differ from the sidecars")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zoo", type=Path, metavar="DIR", help="folder with zoo.json and the exported networks to copy")
    parser.add_argument("--out", type=Path, default=ROOT / "models", metavar="DIR", help="where to write (default: models/)")
    parser.add_argument("--check", action="store_true", help="only check what is there against onnxruntime")
    args = parser.parse_args()
    if not args.check:
        make(args.out, args.zoo)
    check(args.out)


if __name__ == "__main__":
    main()
