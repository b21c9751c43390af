"""Prints the constants of Sources/Randomness/NormalKernel.swift and of `Elementary.quotient`, polynomials lowest
degree first, with their relative errors.

    python3 analysis/reference/minimax.py        (needs mpmath)

The variable of each polynomial of the normals is scaled, and its values with it, so that the leading coefficients of its two
chains are one. Let F = -2 log(1 + f) / f: the kernel has f' = sigma f and tau r^2 in place of f and r^2. For sine
and cosine it has x' = sigma x and nu times their values, and its root makes r / nu of tau r^2.
"""

from mpmath import cos, floor, frexp, log, log1p, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sin, sqrt

mp.prec = 200


def remez(function, low, high, degree):
    """Coefficients of the polynomial of least relative error on [low, high], and that error (Remez exchange)."""
    low, high = mpf(low), mpf(high)
    count = degree + 2

    def chebyshev(i, n):
        return (low + high) / 2 - (high - low) / 2 * cos(pi * i / n)

    points = [chebyshev(i, count - 1) for i in range(count)]
    grid = [chebyshev(i, 40 * count) for i in range(40 * count + 1)]
    for _ in range(25):
        rows, values = matrix(count, count), matrix(count, 1)
        for i, x in enumerate(points):
            value = function(x)
            for j in range(degree + 1):
                rows[i, j] = x**j
            rows[i, count - 1] = (-1) ** i * value
            values[i] = value
        solution = lu_solve(rows, values)
        coefficients = [solution[j] for j in range(degree + 1)]
        errors = [polyval(coefficients[::-1], x) / function(x) - 1 for x in grid]
        # The largest error of every run of one sign is a point of the next round.
        points, start = [], 0
        for i in range(1, len(grid) + 1):
            if i == len(grid) or errors[i] * errors[start] < 0:
                points.append(grid[max(range(start, i), key=lambda k: abs(errors[k]))])
                start = i
        if len(points) != count:
            raise ArithmeticError(f"{len(points)} alternations where {count} are expected")
    return coefficients, max(abs(e) for e in errors)


def rounded(x, bits):
    _, exponent = frexp(x)
    return floor(x * mpf(2) ** (bits - exponent)) * mpf(2) ** (exponent - bits)


def show(name, values):
    print(name)
    for x in values:
        print("  ", float(x).hex())


# The logarithm: odd and even chain have degree 15 and 14.
def logarithm(f):
    return -2 * log1p(f) / f if f else mpf(-2)


c, error = remez(logarithm, -0.5, 0, 15)
sigma = c[15] / c[14]
tau = sigma**16 / c[15]
print("logarithm: 2^" + nstr(log(error, 2), 4))
show("sigma", [sigma])
show("even", [tau * x / sigma ** (2 * k + 1) for k, x in enumerate(c[0::2])])
show("odd", [tau * x / sigma ** (2 * k + 2) for k, x in enumerate(c[1::2])])
# e is 2048 (D - 1535/1024) for the D made of the exponent field.
slope = rounded(-4096 * log(mpf(2)) * tau, 42)
show("whole: offset, slope", [-slope * 1535 / 1024, slope])


# Sine and cosine, x in quarter turns, z = x^2: odd and even chain have degree 11 and 10.
def sine(z):
    return sin(pi / 2 * sqrt(z)) / sqrt(z) if z else pi / 2


def cosine(z):
    return cos(pi / 2 * sqrt(z))


s, error = remez(sine, 0, 0.25, 5)
print("sine: 2^" + nstr(log(error, 2), 4))
c, error = remez(cosine, 0, 0.25, 5)
# Of 22 bits, so that the offset below is exact; the cosine's leading coefficient is then off by 2^-23 of itself.
sigma = rounded(s[5] / c[5], 22)
nu = sigma**11 / s[5]
print("cosine: 2^" + nstr(log(error, 2), 4))
# The kernel's place is in units of 2^29 quarter turns, and has its middle at 1 + 2^-30.
show("scale, offset", [sigma * 2**29, -sigma * 2**29 * (1 + mpf(2) ** -30)])
show("sine", [nu * x / sigma ** (2 * k + 1) for k, x in enumerate(s)])
show("cosine", [nu * x / sigma ** (2 * k) for k, x in enumerate(c[:5])] + [mpf(1)])

# The root. The guess by the integer subtraction leaves 1 - w guess^2 between -0.06911 and 0.06755.
r, error = remez(lambda e: 1 / sqrt(1 - e), -0.0692, 0.0676, 2)
print("first step of the root: 2^" + nstr(log(error, 2), 4))
mu = 1 / (sqrt(tau) * nu)
show("first step", [mu * x for x in r])
show("second step", [mu**2, 1 / (2 * mu**2), 3 / (8 * mu**4)])

# The quotient of Sources/Kernels/Elementary.swift, whose guess leaves 1 - d guess between -0.05052 and 0.05052.
r, error = remez(lambda e: 1 / (1 - e), -0.0506, 0.0506, 2)
print("first step of the quotient: 2^" + nstr(log(error, 2), 4))
show("first step", r)
