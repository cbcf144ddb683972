#!/usr/bin/env python3
"""Print the README's table of bits, bytes, accuracy and agreement, measured on the contracts themselves.

Usage (from the repository's root, after `cargo build --release`):

    python3 scripts/quant_table.py [--engine ir] [--model MODEL --data IMAGES --labels LABELS]

Every row is one `onnx2script eval --json`: the script is run in the interpreter for each image (--engine ir
measures the integer network instead, which gives the same classes and is much faster). Images 0 to 999
calibrate, images 1000 on test.
"""

import argparse
import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "target" / "release" / "onnx2script"
CHOICES = ["fixed:1e8", "int8", "int6", "int5", "int4", "int3", "int2"]
SPLIT = 1000


def measure(args: argparse.Namespace, weights: str, *more: str) -> dict:
    command = [
        BINARY, "eval", args.model, "--input", "u8", "--weights", weights, "--engine", args.engine, "--json", "--quiet",
        "--data", f"{args.data}@{SPLIT}..", "--labels", f"{args.labels}@{SPLIT}..", *more,
    ]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def row(name: str, found: dict) -> str:
    accuracy, agreement = 100 * found["accuracy"], 100 * found["agreement"]
    return f"| {name} | {found['script_bytes']:,} | {found['instructions']:,} | {accuracy:.2f} % | {agreement:.2f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=ROOT / "models" / "mnist_784_64_10.onnx")
    parser.add_argument("--data", default=ROOT / "tests" / "data" / "mnist-first5k-images.idx3-ubyte.gz")
    parser.add_argument("--labels", default=ROOT / "tests" / "data" / "mnist-first5k-labels.idx1-ubyte.gz")
    parser.add_argument("--engine", choices=["script", "ir"], default="script")
    args = parser.parse_args()
    calibrate = ["--calibrate", f"{args.data}@0..{SPLIT}"]
    print("| `--weights` | script bytes | instructions | accuracy | agreement |\n|---|---|---|---|---|")
    for weights in CHOICES:
        print(row(weights, measure(args, weights)))
        if weights in ("int5", "int4", "int3", "int2"):
            print(row(f"{weights}, calibrated", measure(args, weights, *calibrate)))
    print(row("auto, calibrated", measure(args, "auto", *calibrate)))


if __name__ == "__main__":
    main()
