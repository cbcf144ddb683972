"""How fast interpreters are on the same spends: what contracts are made of, and contracts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import environment
import network
import networks
import ours
import primitives
import runar
from contestants import Contestant, Lap
from markdown import paragraph, table
from script import CheckFailed, CouldNotRun

ROUNDS, SECONDS = 2, 0.5
"""How often the interpreters take turns at a script, and how long each then goes on with it."""
MANNER = f"""
The shortest of as many runs as fit into {SECONDS:g} s, and of one at least, after one that is not counted; {ROUNDS}
times, the interpreters taking turns. Every interpreter has a process of its own for every script. Both scripts of a
spend are run, by a block's rules for a Genesis coin, from bytes: nobody's reading of hexadecimal is timed, nor
@bsv/sdk's parsing, which it does once for all runs. All had to accept, with the same top of the stack. tx-engine is
chain-gang, called from Python; chain-gang is that crate, called from Rust, optimised for speed and linked as a whole.
Instructions are of both scripts.
"""


def spends(binary: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """A name, an unlocking script and a locking script."""
    for named, contract in (*networks.papers(), *networks.zoo()):
        made = ours.made(binary, contract)
        yield named, made.unlocking, made.locking
    yield from runars(binary)
    for named, locking in primitives.scripts():
        yield named, b"", locking


def runars(binary: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """The paper's network as another compiler writes it, if that can be had."""
    net, pixels = network.load(networks.PAPERS), network.load_sample(networks.MNIST)
    try:
        found = runar.measure(binary, environment.HERE / "requirements-runar.txt", net, pixels, "sum")
    except CouldNotRun as reason:
        print(f"Rúnar could not be had: {reason}", file=sys.stderr)
        return
    yield "Rúnar, literal weights, ÷10^8 after the sum", *found.spend


def fastest(tries: tuple[Lap | str, ...]) -> Lap | str:
    """The shorter lap, or why one has none."""
    failed = [each for each in tries if isinstance(each, str)]
    return failed[0] if failed else min(tries, key=lambda lap: lap.least_ms)


def agreed(named: str, laps: list[Lap | str]) -> None:
    """Refuses numbers of interpreters that did not do the same."""
    said = [(lap.verdict, lap.top) for lap in laps if isinstance(lap, Lap)]
    if any(each != said[0] for each in said) or said[0][0] != "OK":
        raise CheckFailed(f"{named}: the interpreters do not agree: {said}")


def row(named: str, size: int, laps: list[Lap | str]) -> tuple[list[str], float]:
    """A line of the table, and how many times as long as ours the fastest of the others took."""
    own, *others = laps
    if isinstance(own, str):
        raise CheckFailed(f"{named}: our interpreter has no time: {own}")
    times = [lap.least_ms for lap in others if isinstance(lap, Lap)]
    ratio = min(times) / own.least_ms if times else float("nan")
    cells = [lap if isinstance(lap, str) else shown(lap.least_ms) for lap in laps]
    return [named, f"{size:,}", f"{own.instructions:,}", *cells, f"{ratio:.2f}"], ratio


def shown(milliseconds: float) -> str:
    """Three digits that mean something."""
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.3g}"


def section(binary: Path, everyone: list[Contestant]) -> str:
    rows, ratios = [], []
    for named, unlocking, locking in spends(binary):
        rounds = [[each.judge(unlocking, locking, SECONDS) for each in everyone] for _ in range(ROUNDS)]
        laps = [fastest(tries) for tries in zip(*rounds)]
        agreed(named, laps)
        cells, ratio = row(named, len(locking), laps)
        print("  ".join(cells), file=sys.stderr)
        rows.append(cells)
        ratios.append(ratio)
    times = [f"{contestant.name}, ms" for contestant in everyone]
    numbers = dict.fromkeys(["bytes", "instructions", *times, "fastest other ÷ ours"], ">")
    return "\n\n".join([
        "## Time by interpreter", summary(ratios), table({"script": "<", **numbers}, rows), paragraph(MANNER)
    ])


def summary(ratios: list[float]) -> str:
    first = sum(ratio >= 1 for ratio in ratios)
    return paragraph(
        f"Ours is the fastest on {first} of {len(ratios)} scripts. The fastest of the others takes {min(ratios):.2f} to"
        f" {max(ratios):.2f} times as long as ours."
    )


def measured(binary: Path) -> str:
    return section(binary, [environment.ours(binary), *environment.others()])
