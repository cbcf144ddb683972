"""A spend to be judged, what an interpreter said of it, and scripts taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

OP_1NEGATE, OP_1, OP_16 = 0x4F, 0x51, 0x60
PUSHDATA = {0x4C: 1, 0x4D: 2, 0x4E: 4}


@dataclass(frozen=True)
class Spend:
    """Two scripts, and the rules that they are judged by."""

    name: str
    era: str
    rules: str
    unlocking: bytes
    locking: bytes
    must: bool | None = None
    """Whether it has to be accepted; None if only agreement is asked for."""

    @cached_property
    def ops(self) -> frozenset[int]:
        """Every opcode in either script that is no push, executed or not."""
        scripts = (self.unlocking, self.locking)
        return frozenset(op for script in scripts for op, _ in instructions(script) if op > OP_16)


@dataclass(frozen=True)
class Verdict:
    """What an interpreter said: whether it accepts, the top of the stack in hex, and the reason if it does not."""

    accepted: bool
    top: str
    reason: str = ""

    def __str__(self) -> str:
        return f"accepted, top [{self.top[:80]}]" if self.accepted else f"refused: {self.reason}"

    def agrees(self, other: Verdict) -> bool:
        """Same decision and, where that is to accept, the same top."""
        return self.accepted == other.accepted and (not self.accepted or self.top == other.top)


def instructions(script: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcodes and what they push. Ends at a push that is cut short."""
    at = 0
    while at < len(script):
        op, at = script[at], at + 1
        if op > 0x4E:
            yield op, b""
            continue
        width = PUSHDATA.get(op, 0)
        size = int.from_bytes(script[at : at + width], "little") if width else op
        at += width
        if at + size > len(script):
            return
        yield op, script[at : at + size]
        at += size


def number(value: int) -> bytes:
    """A number as scripts hold it."""
    size = (value.bit_length() + 8) // 8 if value else 0
    magnitude = bytearray(abs(value).to_bytes(size, "little"))
    if value < 0:
        magnitude[-1] |= 0x80
    return bytes(magnitude)


def push(item: bytes) -> bytes:
    """The shortest push of these bytes."""
    if not item:
        return b"\x00"
    if item == b"\x81":
        return bytes([OP_1NEGATE])
    if len(item) == 1 and 1 <= item[0] <= 16:
        return bytes([OP_1 + item[0] - 1])
    return push_plainly(item)


def push_plainly(item: bytes) -> bytes:
    """A push with a length, though an opcode may push the same."""
    size = len(item)
    if size <= 75:
        return bytes([size]) + item
    op, width = next((op, width) for op, width in PUSHDATA.items() if size < 1 << 8 * width)
    return bytes([op]) + size.to_bytes(width, "little") + item


def pushed(script: bytes) -> list[bytes]:
    """The items of a script that only pushes."""
    items = []
    for op, item in instructions(script):
        if op > OP_16:
            raise ValueError(f"opcode {op:02x} is no push")
        items.append(number(op - OP_1 + 1) if op >= OP_1NEGATE else item)
    return items
