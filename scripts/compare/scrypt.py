"""What a multiply-accumulate takes in sCrypt, from contracts of two sizes with weights of the network itself.

The compiler takes time that grows faster than the contract, so the network is extrapolated: the bytes of the smaller
contract, and for every further multiply-accumulate what one took between the two. Biases, ReLU and ArgMax are left
out, which is in sCrypt's favour. The measured ones are spread evenly over the pixels and the hidden values, so their
weights, offsets and depths have real lengths.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from network import SCALE, Network, truncated
from script import CouldNotRun, Found, check, push, run

SIZES = (100, 200)
STRIDE = 485  # coprime to 784 and near 784 / golden ratio: any run of multiples is spread evenly over the pixels
OPCODES = {"0": 0x00, "1NEGATE": 0x4F, "IF": 0x63, "NOTIF": 0x64, "ELSE": 0x67, "ENDIF": 0x68, "VERIFY": 0x69,
           "TOALTSTACK": 0x6B, "FROMALTSTACK": 0x6C, "2DROP": 0x6D, "2DUP": 0x6E, "3DUP": 0x6F, "2OVER": 0x70,
           "2ROT": 0x71, "2SWAP": 0x72, "IFDUP": 0x73, "DEPTH": 0x74, "DROP": 0x75, "DUP": 0x76, "NIP": 0x77,
           "OVER": 0x78, "PICK": 0x79, "ROLL": 0x7A, "ROT": 0x7B, "SWAP": 0x7C, "TUCK": 0x7D, "CAT": 0x7E,
           "SPLIT": 0x7F, "NUM2BIN": 0x80, "BIN2NUM": 0x81, "SIZE": 0x82, "1ADD": 0x8B, "1SUB": 0x8C, "NEGATE": 0x8F,
           "ABS": 0x90, "NOT": 0x91, "0NOTEQUAL": 0x92, "ADD": 0x93, "SUB": 0x94, "MUL": 0x95, "DIV": 0x96,
           "MOD": 0x97, "NUMEQUAL": 0x9C, "NUMEQUALVERIFY": 0x9D, "NUMNOTEQUAL": 0x9E, "LESSTHAN": 0x9F,
           "GREATERTHAN": 0xA0, "LESSTHANOREQUAL": 0xA1, "GREATERTHANOREQUAL": 0xA2, "MIN": 0xA3, "MAX": 0xA4,
           **{str(n): 0x50 + n for n in range(1, 17)}}


@dataclass
class Mac:
    pixel: int
    hidden: int
    weight: int


def spread(network: Network, count: int) -> list[Mac]:
    rows = network.layers[0].weights
    picked = [(k * STRIDE % len(rows[0]), k % len(rows)) for k in range(count)]
    return [Mac(pixel, hidden, rows[hidden][pixel]) for pixel, hidden in picked]


def constant(network: Network) -> str:
    """All weights and biases as in the published contract: 4 bytes of magnitude and a byte of sign, by input."""
    weights = [weight for layer in network.layers for column in zip(*layer.weights) for weight in column]
    numbers = weights + [bias for layer in network.layers for bias in layer.biases]
    return "".join(abs(n).to_bytes(4, "little").hex() + ("80" if n < 0 else "00") for n in numbers)


def sliced(network: Network, macs: list[Mac]) -> str:
    """The published contract's style: an array of pixels, and weights cut out of a constant."""
    width = len(network.layers[0].weights)
    lines = [f"static bytes W = b'{constant(network)}';", "public function main(int[784] x, int res) {", "int sum = 0;"]
    for mac in macs:
        start = 5 * (mac.pixel * width + mac.hidden)
        lines.append(f"sum = sum + (unpack(Classifier.W[{start}:{start + 5}]) * x[{mac.pixel}]) / {SCALE};")
    return "\n".join(["contract Classifier {", *lines, "require(sum == res);", "}", "}"])


def literal(network: Network, macs: list[Mac], rescale: str) -> str:
    """The shortest form found: an argument a pixel (an array computes its indices), one expression of literals."""
    arguments = ", ".join(f"int x{i}" for i in range(len(network.layers[0].weights[0])))
    products = [f"({mac.weight}) * x{mac.pixel}" for mac in macs]
    total = " + ".join(f"({product}) / {SCALE}" if rescale == "product" else f"({product})" for product in products)
    total = total if rescale == "product" else f"({total}) / {SCALE}"
    return f"contract Classifier {{\npublic function main({arguments}, int res) {{\nrequire({total} == res);\n}}\n}}"


def assembled(word: str) -> bytes:
    if not word.startswith("OP_"):
        return push(bytes.fromhex(word))
    if word[3:] not in OPCODES:
        raise CouldNotRun(f"it emitted {word}, which scrypt.py does not know")
    return bytes([OPCODES[word[3:]]])


def assembled_all(path: Path) -> bytes:
    """The script of a file of words."""
    return b"".join(map(assembled, json.loads(path.read_text())))


def compiled(package: Path, text: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "classifier.scrypt").write_text(text)
        output = run(["node", package / "scrypt.js", "compile", "--asm", "classifier.scrypt"], cwd=folder)
        path = Path(folder, "classifier_asm.json")
        if not path.exists():
            raise CouldNotRun(" ".join(output.split()) or "it wrote nothing")
        return assembled_all(path)


def expected(macs: list[Mac], pixels: list[int], rescale: str) -> int:
    products = [mac.weight * pixels[mac.pixel] for mac in macs]
    return sum(map(truncated, products)) if rescale == "product" else truncated(sum(products))


def install(folder: Path) -> Path:
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    return folder / "node_modules" / "scryptc"


def measure(
    binary: Path, package: Path, network: Network, pixels: list[int], style: str, rescale: str
) -> Found:
    found = []
    for count in SIZES:
        macs = spread(network, count)
        text = sliced(network, macs) if style == "sliced" else literal(network, macs, rescale)
        locking = compiled(package, text)
        instructions = check(binary, f"sCrypt, {style}, {rescale}", locking, pixels, expected(macs, pixels, rescale))
        found.append((len(locking), instructions))
    total, instructions = (extrapolated(small, large, network.macs()) for small, large in zip(*found))
    return Found(total, instructions, f"extrapolated from {SIZES[0]} and {SIZES[1]} MACs")


def extrapolated(small: int, large: int, macs: int) -> int:
    each = (large - small) / (SIZES[1] - SIZES[0])
    return round((small + each * (macs - SIZES[0])) / 100) * 100
