"""Bytes of scripts, unlocking scripts of numbers, and the check that a script takes the right answer only."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


class CouldNotRun(Exception):
    """A compiler could not be installed or run, for the reason given: the table says so in place of numbers."""


class CheckFailed(Exception):
    """A script was made that does not compute the network: no number of it means anything."""


@dataclass
class Found:
    """What a compiler made of the network. Extrapolated numbers are rounded to hundreds, and have no spend."""

    bytes: int
    instructions: int
    origin: str
    spend: tuple[bytes, bytes] | None = None
    """An unlocking script that is right, and the locking script."""
    node_ms: float | None = None


@dataclass
class Row:
    """A line of the table, or why there is nothing to tell."""

    compiler: str
    network: str
    found: Found | None
    refused: str = ""


def push(data: bytes) -> bytes:
    if len(data) < 76:
        return bytes([len(data)]) + data
    for opcode, width in ((0x4C, 1), (0x4D, 2), (0x4E, 4)):
        if len(data) < 1 << (8 * width):
            return bytes([opcode]) + len(data).to_bytes(width, "little") + data
    raise ValueError(f"a push of {len(data)} bytes")


def push_number(value: int) -> bytes:
    """The shortest push of a script number, as a node's policy asks."""
    if value == 0:
        return b"\x00"
    if value == -1 or 1 <= value <= 16:
        return bytes([0x50 + value])
    magnitude = abs(value).to_bytes(abs(value).bit_length() // 8 + 1, "little")
    return push(magnitude[:-1] + bytes([magnitude[-1] | (0x80 if value < 0 else 0)]))


def pushes(numbers: list[int]) -> bytes:
    return b"".join(map(push_number, numbers))


def run(command: list, limit: int = 600, **options) -> str:
    """A competitor's tool: its output, or why it could not be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, **options)
    except FileNotFoundError:
        raise CouldNotRun(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise CouldNotRun(f"took over {limit} s") from None
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise CouldNotRun(lines[-1].strip())
    return done.stdout


def execute(binary: Path, locking: bytes, numbers: list[int]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        unlock, lock = Path(folder, "unlock.hex"), Path(folder, "lock.hex")
        unlock.write_text(pushes(numbers).hex())
        lock.write_text(locking.hex())
        command = [binary, "exec", "--unlock", unlock, "--lock", lock, "--rules", "consensus", "--json"]
        done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise CheckFailed(f"onnx2script exec: {done.stderr.strip()}")
    return json.loads(done.stdout)


def check(binary: Path, what: str, locking: bytes, inputs: list[int], answer: int) -> int:
    """The instructions of the locking script, once it has taken the answer and refused the next one."""
    taken = execute(binary, locking, [*inputs, answer])
    refused = execute(binary, locking, [*inputs, answer + 1])
    if not taken["ok"]:
        raise CheckFailed(f"{what}: the script refuses the right answer, {answer}: {taken['verdict']}")
    if refused["ok"]:
        raise CheckFailed(f"{what}: the script takes a wrong answer, {answer + 1}")
    return taken["instructions"] - len(inputs) - 1
