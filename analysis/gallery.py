"""The papers' figures, each from its job: runs them, draws them, writes docs/gallery.md.

    python analysis/gallery.py [NAME ...]        (make gallery; results are kept in .build/gallery and gone on with)

With names only those are made; of the others the sections of docs/gallery.md stay as they are.

The text of an entry is written here; verdicts and numbers of draws are those of the results.
"""

# ruff: noqa: E501 (texts)
import os
import subprocess
import sys
import time
from pathlib import Path

import matplotlib

import fathom
from fathom import plots
from fathom.report import STYLE
from gallery_entries import ENTRIES

ROOT = Path(__file__).parents[1]
FATHOM = ROOT / ".build/release/fathom"
RESULTS = ROOT / ".build/gallery"
RANKS = os.environ.get("RANKS", "2")


def draws(result: fathom.Result) -> str:
    """How many draws or particles were simulated, from the file."""
    leg = result.finite(result.cases[0])
    cases = f", {len(result.cases)} cases" if len(result.cases) > 1 else ""
    unit = "replicas" if "replica" in leg.dims else "draws"
    return f"{int(leg.attrs['draws']):,} {unit} a case{cases}"


def main() -> None:
    wanted = sys.argv[1:]
    unknown = set(wanted) - {entry.name for entry in ENTRIES}
    if unknown:
        sys.exit(f"gallery: no entry {', '.join(unknown)}; there are {', '.join(entry.name for entry in ENTRIES)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    (ROOT / "docs/gallery").mkdir(exist_ok=True)
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    page_file = ROOT / "docs/gallery.md"
    standing = {section.split("\n", 1)[0]: "## " + section for section in page_file.read_text().split("\n## ")[1:]} if page_file.exists() else {}
    page = [
        "# Gallery\n\nWritten by `make gallery` (analysis/gallery.py): every figure from its job, with fewer draws than the job file asks for. Bars and bands are two standard errors. "
        "Run the job without `--set` for the full size; `fathom-report` makes a page of each result.\n"
    ]
    for entry in ENTRIES:
        path = RESULTS / f"{entry.name}.h5"
        start = time.time()
        if wanted and entry.name not in wanted:
            if entry.title in standing:
                page.append(standing[entry.title].rstrip("\n") + "\n")
            continue
        results = []
        for (job, settings), file in zip(entry.jobs, (path, RESULTS / f"{entry.name}-other.h5"), strict=False):
            options = [word for setting in settings for word in ("--set", setting)]
            done = subprocess.run(
                ["mpirun", "--oversubscribe", "-n", RANKS, FATHOM, "run", ROOT / f"jobs/{job}.toml", "-o", file, *options],
                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            if done.returncode != 0:
                sys.exit(f"gallery: {entry.name}: {done.stderr}")
            results.append(fathom.open(file))
        result = results[0]
        with matplotlib.rc_context(STYLE | {"text.color": "black"}):
            entry.draw(*results).savefig(ROOT / f"docs/gallery/{entry.name}.png", dpi=130)
        print(f"{entry.name}: {time.time() - start:.0f} s", flush=True)
        said = [c for c in result.comparisons() if c.reference not in ("infinite-width", "exact")][-entry.verdicts :] if entry.verdicts else []
        lines = [f"- {plots.short(c.case)}, {c.reference}: {c.sentence}" if c.case != "main" else f"- {c.reference}: {c.sentence}" for c in said]
        if result.finished:
            lines += [f"- {fit['sentence']}" for fit in result.report()["finite_size"]]
        page.append(
            f"## {entry.title}\n\n![{entry.title}](gallery/{entry.name}.png)\n\n{entry.text} Source: {entry.source}. {draws(result)}.\n\n"
            f"```\n{entry.command}\n```\n" + ("\n" + "\n".join(lines) + "\n" if lines else "")
        )
    page_file.write_text("\n".join(page))
    print("wrote docs/gallery.md")


if __name__ == "__main__":
    main()
