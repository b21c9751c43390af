"""Runs the program: `fathom.run`."""

import contextlib
import hashlib
import json
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import jobs
from .progress import Bar, is_watched
from .result import Result
from .result import open as open_result

LOG = logging.getLogger("fathom")
INSTALL = (
    "install its Debian package, build it in a clone of fathom with `make install PREFIX=$HOME/.local` and add $HOME/.local/bin to PATH, "
    "or say where it is with program= or the variable FATHOM"
)
#: Where the Debian package puts the program.
PACKAGED = "/usr/bin/fathom"
#: Exit code of a run that stopped with a checkpoint.
STOPPED = 75
#: mpirun's words about an exit code that is not 0; the program's own message says more.
BOILERPLATE = ("Primary job", "mpirun detected that one or more processes exited with non-zero status")


class RunError(Exception):
    """A run that did not finish, with the message of the program.

    `exit_code` is that of the program: 64 usage, 65 bad job or data, 70 a bug, 74 input or output failed, 75 stopped with a checkpoint;
    negative for a signal; None where nothing was started. `log` has all lines that were printed.
    """

    def __init__(self, message: str, exit_code: int | None = None, log: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.log = log


class Interrupted(KeyboardInterrupt):
    """A run that was interrupted; the message says whether a checkpoint was written, and how to resume."""


def run(
    job: str | Path | Mapping[str, Any],
    ranks: int = 1,
    set: Mapping[str, Any] | None = None,
    *,
    output: str | Path | None = None,
    fresh: bool = False,
    program: str | Path | None = None,
    launcher: str | Sequence[str] | None = None,
    options: Sequence[str] = (),
    progress: bool | None = None,
) -> Result:
    """Runs a job, resumes it, or adds draws to it, as `fathom run` does; returns the result, opened.

    `job`: a job file, or a dict with the tables and keys of one. Relative paths of data start at the job file, then at the current folder.
    `ranks`: above 1 under mpirun.
    `set`: keys that override those of the job, `{"network.width": 64}`.
    `output`: the result file. Default: `run.output` of the job; else the name of the job file with .h5, next to it; of a dict, a name in
    the current folder that is made from its title and what decides its draws, so that the same dict with more draws extends its file.
    `fresh`: start from scratch; an existing result file is kept under another name.
    `program`: the program; default: the variable FATHOM, else `fathom` on the PATH, else that of the Debian package.
    `launcher`: what starts the ranks, such as `"srun --mpi=pmix"`; `-n RANKS` is added.
    `options`: more options of `fathom run`, such as `["--walltime", "4h"]`.
    `progress`: a bar with the program's rate and time left; default: on a terminal and in a notebook.

    Interrupting it (Ctrl-C, the stop button of a notebook) asks the program for a checkpoint and raises `Interrupted`; the same call
    resumes. A second interrupt does not wait for the checkpoint. SIGTERM asks for a checkpoint too, and then ends Python. Raises
    `RunError` with the program's message and exit code if it fails, `ValueError` for a dict that is no job file. Lines of the program's
    log go to the logger `fathom` at level INFO.
    """
    if ranks < 1:
        raise ValueError(f"ranks = {ranks}: must be 1 or more")
    settings = dict(set or {})
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={jobs.inline(value, key)}")]
    place = Path(output) if output is not None else _output(job, settings)
    command = [*_launch(ranks, launcher), _find(program), "run"]
    with tempfile.TemporaryDirectory(prefix="fathom-") as folder:
        # Without a title the program takes the path of the job file, which means nothing of a dict.
        own = Path(folder) / f"{place.stem}.toml"
        path = jobs.write_job({"title": place.stem, **job}, own) if isinstance(job, Mapping) else Path(job)
        command += [str(path), *words, "--output", str(place), *(["--fresh"] if fresh else [])]
        shown = is_watched() if progress is None else progress
        if shown and not any(word.startswith("--progress-every") for word in options):
            command += ["--progress-every", "0.5s"]
        _follow([*command, *options], place, shown)
    return open_result(place)


def _find(program: str | Path | None) -> str:
    """The path of the program."""
    asked, source = (program, "program") if program is not None else (os.environ.get("FATHOM") or None, "FATHOM")
    # A notebook server's PATH may lack even /usr/bin.
    found = shutil.which(str(asked)) if asked is not None else shutil.which("fathom") or shutil.which(PACKAGED)
    if found is None:
        what = "the program fathom is not on the PATH" if asked is None else f"{source} = {asked}: there is no such program"
        raise RunError(f"{what}: {INSTALL}")
    return found


def _launch(ranks: int, launcher: str | Sequence[str] | None) -> list[str]:
    """What comes before the program."""
    if launcher is not None:
        words = shlex.split(launcher) if isinstance(launcher, str) else list(launcher)
        if not words or shutil.which(words[0]) is None:
            raise RunError(f"launcher = {launcher!r}: there is no such program")
        return [*words, "-n", str(ranks)]
    if ranks == 1:
        return []
    if shutil.which("mpirun") is None:
        raise RunError("mpirun is not on the PATH: install Open MPI, say launcher= (such as 'srun'), or run with ranks=1")
    return ["mpirun", *(["--oversubscribe"] if ranks > _cores() and _is_open_mpi() else []), "-n", str(ranks)]


def _cores() -> int:
    """The slots that Open MPI sees on this machine: physical cores. In an allocation it asks the resource manager instead."""
    if any(name in os.environ for name in ("SLURM_JOB_ID", "PBS_NODEFILE", "LSB_HOSTS")):
        return 2**31
    cores = set()
    for cpu in os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1):
        try:
            cores.add(Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text())
        except OSError:
            cores.add(str(cpu))
    return len(cores)


def _is_open_mpi() -> bool:
    """Other MPIs take as many ranks as they are given, and do not know the option."""
    return "Open MPI" in subprocess.run(["mpirun", "--version"], capture_output=True, text=True, check=False).stdout


def _output(job: str | Path | Mapping[str, Any], settings: Mapping[str, Any]) -> Path:
    """The result file of a job that was given none."""
    table: Mapping[str, Any] = {}
    if isinstance(job, Mapping):
        table = job
    else:
        # What is wrong with the file the program says.
        with contextlib.suppress(OSError, ValueError):
            table = jobs.read_job(job)
    runs = table.get("run")
    named = settings.get("run.output") or (runs.get("output") if isinstance(runs, Mapping) else None)
    if named:
        return Path(named)
    return Path(_name(job, settings) + ".h5") if isinstance(job, Mapping) else Path(job).with_suffix(".h5")


#: What a job may change without becoming another one.
FREE_TABLES = ("title", "comparison", "expect", "check")
FREE_KEYS = ("draws", "replicas")


def _name(job: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """A name for a dict: its title, and a digest of what decides its draws but not of their number."""

    def fixed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: fixed(item) for key, item in value.items() if key not in FREE_KEYS}
        return [fixed(item) for item in value] if isinstance(value, list | tuple) else value

    tables = fixed({key: value for key, value in job.items() if key not in FREE_TABLES})
    own = {k: v for k, v in settings.items() if k.split(".")[0] not in FREE_TABLES and k.split(".")[-1] not in FREE_KEYS}
    text = json.dumps([tables, own], sort_keys=True, default=lambda x: x.tolist() if hasattr(x, "tolist") else str(x))
    title = re.sub(r"[^a-z0-9]+", "-", str(job.get("title", "")).lower()).strip("-")[:40].strip("-")
    return f"{title or 'fathom'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _follow(command: Sequence[str], output: Path, shown: bool) -> None:
    """Runs the command to its end; raises what it came to unless it finished."""
    ours, theirs = os.pipe()
    # A group of its own: Ctrl-C reaches the program once, from here, as the signal that launchers pass on and that lets ranks finish their
    # checkpoint. mpirun kills the ranks a second after SIGINT.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs, start_new_session=True
    )  # fmt: skip
    os.close(theirs)
    bar = Bar(shown)
    lines: list[str] = []

    def take(line: str) -> None:
        if not bar.read(line):
            lines.append(line)
            if line.startswith("fathom: "):
                LOG.info("%s", line.removeprefix("fathom: "))

    stop: BaseException | None = None
    try:
        try:
            with _terminations():
                _read(ours, take)
                code = process.wait()
        except (KeyboardInterrupt, SystemExit) as error:
            stop = error
            process.send_signal(signal.SIGUSR1)
            _read(ours, take)
            code = process.wait()
    finally:
        # Closed before the wait: a program that waits for somebody to read its log would never end.
        os.close(ours)
        if process.poll() is None:
            process.terminate()
            process.wait()
        bar.close(process.returncode == 0)
    if isinstance(stop, SystemExit):
        raise stop
    if stop is not None:
        raise Interrupted(_interrupted(code, output))
    if code == STOPPED:
        raise RunError(f"stopped before it was finished; the same call resumes from {output}", code, "\n".join(lines))
    if code != 0:
        raise RunError(_message(lines, code), code, "\n".join(lines))


@contextlib.contextmanager
def _terminations() -> Iterator[None]:
    """SIGTERM ends Python as `sys.exit` does, and not before the program has its checkpoint; where nobody else handles it."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupted(code: int, output: Path) -> str:
    if code == 0:
        return f"interrupted when it had finished: fathom.open({str(output)!r})"
    if code == STOPPED:
        return f"stopped with a checkpoint in {output}; the same call resumes"
    return f"stopped without a checkpoint (exit code {code}); the same call starts from the last one in {output}, if there is one"


def _read(end: int, take: Callable[[str], None]) -> None:
    """Hands on every line until the other end is closed."""
    rest = b""
    while True:
        block = os.read(end, 65536)
        *whole, rest = (rest + block).split(b"\n")
        for line in [*whole, b"" if block else rest]:
            if line:
                take(line.decode(errors="replace"))
        if not block:
            return


def _message(lines: Sequence[str], code: int) -> str:
    """What the program said of its failure, without what mpirun adds."""
    own: list[str] = []
    rest: list[str] = []
    block: list[str] | None = None
    inside = False
    for line in lines:
        if re.fullmatch(r"-{20,}", line):
            if block and not block[0].startswith(BOILERPLATE):
                rest += block
            block = [] if block is None else None
        elif block is not None:
            block.append(line)
        elif found := re.match(r"(?:fathom: error|Error): (.*)", line):
            own.append(found[1])
            inside = True
        elif line.startswith(("fathom: ", "Usage: ", "mpirun: ")):
            inside = False
        elif inside:
            own.append(line)
        else:
            rest.append(line)
    if own or rest:
        return "\n".join(dict.fromkeys(own) if own else rest)
    if code < 0:
        return f"{signal.Signals(-code).name} ended the program"
    last = [line.removeprefix("fathom: ") for line in lines if line.startswith("fathom: ")][-3:]
    return "\n".join(last) or f"the program ended with exit code {code} and said nothing"
