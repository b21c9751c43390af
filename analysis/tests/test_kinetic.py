"""Kinetic-optimal paths of a result."""

import numpy as np
import pytest
from conftest import run

import fathom

JOB = """
seed = 1
[diffusion]
process = "kinetic-path"
data = "{data}"
dimension = {dimension}
angles = {angles}
draws = 3000
"""


# Angle, energies of the optimal path and of cond-OT of two points +-sqrt(d) e_1 (an independent quadrature).
@pytest.mark.parametrize("dimension, angle, optimal, straight", [(1, 0.69126, 0.45912, 0.98240), (16, 1.39260, 1.64549, 1.74560)])
def test_two_points(tmp_path, dimension, angle, optimal, straight):
    path = fathom.kinetic_path(fathom.open(run(tmp_path, JOB.format(data="two-points", dimension=dimension, angles=64), "two")))
    assert abs(path.Phi - angle) < 4 * path.Phi_error + 1e-3
    for schedule, energy in (("optimal", optimal), ("cond-ot", straight)):
        one = path.sel(schedule=schedule)
        assert abs(one.energy - energy) < 4 * one.energy_error + 2e-3
    # From noise to data, and no schedule is cheaper.
    assert np.allclose([path.alpha[0], path.sigma[0], path.alpha[-1], path.sigma[-1]], [0, 1, 1, 0], atol=0.15)
    assert (path.energy[0] < path.energy[1:]).all()


def test_gaussian_data_cost_nothing(tmp_path):
    path = fathom.kinetic_path(fathom.open(run(tmp_path, JOB.format(data="normal", dimension=400, angles=32), "normal")))
    assert path.Phi < 0.1 and path.energy[0] < 0.01


def test_other_results_are_refused(network, tmp_path):
    with pytest.raises(ValueError, match="kinetic-path"):
        fathom.kinetic_path(fathom.open(network))
