"""Times random walks over the posterior of a deep kernel machine in NumPy, 500 chains at once, and prints one JSON object.

One core, Metropolis. Three points, two layers, linear kernel, width 32: the posterior and the proposals of fathom.

python peers_kernel_machines.py
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import numpy as np

K = np.array([[1, 0.5, 0.2], [0.5, 1, 0.3], [0.2, 0.3, 1]])
Y = np.array([1, -1, 0.5])
CHAINS, STEPS, WIDTH, DEPTH, NOISE, STEP = 500, 400, 32, 2, 0.1, 0.3
START, UNIT = np.linalg.cholesky(K), STEP / np.sqrt(WIDTH)
ROWS, COLUMNS = np.tril_indices(3, -1)
DIAGONAL = np.arange(3)


def negative_log_density(logs: np.ndarray, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of chains with log T_ii and T_ij of every layer; and G_L."""
    factor = np.broadcast_to(START, (len(logs), 3, 3))
    for layer in range(DEPTH):
        t = np.zeros((len(logs), 3, 3))
        t[:, DIAGONAL, DIAGONAL] = np.exp(logs[:, layer])
        t[:, ROWS, COLUMNS] = below[:, layer]
        factor = factor @ t
    gram = factor @ factor.transpose(0, 2, 1)
    c = gram + NOISE * np.eye(3)
    fit = -0.5 * (np.linalg.slogdet(c)[1] + np.linalg.solve(c, np.broadcast_to(Y[:, None], (len(logs), 3, 1)))[:, :, 0] @ Y)
    squares = np.exp(2 * logs).sum((1, 2)) + (below**2).sum((1, 2))
    prior = 0.5 * WIDTH * squares - ((WIDTH - DIAGONAL) * logs).sum((1, 2))
    return prior - WIDTH * fit, gram


def main():
    draws = np.random.default_rng(1)
    logs = draws.normal(size=(CHAINS, DEPTH, 3)) / np.sqrt(2 * WIDTH)
    below = draws.normal(size=(CHAINS, DEPTH, 3)) / np.sqrt(WIDTH)
    u, gram = negative_log_density(logs, below)
    total, count = np.zeros((3, 3)), 0

    def run():
        nonlocal logs, below, u, gram, total, count
        for _ in range(STEPS):
            new_logs = logs + UNIT * draws.normal(size=logs.shape)
            new_below = below + UNIT * draws.normal(size=below.shape)
            v, new_gram = negative_log_density(new_logs, new_below)
            taken = np.log(draws.random(CHAINS)) < u - v
            logs = np.where(taken[:, None, None], new_logs, logs)
            below = np.where(taken[:, None, None], new_below, below)
            u, gram = np.where(taken, v, u), np.where(taken[:, None, None], new_gram, gram)
            total, count = total + gram.mean(0), count + 1

    run()
    total, count = np.zeros((3, 3)), 0
    seconds = best(run)
    report(
        name="kernel-machine", peer=f"NumPy {np.__version__}, {CHAINS} chains", kernel="linear", sampler="metropolis",
        steps_per_second=STEPS * CHAINS / seconds, mean=float(total[0, 0] / count),
    )  # fmt: skip


if __name__ == "__main__":
    main()
