"""What the timers of peers share: one thread, double precision, the best time of a call, one JSON object a line.

Import it before NumPy and JAX.
"""

import json
import os
import time

for library in ("OPENBLAS", "OMP", "NUMBA"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_ENABLE_X64"] = "true"


def best(body, total=1.5, least=3, clock=time.perf_counter):
    """Best seconds of one call, over at least `total` seconds and `least` calls; after one that compiles."""
    body()
    result, spent, calls = float("inf"), 0.0, 0
    while spent < total or calls < least:
        start = clock()
        body()
        seconds = clock() - start
        result, spent, calls = min(result, seconds), spent + seconds, calls + 1
    return result


def report(name, **fields):
    print(json.dumps({"name": name, **fields}), flush=True)
