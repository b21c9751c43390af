"""Figures of deep kernel machines in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_coulomb import rows
from gallery_training import panels


def kernel_machine(result: fathom.Result) -> Figure:
    """Entries of the Gram matrices of two layers over 1/N, and the maximum of the objective."""
    figure, axes = panels(2, 4)
    for layer, ax in enumerate(axes[:2], start=1):
        for place, (a, b) in enumerate([(0, 0), (1, 0), (1, 1)]):
            points = []
            for case in result.report()["cases"]:
                row = rows(case, "objective-maximum")[f"E gram[{layer},{a},{b}]"]
                width = float(case["swept"]["kernel-machine.width"])
                points.append([1 / width, *(row[name] for name in ("finite", "finite_error", "reference"))])
            x, value, error, limit = np.array(sorted(points)).T
            colour = plots.COLOURS[place]
            ax.errorbar(x, value, 2 * error, fmt="o-", ms=3, lw=0.8, color=colour, label=f"({a}, {b})")
            ax.plot([0, x[-1]], [limit[0]] * 2, "--", lw=0.8, color=colour)
        ax.set(xlabel="1/N", title=f"entries of G of layer {layer}")
    axes[0].legend(frameon=False, fontsize=8)
    return figure
