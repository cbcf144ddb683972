#!/usr/bin/env python3
"""Measure the bytes of the paper's network, 784-64-10, by other compilers and by onnx2script, for BENCHMARKS.md.

Usage (from anywhere, after `cargo build --release`; takes about a minute):

    python3 scripts/compare/compare.py [--binary PATH] [--output FILE]

Makes its own environment: scripts/compare/.venv and scripts/compare/node_modules, of exact versions. Writes the section
between the markers of the output, and leaves the rest as it is. Every script is run in onnx2script's interpreter: it
must take the right answer for a sample, and other compilers' scripts must refuse a wrong one, or nothing is written.
Exit codes: 0 done, 1 a check failed, 2 usage or I/O.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = HERE / ".venv"
BEGIN, END = "<!-- compare.py: begin -->", "<!-- compare.py: end -->"
COMMAND = "python3 scripts/compare/compare.py"


def enter_environment() -> None:
    """Go on in the environment of requirements.txt, which is made at first."""
    if Path(sys.prefix).resolve() == VENV:
        return
    python = VENV / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", HERE / "requirements.txt"], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(2, f"the environment {VENV} could not be made: {error}; delete it and try again")
    os.execv(python, [python, __file__, *sys.argv[1:]])


def fail(code: int, message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def pinned() -> tuple[str, str]:
    """The other compilers' names, with the versions that the pins say."""
    scryptc = json.loads((HERE / "package.json").read_text())["dependencies"]["scryptc"]
    runar = (HERE / "requirements-runar.txt").read_text().split("==")[1].split()[0]
    return f"sCrypt {scryptc}", f"Rúnar {runar}"


def others(binary: Path) -> tuple[list, int]:
    """The rows of the other compilers, and how many multiply-accumulates the network has."""
    import network
    import runar
    import scrypt
    from script import CouldNotRun, Row

    net = network.load(ROOT / "models" / "mnist_784_64_10.onnx")
    pixels = network.load_sample(ROOT / "models" / "mnist_samples.npy")
    rows, (scrypt_name, runar_name) = [], pinned()

    def attempt(compiler: str, described: str, measure) -> None:
        print(f"{compiler}: {described}", file=sys.stderr)
        try:
            rows.append(Row(compiler, described, *measure()))
        except CouldNotRun as reason:
            rows.append(Row(compiler, described, None, None, f"could not be run: {reason}"))

    means = {"product": "the paper's arithmetic", "sum": "÷10^8 after the sum"}
    for style, rescale in [("sliced", "product"), ("literal", "product"), ("literal", "sum")]:
        held = "weights cut out of a constant, as published" if style == "sliced" else "literal weights"
        attempt(scrypt_name, f"{held}, {means[rescale]}",
                lambda: scrypt.measure(binary, scrypt.install(HERE), net, pixels, style, rescale))
    for rescale in ["product", "sum"]:
        attempt(runar_name, f"literal weights, {means[rescale]}",
                lambda: runar.measure(binary, HERE / "requirements-runar.txt", net, pixels, rescale))
    return rows, net.macs()


def own(binary: Path) -> list:
    import ours

    name, version, *_ = ours.tool(binary, "--version").split()  # a commit and its date may follow
    compiler = f"{name} {version}"
    return [ours.measure(binary, ROOT / "models", compiler, *choice) for choice in ours.CHOICES]


def line(row, macs: int) -> str:
    if row.bytes is None:
        return f"| {row.compiler} | {row.network} | - | - | - | - | {row.origin} |"
    time = f"{row.milliseconds:.1f}" if row.milliseconds is not None else "-"
    numbers = f"{row.bytes / macs:.2f} | {row.bytes:,} | {row.instructions:,} | {time}"
    return f"| {row.compiler} | {row.network} | {numbers} | {row.origin} |"


def machine() -> str:
    model = platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [text for text in Path("/proc/cpuinfo").read_text().splitlines() if text.startswith("model name")]
        model = f"{names[0].split(':')[1].strip()}, {model}" if names else model
    try:
        node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    except OSError:
        node = "absent"
    return f"{platform.system()}, {model}, {os.cpu_count()} cores; Python {platform.python_version()}, Node {node}"


def section(rows: list, macs: int) -> str:
    return "\n".join([
        BEGIN,
        "## Bytes of the paper's network by compiler",
        "",
        f"784-64-10 with ReLU and ArgMax, {macs:,} multiply-accumulates (MACs), fixed point at 10^8. \"The paper's",
        "arithmetic\" divides by 10^8 after every product, toward zero.",
        "",
        "| compiler | network | bytes per MAC | locking script, bytes | instructions | "
        "time, ms | how it was found |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
        *(line(row, macs) for row in rows),
        "",
        "Bytes per MAC are the whole locking script's bytes divided by the MACs. Every script measured was run in",
        "onnx2script's interpreter: the right answer for a sample is taken, and of other compilers' scripts the next",
        "number refused. Extrapolated rows leave out biases, ReLU and ArgMax. Time is onnx2script's estimate of a",
        "node's for its own contract (`limits` of the artifact); it has none for other scripts. Unlocking scripts, which",
        "hold the pixels, are not counted. sCrypt 0.2.9 is the newest compiler that npm has; later ones are downloaded",
        "from elsewhere at first use, and were not measured. Rows with weights of few bits compute a coarser network,",
        "with another accuracy; nothing here says which.",
        "",
        f"Command: `{COMMAND}`. Machine: {machine()}.",
        END,
    ])


def replaced(text: str, made: str) -> str:
    if text.count(BEGIN) != text.count(END) or text.count(BEGIN) > 1 or text.find(END) < text.find(BEGIN):
        fail(2, f"the output must have the markers {BEGIN} and {END} once each and in this order, or neither")
    if BEGIN not in text:
        return f"{text.rstrip() or '# Benchmarks'}\n\n{made}\n"
    return text[: text.index(BEGIN)] + made + text[text.index(END) + len(END):]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "onnx2script")
    parser.add_argument("--output", type=Path, default=ROOT / "BENCHMARKS.md")
    args = parser.parse_args()
    if not args.binary.is_file():
        fail(2, f"there is no {args.binary}: run `cargo build --release`, or give --binary")
    enter_environment()
    from script import CheckFailed

    try:
        text = args.output.read_text() if args.output.exists() else ""
        replaced(text, "")
        rows, macs = others(args.binary.resolve())
        made = section([*rows, *own(args.binary.resolve())], macs)
        args.output.write_text(replaced(text, made))
        print(made)
    except CheckFailed as error:
        fail(1, str(error))
    except OSError as error:
        fail(2, str(error))


if __name__ == "__main__":
    main()
