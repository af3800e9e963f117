"""What the documents say exists: links, headings, files, commands and their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from finediving_pose.cli import main
from finediving_pose.errors import LabelError
from finediving_pose.labels.ranges import read_ranges

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = ("finediving_pose", "annotate", "baselines", "benchmarks", "data_manifest", "docs", "requirements", "tests")

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
EVERY_DOCUMENT = pytest.mark.parametrize("page", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
PROJECT_PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*\w")


def prose(page: Path) -> str:
    """The text of a page without its code blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def spans(page: Path) -> list[str]:
    """What a page sets in code letters within a line."""
    return [" ".join(span.split()) for span in SPAN.findall(prose(page))]


def links(page: Path) -> list[tuple[Path, str]]:
    """Relative links of a page: the file, and the heading in it."""
    found = [target.partition("#") for target in LINK.findall(prose(page)) if "://" not in target]
    return [((page.parent / path).resolve() if path else page, heading) for path, _, heading in found]


def headings(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_lines(page: Path) -> Iterator[list[str]]:
    """Words of every fdpose command that a page shows, in code blocks and within lines."""
    blocks = [text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in ("", "bash")]
    lines = [line for text in blocks for line in text.replace("\\\n", " ").splitlines()]
    for line in [*lines, *spans(page)]:
        if "fdpose " not in line or line.startswith("|"):
            continue
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # an apostrophe: prose in a code block
            words = line.split()
        for start in [i for i, word in enumerate(words) if word == "fdpose"]:
            rest = words[start + 1 :]
            yield rest[: next((i for i, word in enumerate(rest) if word in ("&&", "|", ";", ">", "fdpose")), len(rest))]


def options_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


@EVERY_DOCUMENT
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    broken = [str(path) for path, _ in links(page) if not path.exists()]
    broken += [
        f"{path.name}#{heading}"
        for path, heading in links(page)
        if heading and path.suffix == ".md" and path.exists() and heading not in headings(path)
    ]
    assert not broken


def test_every_page_is_reached_from_the_readme() -> None:
    reached, new = set(), {ROOT / "README.md"}
    while new:
        reached |= new
        new = {path for page in new for path, _ in links(page) if path.suffix == ".md" and path.exists()} - reached
    assert not {p for p in DOCUMENTS if "docs" in p.parts} - reached


@EVERY_DOCUMENT
def test_commands_and_their_options_exist(page: Path) -> None:
    context = click.Context(main)
    unknown = []
    for words in command_lines(page):
        name = next((w for w in words if not w.startswith("-")), None)
        if name is None or name == "...":
            continue
        command = main.get_command(context, name)
        if command is None:
            unknown.append(f"fdpose {name}")
            continue
        given = {w.partition("=")[0] for w in words[words.index(name) + 1 :] if w.startswith("--")}
        unknown += [f"fdpose {name} {option}" for option in sorted(given - options_of(command))]
    assert not unknown


@EVERY_DOCUMENT
def test_files_of_the_project_exist(page: Path) -> None:
    named = {match for span in spans(page) for match in PROJECT_PATH.findall(span)}
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


def test_the_readme_lists_every_command() -> None:
    named = set(re.findall(r"`([\w-]+)`|`fdpose ([\w-]+)`", prose(ROOT / "README.md")))
    assert not set(main.list_commands(click.Context(main))) - {a or b for a, b in named}


def test_the_page_on_csv_files_has_every_column(tmp_path: Path) -> None:
    (tmp_path / "dives.csv").write_text("video,index,start_frame,end_frame,mood\n", encoding="utf-8")
    with pytest.raises(LabelError) as refused:
        read_ranges(tmp_path / "dives.csv")
    columns = str(refused.value).partition("the columns can be ")[2].split(", ")
    page = (ROOT / "docs" / "csv.md").read_text(encoding="utf-8")
    assert len(columns) > 10
    assert not [c for c in columns if f"| `{c}` |" not in page]


def test_documents_that_the_code_names_exist() -> None:
    sources = [p for folder in FOLDERS[:5] for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".j2", ".md")]
    missing = {
        f"{source.relative_to(ROOT)}: {name}"
        for source in [*sources, ROOT / "Makefile"]
        for name in re.findall(r"docs/[\w/-]+\.\w+", source.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    }
    assert not missing


def test_the_manual_of_poses_is_short() -> None:
    assert len((ROOT / "docs" / "annotate.md").read_text(encoding="utf-8").splitlines()) <= 150
