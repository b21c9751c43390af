#!/usr/bin/env python3
"""manual.py BINARY FOLDER: a man page of the program and one of each command, from the program's own description of itself.

The version is that of the program, the date that of SOURCE_DATE_EPOCH (default: today).
"""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

EXIT = [
    ("0", "done"), ("1", "fathom check: an expectation does not hold"), ("64", "wrong usage"), ("65", "bad job or data"), ("70", "a bug"),
    ("74", "input or output failed"), ("75", "stopped early: rerun the command to resume"),
]  # fmt: skip


def roff(text: str) -> str:
    """Text as roff prints it: backslashes and hyphens as they are, no line taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def paragraphs(text: str) -> list[str]:
    """Paragraphs of a discussion; blocks whose lines are indented stay as they are."""
    lines: list[str] = []
    for block in text.strip("\n").split("\n\n"):
        if all(line.startswith("  ") for line in block.split("\n")):
            lines += [".PP", ".nf", ".RS 4", *(roff(line[2:]) for line in block.split("\n")), ".RE", ".fi"]
        else:
            lines += [".PP", roff(block)]
    return lines


def names(argument: dict) -> list[str]:
    return [("-" if name["kind"] == "short" else "--") + name["name"] for name in argument.get("names", [])]


def synopsis(argument: dict) -> str:
    value = f"\\fI{roff(argument['valueName'])}\\fR"
    if argument["kind"] == "positional":
        text = value
    else:
        text = "\\fB" + roff(names(argument)[0]) + "\\fR" + (f" {value}" if argument["kind"] == "option" else "")
    text += " ..." if argument["isRepeating"] else ""
    return f"[{text}]" if argument["isOptional"] else text


def tagged(argument: dict) -> list[str]:
    value = f"\\fI{roff(argument['valueName'])}\\fR"
    tag = ", ".join(f"\\fB{roff(name)}\\fR" for name in names(argument))
    tag = value if argument["kind"] == "positional" else f"{tag} {value}" if argument["kind"] == "option" else tag
    text = argument.get("abstract", "")
    if "defaultValue" in argument:
        text += f" (default: {argument['defaultValue']})"
    return [".TP", tag, *(roff(line) for line in text.split("\n") if line)]


def page(command: dict, parents: list[str], others: list[str], heading: str, subcommands: list[dict]) -> str:
    name = " ".join([*parents, command["commandName"]])
    file = name.replace(" ", "-")
    arguments = [a for a in command.get("arguments", []) if a["shouldDisplay"]]
    lines = [
        f'.TH {file.upper()} 1 {heading}', ".SH NAME", f"{roff(file)} \\- {roff(command['abstract'].rstrip('.'))}",
        ".SH SYNOPSIS", f".B {roff(name)}", *(synopsis(a) for a in arguments),
    ]  # fmt: skip
    lines += ["\\fIcommand\\fR ..."] if subcommands else []
    lines += [".SH DESCRIPTION", *paragraphs(command.get("discussion") or command["abstract"])]
    if subcommands:
        lines.append(".SH COMMANDS")
        for each in subcommands:
            lines += [".TP", f"\\fB{roff(file)}\\-{each['commandName']}\\fR(1)", roff(each["abstract"])]
    if arguments:
        lines += [".SH OPTIONS", *(line for a in arguments for line in tagged(a))]
    lines += [".SH EXIT STATUS", *(line for code, text in EXIT for line in (".TP", code, roff(text)))]
    lines += [".SH SEE ALSO", ",\n".join(f"\\fB{roff(other)}\\fR(1)" for other in others if other != file)]
    return "\n".join(lines) + "\n"


def main() -> int:
    binary, folder = sys.argv[1], Path(sys.argv[2])
    said = [subprocess.run([binary, word], capture_output=True, text=True, check=True).stdout for word in ("--experimental-dump-help", "--version")]
    root, version = json.loads(said[0])["command"], said[1].strip()
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now(datetime.UTC).timestamp())
    date = datetime.datetime.fromtimestamp(seconds, datetime.UTC).date()
    heading = f'{date} "{root["commandName"]} {version}" "User Commands"'
    commands = [command for command in root["subcommands"] if command["shouldDisplay"] and command["commandName"] != "help"]
    files = [root["commandName"], *(f"{root['commandName']}-{command['commandName']}" for command in commands)]
    folder.mkdir(parents=True, exist_ok=True)
    texts = [page(root, [], files, heading, commands)]
    texts += [page(command, [root["commandName"]], files[:1], heading, []) for command in commands]
    for file, text in zip(files, texts, strict=True):
        (folder / f"{file}.1").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
