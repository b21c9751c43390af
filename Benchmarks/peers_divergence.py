"""Times a step of the law of LMC on the grids of `fathom-bench divergence` as SciPy users make it: a dense matrix of the kernel,
and a banded one in CSR. One thread. Prints one JSON object a line.
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import time

import numpy as np
import scipy
from scipy import sparse

STEP, REACH = 0.1, 40.0


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
        seconds = best(lambda matrix=matrix, q=q: [matrix @ q for _ in range(20)], 1.0, clock=time.process_time) / 20
        report("grid", points=points, peer=f"SciPy {scipy.__version__}, {name}", ms=seconds * 1e3, kl=kl)
