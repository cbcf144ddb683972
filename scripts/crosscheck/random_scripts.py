"""Scripts at random, of what contracts are made of: big numbers, bytes and bits, stacks, branches and hashes.

The stack's kinds and sizes are kept track of, so that most scripts run to their end, where all that they left is
joined to one item: an interpreter that went wrong anywhere has another top. A few opcodes are not fit for the stack.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from spend import Spend, number, push

SEED = 20_260_131
GENESIS, CHRONICLE = 9000, 3000
OPCODES_EACH = 24
STRAY = 0.004
"""How often an opcode is taken that may not fit."""

IF, NOTIF, ELSE, ENDIF, TOALT, FROMALT = 0x63, 0x64, 0x67, 0x68, 0x6B, 0x6C
DUP, OVER, PICK, ROLL, ROT, SWAP, TUCK, NIP = 0x76, 0x78, 0x79, 0x7A, 0x7B, 0x7C, 0x7D, 0x77
CAT, SPLIT, NUM2BIN, BIN2NUM, SIZE, INVERT, EQUAL = 0x7E, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x87
AND_OR_XOR, UNARY = (0x84, 0x85, 0x86), (0x8B, 0x8C, 0x8F, 0x90, 0x91, 0x92)
ADD, SUB, MUL, DIV, MOD, LSHIFT, RSHIFT, WITHIN = 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0xA5
BINARY = (ADD, SUB, MUL, DIV, MOD)
COMPARE = (0x9A, 0x9B, 0x9C, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2)
MIN_MAX = (0xA3, 0xA4)
NOT = 0x91
HASHES = {0xA6: 20, 0xA7: 20, 0xA8: 32, 0xA9: 20, 0xAA: 32}
SUBSTR, LEFT, RIGHT, LSHIFTNUM, RSHIFTNUM, DOUBLE, HALF = 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0x8D, 0x8E


class Writer:
    """A locking script in the making, with what it leaves: `None` for a number, or how many bytes."""

    def __init__(self, rng: random.Random, stack: list[int | None], chronicle: bool):
        self.rng, self.stack, self.code = rng, stack, bytearray()
        self.steps = [self.arithmetic, self.compare, self.unary, self.cut, self.join, self.shift, self.bits]
        self.steps += [self.convert, self.arrange, self.alternate, self.branch, self.digest, self.measure]
        if chronicle:
            self.steps += [self.chronicle] * 4

    def emit(self, *ops: int) -> None:
        self.code += bytes(ops)

    def put(self, item: bytes, kind: int | None) -> None:
        self.code += push(item)
        self.stack.append(kind)

    def put_number(self, value: int) -> None:
        self.put(number(value), None)

    def want_number(self) -> None:
        """Sees to a number on top, made of the bytes that are there if any."""
        if not self.stack or self.rng.random() < 0.3:
            self.put_number(any_number(self.rng))
        elif self.stack[-1] is not None:
            self.emit(BIN2NUM)
            self.stack[-1] = None

    def want_bytes(self) -> int:
        """Sees to bytes on top; how many."""
        if not self.stack or self.stack[-1] is None:
            size = self.rng.randint(0, 40)
            self.put(self.rng.randbytes(size), size)
        return self.stack[-1]

    def want_two_numbers(self) -> None:
        self.want_number()
        self.put_number(any_number(self.rng))
        if self.rng.random() < 0.5:
            self.emit(SWAP)

    def result(self, taken: int, *kinds: int | None) -> None:
        del self.stack[len(self.stack) - taken :]
        self.stack += kinds

    def arithmetic(self) -> None:
        self.want_two_numbers()
        op = self.rng.choice(BINARY)
        if op in (DIV, MOD) and self.rng.random() < 0.95:
            self.emit(DUP, NOT, SUB)  # a divisor that is no zero
        self.emit(op)
        self.result(2, None)

    def compare(self) -> None:
        self.want_two_numbers()
        if self.rng.random() < 0.2:
            self.put_number(any_number(self.rng))
            self.emit(WITHIN)
            self.result(1)
        else:
            self.emit(self.rng.choice(COMPARE + MIN_MAX))
        self.result(2, None)

    def unary(self) -> None:
        self.want_number()
        self.emit(self.rng.choice(UNARY))

    def cut(self) -> None:
        size = self.want_bytes()
        at = self.rng.randint(0, size)
        self.put_number(at)
        self.emit(SPLIT)
        self.result(2, at, size - at)

    def join(self) -> None:
        size = self.want_bytes()
        self.put(self.rng.randbytes(3), 3)
        self.emit(CAT)
        self.result(2, size + 3)

    def shift(self) -> None:
        size = self.want_bytes()
        self.put_number(self.rng.randint(0, 8 * size + 9))
        self.emit(self.rng.choice((LSHIFT, RSHIFT)))
        self.result(2, size)

    def bits(self) -> None:
        size = self.want_bytes()
        if self.rng.random() < 0.2:
            self.emit(INVERT)
            return
        self.put(self.rng.randbytes(size), size)
        self.emit(self.rng.choice((*AND_OR_XOR, EQUAL)))
        compared = self.code[-1] == EQUAL
        self.result(2, None if compared else size)

    def convert(self) -> None:
        self.want_number()
        size = self.rng.choice((4, 40, 200, 2000))
        # A number that is too long for the size would end the script: its remainder is not.
        self.put_number(1 << 24)
        self.emit(MOD)
        self.result(2, None)
        self.put_number(size)
        self.emit(NUM2BIN)
        self.result(2, size)
        if self.rng.random() < 0.5:
            self.emit(BIN2NUM)
            self.result(1, None)

    def arrange(self) -> None:
        stack, depth = self.stack, len(self.stack)
        if depth and (depth < 3 or self.rng.random() < 0.4):
            at, op = self.rng.randrange(depth), self.rng.choice((PICK, ROLL))
            self.emit(*push(number(at)), op)
            stack.append(stack.pop(-1 - at) if op == ROLL else stack[-1 - at])
            return
        while len(stack) < 3:
            self.put_number(len(stack))
        a, b, c = stack[-3:]
        op, kinds = self.rng.choice(
            (
                (DUP, (a, b, c, c)),
                (OVER, (a, b, c, b)),
                (ROT, (b, c, a)),
                (SWAP, (a, c, b)),
                (TUCK, (a, c, b, c)),
                (NIP, (a, c)),
                (0x6E, (a, b, c, b, c)),
                (0x6F, (a, b, c, a, b, c)),
            )
        )
        self.emit(op)
        self.result(3, *kinds)

    def alternate(self) -> None:
        """One to the alt stack and, after something else, back."""
        self.want_number()
        self.emit(TOALT)
        self.stack.pop()
        self.rng.choice((self.unary, self.cut, self.bits))()
        self.emit(FROMALT)
        self.stack.append(None)

    def branch(self) -> None:
        self.want_number()
        self.put_number(self.rng.randint(-1, 1))
        self.stack.pop()
        one, other = self.rng.sample(UNARY, 2)
        self.emit(self.rng.choice((IF, NOTIF)), one, ELSE, other, ENDIF)

    def digest(self) -> None:
        self.want_bytes()
        self.emit(self.rng.choice(tuple(HASHES)))
        self.result(1, HASHES[self.code[-1]])

    def measure(self) -> None:
        self.want_bytes()
        self.emit(SIZE)
        self.stack.append(None)

    def chronicle(self) -> None:
        """An opcode that the Genesis era has not."""
        op = self.rng.choice((SUBSTR, LEFT, RIGHT, LSHIFTNUM, RSHIFTNUM, DOUBLE, HALF))
        if op in (SUBSTR, LEFT, RIGHT):
            size = self.want_bytes()
            begin = self.rng.randrange(size) if size else 0
            taken = self.rng.randint(0, size - begin)
            if op == SUBSTR:
                self.put_number(begin)
                self.result(1)
            self.put_number(taken)
            self.emit(op)
            self.result(2, taken)
            return
        self.want_number()
        if op in (LSHIFTNUM, RSHIFTNUM):
            self.put_number(self.rng.randint(0, 70))
            self.result(1)
        self.emit(op)

    def finish(self) -> bytes:
        """Joins what is left; a one at its head makes it true."""
        self.put(b"\x01", 1)
        self.emit(*[SWAP, CAT] * (len(self.stack) - 1))
        return bytes(self.code)


def any_number(rng: random.Random) -> int:
    """Mostly small, at times long, of either sign, and often next to a power of 256."""
    bits = rng.choice((1, 4, 8, 16, 31, 32, 33, 64, 200, 1000, 4000))
    value = (1 << bits) + rng.randint(-2, 1) if rng.random() < 0.2 else rng.getrandbits(bits)
    return rng.choice((-1, 1)) * value


def one(rng: random.Random, name: str, era: str, rules: str) -> Spend:
    """A spend at random: numbers and bytes are unlocked with, and the rest is the lock's."""
    unlocking, stack = b"", []
    for _ in range(rng.randint(1, 6)):
        size = rng.choice((1, 4, 20, 200))
        item, kind = (number(any_number(rng)), None) if rng.random() < 0.6 else (rng.randbytes(size), size)
        unlocking += push(item)
        stack.append(kind)
    writer = Writer(rng, stack, era == "chronicle")
    for _ in range(OPCODES_EACH):
        rng.choice(writer.steps)()
        if rng.random() < STRAY:
            writer.emit(rng.randint(0x61, 0xB9))
    return Spend(name, era, rules, unlocking, writer.finish())


def spends(seed: int = SEED) -> Iterator[Spend]:
    """All of them; a seed has always the same."""
    for era, count in (("genesis", GENESIS), ("chronicle", CHRONICLE)):
        for index in range(count):
            rules = ("policy", "consensus")[index % 2]
            yield one(random.Random(f"{seed} {era} {index}"), f"random {era} {index}", era, rules)
