"""How many samples a second `eval` judges: every one by its script in our interpreter, beside the float model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import networks
import ours
from markdown import paragraph, table
from script import CheckFailed

SAMPLES = {"script": 300, "ir": 1000}
"""By engine: the integers alone are faster."""
DATA = networks.ROOT / "tests" / "data"
IMAGES, LABELS = DATA / "mnist-first5k-images.idx3-ubyte.gz", DATA / "mnist-first5k-labels.idx1-ubyte.gz"
MANNER = f"""
The paper's network on {SAMPLES["script"]:,} (`script`) or {SAMPLES["ir"]:,} (`ir`) pictures of MNIST, {IMAGES.name},
the float model beside it, as the command reports it; the compile before is not counted. `script` runs each contract's
script in our interpreter and demands the right outcome, `ir` the integers that define it. Threads: RAYON_NUM_THREADS.
"""
THREADS = (1, os.cpu_count() or 1)


def samples_per_second(binary: Path, contract: ours.Contract, engine: str, threads: int) -> float:
    """As `eval` counts them: on all threads, with the float model, without the compile before."""
    data = ["--data", IMAGES, "--labels", LABELS, "--unit", "1/255", "--limit", str(SAMPLES[engine])]
    command = [binary, "eval", contract.model, *contract.options, *data, "--engine", engine, "--json", "--quiet"]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise CheckFailed(f"onnx2script {' '.join(map(str, command[1:]))}: {done.stderr.strip()}")
    return json.loads(done.stdout)["samples_per_second"]


def measured(binary: Path) -> str:
    columns = [(engine, threads) for engine in SAMPLES for threads in dict.fromkeys(THREADS)]
    rows = []
    for named, contract in networks.papers():
        rates = [samples_per_second(binary, contract, *column) for column in columns]
        options = f": `{' '.join(contract.options)}`" if contract.options else ""
        rows.append([f"{named}{options}", *(f"{rate:,.0f}" for rate in rates)])
        print("  ".join(rows[-1]), file=sys.stderr)
    heads = [f"--engine {engine}, {threads} thread{'s' * (threads > 1)}" for engine, threads in columns]
    return "\n\n".join([
        "## Samples a second of `eval`",
        table({"network": "<", **dict.fromkeys(heads, ">")}, rows),
        paragraph(MANNER),
    ])
