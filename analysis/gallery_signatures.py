"""Figures of signature kernels in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def signatures(result: fathom.Result) -> Figure:
    """K over 1/N at every M with its limit, and those limits over 1/M with the differential equation."""
    figure, axes = panels(3)
    names = ("K[0,0]", "K[0,1]")
    lines: dict[int, list[tuple[int, str]]] = {}
    for case in result.cases:
        swept = plots.settings(case)
        lines.setdefault(int(swept["signature.steps"]), []).append((int(swept["signature.width"]), case))

    def known(case: str, reference: str, name: str) -> float:
        table = next(c for c in result.comparisons() if c.case == case and c.reference == reference).table
        return float(table["reference"].values[table["observable"].values == name][0])

    for ax, name in zip(axes, names, strict=False):
        for index, (steps, cases) in enumerate(sorted(lines.items())):
            rows = [(1 / width, result.finite(case).sel(observable=name).isel(time=-1)) for width, case in sorted(cases)]
            x, y, bar = np.array([(x, float(leg["mean"]), 2 * float(leg["standard_error"])) for x, leg in rows]).T
            colour = plots.COLOURS[index]
            ax.errorbar(x, y, bar, fmt="o-", ms=4, lw=1, color=colour, label=f"M = {steps}")
            ax.plot(0, known(cases[0][1], "infinite-width-signature", name), "D", ms=6, mfc="none", color=colour, clip_on=False)
        ax.axhline(known(result.cases[0], "signature-kernel", name), color="black", lw=1, ls="--")
        ax.set(xlabel="1/N", ylabel=f"E {name}", xlim=(0, None))
        ax.legend(frameon=False, fontsize=8)
    for index, name in enumerate(names):
        limit = known(result.cases[0], "signature-kernel", name)
        steps = sorted(lines, reverse=True)
        values = [known(lines[m][0][1], "infinite-width-signature", name) / limit - 1 for m in steps]
        axes[2].plot([0, *(1 / m for m in steps)], [0, *values], "D-", ms=5, mfc="none", lw=1, color=plots.COLOURS[index + 4], label=name)
    axes[2].axhline(0, color="black", lw=1, ls="--")
    axes[2].set(xlabel="1/M", ylabel="N = ∞, over the equation, less 1", xlim=(0, None))
    axes[2].legend(frameon=False, fontsize=8)
    return figure
