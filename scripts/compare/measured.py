"""Run a command and print what it took, as JSON: exit code, seconds, seconds of processors, megabytes at most.

    python measured.py SECONDS MEGABYTES COMMAND...

A process of its own and a small one, for a child counts what its parent held when it was started: about 10 MB here.
After SECONDS of processors the command is stopped, for on a busy machine others take the clock's; of MEGABYTES it is
given no more (0: no limit). What it said on standard error is told, too, the last of it.
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
    limit, megabytes, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + GRACE))
    if megabytes:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    begun = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - begun
    took = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({
        "code": done.returncode, "seconds": seconds, "processors": took.ru_utime + took.ru_stime,
        "megabytes": took.ru_maxrss / 1024, "stopped": done.returncode in (-signal.SIGXCPU, -signal.SIGKILL),
        "said": done.stderr.strip()[-2000:],
    }))


if __name__ == "__main__":
    main()
