"""The interpreters: ours, npm @bsv/sdk's `Spend`, and PyPI tx-engine. Each judges spends in the order given."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tx_engine.tx_engine import Stack, py_script_eval_pystack

from spend import OP_16, Spend, Verdict, instructions

HERE = Path(__file__).resolve().parent
ASKED = "BIG_INT"
"""A verdict for `exec --vectors` to contradict: it tells its own of every line that has another."""
CONTRADICTED = re.compile(r"line (\d+): expected \S+, got (\S+) with top \[([0-9a-f]*)\]")


def ours(spends: Sequence[Spend], binary: Path) -> list[Verdict]:
    """onnx2script's verdicts: a file of vectors with a wrong verdict each, and what it says of that."""
    verdicts = [Verdict(False, "", ASKED)] * len(spends)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{line(spend)}\t{ASKED}\t?\n" for spend in spends)
        file.flush()
        done = subprocess.run([binary, "exec", "--vectors", file.name], capture_output=True, text=True)
    contradicted = CONTRADICTED.findall(done.stdout)
    if f"{len(spends) - len(contradicted)} passed, {len(contradicted)} failed" not in done.stdout:
        raise RuntimeError(f"{binary} exec --vectors did not judge {len(spends)} spends:\n{done.stderr}")
    for place, reason, top in contradicted:
        verdicts[int(place) - 1] = Verdict(reason == "OK", top, reason)
    return verdicts


def bsv_sdk(spends: Sequence[Spend]) -> list[Verdict]:
    """The verdicts of npm @bsv/sdk."""
    with tempfile.TemporaryFile("w+") as file:
        file.writelines(f"{line(spend)}\n" for spend in spends)
        file.seek(0)
        done = subprocess.run(["node", HERE / "crosscheck.mjs"], stdin=file, capture_output=True, text=True)
    lines = [row.split("\t") for row in done.stdout.splitlines()]
    if done.returncode != 0 or len(lines) != len(spends):
        raise RuntimeError(f"crosscheck.mjs judged {len(lines)} of {len(spends)} spends:\n{done.stderr}")
    return [Verdict(word == "OK", top, reason) for word, top, reason in lines]


def tx_engine(spends: Sequence[Spend]) -> list[Verdict]:
    """The verdicts of PyPI tx-engine."""
    return [tx_engine_verdict(spend) for spend in spends]


def tx_engine_verdict(spend: Spend) -> Verdict:
    """Evaluates both scripts; what comes before and after is not of its evaluator, and done here as its `Tx` does.

    It takes its rules from the transaction's version: 1 has policy's, none has none, and 2 is Chronicle's, whose
    numbers may be longer. The era of version 1 it does not ask.
    """
    version = 1 if spend.rules == "policy" else None if spend.era == "genesis" else 2
    if any(op > OP_16 for op, _ in instructions(spend.unlocking)):
        return Verdict(False, "", "SIG_PUSHONLY")
    stack = Stack()
    try:
        for script in (spend.unlocking, spend.locking):
            stack, _, _ = py_script_eval_pystack(script, None, None, None, stack, Stack(), version)
    except ValueError as error:  # a panic is none, and ends the comparison
        return Verdict(False, "", str(error).removeprefix("Error evaluating the script "))
    items = [stack[index] for index in range(stack.size())]
    if not items or not truth(items[-1]):
        return Verdict(False, "", "EVAL_FALSE")
    if spend.rules == "policy" and len(items) != 1:
        return Verdict(False, "", "CLEANSTACK")
    return Verdict(True, items[-1].hex())


def truth(item: bytes) -> bool:
    """Whether an item is true: neither zero nor negative zero."""
    return any(item[:-1]) or item[-1:] not in (b"", b"\x00", b"\x80")


def line(spend: Spend) -> str:
    """A spend as vectors' files and crosscheck.mjs have it."""
    return "\t".join((spend.era, spend.rules, spend.unlocking.hex() or "-", spend.locking.hex() or "-"))
