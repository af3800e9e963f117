"""A stranger's method: the file of docs/own-model.md, installed as a package into an environment of its own."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
RUN = "from finediving_pose.cli import main; main()"


def blocks(language: str) -> list[str]:
    """Code blocks of the page."""
    page = (REPOSITORY / "docs" / "own-model.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


class Environment:
    """A Python environment that sees fdpose and its dependencies, and what is installed into it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)  # pip and setuptools are those beside fdpose
        self.python = folder / "bin" / "python"
        own = subprocess.check_output([self.python, "-c", "import site; print(site.getsitepackages()[0])"], text=True)
        # as a directory of packages, so that its own .pth files count, such as the one that lends distutils to mmengine
        there = f"{REPOSITORY}\nimport site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        (Path(own.strip()) / "fdpose-for-tests.pth").write_text(there)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "160"}
        return subprocess.run(
            [self.python, *map(str, words)], capture_output=True, text=True, env=environment, timeout=280, cwd="/"
        )

    def fdpose(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.run("-c", RUN, *words)

    def install(self, folder: Path, module: str, code: str, project: str) -> None:
        folder.mkdir()
        (folder / f"{module}.py").write_text(code)
        (folder / "pyproject.toml").write_text(project)
        done = self.run("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", folder)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("stranger")
    made = Environment(folder / "venv")
    (code,), (project,) = blocks("python"), blocks("toml")
    assert len(code.splitlines()) < 80
    made.install(folder / "pose-conv", "pose_conv", code, project)
    return made


def test_it_is_listed_beside_ours(environment: Environment) -> None:
    listed = environment.fdpose("benchmark", "--list")
    assert listed.returncode == 0, listed.stderr
    assert "pose-conv  PoseConv; compares dives with exemplars" in listed.stdout
    assert "motion  joints without their velocities" in listed.stdout
    assert "hpmcr" in listed.stdout


def test_it_is_trained_scored_and_shown(environment: Environment, competition: Workspace) -> None:
    words = ("benchmark", "pose-conv", "--data", competition.root, "--epochs", 2)
    done = environment.fdpose(*words)
    assert done.returncode == 0, done.stderr
    assert "PoseConv (demo)" in done.stdout
    assert "exemplars' mean" in done.stdout
    folder = Path(next(line for line in done.stdout.splitlines() if line.startswith("run ")).split()[1])
    page = (folder / "report.html").read_text()
    assert "<h1>PoseConv: " in page
    assert "hpmcr" not in page.lower().replace("hpmcr, with", "").replace("hpmcr, without", ""), (
        "but for published rows"
    )
    with open(folder / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == json.loads((folder / "metrics.json").read_text())["made"]["n_test"]
    assert all(float(row["predicted_score"]) for row in rows)


def test_its_study_and_ablation_are_those_of_any_method(environment: Environment, competition: Workspace) -> None:
    words = ("--epochs", 1, "--seeds", 2, "--ablate", "--json")
    done = environment.fdpose("benchmark", "pose-conv", "--data", competition.root, *words)
    assert done.returncode == 0, done.stderr
    study = json.loads(done.stdout)
    assert [(r["without"], r["seed"]) for r in study["rows"]] == [(None, 0), (None, 1), ("motion", 0), ("motion", 1)]
    assert [row["without"] for row in study["ablation"]] == ["motion"]
    assert (Path(study["run"]) / "report.html").is_file()


def test_a_run_is_refused_where_its_method_is_not_installed(environment: Environment, competition: Workspace) -> None:
    done = environment.fdpose("benchmark", "pose-conv", "--data", competition.root, "--epochs", 1, "--json")
    folder = json.loads(done.stdout)["run"]
    here = subprocess.run(
        [sys.executable, "-c", RUN, "benchmark", "--resume", folder], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert here.returncode == 2
    assert "was begun with the method 'pose-conv'; no method 'pose-conv'" in here.stderr


def test_a_package_that_fails_on_import_is_named_and_the_others_go_on(environment: Environment, tmp_path: Path) -> None:
    project = blocks("toml")[0].replace("pose_conv:PoseConv", "broken:Broken").replace("pose-conv", "broken")
    environment.install(tmp_path / "broken", "broken", 'raise RuntimeError("no such GPU")\n', project)
    listed = environment.fdpose("benchmark", "--list")
    assert listed.returncode == 0
    assert "pose-conv" in listed.stdout
    assert "method 'broken' of broken can't be imported (RuntimeError: no such GPU)" in listed.stderr
    used = environment.fdpose("benchmark", "broken")
    assert used.returncode == 2
    assert "Traceback" not in used.stderr


def test_a_name_that_is_taken_is_refused(environment: Environment, tmp_path: Path) -> None:
    (code,), (project,) = blocks("python"), blocks("toml")
    project = project.replace('name = "pose-conv"', 'name = "impostor"').replace("pose-conv = ", "hpmcr = ")
    project = project.replace("pose_conv:", "impostor:")
    environment.install(tmp_path / "impostor", "impostor", code.replace('"pose-conv"', '"hpmcr"'), project)
    listed = environment.fdpose("benchmark", "--list", "--json")
    found = json.loads(listed.stdout)
    assert found["methods"]["hpmcr"]["title"] == "HPMCR"
    assert "the name is taken" in found["broken"]["hpmcr"]
