"""Times signature kernels by pySigLib and tangent kernels at infinite width by neural-tangents, double precision on one thread,
at the sizes of `fathom-bench signatures`; the argument is pysiglib or neural-tangents. One JSON object a line.
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import sys
import time

import numpy as np


def signatures():
    import pysiglib

    paths = 0.1 * np.random.default_rng(1).normal(size=(128, 100, 3))
    seconds = best(lambda: pysiglib.sig_kernel_gram(paths, paths, dyadic_order=0, n_jobs=1))
    keys = {"name": "signature-gram", "peer": f"pySigLib {pysiglib.__version__}", "paths": 128, "points": 100}
    report(**keys, ms=seconds * 1e3)
    x, y = (0.01 * np.random.default_rng(k).normal(size=(1, 1001, 3)).cumsum(axis=1) for k in (1, 2))
    seconds = best(lambda: pysiglib.sig_kernel(x, y, dyadic_order=0, n_jobs=1))
    report("signature-cells", peer=keys["peer"], steps=1000, d=3, per_s=1e6 / seconds)


def tangent_kernels():
    import jax
    import neural_tangents
    from neural_tangents import stax

    layers = [layer for _ in range(3) for layer in (stax.Dense(1, 2**0.5), stax.Relu())]
    kernel = jax.jit(stax.serial(*layers, stax.Dense(1))[2], static_argnames="get")
    points = np.random.default_rng(1).normal(size=(2000, 64))
    seconds = best(lambda: kernel(points, points, get="ntk").block_until_ready())
    peer = f"neural-tangents {neural_tangents.__version__}, JAX {jax.__version__}"
    report("ntk-gram", peer=peer, depth=3, ns_an_entry=seconds / 2000**2 * 1e9)

    digits(kernel, peer)


def digits(kernel, peer):
    """Whole Gram matrices of 10,000 points, 2,000 rows at a time: all at once they do not fit with their temporaries."""
    pixels = np.loadtxt("jobs/data/digits.csv", delimiter=",", skiprows=1)[:, :64]
    points = pixels[np.arange(10_000) % len(pixels)] + 0.5 * np.random.default_rng(1).normal(size=(10_000, 64))
    matrix = np.empty((10_000, 10_000))
    for name in ("nngp", "ntk"):

        def whole(name=name):
            for first in range(0, 10_000, 2000):
                matrix[first : first + 2000] = kernel(points[first : first + 2000], points, get=name)

        whole()
        start = time.perf_counter()
        whole()
        report(f"{name}-digits", peer=peer, points=10_000, seconds=time.perf_counter() - start)


if __name__ == "__main__":
    signatures() if sys.argv[1] == "pysiglib" else tangent_kernels()
