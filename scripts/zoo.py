#!/usr/bin/env python3
"""Run onnx2script over a folder of exported models and print what it makes of each.

Usage (from the repository's root, after `cargo build --release`):

    python3 scripts/zoo.py [--zoo FOLDER] [--engine ir] [PATTERN ...] [-- OPTION ...]

The folder holds models, samples and a zoo.json that lists them (models/zoo is one). For each model the table
shows its exporter, its ops, the script's bytes, and on how many samples the contract's answer is the one that
zoo.json has from onnxruntime. A model to `reject` is right when it is refused; its refusal is shown. If it compiles
all the same, it is held against the recorded answers like any other. Options after `--` go to onnx2script.

Exit code 1: a model to `compile` was refused, crashed, took too long or agrees on too few samples, or a model to
`reject` compiled to wrong answers. Needs numpy and onnx (scripts/requirements-models.txt).
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    import numpy as np
    import onnx
except ImportError as error:
    sys.exit(f"{error}: pip install -r scripts/requirements-models.txt")

ROOT = Path(__file__).resolve().parent.parent
# Least shares of samples, and how far a number may be from onnxruntime's as a share of all numbers' range.
CLASSES, QUANTISED, VALUES = 0.99, 0.995, 1e-3
QUANTISED_OPS = ("QuantizeLinear", "DequantizeLinear", "QLinear", "QGemm", "MatMulInteger", "ConvInteger")
RIGHT = ("agrees", "refused, as it should be", "compiled, though it need not", "compiled, nothing to compare with")


def describe(path: Path) -> dict:
    """Exporter and ops of a model file."""
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # the decoder's own exceptions are many
        return {"exporter": "?", "ops": [f"unreadable: {type(error).__name__}"], "quantised": False}
    ops: list[str] = []
    for node in model.graph.node:
        name = f"ms.{node.op_type}" if node.domain == "com.microsoft" else node.op_type
        if name not in ops:
            ops.append(name)
    version = model.producer_version.split()  # tf2onnx adds its commit
    exporter = " ".join([model.producer_name or "-", *version[:1]])
    quantised = any(part in op for op in ops for part in QUANTISED_OPS)
    return {"exporter": exporter, "ops": ops, "quantised": quantised}


def refusal(stderr: str) -> str:
    """The first line that tells a problem."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [index for index, line in enumerate(lines) if line.startswith("error:")]
    if not errors:
        return lines[0] if lines else "no message"
    first = errors[0]
    if first + 1 < len(lines) and lines[first + 1].startswith("1. "):
        return lines[first + 1].removeprefix("1. ")
    return re.sub(r"^cannot compile `.*?`: ", "", lines[first].removeprefix("error: "))


def agreement(entry: dict, predictions: list) -> tuple[float, float]:
    """Share of samples with onnxruntime's answer, and the largest error of numbers as a share of their range."""
    expected = np.asarray(entry["onnxruntime"][: len(predictions)], dtype=np.float64)
    got = np.asarray(predictions, dtype=np.float64)
    if entry["kind"] == "value":
        span = max(float(np.ptp(np.asarray(entry["onnxruntime"]))), 1e-9)
        errors = np.abs(got - expected) / span
        return float(np.mean(errors <= VALUES)), float(errors.max())
    # Labels that are no indices: the contract may give either, but one of them throughout.
    labels = entry.get("labels")
    choices = [got]
    if labels and all(0 <= value < len(labels) for value in predictions):
        choices.append(np.asarray([labels[int(value)] for value in predictions])
                       if not isinstance(labels[0], str) else got)
    return max(float(np.mean(choice == expected)) for choice in choices), 0.0


def run(entry: dict, args: argparse.Namespace) -> dict:
    path = args.zoo / entry["model"]
    row = {"model": entry["model"], "expect": entry["expect"], "bytes": None, "agreement": None, "detail": "", "defects": 0}
    row.update(describe(path))
    samples = entry.get("samples")
    if samples:
        command = [args.binary, "eval", path, "--data", args.zoo / samples, "--engine", args.engine, "--json", "--quiet"]
        command += ["--unit", entry["unit"]] if entry.get("unit") else []
        command += ["--limit", str(args.limit)] if args.limit else []
    else:
        command = [args.binary, path, "-o", os.devnull, "--quiet"]
    start = time.monotonic()
    try:
        ran = subprocess.run([*map(str, command), *args.options], capture_output=True, text=True, errors="replace",
                             timeout=args.timeout)
    except subprocess.TimeoutExpired:
        return row | {"status": "TOOK TOO LONG", "seconds": time.monotonic() - start}
    row["seconds"] = time.monotonic() - start
    if "panicked at" in ran.stderr or ran.returncode not in (0, 1, 2):
        return row | {"status": "CRASHED", "detail": ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else ""}
    if ran.returncode == 2:
        return row | {"status": "COULD NOT RUN", "detail": refusal(ran.stderr)}
    if ran.returncode == 1:
        status = "refused, as it should be" if entry["expect"] == "reject" else "REFUSED"
        return row | {"status": status, "detail": refusal(ran.stderr)}
    if not samples or "onnxruntime" not in entry:
        status = "compiled, nothing to compare with"
        return row | {"status": status if entry["expect"] == "reject" else "NOTHING TO COMPARE WITH"}
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        return row | {"status": "COULD NOT RUN", "detail": "its output is no JSON"}
    row["bytes"], row["defects"] = report["script_bytes"], len(report["defects"])
    row["agreement"], row["error"] = agreement(entry, report["predictions"])
    least = QUANTISED if row["quantised"] else 1.0 if entry["kind"] == "value" else CLASSES
    if row["defects"]:
        return row | {"status": "SCRIPT DIFFERS FROM ITS DEFINITION"}
    if row["agreement"] < least:
        if entry["kind"] == "value":
            row["detail"] = f"furthest off: {row['error']:.2e} of the range"
        return row | {"status": "WRONG ANSWERS"}
    return row | {"status": "agrees" if entry["expect"] == "compile" else "compiled, though it need not"}


def line(row: dict, wide: bool, width: int) -> str:
    ops = ", ".join(row["ops"])
    exporter = row["exporter"]
    if not wide:
        ops = ops if len(ops) <= 40 else ops[:37] + "..."
        exporter = exporter[:18]
    size = f"{row['bytes']:,}" if row["bytes"] is not None else "-"
    share = f"{100 * row['agreement']:.2f} %" if row["agreement"] is not None else "-"
    status = row["status"] + (f": {row['detail']}" if row["detail"] else "")
    return f"{row['model']:{width}} {exporter:18} {ops:40} {size:>11} {share:>9} {row['seconds']:6.1f} s  {status}"


def parse() -> argparse.Namespace:
    given, options = sys.argv[1:], []
    if "--" in given:
        at = given.index("--")
        given, options = given[:at], given[at + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n\n")[2].partition("\n\n")[2], usage="%(prog)s [options] [PATTERN ...] [-- OPTION ...]",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="only models whose name matches, as in 'torch_*'")
    parser.add_argument("--zoo", type=Path, default=ROOT / "models" / "zoo", help="folder with a zoo.json (default: models/zoo)")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "onnx2script")
    parser.add_argument("--engine", choices=["script", "ir"], default="script",
                        help="run the script itself (default), or the integer network that defines it (faster)")
    parser.add_argument("--limit", type=int, help="take the first LIMIT samples only")
    parser.add_argument("--timeout", type=float, default=120, help="seconds a model may take (default: 120)")
    parser.add_argument("--jobs", type=int, default=2, help="models at a time (default: 2)")
    parser.add_argument("--wide", action="store_true", help="cut nothing off")
    parser.add_argument("--json", action="store_true", help="print one JSON object a model instead of the table")
    args = parser.parse_args(given)
    args.options = options
    if not args.binary.exists():
        parser.error(f"{args.binary} is missing: cargo build --release, or --binary")
    if not (args.zoo / "zoo.json").exists():
        parser.error(f"{args.zoo / 'zoo.json'} is missing")
    args.binary = args.binary.resolve()
    if not os.access(args.binary, os.X_OK) or args.binary.is_dir():
        parser.error(f"{args.binary} is no program")
    if args.limit is not None and args.limit < 1 or args.jobs < 1:
        parser.error("--limit and --jobs take a number of at least 1")
    return args


def main() -> int:
    args = parse()
    try:
        entries = json.loads((args.zoo / "zoo.json").read_text())
    except (OSError, ValueError) as error:
        print(f"{args.zoo / 'zoo.json'}: {error}", file=sys.stderr)
        return 2
    if args.patterns:
        entries = [entry for entry in entries if any(fnmatch.fnmatch(entry["model"], f"*{p}*") for p in args.patterns)]
    if not entries:
        print("no model matches", file=sys.stderr)
        return 2
    width = max(len(entry["model"]) for entry in entries)
    if not args.json:
        print(f"{'model':{width}} {'exporter':18} {'ops':40} {'bytes':>11} {'agreement':>9} {'time':>8}  outcome")
    rows = []
    with ThreadPoolExecutor(args.jobs) as pool:
        for row in pool.map(lambda entry: run(entry, args), entries):
            rows.append(row)
            print(json.dumps(row) if args.json else line(row, args.wide, width), flush=True)
    wrong = [row for row in rows if row["status"] not in RIGHT]
    for status in sorted({row["status"] for row in rows}):
        print(f"{sum(row['status'] == status for row in rows):4} {status}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
