"""Draws a particle result: curves over the records where there are several, else means against the swept size.

python analysis/particles_figure.py RESULT.h5 OUT.png
"""

import sys

import matplotlib

matplotlib.use("Agg")
import h5py
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

CURVES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "|m|", "r", "energy")
HIDDEN = ("acceptance", "step_size")


def read(path):
    """The finite leg of every case, by label."""
    try:
        with h5py.File(path) as file:
            labels = list(file["cases"])
    except (OSError, KeyError):
        sys.exit(f"{path} is not a fathom result file")
    legs = {}
    for label in labels:
        try:
            legs[label] = xr.open_dataset(path, group=f"cases/{label}/particles", engine="h5netcdf")
        except (OSError, KeyError):
            sys.exit(f"{path} holds no particle system in case {label}")
    return legs


def curves(legs):
    first = next(iter(legs.values()))
    names = [name for name in CURVES if name in first.observable.values][:4]
    fig, axes = plt.subplots(1, len(names), figsize=(3.6 * len(names), 3.2), squeeze=False, layout="constrained")
    for axis, name in zip(axes[0], names, strict=True):
        for label, leg in legs.items():
            mean, error = (leg[key].sel(observable=name).values for key in ("mean", "standard_error"))
            (line,) = axis.plot(leg.step, mean, label=None if label == "main" else label.split(".", 1)[-1])
            axis.fill_between(leg.step, mean - 2 * error, mean + 2 * error, color=line.get_color(), alpha=0.25, lw=0)
        axis.set(xlabel="step", title=name.replace("_", " "))
        if name.endswith("loss"):
            axis.set_yscale("log")
    if len(legs) > 1:
        axes[0][0].legend(fontsize=7)
    return fig


def sweep(legs):
    """One panel an observable; the swept size on the horizontal axis, a line for every setting of the other keys."""
    lines = {}
    size = "particles.step" if all("particles.step=" in label for label in legs) else "particles.number"
    for label, leg in legs.items():
        parts = label.split(",particles.")
        parts = [parts[0]] + ["particles." + part for part in parts[1:]]
        rest = ", ".join(part.split(".", 1)[1] for part in parts if not part.startswith(size + "="))
        value = next((float(part.split("=")[1]) for part in parts if part.startswith(size + "=")), 0.0)
        lines.setdefault(rest, []).append((value, leg))
    first = next(iter(legs.values()))
    names = [name for name in first.observable.values if name not in HIDDEN][:6]
    fig, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
    for axis, name in zip(axes.flat, names, strict=False):
        for rest, points in lines.items():
            points.sort(key=lambda point: point[0])
            kept = [(x, leg) for x, leg in points if name in leg.observable.values]
            mean, error = (
                np.array([leg[key].sel(observable=name).values[-1] for _, leg in kept])
                for key in ("mean", "standard_error")
            )
            axis.errorbar([x for x, _ in kept], mean, 2 * error, marker="o", ms=3, label=rest or None)
        axis.set(xlabel=size.split(".")[1], title=f"E {name}")
        if size.endswith("number"):
            axis.set_xscale("log")
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    if len(lines) > 1:
        axes.flat[0].legend(fontsize=7)
    return fig


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    legs = read(sys.argv[1])
    several = next(iter(legs.values())).sizes["step"] > 1
    (curves(legs) if several else sweep(legs)).savefig(sys.argv[2], dpi=130)


if __name__ == "__main__":
    main()
