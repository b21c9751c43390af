"""Runs of the program that several tests read."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FATHOM = Path(os.environ.get("FATHOM_PRODUCTS", ROOT / ".build" / "release")) / "fathom"


def run(folder, job, name, *settings, check=True):
    """Runs a job of jobs/, or the text of one, with settings; the path of its result."""
    if "\n" in str(job):
        (folder / f"{name}.toml").write_text(job)
        job = folder / f"{name}.toml"
    path = folder / f"{name}.h5"
    options = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([FATHOM, "run", job, "-o", path, *options], check=check, capture_output=True, cwd=folder)
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to run in, with the program of this tree, also for root."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FATHOM", str(FATHOM))
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
        monkeypatch.setenv(name, "1")
    return tmp_path


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """Finite networks against an SDE, over five layers."""
    return run(
        tmp_path_factory.mktemp("network"), ROOT / "jobs/neural-covariance.toml", "neural-covariance", "network.draws=4000",
        "network.width=20", "network.depth=20", "network.layers=[4, 8, 12, 16, 20]",
    )  # fmt: skip


@pytest.fixture(scope="session")
def widths(tmp_path_factory):
    """A sweep over widths, with its extrapolation."""
    return run(tmp_path_factory.mktemp("widths"), ROOT / "jobs/width-sweep.toml", "width-sweep", "network.draws=2000")


@pytest.fixture(scope="session")
def phases(tmp_path_factory):
    """A sweep over two numbers, in every combination: order and chaos of tanh networks."""
    text = """
seed = 5
[network]
architecture = "mlp"
activation = "tanh"
c = 1.0
bias = 0.0
width = 20
depth = 10
inputs = { correlation = 0.5 }
observables = ["rho"]
draws = 200
[sweep]
"network.c" = [0.5, 1.0, 2.0, 4.0]
"network.bias" = [0.0, 0.3, 0.6]
"""
    return run(tmp_path_factory.mktemp("phases"), text, "phases")


PARTICLES = """
seed = 5
[particles]
system = "gaussian-attraction"
dimension = 2
number = 50
step = 0.1
warm_up = 20
steps = 200
records = 4
replicas = 4
frame_every = 20
framed_particles = 20
[bias]
[sweep]
"particles.step" = [0.05, 0.1, 0.2]
"""


@pytest.fixture(scope="session")
def particles(tmp_path_factory):
    """Particles with a trajectory, [bias] and a sweep over the step."""
    return run(tmp_path_factory.mktemp("particles"), PARTICLES, "particles")


@pytest.fixture(scope="session")
def unfinished(tmp_path_factory):
    """A run that was stopped: half of its replicas are there."""
    folder = tmp_path_factory.mktemp("unfinished")
    text = PARTICLES.split("[bias]")[0]
    path = run(folder, text, "unfinished", "particles.replicas=4")
    subprocess.run(
        [FATHOM, "run", folder / "unfinished.toml", "-o", path, "--set", "particles.replicas=8", "--part", "1/8"],
        check=False, capture_output=True, cwd=folder,
    )  # fmt: skip
    return path
