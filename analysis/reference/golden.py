"""Writes the golden values of Tests/KernelsTests/Golden: arguments as exact doubles, values to
30 digits, each followed by what the nearest double leaves of it.

    python3 analysis/reference/golden.py        (needs mpmath)

Only run on purpose: the tests hold the program to the committed values.
"""

import random
import struct
from pathlib import Path

from mpmath import cos, erf, erfc, exp, log, mp, mpf, pi, sin, tanh

mp.dps = 60
FOLDER = Path(__file__).parents[2] / "Tests" / "KernelsTests" / "Golden"
rng = random.Random(20260101)


def uniform(low, high, count):
    return [rng.uniform(low, high) for _ in range(count)]


def spread(low, high, count):
    """Both signs, log-uniform magnitudes from 2^low to 2^high."""
    return [rng.choice((-1, 1)) * rng.uniform(1, 2) * 2.0 ** rng.randrange(low, high) for _ in range(count)]


def near_multiples(count, largest):
    """Doubles nearest to multiples of pi/2, where the reduction is hardest."""
    return [float(rng.randrange(1, largest) * pi / 2) for _ in range(count)]


def write(name, points, *functions):
    lines = []
    for x in points:
        fields = [repr(x)]
        for f in functions:
            value = f(mpf(x))
            fields += [mp.nstr(value, 30, strip_zeros=False), repr(float(value - mpf(float(value))))]
        lines.append(",".join(fields))
    (FOLDER / f"{name}.csv").write_text("\n".join(lines) + "\n")


FOLDER.mkdir(parents=True, exist_ok=True)
write("exp", uniform(-708, 709.7, 1500) + uniform(-1, 1, 1000) + spread(-60, 0, 500) + uniform(-744, -708, 200), exp)
subnormal = [struct.unpack("<d", struct.pack("<Q", rng.randrange(1, 1 << 52)))[0] for _ in range(100)]
write(
    "log",
    [abs(x) for x in spread(-1020, 1020, 1500)] + uniform(0.5, 2, 1500) + [1 + x for x in spread(-50, -3, 500)] + subnormal,
    log,
)
write(
    "sincos",
    uniform(-10, 10, 1500) + uniform(-(2.0**20), 2.0**20, 1000) + near_multiples(500, 600000) + spread(-60, 0, 300),
    sin,
    cos,
)
write(
    "sincosturns",
    uniform(-1, 1, 1500) + uniform(-1e6, 1e6, 500) + spread(-60, 40, 500) + [0.125, 0.375, 1 / 3],
    lambda t: sin(2 * pi * t),
    lambda t: cos(2 * pi * t),
)
write("tanh", uniform(-1, 1, 1500) + uniform(-20, 20, 1000) + spread(-60, 0, 500), tanh)
write("erf", uniform(-1, 1, 1500) + uniform(-6, 6, 1500) + spread(-60, 0, 500), erf)


def gelu(x):
    return x * erfc(-x / mp.sqrt(2)) / 2


write("gelu", uniform(-1, 1, 800) + uniform(-13, 9, 1500) + spread(-60, 0, 300), gelu)
write("gelutail", uniform(-37, -13, 2100), gelu)


def gaussian_moment(f):
    return mp.quad(lambda x: f(x) ** 2 * exp(-x * x / 2) / mp.sqrt(2 * pi), [-20, -5, 0, 5, 20])


print("E gelu(g)^2 =", mp.nstr(gaussian_moment(gelu), 15))
print("E tanh(g)^2 =", mp.nstr(gaussian_moment(tanh), 15))
