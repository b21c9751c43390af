"""Times NumPy's products of matrices, by its OpenBLAS on one thread, at the shapes of `fathom-bench matrix`, whose output is read
from standard input. One JSON object a line.
"""

import json
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402


def best(body, total=0.3):
    """Best seconds of one call, over `total` seconds of windows of about a fifth of a millisecond."""
    start = time.perf_counter()
    calls = 0
    while time.perf_counter() - start < 2e-4:
        body()
        calls += 1
    result = float("inf")
    while time.perf_counter() - start < total:
        first = time.perf_counter()
        for _ in range(calls):
            body()
        result = min(result, (time.perf_counter() - first) / calls)
    return result


for row in map(json.loads, sys.stdin):
    if row["kind"] == "scaled":  # which NumPy does in three steps
        continue
    rows, columns, inner = row["rows"], row["columns"], row["inner"]
    dtype = np.float64 if row["number"] == "double" else np.float32
    a = np.full((rows, inner) if row["kind"] == "plain" else (inner, rows), 0.01, dtype)
    if row["kind"] == "transposed":
        a = a.T
    b, c = np.ones((inner, columns), dtype), np.empty((rows, columns), dtype)
    seconds = best(lambda a=a, b=b, c=c: np.matmul(a, b, out=c))
    rate = 2e-9 * rows * columns * inner / seconds
    keys = ("name", "number", "kind", "rows", "columns", "inner")
    print(json.dumps({**{k: row[k] for k in keys}, "peer": f"NumPy {np.__version__}", "gflops": rate}), flush=True)
