"""Times the peers of the rows on networks of finite width, on one core, and prints one JSON object a line.

peers_finite_width.py jax               with the JAX of .venv-bench: tangent kernels, their change, a Transformer
peers_finite_width.py neural-tangents   with neural-tangents and the older JAX that it needs: tangent kernels
peers_finite_width.py kernels           with the same: closed kernels

Times are of the processor: those of the wall are longer where others work on the same core. Every draw is jitted and vmapped
over a batch of keys; every batch and every implementation that a peer offers is tried, and the fastest is reported with its
batch. `mean` is what the draws gave, for a check that peers and fathom measure the same.
"""

from peers_common import best, report  # noqa: I001 (sets the environment first)

import sys
import time

import jax
import jax.numpy as jnp

ACTIVATIONS = {"tanh": (jnp.tanh, 1.0), "relu": (lambda z: jnp.maximum(z, 0), 2.0)}
KEY = jax.random.PRNGKey(1)


def normal(key, *shape):
    return jax.random.normal(key, shape)


def inputs(rho=0.3):
    """Two inputs, one a row, with the Gram matrix (1, rho; rho, 1), of two components: the fewest weights for the first layer."""
    return jnp.asarray([[1.0, 0.0], [rho, (1 - rho**2) ** 0.5]])


def quickest(name, candidates, **fields):
    """Reports the best time of a draw, and the first entry of its mean.

    candidates: functions of a key by a label and a batch.

    Returns the label and the batch of the fastest.
    """
    result = None
    for (label, batch), one in candidates.items():
        draw = jax.jit(jax.vmap(one))
        keys = jax.random.split(KEY, batch)
        seconds = best(lambda draw=draw, keys=keys: jax.block_until_ready(draw(keys)), 0.7, clock=time.process_time)
        us = seconds / batch * 1e6
        if result is None or us < result[0]:
            result = (us, label, batch, draw)
    us, label, batch, draw = result
    draws = [draw(keys) for keys in jax.random.split(jax.random.PRNGKey(2), (max(1, 256 // batch), batch))]
    mean = float(jnp.concatenate(draws).reshape(len(draws) * batch, -1)[:, 0].mean())
    fields = {"peer": f"JAX {jax.__version__}", "precision": str(inputs().dtype), **fields}
    report(name, **fields, us=us, batch=batch, implementation=label, mean=mean, draws=len(draws) * batch)
    return label, batch


def perceptron(phi, c, n, depth):
    """Weights of a key, and the outputs of all inputs as a function of them.

    z_1 = W_1 x, z' = sqrt(c/n) W phi(z), f = sqrt(c/n) v . phi(z).
    """
    x = inputs().T

    def weights(key):
        first, *middle, last = jax.random.split(key, depth + 1)
        return [normal(first, n, x.shape[0]), *(normal(k, n, n) for k in middle), normal(last, n)]

    def outputs(w):
        h = phi(w[0] @ x)
        for matrix in w[1:-1]:
            h = phi(jnp.sqrt(c / n) * (matrix @ h))
        return jnp.sqrt(c / n) * (w[-1] @ h)

    return weights, outputs


def dot(a, b):
    """Products of gradients, each a list of arrays whose first axis numbers them."""
    return sum(p.reshape(p.shape[0], -1) @ q.reshape(q.shape[0], -1).T for p, q in zip(a, b, strict=True))


def kernel_by_jacrev(activation, n, depth):
    weights, outputs = perceptron(*ACTIVATIONS[activation], n, depth)

    def one(key):
        gradients = jax.jacrev(outputs)(weights(key))
        return dot(gradients, gradients)

    return one


def change_by_jvp(activation, n, depth):
    """dNTK_abc = g_b . (Hessian of f_a) g_c for all inputs a, b, c."""
    weights, outputs = perceptron(*ACTIVATIONS[activation], n, depth)

    def one(key):
        w = weights(key)
        gradient = jax.jacrev(outputs)
        all_gradients = gradient(w)

        def along(c):
            changed = jax.jvp(gradient, (w,), ([g[c] for g in all_gradients],))[1]
            return dot(changed, all_gradients)

        return jnp.stack([along(c) for c in range(2)], axis=-1)

    return one


def transformer(n=256, heads=4, tokens=3, blocks=4, factor=4):
    """The covariance of the tokens after pre-LN blocks, gelu, every variance 1, as `pre-ln-transformer` has them."""
    width = n // heads
    start = jnp.linalg.cholesky(jnp.asarray([[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 0.8]]))

    def norm(r):
        centred = r - r.mean(axis=0)
        return centred / jnp.sqrt((centred**2).mean(axis=0))

    def block(r, key):
        q, k, v, u, x, y = jax.random.split(key, 6)
        s = norm(r)
        queries, keys, values = ((normal(i, n, n) @ s / jnp.sqrt(n)).reshape(heads, width, tokens) for i in (q, k, v))
        scores = jnp.einsum("hca,hcb->hab", queries, keys) / jnp.sqrt(width)
        mixed = jnp.einsum("hcb,hab->hca", values, jax.nn.softmax(scores, axis=-1))
        r = r + normal(u, n, n) @ mixed.reshape(n, tokens) / jnp.sqrt(n)
        hidden = jax.nn.gelu(normal(x, factor * n, n) @ norm(r) / jnp.sqrt(n), approximate=False)
        return r + normal(y, n, factor * n) @ hidden / jnp.sqrt(factor * n), None

    def one(key):
        first, rest = jax.random.split(key)
        r = normal(first, n, tokens) @ start.T
        r, _ = jax.lax.scan(block, r, jax.random.split(rest, blocks))
        return r.T @ r / n

    return one


def with_jax():
    def batches(label, one, *sizes):
        return {(label, batch): one for batch in sizes}

    for precision in ("float64", "float32"):
        jax.config.update("jax_enable_x64", precision == "float64")
        for activation in ACTIVATIONS:
            candidates = batches("jacrev", kernel_by_jacrev(activation, 80, 3), 1, 8, 64)
            quickest("ntk", candidates, activation=activation, n=80, depth=3)
        candidates = batches("jvp of jacrev", change_by_jvp("tanh", 256, 4), 1, 8)
        quickest("dntk", candidates, activation="tanh", n=256, depth=4)
        quickest(
            "pre-ln-transformer", batches("scan", transformer(), 1, 4), activation="gelu", n=256, heads=4, tokens=3, blocks=4
        )


def with_neural_tangents():
    import neural_tangents as nt
    from neural_tangents import stax

    peer = f"neural-tangents {nt.__version__}, JAX {jax.__version__}"

    def empirical(activation, n, depth, vmap_axes, implementation):
        """The kernel of the same network; inputs in the scale in which the first layer has covariance x x^T."""
        phi, c = ACTIVATIONS[activation]
        layers = []
        for layer in range(depth):
            layers += [stax.Dense(n, W_std=1 if layer == 0 else c**0.5), stax.Elementwise(phi)]
        start, apply, _ = stax.serial(*layers, stax.Dense(1, W_std=c**0.5))
        x = inputs() * 2**0.5
        kernel = nt.empirical_ntk_fn(apply, trace_axes=(-1,), vmap_axes=vmap_axes, implementation=implementation)
        return lambda key: kernel(x, None, start(key, x.shape)[1])

    # What it does unless told otherwise, and what is fastest of all it offers.
    kinds = nt.NtkImplementation
    settings = {"as it comes": (None, nt.NtkImplementation.JACOBIAN_CONTRACTION)}
    for vmap_axes in (None, 0):
        for kind in (kinds.JACOBIAN_CONTRACTION, kinds.NTK_VECTOR_PRODUCTS, kinds.STRUCTURED_DERIVATIVES):
            settings[f"{kind.name}, vmap_axes={vmap_axes}"] = (vmap_axes, kind)
    fastest = [(label, batch) for label in settings for batch in (1, 16) if label != "as it comes"]
    for precision in ("float64", "float32"):
        jax.config.update("jax_enable_x64", precision == "float64")
        for activation in ACTIVATIONS:
            fields = {"activation": activation, "n": 80, "depth": 3, "peer": peer}
            for tried in ([("as it comes", 64)], [("as it comes", 1), ("as it comes", 16)], fastest):
                candidates = {(label, batch): empirical(activation, 80, 3, *settings[label]) for label, batch in tried}
                won = quickest("ntk", candidates, **fields)
            # The others have been seen to be slower: compiling them takes most of the time.
            fastest = [won]


def with_closed_kernels():
    """One hidden layer; the kernel of all pairs of 1000 inputs of 8 components."""
    import neural_tangents as nt
    from neural_tangents import stax

    peer = f"neural-tangents {nt.__version__}, JAX {jax.__version__}"
    for precision in ("float64", "float32"):
        jax.config.update("jax_enable_x64", precision == "float64")
        x = jax.random.normal(KEY, (1000, 8))
        for name, layer in (("relu", stax.Relu()), ("erf", stax.Erf()), ("gelu", stax.Gelu())):
            for get in ("nngp", "ntk"):
                kernel = stax.serial(stax.Dense(1), layer, stax.Dense(1))[2]
                compute = jax.jit(lambda x, kernel=kernel, get=get: kernel(x, None, get))
                ms = best(lambda compute=compute, x=x: jax.block_until_ready(compute(x)), clock=time.process_time) * 1e3
                value = float(compute(x)[0, 1])
                report("kernel", peer=peer, precision=precision, activation=name, get=get, inputs=1000, ms=ms, value=value)


if __name__ == "__main__":
    {"jax": with_jax, "neural-tangents": with_neural_tangents, "kernels": with_closed_kernels}[sys.argv[1]]()
