#!/usr/bin/env python3
"""Licences of what fathom is made with, by their SPDX names.

licences.py write      writes docs/licences.md
licences.py check      finds each licence in the files of what is installed, and what Package.swift, tools/setup.sh and analysis/pyproject.toml name
                       without being listed here; says what is wrong
licences.py copyright  prints the file `copyright` of the Debian package

To be run with the Python of .venv, after a build: versions are those that were resolved.
"""

import json
import re
import shutil
import sys
import textwrap
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKOUTS = ROOT / ".build" / "checkouts"
PAGE = ROOT / "docs" / "licences.md"
SWIFT = "Apache-2.0 WITH Swift-exception"

#: Swift packages: identity, licence, the file in its checkout that says so, and words of that file.
SWIFT_PACKAGES = {
    "swift-argument-parser": (SWIFT, "LICENSE.txt", "Runtime Library Exception"),
    "tomlkit": ("MIT", "LICENSE", "MIT License"),
}
#: Inside other packages: name, licence, file below .build/checkouts, words.
INSIDE = {"toml++ (in TOMLKit)": ("MIT", "TOMLKit/Sources/CTOML/Sources/toml.hpp", "Permission is hereby granted, free of charge")}
#: Swift's libraries, part of the program in packages; licences of what they are made of that the toolchain's own file does not print.
RUNTIME = {
    "Swift standard library, Dispatch, Foundation": SWIFT,
    "ICU (in Foundation)": "Unicode-3.0",
    "Blocks runtime (in Dispatch)": "MIT",
}
#: Debian packages: the one that is built against, the one that runs, licence, words of its file `copyright`.
SYSTEM = {
    "libopenmpi-dev": ("libopenmpi3", "BSD-3-Clause-Open-MPI", "Redistribution and use in source and binary forms"),
    "libhdf5-dev": ("libhdf5-103-1", "BSD-3-Clause", "License: BSD-3-clause"),
    "libssl-dev": ("libssl3", "Apache-2.0", "Apache-2.0"),
    "libmpich-dev": ("libmpich12", "mpich2", "Mathematics and Computer Science Division|Argonne National Laboratory"),
    "libc6-dev": ("libc6", "LGPL-2.1-or-later", "Lesser General Public"),
    "libstdc++-12-dev": ("libstdc++6", "GPL-3.0-or-later WITH GCC-exception-3.1", "GCC Runtime Library Exception"),
}
#: Python packages: licence, words of its metadata.
PYTHON = {
    "h5netcdf": ("BSD-3-Clause", "BSD License"),
    "h5py": ("BSD-3-Clause", "BSD-3-Clause"),
    "matplotlib": ("PSF-2.0", "Python Software Foundation License"),
    "numpy": ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", "BSD-3-Clause|BSD License"),
    "pandas": ("BSD-3-Clause", "BSD-3-Clause|BSD License|BSD 3-Clause"),
    "tomli_w": ("MIT", "MIT License"),
    "tqdm": ("MPL-2.0 AND MIT", "MPL-2.0 AND MIT"),
    "xarray": ("Apache-2.0", "Apache-2.0"),
    "arviz": ("Apache-2.0", "Apache-2.0"),
    "MDAnalysis": ("LGPL-3.0-or-later", "LGPLv3"),
    "pyarrow": ("Apache-2.0", "Apache-2.0"),
    "mypy": ("MIT", "MIT"),
    "ruff": ("MIT", "MIT"),
    "jax": ("Apache-2.0", "Apache-2.0"),
    "mpmath": ("BSD-3-Clause", "BSD"),
    "pytest": ("MIT", "MIT"),
    "scikit-learn": ("BSD-3-Clause", "BSD-3-Clause"),
    "selenium": ("Apache-2.0", "Apache-2.0"),
}


def requirements() -> dict[str, list[str]]:
    """Python packages by what wants them: `fathom-analysis` itself, and its extras."""
    project = tomllib.loads((ROOT / "analysis" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {group: [re.split(r"[\[<>=!~ ]", line)[0] for line in lines] for group, lines in groups.items()}


def resolved() -> dict[str, str]:
    """Versions of the Swift packages."""
    pins = json.loads((ROOT / "Package.resolved").read_text(encoding="utf-8"))["pins"]
    return {pin["identity"]: pin["state"]["version"] for pin in pins}


def toolchain() -> Path | None:
    """The licence of the Swift toolchain that is on the PATH."""
    swift = shutil.which("swift")
    file = Path(swift).resolve().parent.parent / "share" / "swift" / "LICENSE.txt" if swift else None
    return file if file and file.is_file() else None


def says(file: Path, words: str) -> bool:
    return file.is_file() and re.search(words, file.read_text(encoding="utf-8", errors="replace")) is not None


def checkout(identity: str) -> Path:
    return next((folder for folder in CHECKOUTS.iterdir() if folder.name.lower() == identity), CHECKOUTS / identity)


def problems() -> list[str]:
    bad = []
    manifest = (ROOT / "Package.swift").read_text(encoding="utf-8")
    named = {Path(url).name.lower() for url in re.findall(r'\.package\(url: "([^"]+)"', manifest)} | set(resolved())
    bad += [f"Swift package {name}: not listed" for name in sorted(named - SWIFT_PACKAGES.keys())]
    for name, (licence, file, words) in SWIFT_PACKAGES.items():
        if not says(checkout(name) / file, words):
            bad.append(f"Swift package {name}: {file} does not say {licence}")
    bad += [f"{name}: {file} does not say {licence}" for name, (licence, file, words) in INSIDE.items() if not says(CHECKOUTS / file, words)]
    own = toolchain()
    if own is None or not says(own, "Runtime Library Exception"):
        bad.append(f"Swift's libraries: the toolchain does not say {SWIFT}")
    setup = (ROOT / "tools" / "setup.sh").read_text(encoding="utf-8")
    # SimGrid replays traces; nothing is linked with it.
    linked = set(re.findall(r"need (lib\S+-dev)", setup)) - {"libsimgrid-dev"}
    bad += [f"{name}: in tools/setup.sh, not listed" for name in sorted(linked - SYSTEM.keys())]
    for name, (library, licence, words) in SYSTEM.items():
        file = Path("/usr/share/doc") / library / "copyright"
        # MPICH is there only for who builds with it.
        if file.is_file() and not says(file, words):
            bad.append(f"{name}: the copyright of {library} does not say {licence}")
    wanted = {name for group in requirements().values() for name in group} - {"fathom-analysis"}
    bad += [f"Python package {name}: not listed" for name in sorted(wanted - PYTHON.keys())]
    bad += [f"Python package {name}: listed, but nothing wants it" for name in sorted(PYTHON.keys() - wanted)]
    for name in sorted(wanted & PYTHON.keys()):
        licence, words = PYTHON[name]
        try:
            found = metadata(name)
        except PackageNotFoundError:
            bad.append(f"Python package {name}: not installed, so its licence cannot be seen")
            continue
        texts = [found["License-Expression"], found["License"], *(found.get_all("Classifier") or [])]
        if not any(text and re.search(words, text) for text in texts):
            bad.append(f"Python package {name}: its metadata does not say {licence}")
    if not PAGE.is_file() or without_versions(PAGE.read_text(encoding="utf-8")) != without_versions(page()):
        bad.append("docs/licences.md is not what `licences.py write` writes")
    return bad


def inner(file: str) -> str:
    """The version that the first lines of a header name."""
    found = re.search(r" v([0-9.]+)\n", (CHECKOUTS / file).read_text(encoding="utf-8")[:1000])
    return found[1] if found else ""


def without_versions(text: str) -> str:
    return re.sub(r"\| [0-9][^|]* \|", "| |", text)


def page() -> str:
    versions = resolved()
    lines = [
        "# Licences", "", "fathom is Apache-2.0 ([LICENSE](../LICENSE)). What it is made with, by SPDX names; written by `tools/licences.py write`,",
        "and compared by `make test` with what the packages themselves say (`tools/licences.py check`).", "",
        "## In the program", "", "| what | version | licence | how |", "|---|---|---|---|",
        *(f"| {name} | {versions[name]} | {licence} | Swift package, compiled in |" for name, (licence, _, _) in SWIFT_PACKAGES.items()),
        *(f"| {name} | {inner(file)} | {licence} | compiled in |" for name, (licence, file, _) in INSIDE.items()),
        *(f"| {name} | | {licence} | compiled into packages; a shared library elsewhere |" for name, licence in RUNTIME.items()),
        "", "## Shared libraries", "", "| Debian package | run-time library | licence |", "|---|---|---|",
        *(f"| {name} | {library} | {licence} |" for name, (library, licence, _) in SYSTEM.items()),
        "", "MPICH is there instead of Open MPI in a program that is built with it. What these libraries are linked with themselves",
        "(zlib, hwloc, UCX, libfabric, …) Debian's packages say.", "",
        "## Python", "", "| package | licence | wanted by |", "|---|---|---|",
    ]  # fmt: skip
    users: dict[str, list[str]] = {}
    for group, names in requirements().items():
        for name in names:
            users.setdefault(name, []).append(f"`[{group}]`" if group else "fathom-analysis")
    lines += [f"| {name} | {licence} | {', '.join(users[name])} |" for name, (licence, _) in PYTHON.items()]
    lines += [
        "", "The extras `[lint]` and `[test]` are for work on fathom itself.", "", "## Data", "",
        "The files of jobs/data, [their note](../jobs/data/README.md): handwritten digits CC-BY-4.0, graphs of the Gset collection, and data of",
        "fathom's own.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def deb_copyright() -> str:
    """In the machine-readable form of Debian (DEP-5)."""

    def text(body: str) -> str:
        return "\n".join(" " + (line.rstrip() or ".") for line in body.strip().split("\n"))

    mit = (checkout("tomlkit") / "LICENSE").read_text(encoding="utf-8").split("\n\n", 2)
    hpp = (CHECKOUTS / "TOMLKit/Sources/CTOML/Sources/toml.hpp").read_text(encoding="utf-8")
    gillard = re.search(r"Copyright \(c\) (.*)", hpp)
    exception = (checkout("swift-argument-parser") / "LICENSE.txt").read_text(encoding="utf-8").split("## Runtime Library Exception", 1)[1]
    return "\n".join([
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/", "Upstream-Name: fathom",
        "Comment: The program contains what the last three paragraphs name.", "",
        "Files: *", "Copyright: The fathom authors", "License: Apache-2.0", "",
        "Files: usr/share/fathom/jobs/data/digits.csv", "Copyright: E. Alpaydin and C. Kaynak", "License: CC-BY-4.0",
        " See https://creativecommons.org/licenses/by/4.0/legalcode; usr/share/fathom/jobs/data/README.md has where it is from.", "",
        "Files: swift-argument-parser swift-runtime", "Copyright: Apple Inc. and the Swift project authors",
        "License: Apache-2.0 with Swift exception",
        " Apache-2.0, with this exception:", text(textwrap.dedent(exception.split("\n", 1)[1].replace("As an", "    As an", 1))), "",
        "Files: TOMLKit toml++", f"Copyright: {mit[1].removeprefix('Copyright (c) ')}", f" {gillard[1] if gillard else 'Mark Gillard'}",
        "License: MIT", text(mit[2]), "",
        "Files: icu", "Copyright: 2016-2024 Unicode, Inc.", "License: Unicode-3.0",
        text((ROOT / "packaging" / "debian" / "unicode-licence.txt").read_text(encoding="utf-8")), "",
        "License: Apache-2.0", " On Debian systems its text is in /usr/share/common-licenses/Apache-2.0.",
    ]) + "\n"  # fmt: skip


def main() -> int:
    task = sys.argv[1] if len(sys.argv) == 2 else ""
    if task == "write":
        PAGE.write_text(page(), encoding="utf-8")
    elif task == "copyright":
        print(deb_copyright(), end="")
    elif task == "check":
        bad = problems()
        print("\n".join([*bad, f"{len(bad)} problems with licences"]))
        return 1 if bad else 0
    else:
        print(__doc__)
        return 64
    return 0


if __name__ == "__main__":
    sys.exit(main())
