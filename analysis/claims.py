"""What the jobs of jobs/ expect of themselves, and what came out: `fathom check` of each, kept and gone on with.

A result is kept as long as the text of its job, the files that it reads and the version of the random streams stay the same.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FATHOM = ROOT / ".build/release/fathom"
KEPT = ROOT / ".build/atlas"
Document = dict[str, Any]


def program(*arguments: str, accepted: tuple[int, ...] = (0,)) -> str:
    """The standard output of fathom."""
    done = subprocess.run([FATHOM, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in accepted:
        sys.exit(f"atlas: fathom {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def jobs() -> list[str]:
    """The names of the jobs, in order."""
    return sorted(path.stem for path in (ROOT / "jobs").glob("*.toml"))


def job(name: str) -> Document:
    """A job as its file has it."""
    return tomllib.loads((ROOT / f"jobs/{name}.toml").read_text())


def files(value: object) -> list[str]:
    """The data files that a job names."""
    if isinstance(value, dict):
        own = [value["file"]] if isinstance(value.get("file"), str) else []
        swept = [file for key, entry in value.items() if isinstance(key, str) and key.endswith(".file") for file in entry]
        return own + [str(file) for file in swept] + [file for entry in value.values() for file in files(entry)]
    return [file for entry in value for file in files(entry)] if isinstance(value, list) else []


def identity(name: str, stream_version: int, full: bool) -> str:
    """What a kept result has to agree with."""
    hasher = hashlib.sha256(f"{stream_version} {full}\n".encode())
    hasher.update((ROOT / f"jobs/{name}.toml").read_bytes())
    for file in sorted(set(files(job(name)))):
        path = ROOT / "jobs" / file
        hasher.update(path.read_bytes() if path.is_file() else b"")
    return hasher.hexdigest()


def check(name: str, stream_version: int, full: bool = False, threads: int | None = None, run: bool = True, needed: bool = True) -> Document:
    """What `fathom check` says of a job, from the kept file if that is still true; else it is run, or is an error, or is nothing."""
    path = KEPT / ("full" if full else "reduced") / f"{name}.json"
    wanted = identity(name, stream_version, full)
    if path.is_file():
        kept: Document = json.loads(path.read_text())
        if kept["identity"] == wanted:
            return kept
    if not run:
        if needed:
            sys.exit(f"atlas: {name} has not been checked since it changed; make atlas does that")
        return {}
    options = ["--full"] if full else []
    options += ["--threads", str(threads)] if threads else []
    # 1: some expectation does not hold, which is a result as well.
    found = json.loads(program("check", f"jobs/{name}.toml", "--json", *options, accepted=(0, 1)))
    result: Document = {"identity": wanted} | found["jobs"][0]
    path.parent.mkdir(parents=True, exist_ok=True)
    # At once or not at all, so that a stop leaves no half.
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(result, indent=1))
    partial.replace(path)
    print(f"{name}: {result['seconds']:.1f} s", flush=True)
    return result


def citations(name: str, catalog: str) -> Document:
    """Which lines of the catalog a job uses, defaults and all, and the works behind it: `fathom cite`, kept while job and catalog stay."""
    path = KEPT / "cited" / f"{name}.json"
    wanted = hashlib.sha256((catalog + (ROOT / f"jobs/{name}.toml").read_text()).encode()).hexdigest()
    if path.is_file() and (kept := json.loads(path.read_text()))["identity"] == wanted:
        return dict(kept)
    found: Document = {"identity": wanted} | json.loads(program("cite", f"jobs/{name}.toml", "--json"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1))
    return found


@dataclass
class Outcome:
    """An expectation of a job, and what came out: holds is None where it is not tested at this size."""

    job: str
    subject: str
    expected: str
    holds: bool | None
    sentences: list[str]


def expected(entry: object) -> str:
    """An entry of [expect] in words."""
    return f"{entry['value']:g} ± {entry['tolerance']:g}" if isinstance(entry, dict) else str(entry)


def outcomes(name: str, document: Document, full: bool = False) -> dict[str, Outcome]:
    """Every expectation of a job by its subject: those of [expect], and those of [check.expect] alone.

    One that expects another verdict at the reduced size, such as undecided, says nothing of what [expect] states: it is not tested there.
    """
    table = job(name)
    own: Document = dict(table.get("expect", {}))
    reduced: Document = {} if full else table.get("check", {}).get("expect", {})
    result = {}
    for subject, entry in (own | reduced).items():
        found = [line for line in document["results"] if line["subject"] == subject]
        holds: bool | None = all(line["holds"] for line in found) if found else None
        changed = isinstance(entry, str) and isinstance(own.get(subject), str) and entry != own[subject]
        if (changed or (entry == "undecided" and subject not in own)) and holds is not False:
            # What is expected instead may not hold, though, and is then a fault all the same.
            holds = None
        shown = own[subject] if entry == "any" or isinstance(own.get(subject), str) else entry
        result[subject] = Outcome(name, subject, expected(shown), holds, [line["sentence"] for line in found])
    return result
