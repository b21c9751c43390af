"""Reads and draws the result files of fathom.

    import fathom
    result = fathom.open("neural-covariance.h5")
    result.verdicts()                                  # what was compared, and how it came out
    leg = result.finite()                              # an xarray.Dataset: mean, standard_error, quantile, density, ...
    fathom.plot_depth(leg, "rho[0,1]")                 # mean over depth, with a band
    fathom.open("width-sweep.h5").sweep(last=True)     # of a sweep: all cases, the swept keys as dimensions

Tables are xarray datasets, chains ArviZ's, trajectories MDAnalysis': what those can do is not done here again.
"""

from .plots import (
    plot_bias,
    plot_curves,
    plot_density,
    plot_depth,
    plot_film,
    plot_ks,
    plot_phase,
    plot_quantiles,
    plot_sweep,
)
from .result import Comparison, FileError, Result, open

__all__ = [
    "Comparison",
    "FileError",
    "Result",
    "open",
    "plot_bias",
    "plot_curves",
    "plot_density",
    "plot_depth",
    "plot_film",
    "plot_ks",
    "plot_phase",
    "plot_quantiles",
    "plot_sweep",
]
