"""The atlas: its data name what there is, every cited paper and every model is in it, and its pages are what its data say."""

import json
import re
import subprocess
import sys

import pytest
from conftest import FATHOM, ROOT

sys.path.insert(0, str(ROOT / "analysis"))
from atlas_pages import Atlas, cell, models, papers, rounded, title
from claims import job, jobs, outcomes
from equations import latex

PAGES = ROOT / "docs/atlas"


def program(*arguments):
    return json.loads(subprocess.run([FATHOM, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout)


@pytest.fixture(scope="module")
def entries():
    return program("catalog", "--json")["entries"]


@pytest.fixture(scope="module")
def works():
    return program("cite", "--all", "--json")["works"]


def test_the_data_name_what_there_is(works):
    known = {name for work in works for name in (work["arxiv"], work["key"])}
    all_papers = papers()
    assert len({paper.id for paper in all_papers}) == len(all_papers)
    for paper in all_papers:
        assert paper.id in known and paper.claim.endswith("."), paper.id
        # Tested, or with the reason why not.
        assert bool(paper.tests) != bool(paper.withheld), paper.id
        for test in paper.tests:
            assert test.job in jobs(), f"{paper.id}: {test.job}"
            table = job(test.job)
            subjects = table["expect"].keys() | table.get("check", {}).get("expect", {}).keys()
            assert set(test.expect) <= subjects, f"{paper.id}: {test.job}: {set(test.expect) - subjects}"


def test_every_cited_paper_has_a_page(entries, works):
    pages = {path.stem for path in PAGES.glob("*.md")}
    for work in works:
        if work["cited_by"] != ["the documentation"]:
            assert {work["arxiv"].replace("/", "-"), work["key"]} & pages, f"{work['key']}: add it to analysis/atlas.toml and run make atlas"
    assert pages == {paper.file for paper in papers()} | {"README"}, "make atlas"


def test_every_model_has_a_claim(entries):
    page = (PAGES / "README.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+ [\w-]+)` \| (.*) \|$", page, flags=re.M))
    assert rows.keys() == set(models(entries)), "make atlas"
    assert all(links for links in rows.values())


def test_pages_are_what_their_data_say(works):
    """Claims, titles, expectations; what came out is tested where the jobs are."""
    for paper in papers():
        page = (PAGES / f"{paper.file}.md").read_text()
        work = next(work for work in works if paper.id in (work["arxiv"], work["key"]))
        assert f"# {title(work)}\n" in page and paper.claim in page and paper.fails in page, f"{paper.id}: make atlas"
        for test in paper.tests:
            every = outcomes(test.job, document())
            for outcome in (every[subject] for subject in test.expect or every):
                shown = f"| `{cell(outcome.subject)}` | {outcome.expected} |"
                assert shown in page, f"{paper.id}: {shown}: make atlas"


def test_links_and_figures_exist():
    for path in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(((?!http)[^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def document(*results):
    lines = [{"subject": subject, "case": "", "holds": holds, "sentence": f"{subject}: expected agrees, found x: y"} for subject, holds in results]
    return {"results": lines, "verdicts": []}


def test_a_claim_is_green_only_if_all_of_it_holds(works):
    """On results that are made up: one that fails makes a claim red, one that is not tested does not make it green."""
    paper = next(paper for paper in papers() if paper.id == "2306.17759")
    names = list(job("shaped-transformer")["expect"])
    rank = document(*((name, True) for name in job("rank-collapse")["expect"]))

    def status(*results):
        atlas = Atlas([], works, {"shaped-transformer": document(*results), "rank-collapse": rank}, {})
        return atlas.status(paper), [fault for fault in atlas.faults() if "red" in fault and fault.startswith(paper.id)]

    atlas_papers = Atlas.papers.func
    try:
        Atlas.papers = property(lambda _: [paper])
        assert status(*((name, True) for name in names)) == ("green", [])
        paper.partly = "of what it claims, this"
        assert status(*((name, True) for name in names)) == ("partly", [])
        paper.partly = ""
        assert status((names[0], False), *((name, True) for name in names[1:])) == ("red", [f"{paper.id} is red without an explanation"])
    finally:
        Atlas.papers = property(lambda self: atlas_papers(self))
    found = outcomes("shaped-transformer", document())
    assert found and all(outcome.holds is None for outcome in found.values())


def test_another_verdict_at_the_reduced_size_says_nothing_of_the_claim():
    """width-sweep expects the scaling to agree, and at the reduced size to be undecided."""
    subject = "covariance-sde scaling"
    assert outcomes("width-sweep", document((subject, True)))[subject].holds is None
    assert outcomes("width-sweep", document((subject, False)))[subject].holds is False
    assert outcomes("width-sweep", document((subject, True)), full=True)[subject].holds is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqrt(c/n) W_l phi(z_l)", [r"\sqrt{c / n} W_{l} \phi (z_{l})"]),
        ("x^2/2; n^-1/2; Lambda^1/2 G", ["x^{2} / 2", "n^{-1/2}", r"\Lambda^{1/2} G"]),
        ("n^-a_1 w, e^{-2 gap h k}", [r"n^{-a_{1}} w , e^{- 2 \text{ gap } h k}"]),
        ("phi''^2 V_aa, w* ~ N(0, 1)", [r"\phi^{\prime\prime 2} V_{aa} , w^{*} \sim N (0 , 1)"]),
        ("learning_rate x, c_plus", [r"\text{ learning rate } x , c_{+}"]),
    ],
)
def test_equations(text, expected):
    assert latex(text) == expected


def test_every_equation_of_the_catalog_is_balanced(entries):
    for entry in entries:
        for part in latex(entry["equation"]):
            plain = part.replace(r"\{", "").replace(r"\}", "")
            assert plain.count("{") == plain.count("}") and "_{}" not in part and "^{}" not in part, f"{entry['name']}: {part}"


def test_numbers_have_the_digits_of_their_errors():
    assert rounded("found 0.53884217 +- 0.00312") == "found 0.5388 ± 0.0031"
    assert rounded("found 12083.19771 +- 0.0") == "found 12083.2"
    assert rounded("found -1.0023e-05 +- 2.2e-06") == "found -1e-05 ± 2.2e-06"
