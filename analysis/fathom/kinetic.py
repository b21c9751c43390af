"""Kinetic-optimal probability paths from a result of `process = "kinetic-path"` (arXiv:2306.06626)."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from .result import Result

Array = np.ndarray
Schedule = Callable[[Array], tuple[Array, Array]]


def _variance_preserving(t: Array) -> tuple[Array, Array]:
    """beta from 0.1 to 20 over the noising time 1 - t."""
    noise = 1 - t
    alpha = np.exp(-0.25 * 19.9 * noise**2 - 0.05 * noise)
    return alpha, np.sqrt(1 - alpha**2)


SCHEDULES: dict[str, Schedule] = {
    "cond-ot": lambda t: (t, 1 - t),
    "cosine": lambda t: (np.sin(0.5 * np.pi * t), np.cos(0.5 * np.pi * t)),
    "variance-preserving": _variance_preserving,
}


def _flattened(signal: Array, unexplained: Array) -> tuple[Array, Array]:
    """theta at the borders between the signals' angles, and phi there."""
    middle = np.arctan(signal)
    borders = np.concatenate(([0.0], 0.5 * (middle[1:] + middle[:-1]), [0.5 * np.pi]))
    slope = np.sqrt(np.clip(1 - (1 + signal**2) * unexplained, 0, 1))
    return borders, np.concatenate(([0.0], np.cumsum(slope * np.diff(borders))))


def _energy(schedule: Schedule, borders: Array, phi: Array) -> float:
    """Kinetic energy per dimension of x_t = alpha x_1 + sigma x_0: the integral of r'^2 + r^2 phi'^2."""
    t = np.linspace(0, 1, 20_001)
    alpha, sigma = schedule(t)
    r, angle = np.hypot(alpha, sigma), np.interp(np.arctan2(alpha, sigma), borders, phi)
    middle = 0.5 * (r[1:] + r[:-1])
    return float(np.sum(np.diff(r) ** 2 + (middle * np.diff(angle)) ** 2) * (len(t) - 1))


def kinetic_path(result: Result, case: str | None = None, *, points: int = 101, replicates: int = 200) -> xr.Dataset:
    """The path x_t = alpha x_1 + sigma x_0 of least kinetic energy for the data of a result, and what usual schedules cost.

    Variables: `alpha`, `sigma` over `time`; `phi` over `theta`, the flattened angle; `energy` and `energy_error` over
    `schedule`, per dimension, the optimal path first; `Phi` and `Phi_error`, the whole angle. Errors come from curves redrawn
    with the errors of the result; values at different signals are independent.
    """
    leg = result.finite(case)
    if "unexplained" not in leg.observable:
        raise ValueError('kinetic_path reads results of process = "kinetic-path"')
    chosen = leg.sel(observable="unexplained")
    signal, mean = chosen["signal"].values, chosen["mean"].values
    if len(signal) < 4:
        raise ValueError(f"a path needs the whole curve: signals at angles, not {len(signal)} of them")
    error = chosen["standard_error"].values

    def evaluate(unexplained: Array) -> tuple[float, list[float]]:
        borders, phi = _flattened(signal, unexplained)
        whole = float(phi[-1])
        return whole, [4 * np.sin(0.5 * whole) ** 2, *(_energy(one, borders, phi) for one in SCHEDULES.values())]

    whole, energies = evaluate(mean)
    random = np.random.default_rng(0)
    redrawn = [evaluate(mean + error * random.standard_normal(len(mean))) for _ in range(replicates)]
    borders, phi = _flattened(signal, mean)
    # The chord from (1, 0) to (1, Phi) in polar coordinates.
    t = np.linspace(0, 1, points)
    x, y = 1 - t + t * np.cos(whole), t * np.sin(whole)
    theta = np.interp(np.arctan2(y, x), phi, borders)
    r = np.hypot(x, y)
    return xr.Dataset(
        {
            "alpha": ("time", r * np.sin(theta)),
            "sigma": ("time", r * np.cos(theta)),
            "phi": ("theta", phi),
            "energy": ("schedule", energies),
            "energy_error": ("schedule", np.std([e for _, e in redrawn], axis=0)),
            "Phi": whole,
            "Phi_error": float(np.std([p for p, _ in redrawn])),
        },
        coords={"time": t, "theta": borders, "schedule": ["optimal", *SCHEDULES]},
    )
