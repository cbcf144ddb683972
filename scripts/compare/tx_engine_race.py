"""How long PyPI tx-engine takes over one spend; prints what examples/race.rs prints, but for counts it does not make.

    python tx_engine_race.py UNLOCK.HEX LOCK.HEX SECONDS
"""

import resource
import sys
import time
from pathlib import Path

from tx_engine.tx_engine import Stack, py_script_eval_pystack

MOST_RUNS = 1000
"""However short one is: a median of more says no more."""


def run(unlocking: bytes, locking: bytes) -> Stack:
    """Without a transaction no rules of policy hold."""
    stack, _, _ = py_script_eval_pystack(unlocking, None, None, None, Stack(), Stack(), None)
    stack, _, _ = py_script_eval_pystack(locking, None, None, None, stack, Stack(), None)
    return stack


def verdict(unlocking: bytes, locking: bytes) -> tuple[str, str]:
    try:
        stack = run(unlocking, locking)
    except ValueError as error:  # a panic is none, and ends the race
        return " ".join(str(error).split()), ""
    top = stack[stack.size() - 1] if stack.size() else b""
    return ("OK", top.hex()) if any(byte & 0x7F for byte in top) else ("EVAL_FALSE", "")


def timed(unlocking: bytes, locking: bytes) -> float:
    begun = time.perf_counter()
    try:
        run(unlocking, locking)
    except ValueError:
        pass
    return (time.perf_counter() - begun) * 1e6


def main() -> None:
    unlocking, locking = (bytes.fromhex(Path(path).read_text()) for path in sys.argv[1:3])
    said, top = verdict(unlocking, locking)
    times, started = [], time.perf_counter()
    while not times or (time.perf_counter() - started < float(sys.argv[3]) and len(times) < MOST_RUNS):
        times.append(timed(unlocking, locking))
    times.sort()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(said, top, "", "", len(times), f"{times[0]:.1f}", f"{times[len(times) // 2]:.1f}", resident, sep="\t")


if __name__ == "__main__":
    main()
