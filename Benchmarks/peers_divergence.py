"""Times a step of the law of LMC on the grids of `fathom-bench divergence` as SciPy users make it: a dense matrix of the kernel,
and a banded one in CSR. One thread. Prints one JSON object a line.
"""

import json
import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import scipy  # noqa: E402
from scipy import sparse  # noqa: E402

STEP, REACH = 0.1, 40.0


def best(body, total=1.0):
    spent, result = 0.0, float("inf")
    while spent < total:
        first = time.process_time()
        for _ in range(20):
            body()
        seconds = (time.process_time() - first) / 20
        spent, result = spent + 20 * seconds, min(result, seconds)
    return result


for points in (2001, 1201):
    x = np.linspace(-REACH, REACH, points)
    dx = x[1] - x[0]
    mean = x - STEP * x / np.sqrt(1 + x * x)
    dense = np.exp(-((x[:, None] - mean[None, :]) ** 2) / (4 * STEP)) * (dx / np.sqrt(4 * np.pi * STEP))
    log_target = -np.sqrt(1 + x * x)
    log_target -= np.log(np.exp(log_target).sum() * dx)
    banded = sparse.csr_array(np.where(dense > 1e-17 * dense.max(), dense, 0))
    start = np.exp(-((x - 3) ** 2) / 0.5) / np.sqrt(0.5 * np.pi)
    for name, matrix in (("dense", dense), ("banded, CSR", banded)):
        q = start.copy()
        for _ in range(100):
            q = matrix @ q
        inside = q > 0
        kl = float((q[inside] * (np.log(q[inside]) - log_target[inside])).sum() * dx)
        seconds = best(lambda matrix=matrix, q=q: matrix @ q)
        print(
            json.dumps(
                {"name": "grid", "points": points, "peer": f"SciPy {scipy.__version__}, {name}", "ms": seconds * 1e3, "kl": kl}
            ),
            flush=True,
        )
