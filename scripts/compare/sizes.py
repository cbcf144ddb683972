"""What the paper's network, 784-64-10, costs as each compiler writes it: bytes, instructions, time and memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import environment
import network
import networks
import ours
import runar
import scrypt
import scrypt_whole
from contestants import Contestant, Lap
from markdown import paragraph, table
from network import Network
from script import CheckFailed, CouldNotRun, Found, Row

HERE = environment.HERE
SECONDS = 1.0
"""How long each interpreter goes on with each script."""
SUBJECT = """
784-64-10 with ReLU and ArgMax, {macs:,} multiply-accumulates (MACs), fixed point at 10^8. "The paper's arithmetic"
divides by 10^8 after every product, toward zero.
"""
MANNER = """
Bytes per MAC are the whole locking script's bytes divided by the MACs. Every script measured was run in onnx2script's
interpreter: the right answer for a sample is taken, and of other compilers' scripts the next number refused.
Extrapolated rows leave out biases, ReLU and ArgMax. Times are the shortest within a second, of a spend with the right
answer, from bytes. Stack is the most memory of both stacks, as a node counts it (a default node allows 100,000 KB);
process is the most that our interpreter's process held, script and all. The node's time is onnx2script's estimate for
its own contract (`limits` of the artifact); it has none for other scripts. Unlocking scripts, which hold the pixels,
are not counted in bytes and instructions. sCrypt 0.2.9 is the newest compiler that npm has; later ones are downloaded
from elsewhere at first use, and were not measured. Rows with weights of few bits compute a coarser network, with
another accuracy; nothing here says which.
"""
MEANS = {"product": "the paper's arithmetic", "sum": "÷10^8 after the sum"}


def scrypt_name() -> str:
    return f"sCrypt {json.loads((HERE / 'package.json').read_text())['dependencies']['scryptc']}"


def runar_name() -> str:
    return f"Rúnar {environment.pinned(HERE / 'requirements-runar.txt', 'runar-compiler')}"


def attempt(compiler: str, described: str, measure: Callable[[], Found]) -> Row:
    print(f"{compiler}: {described}", file=sys.stderr)
    try:
        return Row(compiler, described, measure())
    except CouldNotRun as reason:
        return Row(compiler, described, None, f"could not be run: {reason}")


def others(binary: Path, net: Network, pixels: list[int]) -> list[Row]:
    """The rows of the other compilers."""
    rows = []
    for style, rescale in [("sliced", "product"), ("literal", "product"), ("literal", "sum")]:
        held = "weights cut out of a constant, as published" if style == "sliced" else "literal weights"
        rows.append(attempt(scrypt_name(), f"{held}, {MEANS[rescale]}",
                            lambda: scrypt.measure(binary, scrypt.install(HERE), net, pixels, style, rescale)))
    for rescale in ["product", "sum"]:
        rows.append(attempt(runar_name(), f"literal weights, {MEANS[rescale]}",
                            lambda: runar.measure(binary, HERE / "requirements-runar.txt", net, pixels, rescale)))
    return rows


def own(binary: Path) -> list[Row]:
    rows, compiler = [], ours.version(binary)
    for described, contract in networks.papers():
        made = ours.made(binary, contract)
        shown = f"{described}: `{' '.join(contract.options)}`" if contract.options else described
        found = Found(len(made.locking), made.instructions, "whole network, run on a sample",
                      (made.unlocking, made.locking), made.node_ms)
        rows.append(Row(compiler, shown, found))
    return rows


def cells(row: Row, macs: int, racers: list[Contestant]) -> list[str]:
    found = row.found
    if found is None:
        return [row.compiler, row.network, *["-"] * (6 + len(racers)), row.refused]
    numbers = [f"{found.bytes / macs:.2f}", f"{found.bytes:,}", f"{found.instructions:,}", *run(row, racers)]
    estimate = "-" if found.node_ms is None else f"{found.node_ms:.1f}"
    return [row.compiler, row.network, *numbers, estimate, found.origin]


def run(row: Row, racers: list[Contestant]) -> list[str]:
    """Each interpreter's time, and the memory of the first, which is ours."""
    if row.found.spend is None:
        return ["-"] * (len(racers) + 2)
    laps = [racer.judge(*row.found.spend, SECONDS) for racer in racers]
    for lap in laps:
        if isinstance(lap, Lap) and lap.verdict != "OK":
            raise CheckFailed(f"{row.compiler}, {row.network}: an interpreter refuses what is right: {lap.verdict}")
    own = laps[0]
    if isinstance(own, str):
        raise CheckFailed(f"{row.compiler}, {row.network}: our interpreter has no time: {own}")
    times = [lap if isinstance(lap, str) else f"{lap.least_ms:.2f}" for lap in laps]
    resident = "-" if own.resident_mb is None else f"{own.resident_mb:.1f}"
    return [*times, f"{own.stack_bytes / 1000:,.0f}", resident]


def columns(racers: list[Contestant]) -> dict[str, str]:
    times = [f"{racer.name}, ms" for racer in racers]
    counts = ["bytes per MAC", "locking script, bytes", "instructions"]
    numbers = [*counts, *times, "stack, KB", "process, MB", "a node, ms (estimated)"]
    return {"compiler": "<", "network": "<", **dict.fromkeys(numbers, ">"), "how it was found": "<"}


def measured(binary: Path) -> str:
    racers = [environment.ours(binary), environment.tx_engine()]
    net, pixels = network.load(networks.PAPERS), network.load_sample(networks.MNIST)
    rows = [*others(binary, net, pixels), *own(binary)]
    return "\n\n".join([
        "## The paper's network by compiler",
        paragraph(SUBJECT.format(macs=net.macs())),
        table(columns(racers), (cells(row, net.macs(), racers) for row in rows)),
        paragraph(MANNER),
        *scrypt_whole.sections(scrypt_name()),
    ])
