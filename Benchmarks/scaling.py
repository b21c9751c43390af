"""Scaling: a model of the run time, checked on this machine, and the recorded communication replayed by SimGrid.

    python Benchmarks/scaling.py            (make scaling; writes docs/scaling.md, docs/scaling.png)

1. Measured on one rank, on two independent processes at once, and with next to no computation: work, loss by shared
   resources, cost of a collective.
2. Predicted and measured on 1, 2, 4 and 8 ranks.
3. The MPI calls of a run (FATHOM_TRACE) scaled to 32 ... 16,384 ranks of a fat tree and replayed by smpirun.
"""

# ruff: noqa: E501 (the page is written with long lines)
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
FATHOM = ROOT / ".build/release/fathom"
CORES = os.cpu_count()
REPEATS = 12
RANKS = [1, 2, 4, 8]
ENVIRONMENT = os.environ | {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}

ENSEMBLE = """
title = "ensemble"
seed = 1
[network]
architecture = "mlp"
activation = { name = "shaped-relu", c_plus = 0.0, c_minus = -1.0 }
width = 150
depth = 150
inputs = { correlation = 0.3 }
layers = [150]
draws = 24_000
[run]
checkpoint_every = "600s"
"""

COUPLED = """
title = "coupled"
seed = 1
[particles]
system = "gaussian-attraction"
number = 200_000
step = 0.01
steps = 3_000
measure_every = 10
replicas = 1
[run]
checkpoint_every = "600s"
"""

# Next to no work: what is left is starting, a checkpoint and the end.
NOTHING = {"ensemble.toml": ["network.draws=2"], "coupled.toml": ["particles.number=256", "particles.steps=10"]}
# A quarter of the particles: what a step takes beyond a quarter of the work is the collective, and waiting for it.
QUARTER = "particles.number=50_000"


def launch(folder, job, ranks, name, *settings, environment=None):
    """Starts a run; `seconds` waits for it."""
    options = [word for setting in settings for word in ("--set", setting)]
    program = [FATHOM, "run", job, "-o", f"{name}.h5", "--fresh", *options]
    # Two jobs at once would both be bound to the first core.
    mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    process = subprocess.Popen(
        mpirun + program, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=environment or ENVIRONMENT,
    )  # fmt: skip
    return process, time.perf_counter()


def middle(values):
    """What stands for several measurements: the speed of a shared machine changes from minute to minute, both ways."""
    return statistics.median(values)


def seconds(started):
    """Seconds from the start of mpirun to its end."""
    process, start = started
    log = process.communicate()[1]
    if process.returncode != 0:
        raise SystemExit(f"scaling: a run failed:\n{log}")
    return time.perf_counter() - start


class Model:
    """T(P) = start(P) + work x loss(cores in use) / cores in use + steps x collective(P)."""

    def __init__(self, folder, job, steps):
        self.folder, self.job, self.steps = folder, job, steps
        self.work, self.together = [], []
        self.start, self.collective, self.measured = ({ranks: [] for ranks in RANKS} for _ in range(3))

    def round(self):
        """All measurements once, next to one another: the speed of the machine changes from minute to minute."""
        for ranks in RANKS:
            start = seconds(launch(self.folder, self.job, ranks, "nothing", *NOTHING[self.job]))
            self.start[ranks].append(start)
            if self.steps:
                whole = seconds(launch(self.folder, self.job, ranks, "quarter", QUARTER))
                self.collective[ranks].append(whole - start)
        start = max(self.pair(*NOTHING[self.job]))
        self.together.append(max(self.pair()) - start)
        alone = seconds(launch(self.folder, self.job, 1, "alone")) - self.start[1][-1]
        self.work.append(alone)
        for ranks in RANKS:
            self.measured[ranks].append(seconds(launch(self.folder, self.job, ranks, "run")))

    def pair(self, *settings):
        """Seconds of runs on one rank, one a core, at once."""
        started = [launch(self.folder, self.job, 1, f"pair-{k}", *settings) for k in range(CORES)]
        return [seconds(one) for one in started]

    def loss(self):
        """How much longer a run takes where every core has one."""
        return middle(self.together) / middle(self.work)

    def predicted(self, ranks):
        used = min(ranks, CORES)
        loss = self.loss() if used > 1 else 1
        work = middle(self.work) * loss / used
        return middle(self.start[ranks]) + work + (self.waiting(ranks, work) if ranks > 1 else 0)

    def waiting(self, ranks, work):
        """Seconds in collectives."""
        return max(middle(self.collective[ranks]) - work / 4, 0) if self.steps else 0

    def table(self):
        lines = ["| ranks | predicted (s) | measured (s) | difference |", "|---|---|---|---|"]
        for ranks in RANKS:
            measured, predicted = middle(self.measured[ranks]), self.predicted(ranks)
            lines.append(f"| {ranks} | {predicted:.2f} | {measured:.2f} | {100 * (predicted / measured - 1):+.1f}% |")
        return "\n".join(lines)


# --- SimGrid -------------------------------------------------------------------------------------------------------

PER_NODE = 32
PLATFORM = f"""<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="c" prefix="n" suffix="" radical="0-511" speed="1Gf" core="{PER_NODE}" bw="12.5GBps" lat="500ns"
    topology="FAT_TREE" topo_parameters="2;32,16;1,16;1,1" loopback_bw="10GBps" loopback_lat="300ns"/>
</platform>
"""


def record(folder, job, *settings):
    """The calls of rank 0 of two, as (action, words)."""
    traces = folder / "traces"
    traces.mkdir(exist_ok=True)
    seconds(launch(folder, job, 2, "traced", *settings, environment=ENVIRONMENT | {"FATHOM_TRACE": str(traces)}))
    return [line.split()[1:] for line in (traces / "rank-0.trace").read_text().splitlines()]


def sizes(calls, action):
    """Bytes of the calls of a kind, the most frequent first."""
    found = [int(words[1]) for words in calls if words[0] == action]
    return sorted(set(found), key=found.count, reverse=True)


def replay(folder, ranks, steps, compute, collectives):
    """Seconds that a given number of steps take on the fat tree: `compute` nanoseconds a rank, then the collectives."""
    (folder / "fat-tree.xml").write_text(PLATFORM)
    nodes = -(-ranks // PER_NODE)
    (folder / "hosts").write_text("".join(f"n{r // PER_NODE}\n" for r in range(ranks)))
    names = []
    for rank in range(ranks):
        name = folder / f"t{rank}"
        body = "".join(f"{rank} compute {compute}\n" + "".join(f"{rank} {c}\n" for c in collectives) for _ in range(steps))
        name.write_text(f"{rank} init\n{body}{rank} finalize\n")
        names.append(f"{name}\n")
    (folder / "list").write_text("".join(names))
    done = subprocess.run(
        ["smpirun", "-np", str(ranks), "-platform", folder / "fat-tree.xml", "-hostfile", folder / "hosts",
         "-no-privatize", "-replay", folder / "list", "--cfg=smpi/host-speed:1Gf", "--cfg=contexts/stack-size:256",
         "--cfg=smpi/allreduce:rdb", "--cfg=smpi/allgather:bruck", "--cfg=smpi/reduce:binomial",
         "--log=replay.thresh:critical", "--log=no_loc"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    for name in names:
        Path(name.strip()).unlink()
    found = re.search(r"Simulation time ([0-9.e+-]+)", done.stdout + done.stderr)
    if not found:
        raise SystemExit(f"scaling: smpirun failed on {ranks} ranks, {nodes} nodes:\n{(done.stdout + done.stderr)[-2000:]}")
    return float(found[1])


def checkpoint_seconds(folder):
    """What a run says that its checkpoint took."""
    process, _ = launch(folder, "ensemble.toml", 2, "checkpoint", *NOTHING["ensemble.toml"])
    return float(re.search(r"1 checkpoint, ([0-9.]+) s", process.communicate()[1])[1])


LARGE = [32, 128, 512, 2048, 8192, 16384]
CORE_HOURS = 1000
PARTICLES = 1_000_000
ROUND = 0.5
CHECKPOINT_EVERY = 60


def ensemble_at_scale(folder, calls, write):
    """Efficiency of an ensemble job of a given number of core hours; a round of half a second ends in an allgather."""
    gather = sizes(calls, "allgather")[0]
    tallies = [f"reduce {n} {n // 8} 0" for n in sizes(calls, "reduce")]
    points = {}
    for ranks in LARGE:
        agree = replay(folder, ranks, 1, 0, [f"allgather {gather} {gather}"])
        hand_in = replay(folder, ranks, 1, 0, tallies)
        work = CORE_HOURS * 3600 / ranks
        rounds, checkpoints = work / ROUND, max(1, work / CHECKPOINT_EVERY)
        # In the last round some ranks wait for others, half a round on average.
        points[ranks] = work / (work + rounds * agree + checkpoints * (hand_in + write) + ROUND / 2)
        print(f"ensemble, {ranks} ranks: {100 * points[ranks]:.1f}%", flush=True)
    return points


def coupled_at_scale(folder, calls, steps):
    """Efficiency of one system of a million particles: each step ends in an allreduce, each tenth in a larger one."""
    compute = 2 * sum(int(words[1]) for words in calls if words[0] == "compute") / steps
    small, measured = sizes(calls, "allreduce")[0], max(sizes(calls, "allreduce")[:3])
    points = {}
    for ranks in LARGE:
        step = replay(folder, ranks, 2, int(compute / ranks), [f"allreduce {small} {small // 8}"]) / 2
        every_tenth = replay(folder, ranks, 1, 0, [f"allreduce {measured} {measured // 8}"])
        points[ranks] = compute * 1e-9 / ranks / (step + every_tenth / 10)
        print(f"coupled, {ranks} ranks: {100 * points[ranks]:.1f}%", flush=True)
    return points, compute


def half(points):
    """Ranks at which the efficiency falls below a half, between the points; None where it never does."""
    previous = None
    for ranks, efficiency in points.items():
        if efficiency < 0.5:
            if previous is None:
                return f"below {ranks}"
            r0, e0 = previous
            x = r0 * (ranks / r0) ** ((e0 - 0.5) / (e0 - efficiency))
            return f"about {round(x, -1 if x < 1000 else -2):,.0f}"
        previous = (ranks, efficiency)
    return None


def draw(models, curves):
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    for (name, model), colour in zip(models.items(), ("tab:blue", "tab:red"), strict=True):
        one = middle(model.measured[1])
        axes[0].plot(RANKS, [one / model.predicted(r) for r in RANKS], "-", color=colour, label=f"{name}, predicted")
        axes[0].plot(RANKS, [one / middle(model.measured[r]) for r in RANKS], "o", color=colour, label="measured")
    axes[0].set(xlabel="ranks", ylabel="speed against one rank", xscale="log", xticks=RANKS, xticklabels=RANKS, ylim=(0, None))
    axes[0].minorticks_off()
    axes[0].set_title(f"this machine, {CORES} cores", fontsize=10)
    for (name, points), colour in zip(curves.items(), ("tab:blue", "tab:red"), strict=True):
        axes[1].plot(points.keys(), [100 * e for e in points.values()], "o-", color=colour, label=name)
    axes[1].axhline(50, color="0.7", lw=1)
    axes[1].set(xlabel="ranks", ylabel="efficiency (%)", xscale="log", ylim=(0, 105))
    axes[1].set_title("fat tree of 512 nodes x 32 cores, SimGrid", fontsize=10)
    for ax in axes:
        ax.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(ROOT / "docs/scaling.png", dpi=140)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ensemble.toml").write_text(ENSEMBLE)
        (folder / "coupled.toml").write_text(COUPLED)
        models = {"ensemble": Model(folder, "ensemble.toml", 0), "coupled": Model(folder, "coupled.toml", 3000)}
        for repeat in range(REPEATS):
            for model in models.values():
                model.round()
            print(f"round {repeat + 1} of {REPEATS}", flush=True)
        for model in models.values():
            print(model.table(), flush=True)
        calls = record(folder, "ensemble.toml")
        write = checkpoint_seconds(folder)
        ensemble = ensemble_at_scale(folder, calls, write)
        many = [f"particles.number={PARTICLES}", "particles.steps=100"]
        calls = record(folder, "coupled.toml", *many)
        coupled, compute = coupled_at_scale(folder, calls, 100)
    draw(models, {"ensemble, 1,000 core hours": ensemble, "one system, N = 1,000,000": coupled})
    rows = "\n".join(f"| {r:,} | {100 * ensemble[r]:.1f}% | {100 * coupled[r]:.1f}% |" for r in LARGE)
    system = models["coupled"]
    work = [middle(system.work) * system.loss() / min(r, CORES) for r in RANKS]
    costs = ", ".join(
        f"{1e6 * system.waiting(r, w) / system.steps:.0f} us on {r}" for r, w in zip(RANKS[1:], work[1:], strict=True)
    )
    ends = half(ensemble)
    (ROOT / "docs/scaling.md").write_text(f"""# How far it scales

Written by `make scaling` (Benchmarks/scaling.py). The model: T(P) = start(P) + work x loss / min(P, cores) + steps x collective(P). Its numbers are measured apart from what it
predicts: the start by a job of next to no work, the work on one rank, the loss by {CORES} processes that run at once without a word between them, the collective, and the
waiting for it, by what a system of a quarter of the size takes beyond a quarter of the work. Medians over {REPEATS} rounds in which everything is measured once: the speed of this machine changes from minute to
minute by a tenth and more (one rank is predicted from another run of the same, and shows it). 4 and 8 ranks share {CORES} cores.

Ensemble (150 x 150 networks, 24,000 draws; loss {models["ensemble"].loss():.3f}):

{models["ensemble"].table()}

One coupled system (200,000 particles, 3,000 steps, an allreduce a step; loss {models["coupled"].loss():.3f}; a step waits {costs} ranks):

{models["coupled"].table()}

![Measured and predicted speed; predicted efficiency on a fat tree](scaling.png)

## On a machine that is not here

`FATHOM_TRACE=folder` makes every rank record its MPI calls and the CPU time between them, as a trace that SimGrid's `smpirun -replay` reads. The recorded pattern, with the computation of a
rank scaled to the ranks, was replayed on a fat tree of 512 nodes of {PER_NODE} cores (12.5 GB/s, 0.5 us a link):

| ranks | ensemble, {CORE_HOURS:,} core hours | one system, N = {PARTICLES:,} ({compute / 1e6:.1f} ms a step on one core) |
|---|---|---|
{rows}

- An **ensemble** meets its ranks twice a second, in one allgather, and at each checkpoint ({write:.2f} s on rank 0, every {CHECKPOINT_EVERY} s here) in a reduction of its tallies. {"It stays above a half everywhere here" if ends is None else f"It falls below a half at {ends} ranks"}; what is
  lost is the checkpoint that rank 0 writes while others wait, and the last round. A longer `run.checkpoint_every` and more draws help.
- **One system** ends each step in an allreduce, whose latency grows with log P: its efficiency falls below a half at {half(coupled)} ranks. Beyond that, more ranks should have
  more replicas: `run.shards` sets how many ranks share one, and by default ranks are split over the replicas first. Particles that do not interact through features but in pairs have more to compute a step and go further.
""")


if __name__ == "__main__":
    main()
