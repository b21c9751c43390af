"""The atlas: a page a paper, with its claim, what tests it, and what came out. Writes docs/atlas, or docs/validation.md.

    python analysis/atlas.py            (make atlas: reduced sizes, as of `fathom check`; about ten minutes, gone on with after a stop)
    python analysis/atlas.py --kept     (the pages alone, from results that are kept; missing ones are an error)
    python analysis/atlas.py --full     (make validate: the jobs at their own sizes, hours; writes docs/validation.md)
    python analysis/atlas.py --full --only NAME ...

Results are kept in .build/atlas, a file a job, until the job, its data or the random streams change. Pages hold no times, hosts or dates: the
same results give the same bytes.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from atlas_pages import Atlas, index, page, validation
from claims import ROOT, check, citations, jobs, program

PAGES = ROOT / "docs/atlas"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    unknown = sorted(set(options.only) - set(jobs()))
    if unknown:
        sys.exit(f"atlas: no job {', '.join(unknown)}")
    text = program("catalog", "--json")
    catalog = json.loads(text)
    version = catalog["stream_version"]
    if options.full:
        validate(version, options.only, options.threads)
        return
    documents = {name: check(name, version, threads=options.threads, run=not options.kept) for name in options.only or jobs()}
    if options.only:
        return
    with ThreadPoolExecutor(2) as pool:
        used = dict(zip(jobs(), pool.map(lambda name: citations(name, text), jobs()), strict=True))
    works = json.loads(program("cite", "--all", "--json"))["works"]
    atlas = Atlas(catalog["entries"], works, documents, {name: (found["entries"], found["works"]) for name, found in used.items()})
    if faults := atlas.faults():
        sys.exit("atlas: " + "\natlas: ".join(faults))
    PAGES.mkdir(parents=True, exist_ok=True)
    pages = {f"{paper.file}.md": page(atlas, paper) for paper in atlas.papers} | {"README.md": index(atlas)}
    for path in PAGES.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (PAGES / name).write_text(text)
    print(f"wrote docs/atlas, {len(pages)} pages")


def validate(version: int, only: list[str], threads: int | None) -> None:
    """Runs what is missing, and says after each job what there is: a stop loses one job at most."""
    documents = {}
    for name in jobs():
        if kept := check(name, version, full=True, threads=threads, run=not only or name in only, needed=False):
            documents[name] = kept
        (ROOT / "docs/validation.md").write_text(validation(documents))
    failed = [name for name, document in documents.items() if not all(line["holds"] for line in document["results"])]
    print(f"wrote docs/validation.md, {len(documents)} of {len(jobs())} jobs")
    if failed:
        sys.exit(f"atlas: expectations do not hold at full size: {', '.join(failed)}")


if __name__ == "__main__":
    main()
