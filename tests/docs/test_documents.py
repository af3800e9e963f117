"""What the documents say exists: links, headings, files, commands and their options."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from finediving_pose.cli import main
from finediving_pose.errors import STOPPED, LabelError
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


def batch_scripts() -> dict[str, str]:
    """The scripts for sbatch that pages show, by the names of their jobs."""
    blocks = [text for page in DOCUMENTS for _, text in FENCE.findall(page.read_text(encoding="utf-8"))]
    scripts = [text for text in blocks if text.startswith("#!/bin/bash\n")]
    return {re.findall(r"^#SBATCH --job-name=(.+)$", text, re.MULTILINE)[0]: text for text in scripts}


@pytest.mark.parametrize("name", batch_scripts())
def test_scripts_for_sbatch_are_scripts(name: str) -> None:
    read = subprocess.run(["bash", "-n"], input=batch_scripts()[name], text=True, capture_output=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in batch_scripts() if name.startswith("hpmcr")])
def test_a_training_s_script_can_be_run_again(name: str) -> None:
    """The second time goes on; what is sent before the limit is a signal that is answered, and the code is the one."""
    script = batch_scripts()[name]
    assert "--run " in script and "--resume latest" in script
    signals = re.findall(r"--signal=(\w+)@120", script)
    assert [f"SIG{s}" for s in signals] == ["SIGTERM" if "torchrun" in script else "SIGUSR1"]
    if "torchrun" not in script:
        assert f"[ $code = {STOPPED} ] && scontrol requeue" in script and "--requeue" in script


@pytest.mark.parametrize("code", [0, 1, STOPPED])
def test_a_script_puts_the_job_back_where_it_was_stopped_and_only_then(code: int, tmp_path: Path) -> None:
    """With a srun and a scontrol that write down how they are called."""
    for tool, ends in (("srun", code), ("scontrol", 0)):
        program = tmp_path / tool
        program.write_text(f'#!/bin/bash\necho {tool} "$@" >> "{tmp_path}/called"\nexit {ends}\n')
        program.chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7", "USER": "anna", "HOME": "/home/anna"}
    script = ["bash", "-c", batch_scripts()["hpmcr"]]
    assert subprocess.run(script, cwd=tmp_path, env=environment, check=False).returncode == code
    called = (tmp_path / "called").read_text().splitlines()
    assert called[0].startswith("srun fdpose benchmark hpmcr --preset full --weights /home/anna/weights")
    assert called[1:] == (["scontrol requeue 7"] if code == STOPPED else [])


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
