"""Writes RESULTS.md from what run.sh collected in a folder."""

import math
import platform
import sys
from pathlib import Path

import results_divergence
import results_finite_width
import results_formulas
import results_kernels
import results_matrix
import results_regression
import results_signatures
import results_training
from results_common import flags, pick, processor, read

folder = Path(sys.argv[1])
native, peers = (read(folder / name) for name in ("native.json", "peers.json"))


vector = max(row["per_ns"] for row in native if row["name"] == "fma")
normal = pick(native, "ns", name="normals")
print(f"""# Benchmarks

Made by `make bench` on {processor()} ({flags()}), {platform.system()}; one core unless it says otherwise. Times are the best
of several repetitions; peers ran in between two passes of fathom. A machine that others share gives less than it could:
during this run the core made {vector:.2f} fused multiply-adds of eight doubles a nanosecond at best, where an AVX-512 core
of its own makes up to 6 at 3 GHz. Read the ratios; the times scale with that.

## Standard normals, double precision

| generator | ns a normal | fathom is faster by |
|---|---|---|
| fathom, Philox4x32-10 | {normal:.2f} | |""")
for row in peers:
    if row["name"] == "normals":
        print(f"| {row['peer']} | {row['ns']:.2f} | {row['ns'] / normal:.1f}x |")

print("""
## Elementary functions, in a loop over 4096 doubles

| function | ns a value |
|---|---|""")
for name in ("exp", "log", "sincos", "tanh", "erf", "gelu"):
    print(f"| {name} | {pick(native, 'ns', name='function', function=name):.2f} |")

print("\n" + results_formulas.section(native, peers), end="")
print("\n" + results_matrix.section(native, peers), end="")
print("\n" + results_training.section(native, peers), end="")
print("\n" + results_regression.section(native, peers), end="")

print("""
## Networks (ReLU, m = 2, with their tallies)

| n = d | fathom conditional | fathom weights | JAX conditional | JAX weights | against JAX weights |
|---|---|---|---|---|---|""")
for n in (128, 1024):
    ours = pick(native, "ms", name="network", activation="relu", sampler="conditional", n=n, d=n, m=2)
    drawn = pick(native, "ms", name="network", activation="relu", sampler="weights", n=n, d=n, m=2)
    jax_c = pick(peers, "ms", name="network", sampler="conditional", n=n)
    jax_w = pick(peers, "ms", name="network", sampler="weights", n=n)
    print(f"| {n} | {ours:.3f} ms | {drawn:.4g} ms | {jax_c:.3g} ms | {jax_w:.4g} ms | {jax_w / ours:,.0f}x |")

print(
    """
One input through ReLU by its chi-square law, n = d = 1024: """
    + f"""{pick(native, "ms", name="network", sampler="chi-square"):.3f} ms a network, whatever n.

| activation, n = d = 1024, m = 2 | ms |
|---|---|"""
)
for name in ("relu", "tanh", "erf", "gelu"):
    print(f"| {name} | {pick(native, 'ms', name='network', activation=name, sampler='conditional', n=1024, d=1024, m=2):.2f} |")


def slope(rows):
    """Slope of log(ms) against log(size) by least squares."""
    xs, ys = [math.log(s) for s, _ in rows], [math.log(t) for _, t in rows]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum((x - mx) ** 2 for x in xs)


print("""
## Cost against width, depth and number of inputs (ReLU, conditional)

| varied | fixed | ms | slope of log time |
|---|---|---|---|""")
for key, sizes, fixed in (
    ("n", (256, 512, 1024, 2048, 4096), {"d": 64, "m": 2}),
    ("d", (16, 64, 256, 1024), {"n": 256, "m": 2}),
    ("m", (1, 2, 4, 8, 16), {"n": 1024, "d": 64}),
):
    rows = [(s, pick(native, "ms", name="network", activation="relu", sampler="conditional", **{key: s}, **fixed)) for s in sizes]
    times = ", ".join(f"{s}: {t:.3g}" for s, t in rows)
    print(f"| {key} | {', '.join(f'{k} = {v}' for k, v in fixed.items())} | {times} | {slope(rows):.2f} |")

print("""
## Every architecture, n = 1024, d = 256: milliseconds a draw

Weights (fathom and JAX: jit, vmap, double) are timed through 4 layers (1 of orthogonal weights in fathom) and scaled
to 256. "times its normals": against the time of the normals that `conditional` draws, made alone, in turns with the draws.

| architecture | m | fathom conditional | times its normals | fathom weights | JAX weights | against JAX weights |
|---|---|---|---|---|---|---|""")
for row in peers:
    if row["name"] != "architecture":
        continue
    label, m = row["label"], row["m"]
    best = min(
        (r for r in native if r["name"] == "architecture" and (r["label"], r["m"]) == (label, m)),
        key=lambda r: r["conditional"],
    )
    ours = best["conditional"]
    drawn = pick(native, "weights", name="architecture", label=label, m=m)
    count = {
        "linear-mlp": 0,
        "transformer": 0,
        "gated-mlp, silu": 2,
        "ntk-mlp, tanh": 2,
        "conv-resnet, relu, 4 positions": 4,
    }.get(label, 1)
    alone = count * 1024 * 256 * m * best["normal"] * 1e-6
    share = f"{ours / alone:.2f}" if alone else "-"
    print(f"| {label} | {m} | {ours:.3f} | {share} | {drawn:.4g} | {row['ms']:.4g} | {row['ms'] / ours:,.0f}x |")

print("""
Where the cost does not depend on the width (d = 256, m = 4), ms a draw:

| architecture | n = 64 | 4096 | 10^6 | 10^9 |
|---|---|---|---|---|""")
for label in ("transformer", "linear-mlp"):
    times = [pick(native, "ms", name="any-width", label=label, n=n) for n in (64, 4096, 10**6, 10**9)]
    print(f"| {label} | " + " | ".join(f"{t:.3f}" for t in times) + " |")

print("""
Cost of the conditional samplers against n, d and m (`fathom-bench cost`):

![ms a draw against width, depth and number of inputs, for every architecture](cost.png)""")

print("\n" + results_finite_width.section(native, peers), end="")
print("\n" + results_kernels.section(native, peers), end="")
print("\n" + results_divergence.section(native, peers), end="")
print("\n" + results_signatures.section(native, peers), end="")

print("""
## Covariance SDE paths, 100 steps

| m | us a path |
|---|---|""")
for m in (2, 4, 16):
    print(f"| {m} | {pick(native, 'us', name='sde', m=m):.1f} |")
