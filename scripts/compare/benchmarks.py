#!/usr/bin/env python3
"""Measure onnx2script beside other compilers and interpreters, for BENCHMARKS.md.

Usage (from anywhere; Rust, Python 3.11 and Node 20; the rest is installed, of exact versions):

    python3 scripts/compare/benchmarks.py [--only PART ...] [--binary PATH] [--output FILE]
    python3 scripts/compare/benchmarks.py --whole-scrypt

Parts: `sizes`, the paper's network by each compiler, with the time and memory of a run; `race`, our interpreter beside
others on the same scripts; `scaling`, compiles from a thousand to ten million weights; `eval`, samples a second. Each
part is a section between markers of its own; what is not measured is left as it is. Builds onnx2script first, unless
--binary names one. A number is written only of what did its work: a contract takes the right answer, a foreign one
refuses a wrong one, and interpreters agree.

--whole-scrypt compiles whole networks by sCrypt, which takes hours, and writes scrypt_whole.json, which `sizes` shows.
Exit codes: 0 done, 1 a check failed, 2 usage or I/O.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import environment
from markdown import paragraph

ROOT = environment.ROOT
PARTS = ("sizes", "race", "scaling", "eval")


def fail(code: int, message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def measuring(part: str) -> Callable[[Path], str]:
    """What makes the section of a part. Imported now, for it needs the environment."""
    import evaluation
    import race
    import scaling
    import sizes

    parts = {"sizes": sizes.measured, "race": race.measured, "scaling": scaling.measured, "eval": evaluation.measured}
    return parts[part]


def section(part: str, binary: Path) -> str:
    """A part's text, with the command and the machine that it is of."""
    begun = time.strftime("%Y-%m-%d")
    text = measuring(part)(binary)
    command = f"python3 scripts/compare/benchmarks.py --only {part}"
    return f"{text}\n\n" + paragraph(f"Command: `{command}`. Machine: {environment.machine()}. Measured on {begun}.")


def replaced(text: str, part: str, made: str) -> str:
    """The text with a part's section in place of the one before, or at the end."""
    begin, end = (f"<!-- benchmarks.py: {part} {mark} -->" for mark in ("begins", "ends"))
    marked = f"{begin}\n{made}\n{end}"
    if text.count(begin) != text.count(end) or text.count(begin) > 1 or text.find(end) < text.find(begin):
        fail(2, f"the output must have the markers {begin} and {end} once each and in this order, or neither")
    if begin not in text:
        return f"{text.rstrip() or '# Benchmarks'}\n\n{marked}\n"
    return text[: text.index(begin)] + marked + text[text.index(end) + len(end):]


def written(output: Path) -> str:
    return output.read_text() if output.exists() else ""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure (default: all)")
    parser.add_argument("--binary", type=Path, help="onnx2script, with examples/race beside it (default: built)")
    parser.add_argument("--output", type=Path, default=ROOT / "BENCHMARKS.md")
    parser.add_argument("--whole-scrypt", action="store_true", help="compile whole networks by sCrypt, for hours")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    environment.enter(__file__)
    binary = environment.binary(options.binary)
    from script import CheckFailed, CouldNotRun

    try:
        if options.whole_scrypt:
            import scrypt_whole

            scrypt_whole.record(binary)
            return
        for part in options.only:
            print(f"{part} ...", file=sys.stderr)
            replaced(written(options.output), part, "")  # refuses before it measures
            made = section(part, binary)
            options.output.write_text(replaced(written(options.output), part, made))
    except CheckFailed as error:
        fail(1, str(error))
    except (OSError, CouldNotRun) as error:
        fail(2, str(error))


if __name__ == "__main__":
    main()
