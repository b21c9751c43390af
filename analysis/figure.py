"""Draws the densities of a result file, finite network against limit.

python analysis/figure.py RESULT.h5 FIGURE.png
"""

import sys

import h5py
import matplotlib
import numpy as np
import xarray as xr

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def legs(path, case):
    """The sampled legs of a case as datasets with labelled axes, finite network first."""
    with h5py.File(path) as f:
        names = sorted(
            (n for n, g in f["cases"][case].items() if "density" in g),
            key=lambda n: n != "network",
        )
    return {n: xr.open_dataset(path, group=f"cases/{case}/{n}", engine="h5netcdf") for n in names}


def draw(path, out, case=None):
    with h5py.File(path) as f:
        case = case or next(iter(f["cases"]))
        title = f.attrs["title"]
        verdicts = [g.attrs["sentence"] for g in f["comparison"].values() if g.attrs["case"] == case]
    data = legs(path, case)
    available = set(next(iter(data.values())).observable.values)
    shown = [n for n in ("rho[0,1]", "log_V[0]") if n in available]
    names = {"rho[0,1]": r"correlation $\rho$", "log_V[0]": r"log-norm $\log V_{00}$"}
    figure, axes = plt.subplots(1, len(shown), figsize=(5.2 * len(shown), 4.2), squeeze=False)
    for ax, name in zip(axes[0], shown, strict=True):
        for leg, style in zip(data, ("-", "--", ":"), strict=False):
            last = data[leg].sel(observable=name).isel(layer=-1)
            edges = last.density_edge.values
            density = np.append(last.density.values, last.density.values[-1])
            label = f"{leg}, {int(data[leg].attrs['draws']):,} draws"
            if leg == "network":
                ax.fill_between(edges, density, step="post", alpha=0.3, color="tab:blue", label=label)
            else:
                centres = (edges[1:] + edges[:-1]) / 2
                ax.plot(centres, last.density.values, style, color="tab:red", lw=1.8, label=label)
        ax.set_xlabel(f"{names[name]} at layer {int(last.layer)}")
        ax.set_ylabel("probability density")
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False, fontsize=8, loc="upper left")
    figure.suptitle(title, fontsize=11)
    if verdicts:
        figure.text(0.5, 0.005, "\n".join(v.split(";")[0] for v in verdicts), ha="center", fontsize=6.5, color="0.3")
    figure.tight_layout(rect=(0, 0.03 + 0.02 * len(verdicts), 1, 1))
    figure.savefig(out, dpi=140)
    print(f"drew {out}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        draw(sys.argv[1], sys.argv[2])
    except (OSError, KeyError) as error:
        sys.exit(f"figure.py: {sys.argv[1]} is not a fathom result file that can be drawn: {error}")
