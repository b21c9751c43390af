"""Times the peers of density estimates and of determinantal designs on one core and prints one JSON object a line.

NumPy draws every point of a density estimate in 16 dimensions; in 40 dimensions, where nobody can, SciPy draws the 200
nearest points alone, as quantiles of the noncentral chi-square law. DPPy draws projection processes by banded matrices and
by the chain rule.

python peers_estimation.py
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

from importlib.metadata import version

import numpy as np
from dppy.beta_ensembles import HermiteEnsemble, JacobiEnsemble
from dppy.multivariate_jacobi_ope import MultivariateJacobiOPE
from scipy.special import logsumexp
from scipy.stats import ncx2

DPPY, NUMPY = f"DPPy {version('dppy')}", f"NumPy {np.__version__}"
SCIPY = f"SciPy {version('scipy')}, 200 points"
WIDTH = 0.652145


def density():
    rng = np.random.default_rng(1)

    def plain(d=16, n=2981):
        centre = rng.normal(size=d)
        distances = ((rng.normal(size=(n, d)) - centre) ** 2).sum(axis=1)
        return logsumexp(-distances / (2 * WIDTH**2))

    def quantiles(d=40, n=485165195):
        centre = (rng.normal(size=d) ** 2).sum()
        nearest = np.cumsum(rng.exponential(size=200)) / n
        return logsumexp(-ncx2.ppf(nearest, d, centre) / (2 * WIDTH**2))

    report(name="density", peer=NUMPY, dimension=16, ms=1e3 * best(plain))
    report(name="density", peer=SCIPY, dimension=40, ms=1e3 * best(quantiles))


def projections():
    for m in (5, 10, 20):
        hermite, jacobi = HermiteEnsemble(2), JacobiEnsemble(2)
        seconds = best(lambda m=m, e=hermite: e.sample_banded_model(loc=0.0, scale=1.0, size_N=m))
        report(name="projection", peer=DPPY, law="hermite", sampler="tridiagonal", points=m, us=1e6 * seconds)
        seconds = best(lambda m=m, e=jacobi: e.sample_banded_model(a=1.0, b=1.0, size_N=m))
        report(name="projection", peer=DPPY, law="legendre", sampler="tridiagonal", points=m, us=1e6 * seconds)
        chain = MultivariateJacobiOPE(m, np.zeros((1, 2)))
        seconds = best(lambda e=chain: e.sample(tridiag_1D=False))
        report(name="projection", peer=DPPY, law="legendre", sampler="chain", points=m, us=1e6 * seconds)


if __name__ == "__main__":
    density()
    projections()
