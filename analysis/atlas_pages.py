"""What stands on the pages of the atlas."""

# ruff: noqa: E501 (texts)
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from claims import ROOT, Document, Outcome, jobs, outcomes
from equations import latex
from gallery_entries import ENTRIES

NOTE = "<!-- Written by make atlas (analysis/atlas.py) from analysis/atlas.toml and the checks of the jobs: do not edit. -->"
# Lines of the catalog that are models: what a job is about.
MODELS = ("architecture", "system", "problem", "law", "process", "model", "regression", "service", "domain")
SIGNS = {"green": "✓ holds", "partly": "◐ tested in part, holds there", "red": "✗ does not hold", "withheld": "○ withheld"}


@dataclass
class Test:
    """Some expectations of one job, which test a claim."""

    job: str
    says: str
    expect: list[str] = field(default_factory=list)


@dataclass
class Paper:
    id: str
    claim: str
    group: str
    fails: str = ""
    note: str = ""
    withheld: str = ""
    partly: str = ""
    explanation: str = ""
    tests: list[Test] = field(default_factory=list)

    @property
    def file(self) -> str:
        return self.id.replace("/", "-")


def models(entries: list[dict[str, Any]]) -> list[str]:
    """The models of the catalog by kind and name; an alias is no model of its own."""
    return [f"{entry['kind']} {entry['name']}" for entry in entries if entry["kind"] in MODELS and not entry["summary"].startswith("alias of")]


def papers() -> list[Paper]:
    """The entries of atlas.toml."""
    table = tomllib.loads((ROOT / "analysis/atlas.toml").read_text())
    result: list[Paper] = []
    for entry in table["paper"]:
        group = entry.pop("group", result[-1].group if result else "")
        tests = [Test(**test) for test in entry.pop("tests", [])]
        result.append(Paper(group=group, tests=tests, **entry))
    return result


@dataclass
class Atlas:
    entries: list[dict[str, Any]]
    works: list[dict[str, Any]]
    documents: dict[str, Document]
    # Of each job the lines of the catalog that it uses, and the works behind it.
    used: dict[str, tuple[list[str], list[dict[str, Any]]]]

    @cached_property
    def papers(self) -> list[Paper]:
        return papers()

    @cached_property
    def outcomes(self) -> dict[str, dict[str, Outcome]]:
        return {name: outcomes(name, document) for name, document in self.documents.items()}

    def work(self, paper: Paper) -> dict[str, Any]:
        return next(work for work in self.works if paper.id in (work["arxiv"], work["key"]))

    def tested(self, test: Test) -> list[Outcome]:
        """The expectations of a test, all of a job unless some are named."""
        own = self.outcomes[test.job]
        return [own[subject] for subject in test.expect or own]

    def status(self, paper: Paper) -> str:
        found = [outcome.holds for test in paper.tests for outcome in self.tested(test)]
        if any(holds is False for holds in found):
            return "red"
        return ("partly" if paper.partly else "green") if any(found) else "withheld"

    def green(self, test: Test) -> bool:
        found = [outcome.holds for outcome in self.tested(test)]
        return any(found) and all(holds is not False for holds in found)

    @property
    def models(self) -> list[str]:
        return models(self.entries)

    def jobs_of(self, model: str) -> list[str]:
        """Jobs that use a model and of which some expectation holds and none does not."""
        return [name for name, (entries, _) in self.used.items() if model in entries and self.green(Test(name, ""))]

    def faults(self) -> list[str]:
        """What must not be: red claims without an explanation, cited works without a page, models without a claim."""
        known = {paper.id for paper in self.papers}
        result = [f"{paper.id} is red without an explanation" for paper in self.papers if self.status(paper) == "red" and not paper.explanation]
        result += [
            f"{work['arxiv'] or work['key']} has no page" for work in self.works if not is_tool(work) and not {work["arxiv"], work["key"]} & known
        ]
        return result + [f"{model} has no claim that holds" for model in self.models if not self.jobs_of(model)]


def is_tool(work: dict[str, Any]) -> bool:
    """Works that only the documentation refers to, for a step of an algorithm, have no page unless atlas.toml gives them one."""
    return work["cited_by"] == ["the documentation"]


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def rounded(sentence: str) -> str:
    """Values with as many digits as their error has a use for."""

    def shorten(match: re.Match[str]) -> str:
        value, error = float(match[1]), float(match[2])
        if not 0 < error < float("inf"):
            return f"{value:.7g}"
        return f"{value:.{max(1, min(12, digits(value, error)))}g} ± {error:.2g}"

    return re.sub(r"(-?\d[\d.]*(?:e-?\d+)?) \+- (\d[\d.]*(?:e-?\d+)?|nan|inf)", shorten, sentence)


def digits(value: float, error: float) -> int:
    """Significant digits down to the second of the error."""
    return int(f"{abs(value):e}"[-3:]) - int(f"{error:e}"[-3:]) + 2 if value else 1


def found(outcome: Outcome, limit: int = 4) -> str:
    """What came out, in the program's words."""
    if not outcome.sentences:
        return "not tested at the reduced size"
    own = ": ".join(outcome.subject.split(": ")[:-1])
    said = []
    for sentence in outcome.sentences:
        before, _, rest = sentence.partition(": expected ")
        result = rounded(rest.partition(", found ")[2])
        place = before.removesuffix(outcome.subject.split(": ")[-1]).removesuffix("E ").removesuffix(": ")
        said.append(f"{place}: {result}" if place and place != own else result)
    more = len(said) - limit
    return "<br>".join(cell(line) for line in said[:limit]) + (f"<br>and {more} more" if more > 0 else "")


def references(work: dict[str, Any]) -> str:
    year = str(work["year"]) if work["year"] else ""
    place = " ".join(part for part in (work["journal"], work["volume"], work["pages"]) if part)
    link = f"[arXiv:{work['arxiv']}](https://arxiv.org/abs/{work['arxiv']})" if work["arxiv"] else ""
    return ", ".join(part for part in (", ".join(work["authors"]), place, link, year) if part) + f". BibTeX: `{work['key']}`."


def title(work: dict[str, Any]) -> str:
    return work["title"] or f"arXiv:{work['arxiv']}"


def page(atlas: Atlas, paper: Paper) -> str:
    work = atlas.work(paper)
    status = atlas.status(paper)
    lines = [
        f"# {title(work)}",
        "",
        references(work),
        "",
        f"**Claim.** {paper.claim}",
        "",
        f"**Verdict.** {verdict(atlas, paper, status)}",
        "",
    ]
    if paper.note:
        lines += [f"**Not in its text, or not tested.** {paper.note}", ""]
    lines += equations(atlas, work)
    if paper.tests:
        lines += ["## Tests", "", "At the reduced sizes of `fathom check`; an error behind ± is one standard error.", ""]
    for test in paper.tests:
        links = f"[the job](../../jobs/{test.job}.toml)"
        if f"\n## {test.job}\n" in (ROOT / "docs/jobs.md").read_text():
            links += f", [its results at full size](../jobs.md#{test.job})"
        lines += [f"### {test.job}", "", f"{test.says} See {links}.", ""]
        lines += ["| expectation | expected | found | |", "|---|---|---|---|"]
        lines += [
            f"| `{cell(outcome.subject)}` | {outcome.expected} | {found(outcome)} | {'full size' if outcome.holds is None else 'holds' if outcome.holds else '**fails**'} |"
            for outcome in atlas.tested(test)
        ]
        lines += ["", "```sh", f"fathom check jobs/{test.job}.toml --all", "```", ""]
    lines += failing(atlas, paper)
    lines += figures(paper, work)
    names = [name for name, (_, works) in atlas.used.items() if any(work["key"] == other["key"] for other in works)]
    if names:
        lines += ["## Jobs that use it", "", ", ".join(f"[{name}](../../jobs/{name}.toml)" for name in names), ""]
    return "\n".join([*lines, NOTE]) + "\n"


def verdict(atlas: Atlas, paper: Paper, status: str) -> str:
    results = [outcome.holds for test in paper.tests for outcome in atlas.tested(test)]
    if status == "withheld":
        return f"{SIGNS[status]}: {paper.withheld or 'not tested at the reduced size; make validate does'}"
    held, tested = sum(holds is True for holds in results), sum(holds is not None for holds in results)
    rest = len(results) - tested
    untested = f"; {rest} more {'is' if rest == 1 else 'are'} decided at full size only" if rest else ""
    part = f" In part: {paper.partly}." if status == "partly" else ""
    text = f"{SIGNS[status]}: {held} of {tested} expectations{untested}.{part}"
    return text + (f" {paper.explanation}" if status == "red" else "")


def equations(atlas: Atlas, work: dict[str, Any]) -> list[str]:
    """Those of the catalog's lines that refer to the work."""
    lines = []
    for entry in atlas.entries:
        name = f"{entry['kind']} {entry['name']}"
        if name not in work["cited_by"] or not entry["equation"]:
            continue
        parts = "; ".join(f"${part}$" for part in latex(entry["equation"]))
        lines.append(f"- `{name}`: {entry['summary']}<br>{parts}")
    return ["## In the catalog", "", *lines, ""] if lines else []


def failing(atlas: Atlas, paper: Paper) -> list[str]:
    """What is known of where a claim ends, and the references that agree in some cases of a sweep only."""
    rows = []
    for name in dict.fromkeys(test.job for test in paper.tests):
        words: dict[str, dict[str, list[str]]] = {}
        for outcome in atlas.documents[name]["verdicts"]:
            words.setdefault(outcome["subject"], {}).setdefault(outcome["verdict"], []).append(outcome["case"])
        for subject, cases in words.items():
            if "agrees" in cases and ("differs" in cases or "undecided" in cases):
                rows.append(
                    f"| {name} | `{subject}` | " + " | ".join(places(cases.get(word, [])) for word in ("agrees", "differs", "undecided")) + " |"
                )
    if not (paper.fails or rows):
        return []
    lines = ["## Where it starts to fail", ""]
    if paper.fails:
        lines += [paper.fails, ""]
    if rows:
        lines += [
            "Verdicts that depend on the case, at the reduced sizes:",
            "",
            "| job | reference | agrees | differs | undecided |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    return lines


def places(cases: list[str], limit: int = 6) -> str:
    shown = "<br>".join(cell(case) for case in cases[:limit])
    return shown + (f"<br>and {len(cases) - limit} more" if len(cases) > limit else "")


def figures(paper: Paper, work: dict[str, Any]) -> list[str]:
    names = {test.job for test in paper.tests}
    number = f"arXiv:{work['arxiv']}" if work["arxiv"] else "?"
    entries = [entry for entry in ENTRIES if entry.job in names and (number in entry.source or "arXiv" not in entry.source)]
    entries = entries or [entry for entry in ENTRIES if entry.job in names][:1]
    lines = []
    for entry in entries:
        lines += [f"![{entry.title}](../gallery/{entry.name}.png)", "", entry.text, ""]
    return ["## Figure", "", *lines] if lines else []


def index(atlas: Atlas) -> str:
    """The table of claims, and that of models."""
    count = {status: sum(atlas.status(paper) == status for paper in atlas.papers) for status in SIGNS}
    lines = [
        "# Atlas of claims", "",
        "A page for every paper that the [catalog](../catalog.txt) refers to: what it claims, the equation, the job that tests it, the figure, and where it starts to fail. "
        "Written by `make atlas` from `fathom check`, at the reduced sizes that `make test` holds the jobs to; [validation](../validation.md) has the full ones. "
        "A claim holds if every expectation that tests it does, and there is one at this size; others are decided at full size only. BibTeX: `fathom cite`.", "",
        ", ".join(f"{SIGNS[status]}: {number}" for status, number in count.items() if number) + ".", "",
    ]  # fmt: skip
    group = ""
    for paper in atlas.papers:
        if paper.group != group:
            group = paper.group
            lines += ["", f"## {group}", "", "| paper | claim | verdict |", "|---|---|---|"]
        work, status = atlas.work(paper), atlas.status(paper)
        reason = f": {paper.withheld or 'at full size only'}" if status == "withheld" else f": {paper.partly}" if status == "partly" else ""
        lines.append(f"| [{cell(title(work))}]({paper.file}.md) | {cell(paper.claim)} | {SIGNS[status]}{cell(reason)} |")
    lines += ["", "## Models", "", "Every model of the catalog, and the jobs of which all that is tested holds.", "", "| model | jobs |", "|---|---|"]
    for model in atlas.models:
        names = atlas.jobs_of(model)
        lines.append(f"| `{model}` | {', '.join(f'[{name}](../../jobs/{name}.toml)' for name in names[:8])}{', …' if len(names) > 8 else ''} |")
    return "\n".join([*lines, "", NOTE]) + "\n"


def validation(documents: dict[str, Document]) -> str:
    """The jobs at their own sizes, with times."""
    missing = [name for name in jobs() if name not in documents]
    lines = [
        "# Validation", "",
        "Every job at its own size against its `[expect]`, written by `make validate` (`analysis/atlas.py --full`; rerun to resume). Times are of `fathom check --full` on all cores of the machine "
        "that ran it, and depend on that machine. The [atlas](atlas/README.md) has the claims behind the jobs.", "",
        "| job | tests claims of | expectations that hold | time | what does not hold |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, document in documents.items():
        results = outcomes(name, document, full=True).values()
        held = sum(outcome.holds is True for outcome in results)
        bad = "; ".join(f"`{outcome.subject}`: {found(outcome, 2)}" for outcome in results if not outcome.holds)
        claims = ", ".join(f"[{paper.id}](atlas/{paper.file}.md)" for paper in papers() if any(test.job == name for test in paper.tests))
        lines.append(f"| [{name}](../jobs/{name}.toml) | {claims} | {held} of {len(results)} | {duration(document['seconds'])} | {cell(bad)} |")
    if missing:
        lines += ["", f"Not run at full size yet ({len(missing)}): {', '.join(missing)}."]
    return "\n".join(lines) + "\n"


def duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
