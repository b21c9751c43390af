"""Runs fathom, reads and draws its result files, and writes draws for it.

    import fathom
    result = fathom.run("jobs/neural-covariance.toml", ranks=8, set={"network.width": 64})    # or a dict; or fathom.open("result.h5")
    result.verdicts()                                  # what was compared, and how it came out
    leg = result.finite()                              # an xarray.Dataset: mean, standard_error, quantile, density, ...
    fathom.plot_depth(leg, "rho[0,1]")                 # mean over depth, with a band
    fathom.open("width-sweep.h5").sweep(last=True)     # of a sweep: all cases, the swept keys as dimensions
    fathom.sweep_frame("width-sweep.h5")               # the same and all else as one tidy pandas table
    fathom.samples("mine.h5", {"rho[0,1]": array})     # draws of your own, as a file that a job reads

Tables are xarray datasets, chains ArviZ's, trajectories MDAnalysis': what those can do is not done here again.
"""

from importlib.metadata import version

from .frames import sweep_frame
from .gram import open_gram
from .jobs import read_job, write_job
from .kinetic import kinetic_path
from .launch import Interrupted, RunError, run
from .pairs import compare
from .plots import (
    plot_bias,
    plot_curves,
    plot_density,
    plot_depth,
    plot_film,
    plot_information,
    plot_ks,
    plot_order,
    plot_phase,
    plot_quantiles,
    plot_sweep,
)
from .result import Comparison, FileError, Result, open
from .rows import samples

__all__ = [
    "Comparison",
    "FileError",
    "Interrupted",
    "Result",
    "RunError",
    "compare",
    "kinetic_path",
    "open",
    "open_gram",
    "plot_bias",
    "plot_curves",
    "plot_density",
    "plot_depth",
    "plot_film",
    "plot_information",
    "plot_ks",
    "plot_order",
    "plot_phase",
    "plot_quantiles",
    "plot_sweep",
    "read_job",
    "run",
    "samples",
    "sweep_frame",
    "write_job",
]

#: That of the program, which they share.
__version__ = version("fathom-analysis")
