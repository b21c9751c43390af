#!/usr/bin/env python3
"""Golden digests: small jobs, at least one for every entry of the catalog, and the digest of the result of each.

goldens.py check BINARY [--ranks N] [--launcher L] [--beside OTHER]
                                     runs every job; names those whose digest differs, and catalog entries without a job
goldens.py record BINARY             runs every job and writes the digests to Tests/CatalogTests/Goldens/goldens.json
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "Tests" / "CatalogTests" / "Goldens" / "goldens.json"
KINDS = ("architecture", "activation", "limit", "system", "integrator", "sampler")
LIMIT = 120  # seconds for one job; the longest takes less than one


def call(command: list[str], folder: str) -> str:
    """The output of a command run from the root of the repository, where the paths of data files in jobs start.

    Open MPI keeps its session files in TMPDIR; two programs that start at the same time in one TMPDIR may collide.
    """
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "TMPDIR": folder}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)
    if run.returncode != 0:
        raise RuntimeError(f"exit {run.returncode}: {run.stderr.strip()}")
    return run.stdout


def digest(binaries: list[str], ranks: int, launcher: list[str], job: str) -> str:
    """The digest of the result of a job, or what went wrong. Several programs: so many ranks of each, in one run."""
    binary = binaries[0]
    with tempfile.TemporaryDirectory(prefix="goldens-") as folder:
        file, output = Path(folder, "job.toml"), Path(folder, "out.h5")
        file.write_text(job, encoding="utf-8")
        try:
            words = launcher[:1] if ranks else []
            for number, each in enumerate(binaries):
                words += [":"] if number else []
                words += [*launcher[1:], "-n", str(ranks)] if ranks else []
                words += [each, "run", str(file), "--output", str(output)]
            call(words, folder)
            return call([binary, "digest", str(output)], folder).strip()
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return f"failed: {error}"


def without_job(binary: str, jobs: list[str]) -> list[str]:
    """Entries of the catalog that no job names."""
    with tempfile.TemporaryDirectory(prefix="goldens-") as folder:
        entries = json.loads(call([binary, "catalog", "--json"], folder))["entries"]
    return [
        f"{entry['kind']} {entry['name']}" for entry in entries if entry["kind"] in KINDS and not any(f'"{entry["name"]}"' in job for job in jobs)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "record"])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--ranks", type=int, default=0, help="run under mpirun on this many ranks (default: without mpirun)")
    parser.add_argument("--launcher", default="mpirun --oversubscribe", help="what starts the ranks (default: %(default)s)")
    parser.add_argument("--beside", type=Path, help="another build: as many ranks of it take part in every run")
    arguments = parser.parse_args()
    binary = str(arguments.binary.resolve())
    binaries = [binary, *([str(arguments.beside.resolve())] if arguments.beside else [])]
    ranks = arguments.ranks or (1 if arguments.beside else 0)
    launcher = arguments.launcher.split()
    goldens = json.loads(GOLDENS.read_text(encoding="utf-8"))
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(lambda golden: digest(binaries, ranks, launcher, golden["job"]), goldens))
    bad = [f"{golden['name']}: {found}" for golden, found in zip(goldens, digests, strict=True) if len(found) != 64]
    if arguments.command == "check":
        bad += [
            f"{golden['name']}: {found}, recorded {golden['digest']}"
            for golden, found in zip(goldens, digests, strict=True)
            if len(found) == 64 and found != golden["digest"]
        ]
        bad += [f"{entry}: no golden" for entry in without_job(binary, [golden["job"] for golden in goldens])]
    elif not bad:
        for golden, found in zip(goldens, digests, strict=True):
            golden["digest"] = found
        GOLDENS.write_text(json.dumps(goldens, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join([*bad, f"{len(goldens)} goldens, {len(bad)} bad"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
