"""fathom.run: the same bits as the program by itself, its messages, its checkpoints, a bar."""

import io
import itertools
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import FATHOM, ROOT

import fathom
from fathom import jobs, launch, progress

JOB = {
    "seed": 5,
    "network": {
        "architecture": "mlp", "activation": {"name": "shaped-relu", "c_plus": 0.0, "c_minus": -1.0}, "width": 8, "depth": 2,
        "inputs": {"correlation": 0.5}, "draws": 300,
    },
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("here")


def digest(path):
    return subprocess.run([FATHOM, "digest", path], capture_output=True, text=True, check=True).stdout


def draws(result):
    return int(result.finite().attrs["draws"])


def test_is_what_the_program_does_by_itself(here):
    (here / "jobs").mkdir()
    path = fathom.write_job(JOB, here / "jobs/small.toml")
    settings = {"network.width": np.int64(16), "network.activation": {"name": "shaped-relu", "c_plus": 0.5, "c_minus": -1.0}}
    words = ["--set", "network.width=16", "--set", 'network.activation={name="shaped-relu", c_plus=0.5, c_minus=-1.0}']
    subprocess.run([FATHOM, "run", path, "-o", "own.h5", *words], check=True, capture_output=True)
    one = fathom.run(path, set=settings)
    assert one.path == here / "jobs/small.h5" and one.finished and one.provenance()["ranks"] == "1"
    # More ranks than cores here, so mpirun has to be told that this is meant.
    three = fathom.run(str(path), 3, settings, output="three.h5")
    assert three.provenance()["ranks"] == "3" and three.path == Path("three.h5")
    table = fathom.run(JOB, set=settings)
    assert len({digest(r) for r in ("own.h5", one.path, three.path, table.path)}) == 1


def test_a_dict_finds_its_file_again(here):
    job = {"title": "Two inputs, tanh!", **JOB}
    first = fathom.run(job)
    assert first.path.name.startswith("two-inputs-tanh-") and first.path.parent == Path() and first.title == "Two inputs, tanh!"
    more = fathom.run(job, set={"network.draws": 500})
    assert more.path == first.path and draws(more) == 500
    assert launch._output({**job, "network": {**JOB["network"], "draws": 900}}, {}) == first.path
    assert launch._output(job, {"network.width": 9}) != first.path == launch._output({**job, "comparison": {"ks": 0.1}}, {"expect.exact": "any"})
    assert fathom.run({**JOB, "run": {"output": "named.h5"}}).path == Path("named.h5")
    with pytest.raises(
        fathom.RunError, match=r"^named\.h5 holds another job: there main: network\.width = 8, here main: network\.width = 9"
    ) as error:
        fathom.run(JOB, output="named.h5", set={"network.width": 9})
    assert error.value.exit_code == 65
    assert fathom.run(JOB, output="named.h5", set={"network.width": 9}, fresh=True).finite().attrs["width"] == "9"
    assert not list(here.glob("*.toml"))


@pytest.mark.parametrize("ranks", [1, 2])
def test_failures_are_the_programs_own_words(ranks):
    with pytest.raises(fathom.RunError) as error:
        fathom.run(JOB, ranks, {"network.widht": 3})
    assert str(error.value).startswith("network.widht = 3: unknown key (did you mean width?); network takes") and "\n" not in str(error.value)
    assert error.value.exit_code == 65 and "fathom: error" in error.value.log


def test_other_failures(here):
    with pytest.raises(fathom.RunError, match=r"^nope\.toml: no such file"):
        fathom.run("nope.toml")
    with pytest.raises(fathom.RunError, match=r"^Unknown option '--foo'") as error:
        fathom.run(JOB, options=["--foo"])
    assert error.value.exit_code == 64


def test_what_mpirun_adds_is_left_out():
    line = "-" * 74
    boilerplate = [line, "Primary job  terminated normally, but 1 process returned", "a non-zero exit code.", line]
    killed = [line, "mpirun noticed that process rank 1 with PID 0 on node vm exited on signal 9 (Killed).", line]
    log = ["fathom: version 0.2.0, x", "fathom: error: first", "second", "fathom: later", *boilerplate]
    assert launch._message(log, 65) == "first\nsecond"
    assert launch._message(["fathom: version 0.2.0, x", *boilerplate, *killed], 137) == killed[1]
    assert launch._message([], -9) == "SIGKILL ended the program"
    assert launch._message(["fathom: almost done", *boilerplate], 3) == "almost done"
    assert "exit code 3" in launch._message([], 3)


def test_the_program_and_the_launcher_are_found(here, monkeypatch):
    with pytest.raises(ValueError, match="ranks = 0"):
        fathom.run(JOB, 0)
    with pytest.raises(fathom.RunError, match="launcher = 'no-such-launcher -x': there is no such program"):
        fathom.run(JOB, launcher="no-such-launcher -x")
    with pytest.raises(fathom.RunError, match="program = /nowhere/fathom: there is no such program: install its Debian package, build it in a clone"):
        fathom.run(JOB, program="/nowhere/fathom")
    monkeypatch.setenv("FATHOM", "/nowhere/else")
    with pytest.raises(fathom.RunError, match="FATHOM = /nowhere/else") as error:
        fathom.run(JOB)
    assert error.value.exit_code is None
    monkeypatch.delenv("FATHOM")
    with monkeypatch.context() as patch, pytest.raises(fathom.RunError, match=r"fathom is not on the PATH: install .* clone .*make install"):
        patch.setenv("PATH", str(here))
        patch.setattr(launch, "PACKAGED", "/nowhere/fathom")
        fathom.run(JOB)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(here))
        patch.setattr(launch, "PACKAGED", str(FATHOM))
        assert launch._find(None) == str(FATHOM)
    with monkeypatch.context() as patch, pytest.raises(fathom.RunError, match="mpirun is not on the PATH: install Open MPI"):
        patch.setenv("PATH", str(here))
        fathom.run(JOB, 2, program=FATHOM)
    monkeypatch.setenv("PATH", str(FATHOM.parent), prepend=os.pathsep)
    (here / "srun").write_text('#!/bin/sh\necho "$*" > words\nshift 3\nexec "$@"\n')
    (here / "srun").chmod(0o755)
    assert fathom.run(JOB, 1, launcher=f"{here}/srun --mpi=pmix").finished
    assert (here / "words").read_text().startswith("--mpi=pmix -n 1 ")


def test_slots_are_those_of_open_mpi(monkeypatch):
    for name in ("SLURM_JOB_ID", "PBS_NODEFILE", "LSB_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    assert 1 <= launch._cores() <= os.cpu_count()
    many = launch._cores() + 1
    assert launch._launch(many, None) == ["mpirun", "--oversubscribe", "-n", str(many)] and "--oversubscribe" not in launch._launch(2, "mpirun")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert launch._launch(many, None) == ["mpirun", "-n", str(many)]


class Interrupt(logging.Handler):
    """A signal to the whole group of processes, as Ctrl-C sends it, as soon as the program has begun to draw."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def emit(self, record):
        if record.getMessage().endswith(" to make"):
            os.killpg(0, self.number)


def stop(ranks, draws, number):
    """A run that is interrupted; what it raises."""
    launch.LOG.setLevel(logging.INFO)
    launch.LOG.addHandler(Interrupt(number))
    # Tests that a shell runs in the background inherit that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        fathom.run(JOB, ranks, {"network.draws": draws}, output="long.h5", progress=True)
    except fathom.Interrupted as error:
        print(error)


WORDS = "stopped with a checkpoint in long.h5; the same call resumes\n"


@pytest.mark.parametrize("ranks, number, code, words", [(1, signal.SIGTERM, 143, ""), (2, signal.SIGINT, 0, WORDS)])
def test_an_interrupt_leaves_a_checkpoint(ranks, number, code, words, caplog):
    command = [sys.executable, "-c", f"import test_run; test_run.stop({ranks}, 10**9, {int(number)})"]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    shown = subprocess.run(command, env=env, start_new_session=True, capture_output=True, text=True, timeout=120)
    assert (shown.stdout, shown.returncode) == (words, code), shown.stderr
    done = draws(fathom.open("long.h5"))
    assert done < 10**9 and not fathom.open("long.h5").finished
    caplog.set_level(logging.INFO, "fathom")
    result = fathom.run(JOB, 1, {"network.draws": done + 1000}, output="long.h5")
    assert any(message.startswith(f"long.h5: resuming from {done} draw") for message in caplog.messages) and draws(result) >= done + 1000


def test_a_run_that_stops_by_itself_can_be_resumed(here):
    (here / "program").write_text("#!/bin/sh\necho fathom: stopped in time for --walltime 4h >&2\nexit 75\n")
    (here / "program").chmod(0o755)
    with pytest.raises(fathom.RunError, match=r"^stopped before it was finished; the same call resumes from x\.h5$") as error:
        fathom.run(JOB, output="x.h5", program=here / "program")
    assert error.value.exit_code == 75 and error.value.log == "fathom: stopped in time for --walltime 4h"


def test_who_sees_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not progress.is_watched()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert progress.is_watched()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not progress.is_watched()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))
    assert progress.is_watched()


def test_a_bar_moves(capfd):
    fathom.run(JOB, set={"network.draws": 100_000}, progress=True)
    shown = capfd.readouterr().err.replace("\r", "\n")
    steps = [int(line.split(": ")[1].split("%")[0]) for line in shown.splitlines() if line.startswith("network: ")]
    assert steps == sorted(steps) and steps[0] < 100 and steps[-1] == 100 and "draws/s, " in shown
    # Nothing is left to do, and the bar says so.
    fathom.run(JOB, set={"network.draws": 100_000}, progress=True)
    shown = capfd.readouterr().err
    assert "network" not in shown and shown.rstrip().split("\r")[-1].startswith("fathom: 100%")
    fathom.run(JOB, set={"network.draws": 100_000})
    assert capfd.readouterr().err == ""


def test_a_bar_moves_under_mpirun(monkeypatch):
    times, plain = [], progress.Bar._move

    def move(bar, path, percent, facts):
        plain(bar, path, percent, facts)
        times.append(time.monotonic())
        if len(times) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(progress.Bar, "_move", move)
    with pytest.raises(fathom.Interrupted):
        fathom.run(JOB, 2, {"network.draws": 10**9}, output="long.h5", progress=True)
    # The first is the start of the leg. Without --progress-every a line comes after ten seconds; a late one on a busy machine is no matter.
    gaps = sorted(b - a for a, b in itertools.pairwise(times[:7]))
    assert gaps[len(gaps) // 2] < 4 and times[6] - times[0] < 30, gaps


def test_how_often_a_log_says_how_far_it_is(here):
    path = fathom.write_job(JOB, here / "job.toml")

    def lines(*options):
        command = [FATHOM, "run", path, "--fresh", "--set", "network.draws=400000", *options]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        return shown.returncode, [line for line in shown.stderr.splitlines() if progress.PROGRESS.match(line)], shown.stderr

    # People's logs are as before: nothing within ten seconds.
    assert lines()[:2] == (0, [])
    code, found, _ = lines("--progress-every", "0.5s")
    assert code == 0 and len(found) >= 1 and ": 100.0%, " in found[-1]
    code, _, error = lines("--progress-every", "often")
    assert code == 64 and "--progress-every often: must be a time like 90s" in error


def test_what_the_program_says_moves_the_bar():
    bar = progress.Bar(False)
    bar._bar = SimpleNamespace(
        n=0.0, **{name: lambda *a, **k: None for name in ("reset", "set_description_str", "set_postfix_str", "refresh", "close")}
    )
    for line, is_taken, percent in [
        ("fathom: main/network: 300 draws to make", False, 0.0),
        ("fathom: a=1,b=2/sde: 50 of 200 draws in the file, 150 to go", False, 25.0),
        ("fathom: a=1,b=2/sde: 37.5%, 5.1e+05 draws/s, 2 s left", True, 37.5),
        ("fathom: a=1,b=2/sde: 40.0%, 5.1e+05 draws/s, ? left", True, 40.0),
        ("fathom: wrote x.h5", False, 40.0),
        ("fathom: main/particles: 1 replica to make", False, 0.0),
    ]:
        assert bar.read(line) is is_taken and bar._bar.n == percent, line
    assert progress.leg_name("main/network") == "network" and progress.leg_name("network.width=8,network.c=2.0/exact") == "exact, width 8, c 2.0"
    assert len(progress.leg_name("network.inputs=" + "x" * 80 + "/exact")) == 48


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.toml")), ids=lambda path: path.stem)
def test_jobs_are_dicts(path, tmp_path):
    job = fathom.read_job(path)
    assert fathom.read_job(fathom.write_job(job, tmp_path / "job.toml")) == job
    assert {key: fathom.jobs.tomllib.loads(f"x = {jobs.inline(value, key)}")["x"] for key, value in job.items()} == job


def test_values_become_those_of_toml(tmp_path):
    job = {
        "a": np.float64(1e-300),
        "b": np.arange(3),
        "c": (1, 2.5),
        "d": Path("x/y"),
        "e f": {"g.h": [{"i": True}, {}]},
        "j": 'a "b"\n\\',
        "k": np.bool_(True),
    }
    plain = {"a": 1e-300, "b": [0, 1, 2], "c": [1, 2.5], "d": "x/y", "e f": {"g.h": [{"i": True}, {}]}, "j": 'a "b"\n\\', "k": True}
    assert fathom.read_job(fathom.write_job(job, tmp_path / "job.toml")) == plain
    assert jobs.inline(plain, "x").count("\n") == 0 and jobs.tomllib.loads(f"x = {jobs.inline(job, 'x')}")["x"] == plain
    for value, words in [
        ({"n": {"w": None}}, r"n\.w = None: TOML has no None"), ({"n": [1, {"w": object}]}, r"n\[1\]\.w = .*: must be a number"),
        ({"n": {3: 1}}, "n: the key 3 is no text"), ({"n": np.array([np.nan])}, r"n\[0\] = nan"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=words):
            fathom.write_job(value, tmp_path / "bad.toml")
    assert not (tmp_path / "bad.toml").exists()
    (tmp_path / "bad.toml").write_text("a = = 3")
    with pytest.raises(ValueError, match=r"bad\.toml: Invalid value \(at line 1"):
        fathom.read_job(tmp_path / "bad.toml")
