#!/usr/bin/env python3
"""Make models/zoo/ from a larger folder of real exported models: the small ones, and one of each kind.

Usage (needs numpy only):

    python3 scripts/make_zoo.py [--zoo ../shared/zoo] [--out models/zoo]

Models are copied as they are, samples cut to their first rows, and zoo.json says of each model:

    model        the file
    expect       compile; or reject: an error that names the node and says what would help (answering right is better)
    input        the model's input as onnxruntime sees it
    samples      the .npy file of samples, one a row
    unit         what one step of a sample is worth to the model ("1/255": the model's input is sample/255); null: the
                 samples are the input
    kind         class or value
    onnxruntime  onnxruntime's answers for these rows

The same folder gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
ROWS = 20
SMALL = 60_000
LIMIT = 3_000_000
# Of the larger ones, what each adds.
LARGER = {
    "mnist_act_hard_sigmoid": "Clip of a scaled value",
    "mnist_act_leaky": "LeakyRelu",
    "mnist_act_tanh": "Tanh",
    "mnist_argmax_keras_export": "Keras's ArgMax, which onnxruntime refuses",
    "mnist_argmax_single_vector": "an input without a batch: Unsqueeze, Slice, Gemm, Squeeze",
    "mnist_bn_input_keras_export": "batch normalization of the input: Mul and Add before the first layer",
    "mnist_residual": "Add of two computed values",
    "mnist_rescaling_uint8_keras_export": "bytes as input: Cast, Mul, Add, Reshape",
    "skl_mlp_mnist_nozipmap": "scikit-learn: label and probabilities",
    "torch_mlp_bn": "BatchNormalization",
    "torch_mlp_normalize": "PyTorch's transforms: Sub and Div by Constant nodes",
    "torch_mlp_viewsize": "Shape, Gather, Unsqueeze, Concat before Reshape",
    "x_logits_f16": "float16",
}


def chosen(zoo: Path, entry: dict) -> bool:
    path = zoo / entry["model"]
    beside = zoo / f"{entry['model']}.data"
    size = path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)
    return size <= SMALL or path.stem in LARGER


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zoo", type=Path, default=ROOT.parent / "shared" / "zoo")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "zoo")
    args = parser.parse_args()
    listed = args.zoo / "zoo.json"
    if not listed.exists():
        parser.error(f"{listed} is missing")
    entries = sorted((e for e in json.loads(listed.read_text()) if chosen(args.zoo, e)), key=lambda e: e["model"])
    missing = LARGER.keys() - {Path(entry["model"]).stem for entry in entries}
    if missing:
        parser.error(f"not in {listed}: {', '.join(sorted(missing))}")
    if args.out.exists():
        shutil.rmtree(args.out)
    args.out.mkdir(parents=True)
    lines = []
    for entry in entries:
        shutil.copyfile(args.zoo / entry["model"], args.out / entry["model"])
        entry.pop("accuracy", None)  # of all rows
        if entry.get("samples"):
            np.save(args.out / entry["samples"], np.load(args.zoo / entry["samples"])[:ROWS])
        if "onnxruntime" in entry:
            entry["onnxruntime"] = entry["onnxruntime"][:ROWS]
        lines.append(json.dumps(entry))
    (args.out / "zoo.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    total = sum(path.stat().st_size for path in args.out.iterdir())
    print(f"{args.out}: {len(entries)} models, {total:,} bytes")
    if total > LIMIT:
        print(f"more than {LIMIT:,} bytes: shorten LARGER", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
