"""The interpreters that race, each a command that times one spend in a process of its own.

Every command takes two files of hexadecimal and how many seconds to go on, and prints one line of fields (see
examples/race.rs). Not one of them is stopped while it has not finished a run, unless it takes over LIMIT.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

LIMIT = 60


@dataclass(frozen=True)
class Lap:
    """What an interpreter said of a spend, and what it took. Only ours counts instructions and stack memory."""

    verdict: str
    top: str
    instructions: int | None
    stack_bytes: int | None
    runs: int
    least_ms: float
    median_ms: float
    resident_mb: float | None


@dataclass(frozen=True)
class Contestant:
    """An interpreter's name with its version, and the command that runs it."""

    name: str
    command: tuple[str, ...]

    def judge(self, unlocking: bytes, locking: bytes, seconds: float) -> Lap | str:
        """A lap, or why there is none."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("unlock.hex", "lock.hex")]
            for file, script in zip(files, (unlocking, locking)):
                file.write_text(script.hex())
            try:
                done = subprocess.run(
                    [*self.command, *files, str(seconds)], capture_output=True, text=True, timeout=LIMIT + 2 * seconds
                )
            except subprocess.TimeoutExpired:
                return f"over {LIMIT} s"
        fields = done.stdout.rstrip("\n").split("\t")
        if done.returncode != 0 or len(fields) != 8:
            return (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return lap(fields)


def lap(fields: list[str]) -> Lap:
    verdict, top, instructions, stack, runs, least, median, resident = fields
    return Lap(
        verdict,
        top,
        int(instructions) if instructions else None,
        int(stack) if stack else None,
        int(runs),
        float(least) / 1000,
        float(median) / 1000,
        int(resident) / 1024 if resident else None,
    )
