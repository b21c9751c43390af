"""Times numpyro on one core, on the Bayesian network of jobs/bnn-posterior.toml, and prints one JSON object a line.

Hamiltonian Monte Carlo with the step and the trajectories of fathom, without adaptation, and NUTS as it adapts itself; 16
chains, vectorised, in double precision; effective samples of f(2) by ArviZ's estimator; the run that is timed is
compiled, warm-up is not counted.

python peers_bayes.py
"""

from peers_common import report  # noqa: I001 (sets the environment first)

from importlib.metadata import version
from time import process_time

import arviz as az
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import HMC, MCMC, NUTS

PEER = f"numpyro {version('numpyro')}, JAX {jax.__version__}"
X = jnp.array([[-2.0, 1], [-0.6, 1], [0.8, 1], [2.2, 1]])
Y = jnp.array([-0.8, 0.6, 0.9, -0.5])
CHAINS, STEP, LEAPS = 16, 0.035, 30


def output(w, v, x):
    return jax.scipy.special.erf(x @ w) @ v / jnp.sqrt(v.shape[-1])


def model(width: int):
    w = numpyro.sample("w", dist.Normal(0, 1).expand([2, width]).to_event(2))
    v = numpyro.sample("v", dist.Normal(0, 1).expand([width]).to_event(1))
    numpyro.sample("y", dist.Normal(output(w, v, X), 0.1).to_event(1), obs=Y)


def chain(name: str, kernel, width: int, samples: int):
    run = MCMC(kernel, num_warmup=500, num_samples=samples, num_chains=CHAINS, chain_method="vectorized", progress_bar=False)
    run.warmup(jax.random.PRNGKey(1), width)
    # Compiled by the first run; the second continues from where that ended.
    run.run(run.post_warmup_state.rng_key, width, extra_fields=("num_steps",))
    run.post_warmup_state = run.last_state
    start = process_time()
    run.run(run.post_warmup_state.rng_key, width, extra_fields=("num_steps",))
    seconds = process_time() - start
    draws = run.get_samples(group_by_chain=True)
    f = jax.vmap(jax.vmap(lambda w, v: output(w, v, jnp.array([[4.0, 1.0]]))[0]))(draws["w"], draws["v"])
    steps = float(np.sum(run.get_extra_fields()["num_steps"]))
    report(
        name="bayes-hmc", peer=PEER, sampler=name, width=width, seconds=seconds, gradients=steps,
        trajectories=samples * CHAINS, effective=float(az.ess(np.asarray(f))), mean=float(f.mean()),
    )  # fmt: skip


if __name__ == "__main__":
    numpyro.enable_x64()
    for size in (8, 32, 128):
        fixed = {"adapt_step_size": False, "adapt_mass_matrix": False}
        chain("hmc", HMC(model, step_size=STEP, trajectory_length=STEP * LEAPS, **fixed), size, 1000)
        chain("nuts", NUTS(model), size, 500)
