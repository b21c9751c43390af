"""Figures of deep kernel machines in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_coulomb import rows
from gallery_training import panels


def kernel_machine(result: fathom.Result) -> Figure:
    """Entries of the Gram matrix of the second layer over 1/N, each on its own scale, and the maximum of the objective."""
    figure, axes = panels(4, 3.2)
    for place, (a, b) in enumerate([(0, 0), (1, 0), (1, 1), (2, 2)]):
        ax = axes[place]
        points = []
        for case in result.report()["cases"]:
            row = rows(case, "objective-maximum")[f"E gram[2,{a},{b}]"]
            width = float(case["swept"]["kernel-machine.width"])
            points.append([1 / width, *(row[name] for name in ("finite", "finite_error", "reference"))])
        x, value, error, limit = np.array(sorted(points)).T
        ax.errorbar(x, value, 2 * error, fmt="o-", ms=3, lw=0.8, color=plots.COLOURS[0], label="posterior")
        ax.axhline(limit[0], ls="--", lw=0.8, color=plots.COLOURS[1], label="objective")
        ax.set(xlabel="1/N", title=f"entry ({a}, {b})", xlim=(0, 1.05 * x[-1]))
    axes[0].legend(frameon=False, fontsize=8)
    return figure
