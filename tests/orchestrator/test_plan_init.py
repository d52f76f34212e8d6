"""`init` writes a first plan and never over an existing one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runebook_tui.orchestrator.init import InitError, tracked_files, write_plan
from runebook_tui.orchestrator.planner import PlanError, load_plan

SEED = Path(__file__).parent.parent / "data" / "parallel-execution-plan.md"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "app").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "app" / "main.py").write_text("pass\n")
    (root / "docs" / "a\nb.md").write_text("x\n")
    (root / "untracked").mkdir()
    (root / "untracked" / "x").write_text("x\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    subprocess.run(["git", "-C", root, "add", "app", "docs"], check=True)
    return root


def test_without_a_choice_it_is_coders_with_the_repositorys_folders(repository: Path) -> None:
    path = write_plan(repository, None, None)
    plan = load_plan(path)
    assert path == repository / "runebook.toml"
    assert plan.plan.name == "shop"
    assert plan.agents[0].claims == ("app/**", "/ALPHA.md")


def test_a_template_by_name(repository: Path) -> None:
    assert len(load_plan(write_plan(repository, "runebook", None)).agents) == 7


def test_the_seed_document_becomes_a_plan_and_says_what_it_left_out(repository: Path) -> None:
    said: list[str] = []
    plan = load_plan(write_plan(repository, None, SEED, say=said.append))
    assert plan.agents[6].id == "finalization"
    assert [line for line in said if "src-tauri/src/agents/" in line]


def test_codeowners_is_found_where_it_usually_is(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    (repository / ".github").mkdir()
    (repository / ".github" / "CODEOWNERS").write_text("* @jo\n")
    plan = load_plan(write_plan(repository, None, Path("CODEOWNERS")))
    assert [(agent.id, agent.claims) for agent in plan.agents] == [("jo", ("*",))]


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_what_is_there_already_stays(repository: Path, kind: str) -> None:
    target = repository / "runebook.toml"
    if kind == "file":
        target.write_text("mine")
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("elsewhere")
    with pytest.raises(InitError, match="is there already; a plan is never overwritten"):
        write_plan(repository, "runebook", None)
    assert not (repository / "elsewhere").exists()
    assert kind != "file" or target.read_text() == "mine"


def test_a_document_that_would_not_run_is_not_written(repository: Path) -> None:
    source = repository / "PLAN.md"
    source.write_text(
        "## Phase 1: One\n**Agent**: A\n**Dependencies**: Phase 2\n\n## Phase 2: Two\n**Agent**: B\n"
        "**Dependencies**: Phase 1\n"
    )
    with pytest.raises(PlanError, match=r"the plan made from .*PLAN.md: .*one → two → one"):
        write_plan(repository, None, source)
    assert not (repository / "runebook.toml").exists()


def test_mistaken_calls_are_refused_in_words(repository: Path) -> None:
    with pytest.raises(InitError, match="not from both"):
        write_plan(repository, "coders", SEED)
    with pytest.raises(InitError, match="there is no template 'x'"):
        write_plan(repository, "x", None)
    with pytest.raises(InitError, match="CODEOWNERS file or a Markdown file"):
        write_plan(repository, None, repository / "notes.txt")
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        write_plan(repository, None, repository / "PLAN.md")
    with pytest.raises(InitError, match="cannot be written: No such file"):
        write_plan(repository / "nowhere", None, None)


def test_tracked_files_with_and_without_git(repository: Path, tmp_path: Path) -> None:
    assert tracked_files(repository) == ["app/main.py", "docs/a\nb.md"]
    plain = tmp_path / "plain"
    (plain / ".hidden").mkdir(parents=True)
    (plain / ".hidden" / "x").write_text("")
    (plain / "src").mkdir()
    (plain / "src" / "y").write_text("")
    assert tracked_files(plain) == ["src/y"]
