"""Times the peers of Max-Cut, of the processor, and prints one JSON object a line: peers_semidefinite.py GRAPH... [--scs SECONDS]

pymanopt: trust regions and conjugate gradients on oblique manifolds of the same rank, to a norm of the gradient, then the
smallest eigenvalue by NumPy: the bound that this gives is rounded, not proved. SCS: the program as it stands, at most so
many seconds.
"""

from peers_common import report  # noqa: I001 (sets the environment first)

import argparse
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sparse


def graph(path):
    lines = Path(path).read_text().split("\n")
    n, m = map(int, lines[0].split())
    i, j, w = np.array([line.split() for line in lines[1 : m + 1]], dtype=float).T
    half = sparse.coo_matrix((w, (i.astype(int) - 1, j.astype(int) - 1)), shape=(n, n))
    return (half + half.T).tocsr(), w.sum()


def bound(A, total, V):
    """What the vectors certify: W/2 - [sum y + n min(0, lambda_min(C - Diag y))]."""
    C = A / 4
    y = np.einsum("ik,ik->i", C @ V, V)
    smallest = np.linalg.eigvalsh(C.toarray() - np.diag(y))[0]
    return total / 2 - y.sum() - len(y) * min(0, smallest)


def riemannian(name, A, total, rank, accuracy):
    import pymanopt
    from pymanopt.manifolds import Oblique
    from pymanopt.optimizers import ConjugateGradient, TrustRegions

    n = A.shape[0]
    manifold = Oblique(rank, n)

    @pymanopt.function.numpy(manifold)
    def cost(X):
        return 0.25 * np.sum(X * (A @ X.T).T)

    @pymanopt.function.numpy(manifold)
    def gradient(X):
        return 0.5 * (A @ X.T).T

    @pymanopt.function.numpy(manifold)
    def hessian(X, H):
        return 0.5 * (A @ H.T).T

    for label, optimizer in (("trust regions", TrustRegions), ("conjugate gradients", ConjugateGradient)):
        best = None
        # The weakest of these stopping rules whose bound is as close as asked for.
        for tolerance in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
            np.random.seed(1)
            start = np.random.randn(rank, n)
            start /= np.linalg.norm(start, axis=0)
            problem = pymanopt.Problem(manifold, cost, euclidean_gradient=gradient, euclidean_hessian=hessian)
            begun = time.process_time()
            X = (
                optimizer(min_gradient_norm=tolerance, max_iterations=20000, max_time=120, verbosity=0)
                .run(problem, initial_point=start)
                .point
            )
            solved = time.process_time() - begun
            above = bound(A, total, X.T)
            seconds = time.process_time() - begun
            value = total / 2 - cost(X)
            best = {"seconds": seconds, "solve": solved, "value": value, "bound": above, "tolerance": tolerance}
            if above - value <= accuracy * above:
                break
        report("max-cut", peer=f"pymanopt {version('pymanopt')}", how=label, graph=name, **best)


def cone(name, A, total, limit):
    import scs

    n = A.shape[0]
    # minimise <A/4, X>, X_ii = 1, X positive semidefinite: lower triangles, off-diagonal entries times sqrt 2.
    rows, columns = np.tril_indices(n)
    order = np.lexsort((rows, columns))
    rows, columns = rows[order], columns[order]
    c = np.asarray(A[rows, columns]).ravel() / 4 * np.where(rows == columns, 1.0, np.sqrt(2.0))
    size = len(rows)
    diagonal = np.flatnonzero(rows == columns)
    equalities = sparse.coo_matrix((np.ones(n), (np.arange(n), diagonal)), shape=(n, size))
    data = {
        "A": sparse.vstack([equalities, -sparse.eye(size)]).tocsc(),
        "b": np.concatenate([np.ones(n), np.zeros(size)]),
        "c": c,
    }
    begun = time.process_time()
    solution = scs.SCS(data, {"z": n, "s": [n]}, eps_abs=1e-4, eps_rel=1e-4, time_limit_secs=limit, verbose=False).solve()
    seconds = time.process_time() - begun
    info = solution["info"]
    report(
        "max-cut", peer=f"SCS {version('scs')}", how=f"eps 1e-4, {info['status']}", graph=name, seconds=seconds, solve=seconds,
        value=total / 2 - info["pobj"], bound=total / 2 - info["dobj"], tolerance=1e-4,
    )  # fmt: skip


def version(package):
    from importlib.metadata import version

    return version(package)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("graphs", nargs="+")
    parser.add_argument("--scs", type=float, default=200)
    arguments = parser.parse_args()
    for path in arguments.graphs:
        A, total = graph(path)
        riemannian(Path(path).name, A, total, 20, 1e-5)
        if arguments.scs and Path(path).name == "G14":
            cone(Path(path).name, A, total, arguments.scs)
