"""Times the peers on one core and prints one JSON object a line.

- NumPy: standard normals, double, into a given array, for the generators SFC64, PCG64 and Philox.
- JAX (jit, double, threefry): standard normals; ReLU networks with every weight drawn (vmap over a batch, scan over
  layers); and the same law drawn conditionally, a layer from the Cholesky factor of its covariance.

Each time is the best of several repetitions, after compilation.
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import jax
import jax.numpy as jnp
import numpy as np


def normals():
    out = np.empty(4096)
    for kind in (np.random.SFC64, np.random.PCG64, np.random.Philox):
        rng = np.random.Generator(kind(1))
        seconds = best(lambda rng=rng: [rng.standard_normal(out=out) for _ in range(100)])
        report("normals", peer=f"NumPy {np.__version__} {kind.__name__}", ns=seconds / 409600 * 1e9)
    draw = jax.jit(lambda key: jax.random.normal(key, (1 << 20,), dtype=jnp.float64))
    key = jax.random.key(1)
    seconds = best(lambda: draw(key).block_until_ready())
    report("normals", peer=f"JAX {jax.__version__} threefry", ns=seconds / (1 << 20) * 1e9)


def inputs(m, rho=0.3):
    gram = np.full((m, m), rho)
    np.fill_diagonal(gram, 1)
    return jnp.asarray(np.linalg.cholesky(gram))


def weights_network(n, d, m):
    """V after d ReLU layers, c = 2, every weight drawn."""
    x = jnp.zeros((n, m)).at[:m, :].set(inputs(m).T)

    def one(key):
        def layer(h, k):
            w = jax.random.normal(k, (n, n), dtype=jnp.float64)
            return jnp.maximum(w @ h, 0) * jnp.sqrt(2 / n), None

        h, _ = jax.lax.scan(layer, x, jax.random.split(key, d))
        return h.T @ h

    return one


def conditional_network(n, d, m):
    """The same law from n independent rows of covariance V a layer."""

    def one(key):
        def layer(lower, k):
            g = jax.random.normal(k, (n, m), dtype=jnp.float64)
            h = jnp.maximum(g @ lower.T, 0) * jnp.sqrt(2 / n)
            return jnp.linalg.cholesky(h.T @ h), None

        lower, _ = jax.lax.scan(layer, inputs(m), jax.random.split(key, d))
        return lower @ lower.T

    return one


def networks():
    for n, batch_weights, batch_conditional in ((128, 16, 64), (1024, 1, 4)):
        for sampler, make, batch in (
            ("weights", weights_network, batch_weights),
            ("conditional", conditional_network, batch_conditional),
        ):
            draw = jax.jit(jax.vmap(make(n, n, 2)))
            keys = jax.random.split(jax.random.key(1), batch)
            slow = sampler == "weights" and n == 1024
            seconds = best(lambda draw=draw, keys=keys: draw(keys).block_until_ready(), total=0 if slow else 2, least=1)
            report("network", peer=f"JAX {jax.__version__}", sampler=sampler, n=n, d=n, m=2, ms=seconds / batch * 1e3)


def architectures():
    """Milliseconds a draw with every weight drawn, n = 1024: a few layers, scaled to 256."""
    n, layers = 1024, 4
    silu = jax.nn.silu

    def normal(key, *shape):
        return jax.random.normal(key, shape, dtype=jnp.float64)

    def mlp(phi):
        return lambda h, k: phi(normal(k, n, n) @ h) * jnp.sqrt(2 / n)

    def orthogonal(h, k):
        q, r = jnp.linalg.qr(normal(k, n, n))
        return jnp.maximum((q * jnp.sign(jnp.diag(r))) @ h, 0) * jnp.sqrt(2.0)

    def gated(h, k):
        a, b = jax.random.split(k)
        return silu(normal(a, n, n) @ h / jnp.sqrt(n)) * (normal(b, n, n) @ h / jnp.sqrt(n))

    def resnet(h, k):
        return jnp.sqrt(0.5) * h + jnp.sqrt(1 / n) * normal(k, n, n) @ jnp.maximum(h, 0)

    def convolution(h, k):  # h: n x (4 positions of m inputs)
        x = jnp.maximum(h, 0).reshape(n, 4, -1)
        out = sum(
            jnp.einsum("ij,jpa->ipa", normal(key, n, n), jnp.roll(x, -o, axis=1))
            for o, key in zip((-1, 0, 1), jax.random.split(k, 3), strict=True)
        )
        return jnp.sqrt(0.5) * h + jnp.sqrt(1 / (3 * n)) * out.reshape(h.shape)

    def attention(x, k):  # x: n x m, tokens as columns
        a, b, c = jax.random.split(k, 3)
        m = x.shape[1]
        queries, keys = normal(a, n, n) @ x / jnp.sqrt(n), normal(b, n, n) @ x / jnp.sqrt(n)
        scores = jax.nn.softmax(queries.T @ keys / n, axis=1) + jnp.eye(m) - 1 / m
        return jnp.sqrt(0.51) * x + 0.7 * (normal(c, n, n) @ x / jnp.sqrt(n)) @ scores.T

    def transformer(x, k):
        a, b, c = jax.random.split(k, 3)
        h = attention(x, a)
        z = normal(b, n, n) @ h / jnp.sqrt(n)
        z = jnp.maximum(z, 0) + (1 - 1 / jnp.sqrt(n)) * jnp.minimum(z, 0)
        return jnp.sqrt(0.51) * h + 0.7 * normal(c, n, n) @ z / jnp.sqrt(n)

    def linear(h, k):
        return normal(k, n, n) @ h / jnp.sqrt(n)

    table = {
        "mlp, relu": (mlp(lambda z: jnp.maximum(z, 0)), 1),
        "mlp, tanh": (mlp(jnp.tanh), 1),
        "mlp, gelu": (mlp(lambda z: jax.nn.gelu(z, approximate=False)), 1),
        "orthogonal-mlp, relu": (orthogonal, 1),
        "linear-mlp": (linear, 1),
        "gated-mlp, silu": (gated, 1),
        "resnet, relu": (resnet, 1),
        "conv-resnet, relu, 4 positions": (convolution, 4),
        "transformer": (attention, 1),
        "transformer, mlp block": (transformer, 1),
    }
    for label, (layer, positions) in table.items():
        for m in (2, 8):
            x = jnp.ones((n, positions * m))

            def one(key, x=x, layer=layer):
                h, _ = jax.lax.scan(lambda h, k: (layer(h, k), None), x, jax.random.split(key, layers))
                return h.T @ h

            draw = jax.jit(jax.vmap(one))
            keys = jax.random.split(jax.random.key(1), 1)
            seconds = best(lambda draw=draw, keys=keys: draw(keys).block_until_ready(), total=0, least=2)
            report("architecture", label=label, m=m, ms=seconds * 1e3 * 256 / layers)

    for m in (2, 8):
        draw = jax.jit(tangent_kernel(n, layers, m))
        seconds = best(lambda draw=draw: draw(jax.random.key(1)).block_until_ready(), total=0, least=2)
        report("architecture", label="ntk-mlp, tanh", m=m, ms=seconds * 1e3 * 256 / layers)


def tangent_kernel(n, d, m):
    """The empirical NTK of an MLP, every weight drawn, by reverse differentiation of each output."""
    x = jnp.ones((n, m)) / jnp.sqrt(n)

    def outputs(weights, v):
        h = x * jnp.sqrt(n)
        for w in weights:
            h = jnp.tanh(w @ h / jnp.sqrt(n))
        return v @ h / jnp.sqrt(n)

    def one(key):
        keys = jax.random.split(key, d + 1)
        weights = [jax.random.normal(k, (n, n), dtype=jnp.float64) for k in keys[:-1]]
        gradients = jax.jacrev(outputs, argnums=(0, 1))(weights, jax.random.normal(keys[-1], (n,), dtype=jnp.float64))
        return sum(g.reshape(m, -1) @ g.reshape(m, -1).T for g in jax.tree.leaves(gradients))

    return one


if __name__ == "__main__":
    normals()
    networks()
    architectures()
