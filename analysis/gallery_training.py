"""Figures of training in the gallery, and the panels of all of them."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots


def panels(count: int, width: float = 4.4) -> tuple[Figure, list]:
    figure = Figure(figsize=(width * count, 3.3), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, count)))


def transfer(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, is_plain, label in zip(axes, (False, True), ("branches over √L", "plain branches"), strict=True):
        lines: dict[tuple[float, float], list[tuple[float, float, float]]] = {}
        for case in result.cases:
            swept, leg = plots.settings(case), result.finite(case)
            if (swept["training.branch_scaling"] == "1") != is_plain:
                continue
            loss, diverged = (leg.sel(observable=name).isel(step=-1) for name in ("loss", "diverged"))
            # Rates at which runs diverge have no loss.
            if float(diverged["mean"]) <= 0.01:
                point = (float(swept["training.learning_rate"]), float(loss["mean"]), float(loss["standard_error"]))
                lines.setdefault((float(swept["training.depth"]), float(swept["training.width"])), []).append(point)
        depths = sorted({depth for depth, _ in lines})
        narrow = min(width for _, width in lines)
        for (depth, width), points in sorted(lines.items()):
            rate, mean, error = np.array(sorted(points)).T
            colour, style = plots.COLOURS[depths.index(depth)], "o--" if width == narrow else "o-"
            ax.plot(rate, mean, style, ms=3, lw=1, color=colour, label=f"L = {depth:g}, n = {width:g}")
            ax.fill_between(rate, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.25, lw=0)
            best = int(np.argmin(mean))
            ax.plot(rate[best], mean[best], "*", ms=11, color=colour)
        ax.set(xscale="log", xlim=(0.02, 0.6), ylim=(0.15, 0.6), xlabel="learning rate", ylabel="E loss after 20 steps", title=label)
        rates = [0.02, 0.05, 0.1, 0.2, 0.5]
        ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
        ax.minorticks_off()
        ax.legend(frameon=False, fontsize=8, loc="lower right" if is_plain else "lower left")
    return figure


def coordinates(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for layer, ax in enumerate(axes, 1):
        for index, name in enumerate(("mup", "standard", "ntk")):
            points = []
            for case in result.cases:
                swept = plots.settings(case)
                if swept["training.parametrisation"] == name:
                    one = result.finite(case).sel(observable=f"log_coordinate_change[{layer}]").isel(step=-1)
                    points.append((float(swept["training.width"]), float(one["mean"]), float(one["standard_error"])))
            n, mean, error = np.array(sorted(points)).T
            band = np.exp(mean - 2 * error), np.exp(mean + 2 * error)
            ax.plot(n, np.exp(mean), "o-", ms=4, lw=1, color=plots.COLOURS[index], label=name)
            ax.fill_between(n, *band, color=plots.COLOURS[index], alpha=0.25, lw=0)
        ax.set(xscale="log", yscale="log", xlabel="width", ylabel=f"move of layer {layer} after 5 steps")
        ax.legend(frameon=False, fontsize=8)
    return figure


def constancy(result: fathom.Result) -> Figure:
    """Change of one kernel, and shift of the mean one, against the width."""
    figure, axes = panels(2)
    for ax, name, label in zip(axes, ("log_kernel_change", "kernel_shift"), ("change of a kernel", "shift of the mean trace"), strict=True):
        for index, activation in enumerate(("tanh", "relu")):
            points = []
            for case in result.cases:
                swept = plots.settings(case)
                if swept["training.activation"] == activation:
                    one = result.finite(case).sel(observable=name).isel(step=-1)
                    points.append((float(swept["training.width"]), float(one["mean"]), float(one["standard_error"])))
            n, mean, error = np.array(sorted(points)).T
            y, bars = (np.exp(mean), 2 * np.exp(mean) * error) if name.startswith("log") else (np.abs(mean), 2 * error)
            ax.errorbar(n, y, bars, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=activation)
        ax.set(xscale="log", yscale="log", xlabel="width", ylabel=label)
        ax.legend(frameon=False, fontsize=8)
    return figure


def richness(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name in zip(axes, ("kernel_alignment", "test_loss"), strict=True):
        fathom.plot_sweep(result, "training.gamma", name, ax=ax)
    axes[1].set_yscale("log")
    return figure


def edge(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name in zip(axes, ("sharpness", "loss"), strict=True):
        fathom.plot_curves(result, name, ax=ax)
        ax.set_xscale("symlog", linthresh=10)
        ax.set_xlim(left=0)
    for index, case in enumerate(result.cases):
        level = 2 / float(plots.settings(case)["training.learning_rate"])
        if level < 4:
            axes[0].axhline(level, ls="--", lw=1, color=plots.COLOURS[index])
    return figure


def jacobians(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name in zip(axes, ("test_error", "jacobian_norm"), strict=True):
        fathom.plot_sweep(result, "training.jacobian", name, ax=ax)
        ax.set_xscale("symlog", linthresh=0.3)
    return figure


def kurtosis(result: fathom.Result) -> Figure:
    """Excess kurtosis of an output of mean 0 over training, by its second and fourth moments."""
    figure, axes = panels(1, 5)
    for index, case in enumerate(result.cases):
        leg = result.finite(case)
        second, fourth = (leg.sel(observable=name) for name in ("second", "fourth"))
        moment = fourth["mean"] / second["mean"] ** 2
        relative = fourth["standard_error"] / fourth["mean"] + 2 * second["standard_error"] / second["mean"]
        axes[0].errorbar(
            leg["step"] + index, moment - 3, 2 * moment * relative, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=plots.short(case),
        )  # fmt: skip
    axes[0].axhline(0, color=plots.RULE, lw=1, zorder=0)
    axes[0].set(xlabel="step", ylabel="excess kurtosis of f")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def tails(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    colour = 0
    for case in result.cases:
        swept, leg = plots.settings(case), result.finite(case)
        index = float(leg.sel(observable="exponent").isel(step=-1)["mean"])
        rows = [row for part in result.report()["cases"] if part["label"] == case for own in part.get("estimands", []) for row in own["rows"]]
        hills = [(4.0**i, row) for i in range(4) for row in rows if row["quantity"] == f"tail_index[{i}]"]
        # Those of enough runs above the threshold.
        points = [(u, row["value"], row["error"]) for u, row in hills if not row["reason"]]
        if len(points) < 2:
            continue
        u, hill, error = np.array(points).T
        label = f"B = {swept['training.batch']}, η = {swept['training.learning_rate']}"
        axes[0].errorbar(u, hill, 2 * error, fmt="o", ms=4, color=plots.COLOURS[colour], label=label)
        axes[0].axhline(index, lw=1, color=plots.COLOURS[colour])
        colour += 1
    axes[0].set(xscale="log", yscale="log", xlabel="threshold", ylabel="Hill's estimate; line: k")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def effective(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    labels = {("false", "0.0"): "free", ("false", "0.001"): "weight decay", ("true", "0.0"): "projection"}
    for ax, name in zip(axes, ("effective_rate", "alignment"), strict=True):
        for case in result.cases:
            swept = plots.settings(case)
            key = (swept["training.projection"], swept["training.weight_decay"])
            if key not in labels:
                continue
            colour = plots.COLOURS[list(labels).index(key)]
            one = result.finite(case).sel(observable=name).isel(step=slice(1, None))
            exact = result.references(case)["exact"].sel(observable=name).isel(step=slice(1, None))
            ax.errorbar(one["step"], one["mean"], 2 * one["standard_error"], fmt="o", ms=3, color=colour, label=labels[key])
            ax.plot(exact["step"], exact["mean"], lw=1, color=colour)
        ax.set(xscale="log", xlabel="step", ylabel="η / |w|²" if name == "effective_rate" else "cosine with the start")
    axes[0].set_yscale("log")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def rates(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name in zip(axes, ("diverged", "test_error"), strict=True):
        fathom.plot_phase(result, "training.learning_rate", "training.optimiser.batch", name, ax=ax)
    return figure


def resolution(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, teacher, power in zip(axes, ("nngp", "ntk"), (3, 1), strict=True):
        for index in range(3):
            points = []
            for case in result.cases:
                swept = plots.settings(case)
                if swept["training.teacher"] == teacher and float(swept["training.sphere"]) == index + 1:
                    one = result.finite(case).sel(observable="mse").isel(step=-1)
                    points.append((float(swept["training.samples"]), float(one["mean"]), float(one["standard_error"])))
            count, mean, error = np.array(sorted(points)).T
            colour = plots.COLOURS[index]
            ax.errorbar(count, mean, 2 * error, fmt="o", ms=4, color=colour, label=f"d = {index + 1}")
            ax.plot(count, mean[-1] * (count / count[-1]) ** (-power / (index + 1)), "--", lw=1, color=colour)
        ax.set(xscale="log", yscale="log", xlabel="examples", ylabel="E (f - y)²", title=f"teacher: {teacher}")
        ax.set_xticks([64, 128, 256, 512], ["64", "128", "256", "512"])
        ax.minorticks_off()
        ax.legend(frameon=False, fontsize=8)
    return figure


def operators(result: fathom.Result) -> Figure:
    figure, axes = panels(1)
    for index, case in enumerate(result.cases):
        leg, colour = result.finite(case), plots.COLOURS[index]
        one = leg.sel(observable="test_mse")
        axes[0].errorbar(
            one["step"] + 10,
            one["mean"],
            2 * one["standard_error"],
            fmt="o-",
            ms=3,
            lw=1,
            color=colour,
            label=f"{int(plots.settings(case)['training.sensors']) + 1} sensors",
        )
        axes[0].axhline(float(leg.attrs["bayes_error"]), ls="--", lw=1, color=colour)
    axes[0].set(xscale="log", yscale="log", xlabel="step + 10", ylabel="mean square error of the test")
    axes[0].legend(frameon=False, fontsize=8)
    return figure
