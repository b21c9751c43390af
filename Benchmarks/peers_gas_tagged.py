"""Times the peers of tagged particles on one core and prints one JSON object a line.

No package samples this law. The peer is the same law in NumPy, all paths at once: an event of every path is one pass
over arrays, candidates and windows as in docs/tagged-particle.md.

python peers_gas_tagged.py
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import numpy as np
from math import gamma as gamma_function

NUMPY = f"NumPy {np.__version__}"
PATHS = 20_000


def directions(rng, n):
    s = rng.standard_normal((n, 3))
    return s / np.linalg.norm(s, axis=1)[:, None]


def scatter(rng, w, g):
    """w' = (w + u)/2 + |g| s/2 of equal masses, g = w - u."""
    return w - 0.5 * (g - np.linalg.norm(g, axis=1)[:, None] * directions(rng, len(w)))


def maxwell(rng, shear, end):
    w, left, collisions = rng.standard_normal((PATHS, 3)), np.full(PATHS, end), 0
    while len(left):
        wait = rng.exponential(size=len(left))
        w[:, 0] -= shear * w[:, 1] * np.minimum(wait, left)
        left = left - wait
        alive = left > 0
        w, left = w[alive], left[alive]
        w = scatter(rng, w, w - rng.standard_normal((len(w), 3)))
        collisions += len(w)
    return collisions


def hard(rng, gamma, shear, end):
    mean = 2 ** (gamma / 2) * gamma_function((3 + gamma) / 2) / gamma_function(1.5)
    w, left, collisions = rng.standard_normal((PATHS, 3)), np.full(PATHS, end), 0
    window = 0.5 / (shear + 0.5)
    inside = np.full(PATHS, window)
    bound = np.linalg.norm(w, axis=1) * (1 + shear * window)
    while len(left):
        wait = rng.exponential(size=len(left)) / (bound**gamma + mean)
        move = np.minimum(np.minimum(wait, inside), left)
        w[:, 0] -= shear * w[:, 1] * move
        isEvent = wait <= move
        left, inside = left - move, inside - move
        u = rng.standard_normal((len(w), 3))
        flat = rng.random(len(w)) * (bound**gamma + mean) > bound**gamma
        u[flat] = directions(rng, flat.sum()) * np.sqrt(rng.chisquare(3 + gamma, flat.sum()))[:, None]
        g = w - u
        ratio = np.linalg.norm(g, axis=1) ** gamma / (bound**gamma + np.linalg.norm(u, axis=1) ** gamma)
        hit = isEvent & (rng.random(len(w)) < ratio)
        w[hit] = scatter(rng, w[hit], g[hit])
        collisions += hit.sum()
        fresh = hit | (inside <= 0)
        bound[fresh], inside[fresh] = np.linalg.norm(w[fresh], axis=1) * (1 + shear * window), window
        alive = left > 0
        w, left, inside, bound = w[alive], left[alive], inside[alive], bound[alive]
    return int(collisions)


def soft(rng, gamma, end):
    rate = 2 ** (gamma / 2) * gamma_function((3 + gamma) / 2) / gamma_function(1.5)
    w, left, collisions = rng.standard_normal((PATHS, 3)), np.full(PATHS, end), 0
    while len(left):
        left = left - rng.exponential(size=len(left)) / rate
        alive = left > 0
        w, left = w[alive], left[alive]
        y = rng.beta(-gamma / 2, (3 + gamma) / 2, len(w))
        hit = rng.random(len(w)) < np.exp(-0.5 * (w**2).sum(axis=1) * y)
        rest = 1 - y[hit][:, None]
        w[hit] = scatter(rng, w[hit], rest * w[hit] + np.sqrt(rest) * rng.standard_normal((hit.sum(), 3)))
        collisions += hit.sum()
    return int(collisions)


def far(rng, gamma, shear, end):
    """Windows with a bound each, in which candidates come at rate |w|_min^gamma; the near route inside."""
    shape = -gamma / 2
    near = 2 ** (gamma / 2) / gamma_function(1 + shape)
    w, left, collisions = rng.standard_normal((PATHS, 3)), np.full(PATHS, end), 0
    while len(left):
        first = -shear * w[:, 1]
        size = np.linalg.norm(w, axis=1)
        window = np.minimum(left, 0.5 * size / np.abs(first))
        nearest = np.clip(-w[:, 0] / first, 0, window)
        least = np.minimum(size, np.sqrt((w[:, 0] + nearest * first) ** 2 + w[:, 1] ** 2 + w[:, 2] ** 2))
        rate = least**gamma
        isFar = rate < near
        rate, window, least = np.where(isFar, rate, near), np.where(isFar, window, left), np.where(isFar, least, 0)
        wait = rng.exponential(size=len(left)) / rate
        move = np.minimum(wait, window)
        w[:, 0] += first * move
        left = left - move
        base = 0.5 * least**2
        y = rng.random(len(w)) ** (1 / shape) * np.where(isFar, rng.gamma(1 + shape, size=len(w)) / np.maximum(base, 1e-300), 1)
        rest = np.maximum(1 - y, 0)
        excess = np.maximum(0, 0.5 * (w**2).sum(axis=1) - base)
        hit = (wait < window) & (rng.random(len(w)) < rest ** ((1 + gamma) / 2) * np.exp(-excess * y))
        rest = rest[hit][:, None]
        w[hit] = scatter(rng, w[hit], rest * w[hit] + np.sqrt(rest) * rng.standard_normal((hit.sum(), 3)))
        collisions += hit.sum()
        alive = left > 0
        w, left = w[alive], left[alive]
    return int(collisions)


def main():
    rng = np.random.default_rng(1)
    for gamma, flow, run in (
        (0.0, "shear", lambda: maxwell(rng, 1.0, 50)),
        (1.0, "shear", lambda: hard(rng, 1.0, 1.0, 20)),
        (0.5, "shear", lambda: hard(rng, 0.5, 1.0, 20)),
        (-0.5, "none", lambda: soft(rng, -0.5, 50)),
        (-0.5, "far", lambda: far(rng, -0.5, 1.0, 1e16)),
    ):
        collisions = run()
        seconds = best(run)
        report(
            "tagged", peer=NUMPY, gamma=gamma, flow=flow, collisions_per_second=collisions / seconds,
            paths_per_second=PATHS / seconds,
        )  # fmt: skip


if __name__ == "__main__":
    main()
