"""What the benchmarks are run with: a Python environment, the other interpreters and compilers, and our own binaries.

Everything is of an exact version, and is made at first use: .venv and node_modules here, node_modules of scripts/spend,
and what Cargo builds.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from contestants import Contestant
from script import CouldNotRun, run

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = HERE / ".venv"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
MINUTES_OF_A_BUILD = 60


def enter(script: str) -> None:
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
        sys.exit(f"error: the environment {VENV} could not be made: {error}; delete it and try again")
    os.execv(python, [python, script, *sys.argv[1:]])


def binary(given: Path | None) -> Path:
    """The compiler: the given one, or a release built now, with the example that times its interpreter."""
    found = given.resolve() if given else TARGET / "release" / "onnx2script"
    cargo = ["cargo", "build", "--locked", "--release", "--quiet", "--bins", "--example", "race"]
    if not given and subprocess.run(cargo, cwd=ROOT).returncode != 0:
        sys.exit("error: onnx2script could not be built")
    if not found.is_file() or not timer(found).is_file():
        print(f"error: there is no {found}, or no {timer(found)}: leave out --binary to build them", file=sys.stderr)
        sys.exit(2)
    return found


def timer(onnx2script: Path) -> Path:
    return onnx2script.parent / "examples" / "race"


def ours(onnx2script: Path) -> Contestant:
    return Contestant("onnx2script", (str(timer(onnx2script)),))


def tx_engine() -> Contestant:
    version = pinned(HERE / "requirements.txt", "tx-engine")
    return Contestant(f"tx-engine {version}", (sys.executable, str(HERE / "tx_engine_race.py")))


def chain_gang() -> Contestant:
    """The crate that tx-engine wraps, built as fast as Cargo makes it."""
    folder = HERE / "chain_gang"
    cargo = ["cargo", "build", "--locked", "--release", "--quiet", "--target-dir", TARGET / "chain_gang"]
    run(cargo, limit=60 * MINUTES_OF_A_BUILD, cwd=folder)
    manifest = (folder / "Cargo.toml").read_text()
    version = manifest.split('version = "=')[1].split('"')[0]
    return Contestant(f"chain-gang {version}", (str(TARGET / "chain_gang" / "release" / "race-chain-gang"),))


def bsv_sdk() -> Contestant:
    folder = ROOT / "scripts" / "spend"
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    lock = json.loads((folder / "package-lock.json").read_text())
    version = lock["packages"]["node_modules/@bsv/sdk"]["version"]
    return Contestant(f"@bsv/sdk {version}", ("node", str(HERE / "sdk_race.mjs")))


def others() -> list[Contestant]:
    """The other interpreters, without those that cannot be had here: that is said on standard error."""
    found = []
    for name, made in (("chain-gang", chain_gang), ("tx-engine", tx_engine), ("@bsv/sdk", bsv_sdk)):
        try:
            found.append(made())
        except CouldNotRun as reason:
            print(f"{name} could not be had: {reason}", file=sys.stderr)
    return found


def pinned(requirements: Path, package: str) -> str:
    lines = [line for line in requirements.read_text().splitlines() if line.startswith(f"{package}==")]
    return lines[0].split("==")[1]


def machine() -> str:
    model = platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [text for text in Path("/proc/cpuinfo").read_text().splitlines() if text.startswith("model name")]
        model = f"{names[0].split(':')[1].strip()}, {model}" if names else model
    tools = f"{version('rustc')}, {version('node')}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    hardware = f"{platform.system()}, {model}, {os.cpu_count()} cores, {memory} GB"
    return f"{hardware}; Python {platform.python_version()}, {tools}"


def version(tool: str) -> str:
    """A tool's name and version, of which it may tell either or more."""
    try:
        said = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout.split()
    except OSError:
        return f"no {tool}"
    return " ".join([tool, *[word for word in said if word != tool][:1]])
