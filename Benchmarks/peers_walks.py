"""Times the peers of self-repellent walks on one core and prints one JSON object a line.

The same walk on a random graph of ten neighbours each (five random rings): in NumPy, whose arrays are those of a step's
neighbours, and as a loop compiled by Numba, where a visit changes one weight as in fathom.

python peers_walks.py
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import numba
import numpy as np

NUMPY, NUMBA = f"NumPy {np.__version__}", f"Numba {numba.__version__}"


def graph(n: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(5):
        order = rng.permutation(n)
        after, before = np.empty(n, np.int32), np.empty(n, np.int32)
        after[order], before[order] = np.roll(order, -1), np.roll(order, 1)
        rows += [after, before]
    return np.ascontiguousarray(np.stack(rows, axis=1))


def plain(neighbours: np.ndarray, alpha: float, steps: int) -> float:
    n = len(neighbours)
    rng = np.random.default_rng(2)
    weights, visits, i = np.ones(n), np.zeros(n), 0
    for u in rng.random(steps):
        near = neighbours[i]
        sums = np.cumsum(weights[near])
        i = near[np.searchsorted(sums, u * sums[-1], side="right")]
        visits[i] += 1
        weights[i] = (1 + visits[i]) ** -alpha
    return float(np.sum((visits / steps - 1 / n) ** 2))


@numba.njit
def compiled(neighbours, alpha, steps):
    n, degree = neighbours.shape
    weights, visits, sums, i = np.ones(n), np.zeros(n), np.empty(degree), 0
    for _ in range(steps):
        total = 0.0
        for k in range(degree):
            total += weights[neighbours[i, k]]
            sums[k] = total
        pointer = np.random.random() * total
        k = 0
        while k < degree - 1 and sums[k] <= pointer:
            k += 1
        i = neighbours[i, k]
        visits[i] += 1
        weights[i] = (1 + visits[i]) ** -alpha
    return np.sum((visits / steps - 1 / n) ** 2)


def main():
    for n in (1_000, 100_000):
        neighbours = graph(n)
        for alpha in (0.0, 1.0, 5.0):
            for peer, run, steps in ((NUMPY, plain, 50_000), (NUMBA, compiled, 2_000_000)):
                seconds = best(lambda r=run, g=neighbours, a=alpha, s=steps: r(g, a, s))
                report("walk", peer=peer, vertices=n, alpha=alpha, steps_per_second=steps / seconds)


if __name__ == "__main__":
    main()
