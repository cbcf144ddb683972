"""Run a command and print what it took, as JSON: exit code, seconds, seconds of processors, megabytes at most.

    python measured.py LIMIT COMMAND...

A process of its own and a small one, for a child counts what its parent held when it was started: about 10 MB here.
After LIMIT seconds of processors the command is stopped, for on a busy machine others take the clock's. What it said on
standard error is told, too, the last of it.
"""

import json
import resource
import signal
import subprocess
import sys
import time

GRACE = 5
"""Seconds between the signal that may be caught and the one that may not."""


def main() -> None:
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + GRACE))
    begun = time.perf_counter()
    done = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - begun
    took = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({
        "code": done.returncode, "seconds": seconds, "processors": took.ru_utime + took.ru_stime,
        "megabytes": took.ru_maxrss / 1024, "stopped": done.returncode in (-signal.SIGXCPU, -signal.SIGKILL),
        "said": done.stderr.strip()[-2000:],
    }))


if __name__ == "__main__":
    main()
