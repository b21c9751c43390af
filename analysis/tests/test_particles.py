"""Particle results as the readers of the field open them: xarray, ArviZ, MDAnalysis; and their figure."""

import subprocess
import warnings

import numpy as np
import pytest
import xarray as xr
from test_result_file import FATHOM, open_leg

import fathom

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import arviz as az
    from MDAnalysis.coordinates.H5MD import H5MDReader

CHAINS = """
seed = 4
[particles]
system = "cosine-well"
integrator = "mala"
number = 40
step = 0.2
inverse_temperature = 2.0
warm_up = 200
steps = 4000
replicas = 4
frame_every = 5
framed_particles = 12
"""
SYSTEM = """
seed = 4
[particles]
system = "gaussian-kernel"
number = 300
step = 0.02
steps = 100
records = 4
measure_every = 5
replicas = 3
frame_every = 10
framed_particles = 280
"""


def run(folder, text):
    (folder / "job.toml").write_text(text)
    subprocess.run([FATHOM, "run", "job.toml"], cwd=folder, check=True, capture_output=True)
    return folder / "job.h5"


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    return run(tmp_path_factory.mktemp("chains"), CHAINS)


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    return run(tmp_path_factory.mktemp("system"), SYSTEM)


def test_arviz_reads_chains(chains):
    data = az.from_netcdf(chains)
    assert dict(data.posterior["x"].sizes) == {"chain": 12, "draw": 800, "coordinate": 1}
    x = data.posterior["x"].values[:, :, 0]
    lp = data.sample_stats["lp"].values
    np.testing.assert_allclose(lp, -2.0 * (x**2 / 2 + np.cos(2 * x)), rtol=1e-12, atol=1e-12)
    assert np.all((data.sample_stats["acceptance_rate"] > 0) & (data.sample_stats["acceptance_rate"] <= 1))
    summary = az.summary(data, var_names=["x"])
    assert float(summary["r_hat"].iloc[0]) < 1.1 and float(summary["ess_bulk"].iloc[0]) > 200


def test_arviz_reads_an_interacting_system(system):
    data = az.from_netcdf(system)
    assert dict(data.posterior["x[0]"].sizes) == {"chain": 3, "draw": 10}
    assert "energy" in data.sample_stats
    leg = open_leg(system, "particles")
    # Frames every 10 steps are every other measurement: of the same size as the means of the records.
    spread = float(data.posterior["x[0]^2"].mean()) / float(leg["mean"].sel(observable="x[0]^2").mean())
    assert 0.9 < spread < 1.1


def test_mdanalysis_reads_the_trajectory(system, chains):
    reader = H5MDReader(str(system), convert_units=False)
    assert reader.n_atoms == 280 and reader.n_frames == 10
    assert [frame.time for frame in reader] == pytest.approx([0.02 * 10 * k for k in range(1, 11)])
    positions = reader[9].positions
    assert np.all(positions[:, 2] == 0) and np.std(positions[:, 0]) > 0.1
    one = H5MDReader(str(chains), convert_units=False)
    x = az.from_netcdf(chains).posterior["x"].values[:, :, 0]
    for frame in (0, 799):
        np.testing.assert_allclose(one[frame].positions[:, 0], x[:, frame], rtol=1e-6)


@pytest.mark.parametrize(("warm_up", "steps", "every", "times"), [(10, 80, 10, [30, 50, 70, 90]), (0, 60, 15, [30, 60]), (5, 20, 5, [15, 25])])
def test_the_time_step_of_a_trajectory_is_that_between_its_frames(tmp_path, warm_up, steps, every, times):
    """Frames are a few measurements of a few steps apart, and begin after the warm-up: dt and the total time are in units of time."""
    text = SYSTEM.replace("records = 4\nmeasure_every = 5", f"measure_every = {every}").replace("frame_every = 10", f"frame_every = {2 * every}")
    text = text.replace("step = 0.02", "step = 1.0").replace("steps = 100", f"warm_up = {warm_up}\nsteps = {steps}")
    file = run(tmp_path, text.replace('"gaussian-kernel"', '"gaussian"\nintegrator = "mala"'))
    for reader in (fathom.open(file).trajectory(), H5MDReader(str(file), convert_units=False)):
        assert [frame.time for frame in reader] == pytest.approx(times)
        assert reader.dt == pytest.approx(times[1] - times[0])
        assert reader.totaltime == pytest.approx(times[-1] - times[0])
        assert reader[-1].time == pytest.approx(times[-1])


def test_tables_of_the_replicas(system):
    leg = open_leg(system, "particles")
    assert leg["replica_value"].dims == ("replica", "step", "observable")
    assert list(leg.step.values) == [25, 50, 75, 100] and list(leg.replica.values) == [0, 1, 2]
    np.testing.assert_allclose(leg["replica_value"].mean("replica"), leg["mean"], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(leg["standard_error"], leg["replica_value"].std("replica", ddof=1) / np.sqrt(3), rtol=1e-6, atol=1e-12)
    halves = 0.5 * (leg["first_half"] + leg["second_half"])
    np.testing.assert_allclose(halves.mean("replica"), leg["mean"].mean("step"), rtol=1e-10, atol=1e-14)
    widths = np.diff(leg["marginal_edge"], axis=-1)
    assert np.all(np.abs((leg["marginal_density"].values * widths).sum(axis=-1) - 0.999) < 2e-3)
    assert {"split_r_hat", "r_hat", "effective_samples", "tail_effective_samples", "batch_means_error"} <= set(leg.data_vars)


def test_bias_and_order_tables(tmp_path):
    text = CHAINS.replace("frame_every = 5\nframed_particles = 12\n", "").replace('"mala"', '"lmc"')
    text += '[bias]\n[sweep]\n"particles.step" = [0.1, 0.15, 0.2]\n'
    file = run(tmp_path, text)
    bias = fathom.open(file).bias()[0]
    assert set(bias["observable"].values) >= {"x^2", "energy"}
    # a - 2 (a - c): the value at step 0 of an error of first order, by hand.
    particles, half = (
        open_leg_of(file, "particles.step=0.1", name)["mean"].sel(observable="energy").item() for name in ("particles", "particles-half-step")
    )
    double = open_leg_of(file, "particles.step=0.1", "particles-2N")["mean"].sel(observable="energy").item()
    row = list(bias["observable"].values).index("energy")
    assert bias["step_bias"].values[row] == pytest.approx(2 * (particles - half), rel=1e-9)
    assert bias["extrapolated"].values[row] == pytest.approx(particles - 2 * (particles - double) - 2 * (particles - half), rel=1e-9)
    order = fathom.open(file).orders()[0]
    assert order.attrs["key"] == "particles.step" and "order_error" in order


def open_leg_of(path, case, leg):
    return xr.open_dataset(path, group=f"cases/{case}/{leg}", engine="h5netcdf")
