"""onnx2script's contracts of the same network, each run on a sample."""

import json
import subprocess
import tempfile
from pathlib import Path

from script import CheckFailed, Row

BYTES = ["--input", "u8:1/255"]
CHOICES = [
    ("mnist", "the paper's arithmetic", ["--rescale", "product"]),
    ("mnist", "fixed:1e8, ÷10^8 after the sum, unrolled", ["--codegen", "unrolled"]),
    ("mnist", "fixed:1e8, ÷10^8 after the sum (default)", []),
    ("mnist", "weights of 8 bits, unrolled", [*BYTES, "--weights", "int8", "--codegen", "unrolled"]),
    ("mnist", "weights of 8 bits", [*BYTES, "--weights", "int8"]),
    ("mnist", "weights of 5 bits", [*BYTES, "--weights", "int5"]),
    ("ternary", "trained with weights -1, 0 and 1 (another model)", BYTES),
]


def tool(binary: Path, *arguments) -> str:
    done = subprocess.run([binary, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise CheckFailed(f"onnx2script {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def measure(binary: Path, models: Path, compiler: str, model: str, means: str, options: list[str]) -> Row:
    samples = models / "mnist_samples.npy"
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder, "artifact.json")
        tool(binary, models / f"{model}_784_64_10.onnx", *options, "--quiet", "--artifact", artifact)
        tool(binary, "run", artifact, "--data", samples, "--unit", "1/255", "--index", "0")
        found = json.loads(artifact.read_text())
    script, time = found["lockingScript"], found["limits"]["mempoolMicroseconds"] / 1000
    shown = f"{means}: `{' '.join(options)}`" if options else means
    return Row(compiler, shown, script["bytes"], script["instructions"], "whole network, run on a sample", time)
