"""What a command takes, by measured.py."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Exit code, seconds by the clock and of processors, megabytes at most, whether it was stopped, its last words."""

    code: int
    seconds: float
    processors: float
    megabytes: float
    stopped: bool
    said: str


def of(command: list[object], limit: int, megabytes: int = 0, folder: Path | None = None) -> Usage:
    """What the command takes, which is stopped after that many seconds of processors, and given so much memory."""
    wrapper = [sys.executable, "-S", Path(__file__).with_name("measured.py"), str(limit), str(megabytes)]
    done = subprocess.run([*wrapper, *command], capture_output=True, text=True, check=True, cwd=folder)
    return Usage(**json.loads(done.stdout))
