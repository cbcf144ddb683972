"""Contracts of models, with right and wrong unlocking scripts for each.

The right ones are the compiler's own. The wrong ones are made of them: each is what a thief or a careless wallet may
show, and nearly all of them have to be refused.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spend import Spend, number, push, push_plainly, pushed

POLICY_SCRIPT = 500_000
SMALL_MODEL = 20_000
"""Bytes of a model's file: up to this, layers are compiled weight by weight, too, and for both eras."""
SAMPLES = {True: (0, 1, 2), False: (0,)}
"""Which samples of small models are shown, and of others."""


@dataclass(frozen=True)
class Model:
    """A model that is compiled, and samples for it."""

    file: Path
    samples: Path
    unit: str | None
    classes: bool
    """Whether it classifies; the others give a number."""

    @property
    def small(self) -> bool:
        return self.file.stat().st_size <= SMALL_MODEL

    @property
    def data(self) -> list[str]:
        return ["--data", str(self.samples), *(["--unit", self.unit] if self.unit else [])]


@dataclass(frozen=True)
class Contract:
    """What was compiled of a model."""

    name: str
    artifact: Path
    era: str
    rules: str
    locking: bytes

    def __str__(self) -> str:
        return f"{self.name} {self.rules}"


class Refused(Exception):
    """The compiler does not take a model that it should, or there is none."""


class Compiler:
    """onnx2script, and a folder for what it writes."""

    def __init__(self, binary: Path, scratch: Path):
        self.binary, self.scratch, self.made = binary, scratch, 0

    def run(self, *arguments: object) -> str:
        done = subprocess.run([self.binary, *map(str, arguments), "-q"], capture_output=True, text=True)
        if done.returncode == 1:
            raise Refused(done.stderr)
        if done.returncode != 0:
            raise RuntimeError(f"{self.binary} {' '.join(map(str, arguments))}:\n{done.stderr}")
        return done.stdout

    def compile(self, model: Model, options: list[str], era: str) -> Contract:
        self.made += 1
        artifact = self.scratch / f"{self.made}.json"
        self.run(model.file, *options, "--era", era, "--artifact", artifact)
        locking = bytes.fromhex(json.loads(artifact.read_text())["lockingScript"]["hex"])
        rules = "policy" if len(locking) <= POLICY_SCRIPT else "consensus"
        return Contract(" ".join([model.file.name, *options, era]), artifact, era, rules, locking)

    def unlock(self, contract: Contract, model: Model, index: int) -> bytes:
        """The right unlocking script for a sample; for an expected class, whether or not it is the sample's."""
        return bytes.fromhex(self.run("unlock", contract.artifact, *model.data, "--index", index, "--force"))


def models(folder: Path) -> list[Model]:
    """The models of a folder that compile, with samples: as its zoo.json lists them, or each model's own .json."""
    listed = folder / "zoo.json"
    if listed.exists():
        rows = [row for row in json.loads(listed.read_text()) if row["expect"] == "compile"]
    else:
        files = sorted(folder.glob("*.json"))
        rows = [{"model": f"{file.stem}.onnx", **json.loads(file.read_text())} for file in files]
    if not rows:
        raise Refused(f"{folder} holds no models with samples")
    return [Model(folder / row["model"], folder / row["samples"], row["unit"], classifies(row)) for row in rows]


def classifies(row: dict) -> bool:
    return "classes" in row or row.get("kind") == "class"


def spends(model: Model, compiler: Compiler) -> Iterator[Spend]:
    """Every spend of every contract of a model."""
    form = ["--input", "u8"] if np.load(model.samples, mmap_mode="r").dtype == np.uint8 else []
    claims = compiler.compile(model, form, "genesis")
    yield from claim_spends(claims, model, compiler)
    if model.classes:
        yield from expect_spends(model, form, claims, compiler)
    if model.small:
        yield from claim_spends(replace(claims, rules="consensus"), model, compiler)
        yield from claim_spends(compiler.compile(model, form, "chronicle"), model, compiler)
        yield from claim_spends(compiler.compile(model, [*form, "--codegen", "unrolled"], "genesis"), model, compiler)


def claim_spends(contract: Contract, model: Model, compiler: Compiler) -> Iterator[Spend]:
    """A claim and an input: the right ones, other claims, and other inputs."""
    for index in SAMPLES[model.small]:
        claim, *given = pushed(compiler.unlock(contract, model, index))
        value = integer(claim)
        yield spend(contract, f"right {index}", [claim, *given], True)
        yield spend(contract, f"wrong claim {index}", [number(value + 1), *given], False)
        yield spend(contract, f"negative claim {index}", [number(-value - 1), *given], False)
        yield from broken_inputs(contract, index, [claim], given)
        yield from longer_claims(contract, index, claim, given)


def longer_claims(contract: Contract, index: int, claim: bytes, given: list[bytes]) -> Iterator[Spend]:
    """The right claim as a number, or in a push, that is longer than need be: policy refuses it, a block need not."""
    rest = b"".join(map(push, given))
    for what, claimed in (("padded claim", padding(claim)), ("plain push", claim)):
        unlocking = push_plainly(claimed) + rest
        minimal = claimed == claim and push_plainly(claim) == push(claim)
        must = minimal if contract.rules == "policy" else None
        yield Spend(f"{contract}: {what} {index}", contract.era, contract.rules, unlocking, contract.locking, must)


def expect_spends(model: Model, form: list[str], claims: Contract, compiler: Compiler) -> Iterator[Spend]:
    """An input of one class: some that are, and one that is not."""
    answers = [integer(pushed(compiler.unlock(claims, model, index))[0]) for index in range(8)]
    contract = compiler.compile(model, [*form, "--contract", f"expect:{answers[0]}"], "genesis")
    other = next((index for index, answer in enumerate(answers) if answer != answers[0]), None)
    given = pushed(compiler.unlock(contract, model, 0))
    yield spend(contract, "right 0", given, True)
    yield from broken_inputs(contract, 0, [], given)
    if other is not None:
        yield spend(contract, f"other class {other}", pushed(compiler.unlock(contract, model, other)), False)


def broken_inputs(contract: Contract, index: int, claim: list[bytes], given: list[bytes]) -> Iterator[Spend]:
    """The right claim with less or more than an input."""
    yield spend(contract, f"truncated {index}", [*claim, *given[:-1], given[-1][:-1]], False)
    yield spend(contract, f"a byte more {index}", [*claim, *given[:-1], given[-1] + b"\x00"], False)
    yield spend(contract, f"an item less {index}", [*claim, *given][1:], False)
    # Blocks may hold what leaves more than one item; policy refuses it.
    clean = False if contract.rules == "policy" else None
    yield spend(contract, f"an item more {index}", [b"\x07", *claim, *given], clean)


def spend(contract: Contract, what: str, items: list[bytes], must: bool | None) -> Spend:
    unlocking = b"".join(map(push, items))
    return Spend(f"{contract}: {what}", contract.era, contract.rules, unlocking, contract.locking, must)


def integer(item: bytes) -> int:
    """The number that an item holds."""
    if not item:
        return 0
    magnitude = int.from_bytes(item[:-1] + bytes([item[-1] & 0x7F]), "little")
    return -magnitude if item[-1] & 0x80 else magnitude


def padding(item: bytes) -> bytes:
    """The same number, a byte longer than it need be."""
    if not item:
        return b"\x00"
    return item[:-1] + bytes([item[-1] & 0x7F, item[-1] & 0x80])
