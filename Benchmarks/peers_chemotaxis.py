"""Times a step of chemotaxis in NumPy on one core and prints one JSON object a line.

The same scheme: cosine modes of 100,000 particles in a box, two signals by their exact linear step, the gradient of the
first one; and all pairs of particles of the plane, 1000 systems at once.

python peers_chemotaxis.py
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import numpy as np

NUMPY = f"NumPy {np.__version__}"


def box_step(dimension: int, modes: int, number: int = 100_000):
    """A step, as one writes it: cosines of every mode of every coordinate, products of matrices for sums and gradients."""
    rng = np.random.default_rng(1)
    length, h, eps, tau, mass = 4.0, 0.01, 0.1, 0.5, 1.5
    k = np.arange(modes + 1)
    grids = np.meshgrid(*[k] * dimension, indexing="ij")
    q = sum((np.pi * grid / length) ** 2 for grid in grids)
    norm = np.prod([np.where(grid > 0, 2.0, 1.0) for grid in grids], axis=0)
    fast, slow = (1 + tau * q) / eps, (1 + q) / eps
    ww, cc = np.exp(-fast * h), np.exp(-slow * h)
    cw = (ww - cc) / np.where(slow == fast, 1, slow - fast) / eps
    cw = np.where(slow == fast, h / eps * ww, cw)
    wa, ca = (1 - ww) / (1 + tau * q), (1 - cc) / ((1 + q) * (1 + tau * q)) - cw / (1 + tau * q)
    state = {"x": rng.random((dimension, number)) * length, "c": np.zeros(q.shape), "w": np.zeros(q.shape)}

    def contract(field, rows):
        # The last axis first: (K + 1, ..., K + 1) x (K + 1, N) -> (K + 1, ..., N).
        out = field @ rows[-1]
        for row in reversed(rows[:-1]):
            out = np.einsum("...kn,kn->...n", out, row)
        return out

    def step():
        angles = [np.pi / length * np.outer(k, x) for x in state["x"]]
        cosines, sines = [np.cos(a) for a in angles], [np.sin(a) for a in angles]
        if dimension == 1:
            mean = cosines[0].mean(axis=1)
        elif dimension == 2:
            mean = cosines[0] @ cosines[1].T / number
        else:
            pairs = (cosines[0][:, None] * cosines[1][None]).reshape(-1, number)
            mean = (pairs @ cosines[2].T / number).reshape(q.shape)
        a = mass * norm * mean
        before = state["c"]
        state["c"] = cc * before + cw * state["w"] + ca * a
        state["w"] = ww * state["w"] + wa * a
        half = 0.5 * (before + state["c"])
        for j in range(dimension):
            rows = [sines[i] if i == j else cosines[i] for i in range(dimension)]
            force = -contract(half * np.pi * grids[j] / length, rows)
            x = state["x"][j] + h * force + np.sqrt(2 * h) * rng.standard_normal(number)
            x = np.abs(np.mod(x + length, 2 * length) - length)
            state["x"][j] = x

    return step


def plane_step(number: int, systems: int):
    rng = np.random.default_rng(2)
    h, strength = 0.001, 12 * 0.001 / (2 * np.pi * number)
    angle = 2 * np.pi * np.arange(number) / number
    state = {"x": np.repeat(np.stack([np.cos(angle), np.sin(angle)])[None], systems, axis=0)}

    def step():
        x = state["x"]
        d = x[:, :, :, None] - x[:, :, None, :]
        square = np.einsum("scij,scij->sij", d, d) + 1e-300
        factor = np.minimum(strength / square, 0.25)
        force = np.einsum("sij,scij->sci", factor, d)
        state["x"] = x - force + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    return step


def main() -> None:
    for dimension, modes in ((1, 32), (2, 8), (3, 4)):
        step = box_step(dimension, modes)
        report("chemotaxis box", peer=NUMPY, dimension=dimension, modes=modes, number=100_000, seconds=best(step))
    for number, systems in ((8, 1000), (64, 20)):
        step = plane_step(number, systems)
        report("chemotaxis plane", peer=NUMPY, number=number, seconds=best(step) / systems)


if __name__ == "__main__":
    main()
