"""Scripts of one kind of instruction each, for the race: what networks are made of, and what other contracts are.

Every script leaves a hash or a number that depends on all that it did, so interpreters that leave the same have done
the same. None needs an unlocking script.
"""

import random
from collections.abc import Iterator

from script import push, push_number

ADD, AND, BIN2NUM, CAT, DIV, DROP, DUP, HASH160 = 0x93, 0x84, 0x81, 0x7E, 0x96, 0x75, 0x76, 0xA9
ELSE, ENDIF, IF, INVERT, LSHIFT, MAX, MOD, MUL, NIP = 0x67, 0x68, 0x63, 0x83, 0x98, 0xA4, 0x97, 0x95, 0x77
NUM2BIN, OP_1, OP_2, OP_3, OVER, PICK, ROLL, ROT, RSHIFT = 0x80, 0x51, 0x52, 0x53, 0x78, 0x79, 0x7A, 0x7B, 0x99
OP_2DROP, OP_2DUP, SHA256, SPLIT, SWAP, XOR = 0x6D, 0x6E, 0xA8, 0x7F, 0x7C, 0x86
FROMALTSTACK, TOALTSTACK, OP_4, WITHIN = 0x6C, 0x6B, 0x54, 0xA5
DEPTH = 1000

Part = int | bytes


def code(*parts: Part) -> bytes:
    """Opcodes, and bytes that are code already."""
    return b"".join(bytes([part]) if isinstance(part, int) else part for part in parts)


def noise(size: int, seed: int) -> bytes:
    """Bytes without a pattern that are a positive number in its shortest form."""
    return random.Random(seed).randbytes(size - 1) + b"\x55"


def big(size: int, seed: int = 1) -> bytes:
    return push(noise(size, seed))


def times(count: int, *parts: Part) -> bytes:
    return code(*parts) * count


def deep() -> bytes:
    """As many items as PICK and ROLL reach down, of the sizes that sums have."""
    return b"".join(push(noise(1 + at % 9, at)) for at in range(DEPTH))


def digest() -> bytes:
    """The items of `deep` made one, which tells their order."""
    return code(times(DEPTH - 1, CAT), SHA256)


def scripts() -> Iterator[tuple[str, bytes]]:
    """Names and locking scripts."""
    yield "MUL, 50 KB by 50 KB", code(big(50_000), big(50_000, 2), MUL, SHA256)
    yield "100 MULs, 2 KB by 2 KB", long_products(100)
    yield "2,000 MULs, 2 KB by 8 bytes", long_by_short(2_000)
    yield "DIV, 100 KB by 50 KB", code(big(100_000), big(50_000, 2), DIV, SHA256)
    yield "MOD, 100 KB by 50 KB", code(big(100_000), big(50_000, 2), MOD, SHA256)
    yield "100,000 small ADDs", code(big(5), times(100_000, OP_3, ADD))
    yield "20,000 small MULs and DIVs", code(big(6), times(20_000, big(5), MUL, big(5), DIV))
    yield "50,000 PICKs, 1,000 deep", picks(50_000)
    yield "50,000 ROLLs, 1,000 deep", code(deep(), times(50_000, push_number(DEPTH - 2), ROLL), digest())
    yield "100,000 moves of the stack", code(deep(), times(25_000, ROT, TOALTSTACK, FROMALTSTACK, ROT), digest())
    yield "20,000 branches", code(push_number(5), times(20_000, DUP, OP_3, MOD, IF, OP_2, ELSE, OP_4, ENDIF, ADD))
    yield "50,000 comparisons", code(big(5), times(25_000, DUP, OP_1, big(6), WITHIN, ADD, OP_3, MAX))
    yield "2,000 SPLITs and CATs, 50 KB", code(big(50_000), times(2_000, push_number(784), SPLIT, SWAP, CAT), SHA256)
    yield "20,000 SPLITs of 4 bytes", code(big(80_000), push_number(0), TOALTSTACK, split_numbers(20_000))
    yield "50,000 NUM2BINs and BIN2NUMs", code(big(6), times(50_000, push_number(8), NUM2BIN, BIN2NUM))
    yield "400 ANDs, XORs and INVERTs, 50 KB", code(big(50_000), big(50_000, 2), bitwise(100), AND, SHA256)
    yield "10 shifts, 50 KB", code(big(50_000), times(5, push_number(3), LSHIFT, push_number(5), RSHIFT), SHA256)
    yield "SHA256 of 4 MB", code(big(500_000), times(3, DUP, CAT), SHA256)
    yield "20,000 HASH160s", code(big(20), times(20_000, HASH160))


def long_products(count: int) -> bytes:
    """One product over and over, and the sum."""
    factors = code(big(2_000), big(2_000, 2), push_number(0), TOALTSTACK)
    return code(factors, times(count, OP_2DUP, MUL, FROMALTSTACK, ADD, TOALTSTACK), OP_2DROP, FROMALTSTACK, SHA256)


def long_by_short(count: int) -> bytes:
    return code(big(2_000), push_number(0), times(count, OVER, big(8, 3), MUL, ADD), NIP, SHA256)


def picks(count: int) -> bytes:
    """The item at the bottom, added up above the others."""
    return code(deep(), push_number(0), times(count, push_number(DEPTH), PICK, ADD))


def split_numbers(count: int) -> bytes:
    """A string cut up, and the sum of its pieces' numbers."""
    each = code(push_number(4), SPLIT, SWAP, BIN2NUM, FROMALTSTACK, ADD, TOALTSTACK)
    return code(each * count, DROP, FROMALTSTACK)


def bitwise(count: int) -> bytes:
    return times(count, OVER, XOR, SWAP, INVERT, SWAP, OVER, AND, OVER, XOR)
