"""How fast interpreters are on the same spends: what contracts are made of, and contracts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import environment
import networks
import ours
import primitives
from contestants import Contestant, Lap
from script import CheckFailed

SECONDS = 1.0
"""How long each interpreter goes on with each script."""


def spends(binary: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """A name, an unlocking script and a locking script."""
    for named, contract in (*networks.papers(), *networks.zoo()):
        made = ours.made(binary, contract)
        yield named, made.unlocking, made.locking
    for named, locking in primitives.scripts():
        yield named, b"", locking


def agreed(named: str, laps: list[Lap | str]) -> None:
    """Refuses numbers of interpreters that did not do the same."""
    said = [(lap.verdict, lap.top) for lap in laps if isinstance(lap, Lap)]
    if any(each != said[0] for each in said) or said[0][0] != "OK":
        raise CheckFailed(f"{named}: the interpreters do not agree: {said}")


def row(named: str, size: int, laps: list[Lap | str]) -> tuple[str, float]:
    """A line of the table, and how many times as long as ours the fastest of the others took."""
    own, *others = laps
    if isinstance(own, str):
        raise CheckFailed(f"{named}: our interpreter has no time: {own}")
    times = [lap.median_ms for lap in others if isinstance(lap, Lap)]
    ratio = min(times) / own.median_ms if times else float("nan")
    cells = " | ".join(lap if isinstance(lap, str) else shown(lap.median_ms) for lap in laps)
    return f"| {named} | {size:,} | {own.instructions:,} | {cells} | {ratio:.2f} |", ratio


def shown(milliseconds: float) -> str:
    """Three digits that mean something."""
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.3g}"


def section(binary: Path, everyone: list[Contestant]) -> str:
    lines, ratios = [], []
    for named, unlocking, locking in spends(binary):
        laps = [contestant.judge(unlocking, locking, SECONDS) for contestant in everyone]
        agreed(named, laps)
        line, ratio = row(named, len(locking), laps)
        print(line, file=sys.stderr)
        lines.append(line)
        ratios.append(ratio)
    names = " | ".join(f"{contestant.name}, ms" for contestant in everyone)
    behind = sum(ratio < 1 for ratio in ratios)
    return "\n".join([
        "## Time by interpreter",
        "",
        f"Ours is the fastest on {len(ratios) - behind} of {len(ratios)} scripts. Of the others, the fastest takes",
        f"{min(ratios):.2f} to {max(ratios):.2f} times as long.",
        "",
        f"| script | bytes | instructions | {names} | fastest other ÷ ours |",
        f"| --- | ---: | ---: | {'---: | ' * len(everyone)}---: |",
        *lines,
        "",
        f"Medians of as many runs as fit into {SECONDS:g} s, and one at least, after one that is not counted. Every",
        "interpreter has a process of its own for every script. Both scripts of a spend are run, by a block's rules for a",
        "Genesis coin, from bytes: nobody's reading of hexadecimal is timed, nor @bsv/sdk's parsing, which it does once for",
        "all runs. All had to accept, with the same top of the stack. tx-engine is chain-gang, called from Python;",
        "chain-gang is that crate, called from Rust, optimised for speed and linked as a whole. Instructions are of both",
        "scripts.",
    ])


def measured(binary: Path) -> str:
    return section(binary, [environment.ours(binary), *environment.others()])
