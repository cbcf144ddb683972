#!/usr/bin/env python3
"""Judge spends by interpreters that others wrote, and hold their verdicts against ours.

Usage (from the repository's root, after `cargo build --release`):

    pip install -r scripts/crosscheck/requirements.txt && npm ci --prefix scripts/spend
    python3 scripts/crosscheck/crosscheck.py [--binary PATH] [--models FOLDER ...]

The spends are every model's contracts with right and wrong unlocking scripts, the node's own vectors, and scripts at
random; the interpreters are onnx2script's, npm @bsv/sdk's `Spend` and PyPI tx-engine. They agree on a spend that all
refuse, or accept with the same top of the stack. Where one does not agree with ours on a vector or a script at random,
explained.py has to know why. On contracts nothing excuses a disagreement.

Exit code 1: a disagreement without explanation, an explanation without disagreement, a right spend that ours refuses,
a wrong one that it accepts, or a vector on which it is not of the node's opinion.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import contracts
import engines
import random_scripts
from explained import EXPLAINED, Disagreement, Explanation
from spend import Spend, Verdict

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/vectors/bsv_node_vectors.tsv.gz"
THEIRS: dict[str, Callable[[Sequence[Spend]], list[Verdict]]] = {
    "@bsv/sdk": engines.bsv_sdk,
    "tx-engine": engines.tx_engine,
}
SHOWN = 20
"""How many failures of a kind are printed."""


def main() -> int:
    options = arguments()
    failures: list[str] = []
    explained: Counter[Explanation] = Counter()
    for title, spends, excuses in sets(options):
        verdicts = judge(spends, options.binary)
        ours = verdicts.pop("ours")
        wrong = [
            f"{spend.name}: ours {said}"
            for spend, said in zip(spends, ours, strict=True)
            if not as_it_must(spend, said)
        ]
        accepted = sum(said.accepted for said in ours)
        locks = len({spend.locking for spend in spends})
        print(f"{title}: {len(spends)} spends of {locks} locking scripts")
        print(f"  ours: {accepted} accepted, {len(wrong)} not as they must be")
        failures += wrong
        for engine, theirs in verdicts.items():
            found = disagreements(engine, spends, ours, theirs)
            reasons, left = explain(found, excuses, options.binary)
            explained += reasons
            print(f"  {engine}: {len(spends) - len(found)} agree, {len(found) - len(left)} explained, {len(left)} not")
            failures += [str(disagreement) for disagreement in left]
    print("explanations:")
    for explanation in EXPLAINED:
        print(f"  {explained[explanation]:5} {explanation.engine} {explanation.reason} (right: {explanation.right})")
        if explained[explanation] == 0:
            failures.append(f"no longer needed: {explanation.engine} {explanation.reason}")
    for failure in failures[:SHOWN]:
        print(f"FAILED {failure}")
    print(f"{len(failures)} failures" if failures else "no disagreement is left unexplained")
    return 1 if failures else 0


def arguments() -> argparse.Namespace:
    default = Path(os.environ.get("ONNX2SCRIPT", ROOT / "target/release/onnx2script"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, default=default, help="onnx2script (default: $ONNX2SCRIPT, or release)")
    parser.add_argument(
        "--models", type=Path, nargs="+", default=[ROOT / "models", ROOT / "models/zoo"], help="folders of models"
    )
    return parser.parse_args()


def sets(options: argparse.Namespace) -> Iterator[tuple[str, list[Spend], Sequence[Explanation]]]:
    """What is compared: a title each, and what may explain disagreements."""
    yield "node's vectors", vectors(), EXPLAINED
    yield f"random scripts (seed {random_scripts.SEED})", list(random_scripts.spends()), EXPLAINED
    for folder in options.models:
        yield f"contracts of {folder.name}", contract_spends(folder, options.binary), ()


def vectors() -> list[Spend]:
    """The spends of which the node's verdict is known."""
    with gzip.open(VECTORS, "rt") as file:
        rows = [row.rstrip("\n").split("\t") for row in file if not row.startswith("#")]
    return [
        Spend(f"vector {place}", era, rules, of_hex(unlocking), of_hex(locking), verdict == "OK")
        for place, (era, rules, unlocking, locking, verdict, _) in enumerate(rows, 1)
    ]


def of_hex(field: str) -> bytes:
    return b"" if field == "-" else bytes.fromhex(field)


def contract_spends(folder: Path, binary: Path) -> list[Spend]:
    """The spends of all contracts of a folder's models."""
    with tempfile.TemporaryDirectory() as scratch:
        compiler = contracts.Compiler(binary, Path(scratch))
        return [spend for model in contracts.models(folder) for spend in contracts.spends(model, compiler)]


def judge(spends: list[Spend], binary: Path) -> dict[str, list[Verdict]]:
    """Every interpreter's verdicts; how long each took goes to standard error."""

    def timed(name: str, engine: Callable[[Sequence[Spend]], list[Verdict]]) -> list[Verdict]:
        start = time.monotonic()
        verdicts = engine(spends)
        print(f"{name}: {len(spends)} spends in {time.monotonic() - start:.1f} s", file=sys.stderr)
        return verdicts

    asked = {"ours": lambda spends: engines.ours(spends, binary), **THEIRS}
    with ThreadPoolExecutor() as pool:
        return dict(zip(asked, pool.map(timed, asked.keys(), asked.values()), strict=True))


def as_it_must(spend: Spend, said: Verdict) -> bool:
    return spend.must is None or spend.must == said.accepted


def disagreements(engine: str, spends: list[Spend], ours: list[Verdict], theirs: list[Verdict]) -> list[Disagreement]:
    rows = zip(spends, ours, theirs, strict=True)
    return [Disagreement(engine, spend, we, they) for spend, we, they in rows if not we.agrees(they)]


def explain(
    found: list[Disagreement], excuses: Sequence[Explanation], binary: Path
) -> tuple[Counter[Explanation], list[Disagreement]]:
    """How many each explanation accounts for, and those that none does."""
    counts: Counter[Explanation] = Counter()
    for explanation in excuses:
        supposed = [(one, explanation.as_if(one)) for one in found if one.engine == explanation.engine]
        supposed = [(one, spend) for one, spend in supposed if spend is not None]
        verdicts = engines.ours([spend for _, spend in supposed], binary)
        known = {id(one) for (one, _), said in zip(supposed, verdicts, strict=True) if said.agrees(one.theirs)}
        counts[explanation] = len(known)
        found = [one for one in found if id(one) not in known]
    return counts, found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (contracts.Refused, RuntimeError, OSError) as error:
        sys.exit(f"error: {error}")
