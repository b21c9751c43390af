"""The site: the pages of the repository, a page for every line of the catalog, the atlas, and the documentation of the bindings.

    python analysis/make_site.py             (make docs; writes .build/site)

Pages stand where the files stand in the repository, so that their links need no change; files that pages link to and that are no pages (jobs,
sources) become pages that show them. Formulas become MathML here, and search works in the browser alone: the site needs no network. Any link or
anchor that leads nowhere is an error.
"""

import json
import logging
import re
import shutil
import subprocess
import sys
from html import escape, unescape
from pathlib import Path
from typing import Any

import latex2mathml.converter
import pymdownx.slugs
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort

from equations import latex

ROOT = Path(__file__).parents[1]
FATHOM = ROOT / ".build/release/fathom"
SOURCE, SITE = ROOT / ".build/site-source", ROOT / ".build/site"
BINDINGS = ("MessagePassing", "Archive")
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.S)
FENCE = re.compile(r"^(\s*```+)(\w+) +(\S[^\n`]*)$", re.M)
LANGUAGES = {".toml": "toml", ".swift": "swift", ".sh": "bash", ".py": "python", ".txt": "text", ".yaml": "yaml", ".def": "text", ".md": "markdown"}
# A font with the tables that MathML needs, which few systems have.
FONT = Path("/usr/share/fonts/opentype/stix-word/STIXMath-Regular.otf")
STYLE = """
@font-face { font-family: "STIX Math"; src: url("STIXMath-Regular.otf"); }
math { font-family: "STIX Math", math; font-size: 1.1em; }
/* Long formulas scroll in their own box. */
.formula { display: inline-block; max-width: 100%; overflow-x: auto; overflow-y: hidden; vertical-align: middle; padding: .15em 0; }
math[display="block"] { overflow-x: auto; overflow-y: hidden; padding: .3em 0; }
.keys td:first-child code { white-space: nowrap; overflow-wrap: normal !important; }
.md-typeset table:not([class]) { font-size: .68rem; }
.md-typeset table:not([class]) code { overflow-wrap: anywhere; }
.md-grid { max-width: 76rem; }
"""

# Browsers refuse workers to pages that are files; the theme asks a server for what takes their place, the site has its own.
SHIM = ROOT / "analysis/worker-shim.js"
SHIM_ADDRESS = "https://unpkg.com/iframe-worker/shim"


class Pages:
    """Copies pages below `.build/site-source`, and what they link to."""

    def __init__(self) -> None:
        self.done: set[Path] = set()

    def add(self, path: str) -> str:
        """A page of the repository; its path, for the navigation."""
        self.copy(Path(path))
        return path

    def copy(self, path: Path) -> None:
        if path in self.done:
            return
        self.done.add(path)
        self.make(path, (ROOT / path).read_text())

    def make(self, path: Path, text: str) -> None:
        """A page with this text, whose links are those of the repository."""
        text = LINK.sub(lambda match: match[1] + self.target(path, match[2]) + match[3], text)
        # Words behind the language of a block say what is done with it (analysis/tests/pages.py): names of files are shown.
        self.write(path, FENCE.sub(lambda match: f"{match[1]}{match[2]}" + (f' title="{match[3]}"' if "." in match[3] else ""), text))

    def target(self, page: Path, link: str) -> str:
        """A link of a page: the file comes along, as a page if it is text."""
        if re.match(r"[a-z]+:|//", link):
            return link
        file = (ROOT / page.parent / link).resolve()
        if not file.is_relative_to(ROOT) or not file.exists():
            return link  # mkdocs says so.
        path = file.relative_to(ROOT)
        if path.suffix == ".md":
            self.copy(path)
            return link
        if file.is_dir():
            listing = path / "files.md"
            entries = sorted(entry.name for entry in file.iterdir() if entry.is_file())
            self.write(listing, f"# {path}\n\n" + "\n".join(f"- [{name}]({self.target(listing, name)})" for name in entries) + "\n")
            return link.rstrip("/") + "/files.md"
        if path.suffix in (".png", ".svg"):
            (SOURCE / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, SOURCE / path)
            return link
        self.show(path)
        return link + ".md"

    def show(self, path: Path) -> None:
        """A file as a page."""
        if path in self.done:
            return
        self.done.add(path)
        language = LANGUAGES.get(path.suffix, "text")
        self.write(Path(f"{path}.md"), f"---\nsearch:\n  exclude: true\n---\n# {path}\n\n`````{language}\n{(ROOT / path).read_text()}\n`````\n")

    @staticmethod
    def write(path: Path, text: str) -> None:
        (SOURCE / path).parent.mkdir(parents=True, exist_ok=True)
        (SOURCE / path).write_text(text)


def program(*arguments: str) -> Any:
    return json.loads(subprocess.run([FATHOM, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)


def catalog(pages: Pages) -> list[Any]:
    """A page for every line of the catalog, by family."""
    works: dict[str, list[Any]] = {}
    for work in program("cite", "--all", "--json")["works"]:
        for name in work["cited_by"]:
            works.setdefault(name, []).append(work)
    jobs = {path.stem: path.read_text() for path in sorted((ROOT / "jobs").glob("*.toml"))}
    families: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for entry in program("catalog", "--json")["entries"]:
        family = entry["family"] or ("job" if entry["kind"] == "table" else "any-family")
        path = f"catalog/{family}/{entry['kind']}-{entry['name']}.md"
        pages.make(Path(path), entry_page(entry, works.get(f"{entry['kind']} {entry['name']}", []), jobs))
        families.setdefault(family, []).append((entry, path))
    lines = ["# Catalog", "", "Every line of `fathom catalog`; the [text](../docs/catalog.txt) has all of it on one page.", ""]
    for family, rows in families.items():
        lines += [f"## {family}", "", "| kind | name | |", "|---|---|---|"]
        lines += [f"| {entry['kind']} | [{entry['name']}](../{path}) | {cell(entry['summary'])} |" for entry, path in rows] + [""]
    pages.make(Path("catalog/index.md"), "\n".join(lines))
    return [
        "catalog/index.md",
        *({family: [{f"{entry['kind']} {entry['name']}": path} for entry, path in rows]} for family, rows in families.items()),
    ]


def cell(text: str) -> str:
    return escape(text, quote=False).replace("|", "\\|").replace("\n", " ")


def entry_page(entry: dict[str, Any], works: list[Any], jobs: dict[str, str]) -> str:
    """A line of the catalog: equation, reference, keys with their ranges, and jobs that name it."""
    lines = [f"# {entry['name']}", "", f"*{entry['kind']}*: {entry['summary']}", ""]
    if entry["equation"]:
        lines += [line for part in latex(entry["equation"]) for line in (f"${part}$", "")]
        lines += ["As text:", "", f"    {entry['equation']}", ""]
    if entry["reference"]:
        lines += [f"Reference: {linked(entry['reference'])}", ""]
        lines += [f"- {', '.join(work['authors'])}: [{work['title']}]({atlas(work)})" for work in works if work["title"] and atlas(work)] + [""]
    named = [name for name, text in jobs.items() if re.search(rf'"{re.escape(entry["name"])}"', text)]
    if named and entry["kind"] != "table":
        lines += ["Jobs: " + ", ".join(f"[{name}](../../jobs/{name}.toml)" for name in named), ""]
    if entry["parameters"]:
        lines += ['<div class="keys" markdown>', "", "| key | unit | what it is | allowed | |", "|---|---|---|---|---|"]
        for key in entry["parameters"]:
            standard = f"default {key['default']}" if key["default"] is not None else "required" if key["required"] else "optional"
            unit = "" if key["unit"] == "1" else key["unit"]
            lines.append(f"| `{key['name']}` | {cell(unit)} | {cell(key['summary'])} | {cell(key['allowed'])} | {cell(standard)} |")
        lines += ["", "</div>"]
    return "\n".join(lines) + "\n"


def atlas(work: dict[str, Any]) -> str:
    """The page of a work, from the page of a line of the catalog."""
    for name in (work["arxiv"].replace("/", "-"), work["key"]):
        if name and (ROOT / f"docs/atlas/{name}.md").exists():
            return f"../../docs/atlas/{name}.md"
    return f"https://arxiv.org/abs/{work['arxiv']}" if work["arxiv"] else ""


def linked(reference: str) -> str:
    reference = re.sub(r"arXiv:([a-z-]+/\d+|\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", reference)
    return re.sub(r"docs/([\w-]+)\.md", r"[docs/\1.md](../../docs/\1.md)", reference)


def navigation(pages: Pages) -> list[Any]:
    """What stands where. A page of docs/ that is in no list comes under Reference."""
    how_to = ["README", "running", "python", "samples", "explain", "cluster", "kernels", "formulas", "graphs", "gallery"]
    about = ["calibration", "validation", "reliability", "scaling"]
    listed = {"tutorial", *how_to, *about}
    first = ["concepts", "verdicts", "limits", "architectures", "activations", "jobs"]
    others = sorted(path.stem for path in (ROOT / "docs").glob("*.md") if path.stem not in listed | set(first))
    docs = {path.stem for path in (ROOT / "docs").glob("*.md")}

    def all_of(names: list[str]) -> list[str]:
        return [pages.add(f"docs/{name}.md") for name in names if name in docs]

    pages.copy(Path("README.md"))
    chapters: list[Any] = [
        {"Home": "README.md"},
        {"Tutorial": pages.add("docs/tutorial.md")},
        {"How-to": all_of(how_to)},
        {"Reference": all_of(first + others)},
    ]
    chapters.append({"Catalog": catalog(pages)})
    if (ROOT / "docs/atlas/README.md").exists():
        papers = sorted(path.name for path in (ROOT / "docs/atlas").glob("*.md") if path.name != "README.md")
        chapters.append({"Atlas": [pages.add("docs/atlas/README.md"), *(pages.add(f"docs/atlas/{name}") for name in papers)]})
    benchmarks = [pages.add(f"Benchmarks/{path.name}") for path in sorted((ROOT / "Benchmarks").glob("*.md"))]
    decisions = [pages.add(f"docs/decisions/{path.name}") for path in sorted((ROOT / "docs/decisions").glob("*.md"))]
    api = (
        "# Bindings\n\nDocumentation of the two libraries of the package, by DocC. It wants a web server: `python -m http.server -d .build/site`.\n\n"
    )
    api += "".join(f'- <a href="{name}/documentation/{name.lower()}/">{name}</a>\n' for name in BINDINGS)
    pages.write(Path("api/index.md"), api)
    last = [{"Speed": benchmarks}, *all_of(about), {"Decisions": decisions}, {"Bindings": "api/index.md"}]
    chapters.append({"About": [*last, pages.add("CONTRIBUTING.md"), pages.add("CHANGELOG.md")]})
    return chapters


def mathematics(html: str, **_: Any) -> str:
    """LaTeX to MathML, which browsers draw without help."""

    def convert(match: re.Match[str]) -> str:
        try:
            drawn = latex2mathml.converter.convert(unescape(match[3]).strip(), display="inline" if match[2] == "(" else "block")
            return f'<span class="formula">{drawn}</span>' if match[2] == "(" else drawn
        except Exception as error:
            logging.getLogger("mkdocs.site").warning("a formula that cannot be read: %s: %r", match[3], error)
            return match[0]

    return FORMULA.sub(convert, html)


def bindings() -> None:
    """The documentation of the libraries, by the toolchain's own docc."""
    graphs = ROOT / ".build/site-graphs"
    shutil.rmtree(graphs, ignore_errors=True)
    flags = subprocess.run(
        ["pkg-config", "--cflags-only-I", "ompi-c", "hdf5-serial", "libcrypto"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    include = [word for flag in flags.split() for word in ("-Xcc", flag)]
    modules = [word for name in ("CMPI", "CHDF5", "CCrypto") for word in ("-I", str(ROOT / "Sources" / name))]
    for name in BINDINGS:
        (graphs / name).mkdir(parents=True)
        (SITE / "api").mkdir(parents=True, exist_ok=True)
        extract = ["swift-symbolgraph-extract", "-module-name", name, "-I", str(ROOT / ".build/release/Modules"), *modules, *include]
        extract += ["-target", "x86_64-unknown-linux-gnu", "-minimum-access-level", "public", "-output-dir", str(graphs / name)]
        convert = ["docc", "convert", str(ROOT / f"Sources/{name}/{name}.docc"), "--additional-symbol-graph-dir", str(graphs / name)]
        convert += ["--fallback-display-name", name, "--fallback-bundle-identifier", f"fathom.{name}", "--transform-for-static-hosting"]
        convert += ["--hosting-base-path", f"api/{name}", "--output-path", str(SITE / "api" / name)]
        for command in (extract, convert):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                sys.exit(f"site: {' '.join(command)}: {done.stdout}")


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="site: %(message)s")
    for folder in (SOURCE, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    pages = Pages()
    chapters = navigation(pages)
    pages.write(Path("site.css"), STYLE)
    if not FONT.exists():
        sys.exit(f"site: {FONT} is missing: bash tools/setup.sh docs installs it")
    shutil.copy(FONT, SOURCE)
    config: MkDocsConfig = load_config(str(ROOT / "analysis/mkdocs.yml"), docs_dir=str(SOURCE), site_dir=str(SITE), nav=chapters, strict=True)
    # Anchors as GitHub makes them, for which the links of the pages are written.
    config.mdx_configs["toc"] = {"permalink": True, "slugify": pymdownx.slugs.slugify(case="lower", percent_encode=False)}
    config.plugins.on_startup(command="build", dirty=False)
    config.plugins._register_event("page_content", mathematics)
    try:
        build(config)
    except Abort:
        sys.exit("site: there are warnings")
    shutil.copy(SHIM, SITE)
    for path in SITE.rglob("*.html"):
        if SHIM_ADDRESS in (text := path.read_text()):
            path.write_text(text.replace(SHIM_ADDRESS, "../" * (len(path.relative_to(SITE).parts) - 1) + "worker-shim.js"))
    bindings()
    print(f"wrote {SITE.relative_to(ROOT)}: open {SITE.relative_to(ROOT)}/index.html, or python -m http.server -d {SITE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
