"""The whole network in Rúnar: one argument a pixel, weights as literals.

Rúnar's compiler takes at most 800 values on the stack, and 784 are pixels: the second layer's ten sums are therefore
carried along, and take up each hidden value as soon as it is there. The order of a sum changes nothing, for every
product is rounded by itself or none is. ArgMax is a maximum of 10·sum + 9 - class, for of a chain of conditional
expressions (`const b = y > z ? 2n : a`) version 0.4.6 makes one whose other branch is 0; it also takes a literal as
large as 10^24 for 0. The check on a sample caught both. Of the ways to write a sum that were tried, long expressions
came out shortest.
"""

import sys
import tempfile
from pathlib import Path

from network import SCALE, Network
from script import Found, check, pushes, run

TERMS = 28  # of an expression; more of them make the parser recurse too deep


def term(weight: int, value: str, rescale: str) -> str:
    # A negative literal leaves another number on Rúnar's stack; toward zero, -(w·x / s) is (-w·x) / s.
    divided = f" / {SCALE}n" if rescale == "product" else ""
    return f"{' - ' if weight < 0 else ' + '}{abs(weight)}n * {value}{divided}"


def hidden(number: int, row: list[int], bias: int, rescale: str) -> list[str]:
    lines, total = [], f"{max(bias, 0)}n"
    for start in range(0, len(row), TERMS):
        terms = [term(row[i], f"x{i}", rescale) for i in range(start, min(start + TERMS, len(row)))]
        if start == 0 and bias < 0:
            terms.append(f" - {-bias}n")
        lines.append(f"const a{number}_{start}: bigint = {total}{''.join(terms)};")
        total = f"a{number}_{start}"
    divided = total if rescale == "product" else f"{total} / {SCALE}n"
    return [*lines, f"const h{number}: bigint = max({divided}, 0n);"]


def source(network: Network, rescale: str) -> str:
    first, second = network.layers
    unit = 1 if rescale == "product" else SCALE
    sums = ["0n" for _ in second.biases]
    body = []
    for number, (row, bias) in enumerate(zip(first.weights, first.biases)):
        body += hidden(number, row, bias * unit, rescale)
        for output, weights in enumerate(second.weights):
            total = f"s{output}_{number}"
            body.append(f"const {total}: bigint = {sums[output]}{term(weights[number], f'h{number}', rescale)};")
            sums[output] = total
    last = len(sums) - 1
    for output, total in enumerate(sums):
        bias = second.biases[output] * unit
        packed = f"({total} {'-' if bias < 0 else '+'} {abs(bias)}n) * 10n + {last - output}n"
        body.append(f"const b{output}: bigint = " + (f"max(b{output - 1}, {packed});" if output else f"{packed};"))
    arguments = ", ".join(f"x{i}: bigint" for i in range(len(first.weights[0])))
    return "\n".join([
        "import { SmartContract, assert } from 'runar-lang';",
        "class Classifier extends SmartContract {",
        "  constructor() { super(); }",
        f"  public verify({arguments}, claim: bigint): void {{",
        *body,
        # Of a negative number the remainder is negative, too.
        f"assert({last}n - (b{last} % 10n + 10n) % 10n === claim);",
        "  }",
        "}",
    ])


def install(requirements: Path) -> None:
    run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements])


def measure(binary: Path, requirements: Path, network: Network, pixels: list[int], rescale: str) -> Found:
    install(requirements)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Classifier.runar.ts")
        path.write_text(source(network, rescale))
        locking = bytes.fromhex(run([sys.executable, "-m", "runar_compiler", "--source", path, "--hex"]))
    answer = network.infer(pixels, rescale)
    instructions = check(binary, f"Rúnar, {rescale}", locking, pixels, answer)
    spend = (pushes([*pixels, answer]), locking)
    return Found(len(locking), instructions, "whole network, run on a sample", spend)
