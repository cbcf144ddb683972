"""Whole networks in sCrypt, as far as its compiler gets with them: what `sizes` extrapolates, compiled.

The compiler takes hours over them, so what came of it is kept in scrypt_whole.json, with date, version and machine, and
shown from there. Of every network the pixels are spread evenly over the pictures', so weights have real lengths.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import environment
import network
import networks
import scrypt
import usage
from contestants import Lap
from markdown import paragraph, table
from network import SCALE, Layer, Network
from script import CheckFailed, check, pushes

RECORD = environment.HERE / "scrypt_whole.json"
LAYERS = [(64, 16, 10), (196, 32, 10), (784, 64, 10)]
LIMIT, HEAP_MB = 3600, 8000
"""Seconds of processors and megabytes of JavaScript's heap that a compile may take."""
STYLES = {
    "sliced": "weights cut out of a constant, the paper's arithmetic",
    "literal": "literal weights, ÷10^8 after the sum",
}

MANNER = f"""
Complete: biases, ReLU and ArgMax, too. A sum is one expression, which takes this compiler less memory than statements,
and fewer bytes. Each script was run on a sample, took its class and refused the next. A compile may take {LIMIT:,} s
of a processor and {HEAP_MB:,} MB of heap. The power of MACs by which its time grows: {{grown}}. Not measured anew with
the table above, but on {{date}} by `python3 scripts/compare/benchmarks.py --whole-scrypt`. Machine: {{machine}}.
"""


@dataclass(frozen=True)
class Attempt:
    """A whole network that was given to sCrypt's compiler, and what came of it."""

    style: str
    layers: str
    macs: int
    processors: float
    megabytes: float
    outcome: str
    bytes: int | None = None
    instructions: int | None = None
    ours_ms: float | None = None
    tx_engine_ms: float | None = None


def part(net: Network, pixels: list[int], widths: tuple[int, int, int]) -> tuple[Network, list[int]]:
    """The network with fewer inputs, hidden values or classes."""
    inputs, hidden, classes = widths
    picked = [place * scrypt.STRIDE % len(pixels) for place in range(inputs)]
    first, second = net.layers
    layers = [
        Layer([[row[at] for at in picked] for row in first.weights[:hidden]], first.biases[:hidden]),
        Layer([row[:hidden] for row in second.weights[:classes]], second.biases[:classes]),
    ]
    return Network(layers), [pixels[at] for at in picked]


def cut(at: int) -> str:
    return f"unpack(Classifier.W[{5 * at}:{5 * at + 5}])"


def sliced(net: Network) -> str:
    """The published contract's way to hold weights. A sum is one expression: of statements, as published, the compiler
    takes twice the memory and makes a longer script."""
    first, second = net.layers
    inputs, hidden, classes = len(first.weights[0]), len(first.weights), len(second.weights)
    seconds, biases = inputs * hidden, inputs * hidden + hidden * classes
    lines = [f"static bytes W = b'{scrypt.constant(net)}';", f"public function main(int[{inputs}] x, int res) {{"]
    for to in range(hidden):
        products = [f"({cut(at * hidden + to)} * x[{at}]) / {SCALE}" for at in range(inputs)]
        lines.append(f"int s{to} = {' + '.join([*products, cut(biases + to)])};")
        lines.append(f"int h{to} = s{to} > 0 ? s{to} : 0;")
    for to in range(classes):
        products = [f"({cut(seconds + at * classes + to)} * h{at}) / {SCALE}" for at in range(hidden)]
        lines.append(f"int t{to} = {' + '.join([*products, cut(biases + hidden + to)])};")
    return contract([*lines, *largest(classes)])


def literal(net: Network) -> str:
    """The shortest form found: an argument a pixel, and one expression of literals a sum."""
    first, second = net.layers
    arguments = ", ".join(f"int x{at}" for at in range(len(first.weights[0])))
    lines = [f"public function main({arguments}, int res) {{"]
    for to, (row, bias) in enumerate(zip(first.weights, first.biases)):
        lines.append(f"int s{to} = ({total(row, 'x', bias)}) / {SCALE};")
        lines.append(f"int h{to} = s{to} > 0 ? s{to} : 0;")
    for to, (row, bias) in enumerate(zip(second.weights, second.biases)):
        lines.append(f"int t{to} = {total(row, 'h', bias)};")
    return contract([*lines, *largest(len(second.weights))])


def total(row: list[int], values: str, bias: int) -> str:
    return " + ".join([*(f"({weight}) * {values}{at}" for at, weight in enumerate(row)), f"({bias * SCALE})"])


def largest(classes: int) -> list[str]:
    """The first of the largest sums."""
    compared = [f"if (t{to} > most) {{ best = {to}; most = t{to}; }}" for to in range(1, classes)]
    return ["int best = 0;", "int most = t0;", *compared, "require(best == res);"]


def contract(lines: list[str]) -> str:
    return "\n".join(["contract Classifier {", *lines, "}", "}"])


def attempt(binary: Path, package: Path, net: Network, pixels: list[int], style: str, layers: str) -> Attempt:
    text = {"sliced": sliced, "literal": literal}[style](net)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        Path(folder, "classifier.scrypt").write_text(text)
        node = ["node", f"--max-old-space-size={HEAP_MB}", package / "scrypt.js"]
        took = usage.of(["nice", *node, "compile", "--asm", "classifier.scrypt"], LIMIT, folder=folder)
        assembly = Path(folder, "classifier_asm.json")
        locking = scrypt.assembled_all(assembly) if assembly.exists() else None
    numbers = (style, layers, net.macs(), took.processors, took.megabytes)
    if locking is None:
        return Attempt(*numbers, why(took))
    return ran(binary, Attempt(*numbers, "compiled", len(locking)), net, pixels, locking)


def why(took: usage.Usage) -> str:
    if took.stopped:
        return f"not done in {LIMIT:,} s"
    if "heap out of memory" in took.said:
        return f"out of memory at {HEAP_MB:,} MB"
    return f"exit code {took.code}: {took.said.splitlines()[-1] if took.said else 'nothing said'}"


def ran(binary: Path, attempted: Attempt, net: Network, pixels: list[int], locking: bytes) -> Attempt:
    """The script takes the right class and no other, by our interpreter; then it is timed."""
    answer = net.infer(pixels, "product" if attempted.style == "sliced" else "sum")
    instructions = check(binary, f"sCrypt, {attempted.style}, {attempted.layers}", locking, pixels, answer)
    unlocking, times = pushes([*pixels, answer]), []
    for racer in (environment.ours(binary), environment.tx_engine()):
        lap = racer.judge(unlocking, locking, 1.0)
        if isinstance(lap, Lap) and lap.verdict != "OK":
            raise CheckFailed(f"sCrypt, {attempted.style}, {attempted.layers}: {racer.name} says {lap.verdict}")
        times.append(lap.least_ms if isinstance(lap, Lap) else None)
    kept = {**asdict(attempted), "instructions": instructions, "ours_ms": times[0], "tx_engine_ms": times[1]}
    return Attempt(**kept)


def record(binary: Path) -> None:
    """Compiles those that the record does not have yet, and keeps what came of each. To begin anew, delete it."""
    package = scrypt.install(environment.HERE)
    net, pixels = network.load(networks.MODELS / "mnist_784_64_10.onnx"), network.load_sample(networks.MNIST)
    for widths, style in itertools.product(LAYERS, STYLES):
        layers = "-".join(map(str, widths))
        if any((each.style, each.layers) == (style, layers) for each in recorded()):
            continue
        made = attempt(binary, package, *part(net, pixels, widths), style, layers)
        print(made, file=sys.stderr)
        keep([*recorded(), made])


def recorded() -> list[Attempt]:
    if not RECORD.exists():
        return []
    return [Attempt(**each) for each in json.loads(RECORD.read_text())["attempts"]]


def keep(attempts: list[Attempt]) -> None:
    found = list(map(asdict, attempts))
    kept = {"date": time.strftime("%Y-%m-%d"), "machine": environment.machine(), "attempts": found}
    RECORD.write_text(json.dumps(kept, indent=1) + "\n")


def growth(attempts: list[Attempt], style: str) -> str:
    """The power of MACs by which the compiler's time grows, and what that means for the paper's network."""
    done = [each for each in attempts if each.style == style and each.bytes]
    if len(done) < 2:
        return "too few compiled to tell"
    macs, times = (np.log([value(each) for each in done])
                   for value in (lambda each: each.macs, lambda each: each.processors))
    power, constant = np.polyfit(macs, times, 1)
    largest_macs = max(each.macs for each in attempts)
    return f"{power:.1f}, or {np.exp(power * np.log(largest_macs) + constant):,.0f} s for {largest_macs:,} MACs"


def cells(attempted: Attempt) -> list[str]:
    made = ["-"] * 5
    if attempted.bytes:
        times = [f"{each:.2f}" if each else "-" for each in (attempted.ours_ms, attempted.tx_engine_ms)]
        each = f"{attempted.bytes / attempted.macs:.2f}"
        made = [each, f"{attempted.bytes:,}", f"{attempted.instructions:,}", *times]
    took = [f"{attempted.processors:,.0f}", f"{attempted.megabytes:,.0f}", attempted.outcome]
    return [attempted.layers, f"{attempted.macs:,}", STYLES[attempted.style], *took, *made]


def sections(compiler: str) -> list[str]:
    """What the record says, if there is one."""
    if not RECORD.exists():
        return []
    kept, attempts = json.loads(RECORD.read_text()), sorted(recorded(), key=lambda each: each.macs)
    grown = "; ".join(f"{described}: {growth(attempts, style)}" for style, described in STYLES.items())
    numbers = ["bytes per MAC", "locking script, bytes", "instructions", "onnx2script, ms", "tx-engine, ms"]
    took = {"processor, s": ">", "memory, MB": ">", "outcome": "<"}
    columns = {"network": "<", "MACs": ">", "style": "<", **took, **dict.fromkeys(numbers, ">")}
    manner = MANNER.format(grown=grown, **{part: kept[part] for part in ("date", "machine")})
    return [f"### Whole networks by {compiler}", table(columns, map(cells, attempts)), paragraph(manner)]
