"""fathom-report FILE: one page of HTML with the verdicts, the figures and their numbers; it needs nothing else.

fathom-report result.h5                 writes result.html
fathom-report result.h5 --watch         writes it again whenever the file changes, until the run is finished
fathom-report result.h5 --figure density-x law.svg    one figure by itself (svg, png or pdf)
"""

import argparse
import base64
import csv
import html
import io
import os
import re
import sys
import time
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

from . import figures, plots
from .figures import Column, Drawing
from .result import FileError, Result, lacks
from .result import open as open_result

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif", "text.color": plots.INK, "axes.edgecolor": plots.INK,
    "axes.labelcolor": plots.INK, "xtick.color": plots.INK, "ytick.color": plots.INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlesize": 9, "svg.hashsalt": "fathom",
    "axes.prop_cycle": cycler(color=plots.COLOURS),
}  # fmt: skip
VARIABLES = {plots.INK: "var(--ink)", plots.RULE: "var(--rule)"} | {colour: f"var(--c{index})" for index, colour in enumerate(plots.COLOURS)}
MARKS = {"agrees": "✓", "differs": "✗", "undecided": "?"}


def render(drawing: Drawing, file: Any, kind: str, transparent: bool = False) -> None:
    """Draws a figure into a file, or a stream."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.4, 2.2) if drawing.small else (4.6, 3.2), layout="constrained")
        drawing.draw(ax=figure.add_subplot())
        figure.savefig(file, format=kind, transparent=transparent, dpi=160, metadata={"Date": None} if kind == "svg" else None)


def svg(drawing: Drawing, name: str) -> str:
    """A figure as SVG that takes its colours from the page; ids carry `name`, since a page has many."""
    stream = io.StringIO()
    render(drawing, stream, "svg", transparent=True)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', f'role="img" aria-label="{html.escape(drawing.caption)}"', text, count=1)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    return text


def number(x: Any) -> str:
    return f"{x:.6g}" if isinstance(x, float) else str(x)


def table(columns: dict[str, Column], label: str, most: int = 400) -> str:
    """A table that scrolls by itself and can be reached by the keyboard."""
    names = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in columns)
    rows = list(zip(*columns.values(), strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(number(float(v) if hasattr(v, 'dtype') and v.dtype.kind == 'f' else v))}</td>" for v in row) + "</tr>"
        for row in rows[:most]
    )
    rest = f'<p class="quiet">{len(rows) - most} more rows in the CSV.</p>' if len(rows) > most else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(label)}">'
        f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>{rest}"
    )


def csv_link(columns: dict[str, Column], name: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    data = base64.b64encode(stream.getvalue().encode()).decode()
    safe = re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")
    return f'<a download="{safe}.csv" href="data:text/csv;base64,{data}">CSV</a>'


def figure_of(drawing: Drawing, name: str) -> str:
    numbers = table(drawing.table, f"Numbers of: {drawing.caption}")
    return (
        f'<figure id="{name}">{svg(drawing, name)}<figcaption>{html.escape(drawing.caption)}</figcaption>'
        f"<details><summary>Numbers</summary>{numbers}{csv_link(drawing.table, drawing.name)}</details></figure>"
    )


def verdicts(result: Result) -> str:
    items = []
    for c in result.comparisons():
        place = "" if c.case == "main" else f" · {html.escape(plots.short(c.case))}"
        items.append(
            f'<li class="{c.verdict}"><strong>{MARKS.get(c.verdict, "")} {html.escape(c.verdict)}</strong> '
            f'<span class="quiet">against {html.escape(c.reference)}{place}</span><br>{html.escape(c.sentence)}</li>'
        )
    if result.finished:
        report = result.report()
        for entry in [*report.get("finite_size", []), *report.get("health", [])]:
            items.append(f"<li>{html.escape(entry.get('sentence') or '')}</li>")
        for entry in report.get("diagnostics", []):
            where = entry["leg"] if entry["case"] == "main" else f"{entry['leg']} · {plots.short(entry['case'])}"
            items.append(f'<li>certificate <span class="quiet">of {html.escape(where)}</span><br>{html.escape(entry["certificate"])}</li>')
    return f'<ul class="verdicts">{"".join(items)}</ul>' if items else '<p class="quiet">Nothing was compared.</p>'


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in rows) + "</dl>"


def what(result: Result) -> str:
    """The legs of the first case, with their equations and settings."""
    text = ""
    case = result.cases[0]
    for name in result.legs(case):
        leg = result.leg(name, case)
        rows = {k: str(v) for k, v in leg.attrs.items() if k not in ("certificate",) and str(v)}
        text += f"<h3>{html.escape(name)}</h3>{pairs(rows.items())}"
    if len(result.cases) > 1:
        text += f"<p>{len(result.cases)} cases: {html.escape('; '.join(map(plots.short, result.cases)))}</p>"
    return text


def comparison_tables(result: Result) -> str:
    text = ""
    for c in result.comparisons()[: figures.MOST]:
        keys = (
            "observable",
            "layer",
            "statistic",
            "finite",
            "finite_error",
            "reference",
            "reference_error",
            "z",
            "ks_distance",
            "ks_p_value",
            "verdict",
        )
        columns = {key: list(c.table[key].values) for key in keys}
        place = "" if c.case == "main" else f", {plots.short(c.case)}"
        title = html.escape(f"against {c.reference}{place}")
        text += f"<details><summary>{title}</summary>{table(columns, title)}{csv_link(columns, f'comparison-{c.case}-{c.reference}')}</details>"
    return text


def page(result: Result, refresh: int | None = None) -> str:
    """The whole report. `refresh`: seconds after which the browser reads it again."""
    sections: dict[str, list[str]] = {}
    for index, drawing in enumerate(figures.all_drawings(result)):
        sections.setdefault(drawing.section, []).append(figure_of(drawing, f"figure-{index}"))
    parts = [("Verdict", verdicts(result))]
    parts += [(name, f'<div class="{"film" if name == "Film" else "figures"}">{"".join(drawn)}</div>') for name, drawn in sections.items()]
    if result.comparisons():
        parts.append(("Every comparison", comparison_tables(result)))
    provenance = result.provenance()
    job = provenance.pop("job")
    parts.append(("What was run", what(result)))
    state = "finished" if result.finished else "not finished: these are the draws of its last checkpoint"
    digest = [("digest", result.report()["digest"])] if result.finished else []
    parts.append(("Provenance", pairs([*provenance.items(), *digest])))
    parts.append(
        ("How to reproduce it", "<p>Save the job as <code>job.toml</code>; any number of ranks gives the same bits.</p>"
         f"<pre tabindex=\"0\">{html.escape(job)}</pre><pre tabindex=\"0\">mpirun -n 2 fathom run job.toml -o again.h5\nfathom digest again.h5</pre>")
    )  # fmt: skip
    anchors = {title: re.sub(r"[^a-z]+", "-", title.lower()) for title, _ in parts}
    links = "".join(f'<li><a href="#{anchors[title]}">{html.escape(title)}</a></li>' for title, _ in parts)
    body = "".join(f'<section aria-labelledby="{anchors[t]}"><h2 id="{anchors[t]}">{html.escape(t)}</h2>{text}</section>' for t, text in parts)
    css = resources.files("fathom").joinpath("page.css").read_text()
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh and not result.finished else ""
    title = html.escape(result.title)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{again}'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>{css}</style></head>'
        f'<body><a class="skip" href="#verdict">Skip to the verdict</a><header><h1>{title}</h1>'
        f'<p class="quiet">{html.escape(result.path.name)}, {state}</p><nav aria-label="Sections"><ul>{links}</ul></nav></header>'
        f"<main>{body}</main></body></html>\n"
    )


def write(path: Path, out: Path, refresh: int | None = None) -> Result:
    result = open_result(path)
    text = page(result, refresh)
    # The target of a symbolic link is replaced, not the link. What is still a link then is a loop.
    out = Path(os.path.realpath(out))
    if out.is_symlink():
        raise FileError(f"{out} is a symbolic link that leads back to itself")
    partial = out.with_name(out.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(out)
    return result


def watch(path: Path, out: Path, every: int) -> None:
    """Writes the page whenever the file changes, until the run is finished."""
    seen: int | None = -1
    while True:
        changed = path.stat().st_mtime_ns if path.exists() else None
        if changed is None and seen != changed:
            print(f"{path} is not there yet; waiting for it", flush=True)
            seen = changed
        elif changed is not None and changed != seen:
            # A checkpoint may replace the file while it is read: the next round reads the new one.
            try:
                result = write(path, out, every)
                print(f"wrote {out}{' (finished)' if result.finished else ''}", flush=True)
                if result.finished:
                    return
            except FileError as error:
                print(error, file=sys.stderr, flush=True)
            seen = changed
        time.sleep(every)


def main() -> None:
    parser = argparse.ArgumentParser(prog="fathom-report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a result file")
    parser.add_argument("-o", "--output", type=Path, help="the page (default: FILE with .html)")
    parser.add_argument(
        "--watch",
        type=int,
        nargs="?",
        const=5,
        metavar="SECONDS",
        help="write it again while the run continues (default 5)",
    )
    parser.add_argument("--figure", nargs=2, metavar=("NAME", "OUT"), help="draw one figure; an unknown name lists those there are")
    options = parser.parse_args()
    out = options.output or options.file.with_suffix(".html")
    matplotlib.use("Agg")
    try:
        if options.figure:
            name, target = options.figure
            drawings = {drawing.name: drawing for drawing in figures.all_drawings(open_result(options.file))}
            if name not in drawings:
                raise FileError(lacks(f"{options.file} has no figure", drawings, name))
            render(drawings[name], target, Path(target).suffix[1:] or "png")
            print(f"drew {target}")
        elif options.watch is not None:
            watch(options.file, out, max(1, options.watch))
        else:
            write(options.file, out)
            print(f"wrote {out}")
    except FileError as error:
        sys.exit(f"fathom-report: {error}")
    except OSError as error:
        sys.exit(f"fathom-report: {error.filename or out}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
