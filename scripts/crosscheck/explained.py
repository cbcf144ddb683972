"""Why an interpreter may say something else than ours: every cause that is known, and how it is recognised.

A cause is no licence for whatever looks like it. It names a spend on which ours has to say of it what the other said
of the one in question: ours without the rule that the other lacks, or with the mistake that the other makes. Who is
right was settled by the node's own interpreter (tests/vectors), unless its entry tells otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from spend import PUSHDATA, Spend, Verdict, instructions

CHRONICLE_OPS = frozenset((0x62, 0x65, 0x66, 0x8D, 0x8E, *range(0xB3, 0xB8)))
LSHIFT, RSHIFT, LSHIFTNUM, RSHIFTNUM = 0x98, 0x99, 0xB6, 0xB7
SHIFTED_AS_BYTES = {LSHIFTNUM: LSHIFT, RSHIFTNUM: RSHIFT}
NOP, RESERVED_NOPS = 0x61, (0xB0, 0xB1, 0xB2, 0xB8, 0xB9)
# What tx-engine does instead of some opcodes.
TX_ENGINES_OPS = SHIFTED_AS_BYTES | dict.fromkeys(RESERVED_NOPS, NOP)
NUM2BIN_SIZE = re.compile(r"OP_NUM2BIN failed, size (\d+) out of range")
INDEX_LENGTH = re.compile(r"Cannot pop num, len too long (\d+)")
# PICK, ROLL, SPLIT, LSHIFT and RSHIFT.
INDEXED = frozenset((0x79, 0x7A, 0x7F, LSHIFT, RSHIFT))
TX_ENGINE_NUMBER, NODE_ITEM = 750_000, 2**31 - 1
# A lock that no one opens (0 VERIFY), for where the other ends a script that goes on.
REFUSED = bytes([0x00, 0x69])


@dataclass(frozen=True)
class Disagreement:
    """A spend of which another interpreter says something else than ours."""

    engine: str
    spend: Spend
    ours: Verdict
    theirs: Verdict

    def __str__(self) -> str:
        scripts = f"unlocking {self.spend.unlocking.hex()[:200]} locking {self.spend.locking.hex()[:200]}"
        rules = f"{self.spend.era}, {self.spend.rules}"
        return f"{self.spend.name} ({rules}): ours {self.ours}; {self.engine} {self.theirs}\n    {scripts}"


@dataclass(frozen=True)
class Explanation:
    """A cause of disagreements."""

    engine: str
    reason: str
    right: str
    as_if: Callable[[Disagreement], Spend | None]
    """What the other judged in effect; None if the cause is not this one."""


def without_policys_number_limit(found: Disagreement) -> Spend | None:
    """Consensus allows longer numbers; all else that policy asks for, the other has found to be in order."""
    if found.spend.rules != "policy" or found.ours.reason != "SCRIPTNUM_OVERFLOW" or not found.theirs.accepted:
        return None
    return replace(found.spend, rules="consensus")


def as_chronicle(found: Disagreement) -> Spend | None:
    """A Genesis coin that is judged as one of Chronicle's, by tx-engine's opcodes."""
    if found.spend.era != "genesis" or not found.spend.ops & CHRONICLE_OPS:
        return None
    return replace(by_tx_engines_ops(found.spend), era="chronicle")


def shifting_bytes(found: Disagreement) -> Spend | None:
    """LSHIFTNUM and RSHIFTNUM that do what LSHIFT and RSHIFT do."""
    if found.spend.era != "chronicle" or not found.spend.ops & SHIFTED_AS_BYTES.keys():
        return None
    return by_tx_engines_ops(found.spend)


def with_plain_nops(found: Disagreement) -> Spend | None:
    """Reserved NOPs that are as good as OP_NOP."""
    if found.ours.reason != "DISCOURAGE_UPGRADABLE_NOPS" or not found.spend.ops.intersection(RESERVED_NOPS):
        return None
    return by_tx_engines_ops(found.spend)


def with_short_indexes(found: Disagreement) -> Spend | None:
    """An index or a number of bits in more than four bytes."""
    length = INDEX_LENGTH.search(found.theirs.reason)
    if length is None or int(length[1]) <= 4 or not found.spend.ops & INDEXED or not found.ours.accepted:
        return None
    return replace(found.spend, locking=REFUSED)


def with_shorter_items(found: Disagreement) -> Spend | None:
    """A size that is longer than a number may be."""
    size = NUM2BIN_SIZE.search(found.theirs.reason)
    if size is None or not TX_ENGINE_NUMBER < int(size[1]) <= NODE_ITEM or not found.ours.accepted:
        return None
    return replace(found.spend, locking=REFUSED)


EXPLAINED = [
    Explanation(
        "@bsv/sdk",
        "has no limit to the length of numbers; a node's policy has one of 10,000 bytes",
        "ours, by the node's vectors",
        without_policys_number_limit,
    ),
    Explanation(
        "tx-engine",
        "has consensus' limit to the length of numbers under policy, too",
        "ours, by the node's vectors",
        without_policys_number_limit,
    ),
    Explanation(
        "tx-engine",
        "runs Chronicle's opcodes on coins of the Genesis era, where they are disabled or do nothing",
        "ours, by the node's vectors",
        as_chronicle,
    ),
    Explanation(
        "tx-engine",
        "shifts bytes, not numbers, for LSHIFTNUM and RSHIFTNUM",
        "ours, by the node's vectors",
        shifting_bytes,
    ),
    Explanation(
        "tx-engine",
        "lets reserved NOPs pass that a node's policy discourages",
        "ours, by the node's vectors",
        with_plain_nops,
    ),
    Explanation(
        "tx-engine",
        "limits NUM2BIN's size to 750,000 bytes; a node's limit is that of items, 2^31 - 1",
        "ours, by the node's vectors",
        with_shorter_items,
    ),
    Explanation(
        "tx-engine",
        "reads indexes and numbers of bits from four bytes at most; a node from as many as a number may have",
        "ours and @bsv/sdk, by the node's sources; no vector has it",
        with_short_indexes,
    ),
]


def by_tx_engines_ops(spend: Spend) -> Spend:
    """The spend with what tx-engine does instead, in the locking script; unlocking scripts have no opcodes."""
    locking, at = bytearray(spend.locking), 0
    for op, item in instructions(spend.locking):
        locking[at] = TX_ENGINES_OPS.get(op, op)
        at += 1 + PUSHDATA.get(op, 0) + len(item)
    return replace(spend, locking=bytes(locking))
