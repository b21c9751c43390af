"""Times NumPy's products of matrices, by its OpenBLAS on one thread, at the shapes of `fathom-bench matrix`, whose output is read
from standard input. One JSON object a line.
"""

import json
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402


def tenth(body, total=0.3):
    """Seconds of the processor for one call: the first tenth of windows of a fifth of a millisecond over `total` seconds."""
    start = time.process_time()
    calls, windows = 0, []
    while time.process_time() - start < 2e-4:
        body()
        calls += 1
    while time.process_time() - start < total:
        first = time.process_time()
        for _ in range(calls):
            body()
        windows.append((time.process_time() - first) / calls)
    return sorted(windows)[len(windows) // 10]


for row in map(json.loads, sys.stdin):
    if row["kind"] == "scaled":  # which NumPy does in three steps
        continue
    rows, columns, inner = row["rows"], row["columns"], row["inner"]
    dtype = np.float64 if row["number"] == "double" else np.float32
    a = np.full((rows, inner) if row["kind"] == "plain" else (inner, rows), 0.01, dtype)
    if row["kind"] == "transposed":
        a = a.T
    b, c = np.ones((inner, columns), dtype), np.empty((rows, columns), dtype)
    seconds = tenth(lambda a=a, b=b, c=c: np.matmul(a, b, out=c))
    rate = 2e-9 * rows * columns * inner / seconds
    keys = ("name", "number", "kind", "rows", "columns", "inner")
    print(json.dumps({**{k: row[k] for k in keys}, "peer": f"NumPy {np.__version__}", "gflops": rate}), flush=True)
