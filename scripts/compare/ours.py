"""onnx2script as a user calls it: its contracts, and the spends that its own unlocking scripts make."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from script import CheckFailed

BYTES = ("--input", "u8:1/255")


@dataclass(frozen=True)
class Contract:
    """A model with the options that it is compiled by, and a sample that is shown to it."""

    model: Path
    options: tuple[str, ...]
    samples: Path
    unit: str | None = None


@dataclass(frozen=True)
class Made:
    """What was compiled: a spend that is right, and what the artifact says of the contract."""

    unlocking: bytes
    locking: bytes
    instructions: int
    node_ms: float


def tool(binary: Path, *arguments: object) -> str:
    done = subprocess.run([binary, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise CheckFailed(f"onnx2script {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def version(binary: Path) -> str:
    name, number, *_ = tool(binary, "--version").split()  # a commit and its date may follow
    return f"{name} {number}"


def made(binary: Path, contract: Contract) -> Made:
    unit = ("--unit", contract.unit) if contract.unit else ()
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder, "artifact.json")
        tool(binary, contract.model, *contract.options, "--quiet", "--artifact", artifact)
        # Also says where the script and the network's integers differ.
        tool(binary, "run", artifact, "--data", contract.samples, *unit, "--index", "0")
        unlocking = tool(binary, "unlock", artifact, "--data", contract.samples, *unit, "--index", "0", "--quiet")
        found = json.loads(artifact.read_text())
    script = found["lockingScript"]
    node_ms = found["limits"]["mempoolMicroseconds"] / 1000
    return Made(bytes.fromhex(unlocking), bytes.fromhex(script["hex"]), script["instructions"], node_ms)
