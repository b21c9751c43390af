"""Times the peers of gases on one core and prints one JSON object a line.

The same gas by Bird's method, candidates accepted by the largest |g| seen, as a loop compiled by Numba, and a random
pairing of NumPy.

python peers_gases.py
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import numba
import numpy as np

NUMPY, NUMBA = f"NumPy {np.__version__}", f"Numba {numba.__version__}"


@numba.njit
def collide(v, exponent, collisions):
    """Collisions one by one of pairs of all particles until there are so many."""
    n = len(v)
    bound, made = 4.0**exponent, 0
    while made < collisions:
        i, j = np.random.randint(n), np.random.randint(n - 1)
        if j >= i:
            j += 1
        x, y, z = v[i, 0] - v[j, 0], v[i, 1] - v[j, 1], v[i, 2] - v[j, 2]
        g = np.sqrt(x * x + y * y + z * z)
        if exponent > 0:
            rate = g**exponent
            bound = max(bound, rate)
            if np.random.random() * bound >= rate:
                continue
        c = 2 * np.random.random() - 1
        angle = 2 * np.pi * np.random.random()
        s = np.sqrt(1 - c * c)
        turned = (0.5 * g * s * np.cos(angle), 0.5 * g * s * np.sin(angle), 0.5 * g * c)
        for k in range(3):
            centre = 0.5 * (v[i, k] + v[j, k])
            v[i, k], v[j, k] = centre + turned[k], centre - turned[k]
        made += 1
    return v[0, 0]


def main():
    rng = np.random.default_rng(1)
    for n in (1_000, 1_000_000):
        for exponent in (0.0, 1.0):
            v = rng.standard_normal((n, 3))
            count = 2_000_000 if n < 10_000 else 500_000
            seconds = best(lambda v=v, e=exponent, c=count: collide(v, e, c))
            report("events", peer=NUMBA, particles=n, exponent=exponent, collisions_per_second=count / seconds)
    for n in (100_000, 1_000_000):
        seconds = best(lambda n=n: rng.permutation(n))
        report("pairing", peer=NUMPY, particles=n, pairs_per_second=n // 2 / seconds)


if __name__ == "__main__":
    main()
