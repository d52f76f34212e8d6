"""The guard's hooks go in beside others, and come out without a trace."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from guard_play import INTERPRETER, Guarded

from runebook_tui.git.hooks import GuardHooks, HooksError


def pictured(*folders: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below the folders with mode and content (of a link: where it leads)."""
    found = {}
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            if path.is_symlink():
                found[str(path)] = 0, str(path.readlink()).encode()
            elif path.is_file():
                found[str(path)] = stat.S_IMODE(path.stat().st_mode), path.read_bytes()
    return found


def recorder(repository: Guarded, name: str, *, status: int = 0, more: str = "") -> str:
    """A hook that notes how it was called, and its input."""
    note = repository.root / ".git" / f"{name}.note"
    return f'#!/bin/sh\n{{ echo "called $*"; cat; }} >>"{note}"\n{more}\nexit {status}\n'


def note(repository: Guarded, name: str) -> list[str]:
    path = repository.root / ".git" / f"{name}.note"
    return path.read_text().splitlines() if path.exists() else []


def test_existing_hooks_run_first_and_uninstall_puts_everything_back(repository: Guarded) -> None:
    hooks = repository.root / ".git" / "hooks"
    repository.write(".git/hooks/pre-commit", recorder(repository, "pre-commit"), mode=0o711)
    tool = repository.write("tools/check", recorder(repository, "reference-transaction"), mode=0o755)
    (hooks / "reference-transaction").symlink_to(tool)
    before = pictured(hooks, repository.root / ".git" / "config")
    repository.hooks.install()
    installed = pictured(hooks)
    assert repository.hooks.install() == []
    assert pictured(hooks) == installed
    assert repository.hooks.found().state == "installed"

    repository.write("beta/b", "2\n")
    assert repository.refused("commit", "-q", "-am", "x") == [
        "runebook: alpha may not commit beta/b: beta owns it",
        "runebook: leave them out (git restore --staged PATH), or ask first (runebook-tui ask PATH)",
    ]
    repository.git("commit", "-q", "-am", "x")
    assert note(repository, "pre-commit") == ["called ", "called "]
    head, old = repository.git("rev-parse", "HEAD"), repository.git("rev-parse", "HEAD~")
    told = note(repository, "reference-transaction")
    assert f"{old} {head} refs/heads/main" in told
    assert [line for line in told if line.startswith("called")][-2:] == [
        "called prepared",
        "called committed",
    ]

    repository.hooks.uninstall()
    assert pictured(hooks, repository.root / ".git" / "config") == before
    assert repository.hooks.found().state == "off"


def test_the_status_of_an_existing_hook_counts(repository: Guarded) -> None:
    repository.write(".git/hooks/pre-commit", recorder(repository, "pre-commit", status=3), mode=0o755)
    repository.hooks.install()
    repository.write("alpha/a", "2\n")
    assert repository.try_git("commit", "-q", "-am", "x").returncode == 1
    repository.write(".git/hooks/pre-commit.before-runebook", "#!/bin/sh\nexit 1\n", mode=0o644)
    repository.git("commit", "-q", "-am", "git runs no hook that may not be executed")


HUSKY = '#!/usr/bin/env sh\n. "$(dirname -- "$0")/h"\n'
HUSKY_H = """#!/usr/bin/env sh
name=$(basename -- "$0")
script=$(dirname -- "$(dirname -- "$0")")/$name
[ -f "$script" ] || exit 0
sh -e "$script" "$@"
exit $?
"""


def husky(repository: Guarded) -> Path:
    """Hooks as husky 9 lays them out: generated and ignored ones in `.husky/_`, tracked ones beside."""
    generated = repository.root / ".husky" / "_"
    for name in ("pre-commit", "commit-msg", "reference-transaction"):
        repository.write(f".husky/_/{name}", HUSKY, mode=0o755)
    repository.write(".husky/_/h", HUSKY_H)
    repository.write(".husky/_/.gitignore", "*\n")
    repository.write(".husky/pre-commit", recorder(repository, "pre-commit"))
    repository.write(".husky/commit-msg", recorder(repository, "commit-msg"))
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "husky")
    config = repository.root / ".git" / "config"
    config.write_text(config.read_text() + "[core]\n    hookspath = .husky/_  ; by husky\n")
    return generated


def test_the_folder_of_husky_is_left_alone_and_its_hooks_run(repository: Guarded) -> None:
    generated = husky(repository)
    places = (generated, repository.root / ".git" / "config", repository.root / ".git" / "hooks")
    before = pictured(*places)
    repository.hooks.install()
    assert pictured(generated) == {p: v for p, v in before.items() if p.startswith(str(generated))}
    assert repository.git("status", "--porcelain") == ""
    assert repository.hooks.found().state == "installed"
    assert repository.hooks.install() == []
    repository.write("beta/b", "2\n")
    assert (
        repository.refused("commit", "-qam", "x")[0] == "runebook: alpha may not commit beta/b: beta owns it"
    )
    assert repository.refused("commit", "-nqam", "x")
    repository.git("commit", "-q", "-am", "x")
    assert len(note(repository, "pre-commit")) == 2
    assert note(repository, "commit-msg") == ["called .git/COMMIT_EDITMSG"]

    lane = repository.root.parent / "lane"
    repository.git("worktree", "add", "-q", str(lane))
    (lane / "beta" / "b").write_text("3\n")
    assert repository.refused("commit", "-nqam", "x", cwd=lane)
    repository.git("worktree", "remove", "--force", str(lane))

    repository.hooks.uninstall()
    assert pictured(*places) == before


def test_husky_that_takes_its_place_again_is_said_and_harms_nothing(repository: Guarded) -> None:
    husky(repository)
    repository.hooks.install()
    repository.git("config", "core.hooksPath", ".husky/_")
    assert repository.hooks.found().state == "broken"
    repository.hooks.install()
    assert repository.hooks.found() == repository.hooks.found()._replace(state="installed", notes=())
    repository.git("config", "core.hooksPath", ".husky/_")
    repository.hooks.uninstall()
    assert repository.git("config", "core.hooksPath") == ".husky/_"
    assert repository.hooks.found().state == "off"


def test_a_configuration_that_changed_since_keeps_its_changes(repository: Guarded) -> None:
    husky(repository)
    repository.hooks.install()
    repository.git("config", "test.mine", "yes")
    repository.hooks.uninstall()
    assert repository.git("config", "core.hooksPath") == ".husky/_"
    assert repository.git("config", "test.mine") == "yes"


def test_hooks_of_the_user_for_all_repositories_stay_as_they_are(
    repository: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = repository.root.parent / "everywhere"
    everywhere.mkdir()
    (everywhere / "pre-commit").write_text(recorder(repository, "pre-commit"))
    (everywhere / "pre-commit").chmod(0o755)
    settings = repository.root.parent / "gitconfig"
    settings.write_text(f"[core]\n\thooksPath = {everywhere}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    config = repository.root / ".git" / "config"
    before = pictured(everywhere, settings, config)
    repository.hooks.install()
    assert {**pictured(everywhere, settings), str(config): before[str(config)]} == before
    repository.write("beta/b", "2\n")
    assert repository.refused("commit", "-qam", "x")
    assert note(repository, "pre-commit") == ["called "]
    repository.hooks.uninstall()
    assert pictured(everywhere, settings, config) == before


def test_a_tool_that_moves_our_hook_away_and_calls_it_is_no_loop(repository: Guarded) -> None:
    """The pre-commit framework does so: an existing hook becomes `pre-commit.legacy`, which it runs first."""
    hooks = repository.root / ".git" / "hooks"
    framework = (
        '#!/bin/sh\nlegacy="$(dirname "$0")/pre-commit.legacy"\n'
        'if [ -x "$legacy" ]; then "$legacy" "$@" || exit; fi\n'
    ) + recorder(repository, "pre-commit").removeprefix("#!/bin/sh\n")
    repository.write(".git/hooks/pre-commit", framework, mode=0o755)
    repository.hooks.install()
    (hooks / "pre-commit").rename(hooks / "pre-commit.legacy")
    repository.write(".git/hooks/pre-commit", framework, mode=0o755)
    repository.write("alpha/a", "2\n")
    repository.git("commit", "-q", "-am", "x", agent="alpha")
    assert note(repository, "pre-commit") == ["called ", "called "]
    repository.write("beta/b", "2\n")
    assert repository.refused("commit", "-qam", "x")


def test_a_hook_that_somebody_changed_is_not_overwritten(repository: Guarded) -> None:
    repository.write(".git/hooks/pre-commit", "#!/bin/sh\n# mine\n", mode=0o755)
    repository.hooks.install()
    hooks = repository.root / ".git" / "hooks"
    theirs = repository.write(".git/hooks/pre-commit", "#!/bin/sh\n# another tool's\n", mode=0o755)
    assert repository.hooks.found().state == "broken"
    with pytest.raises(HooksError, match="replaced after the guard"):
        repository.hooks.install()
    said = repository.hooks.uninstall()
    assert theirs.read_text() == "#!/bin/sh\n# another tool's\n"
    assert (hooks / "pre-commit.before-runebook").read_text() == "#!/bin/sh\n# mine\n"
    assert any("somebody else's now" in line for line in said)
    repository.write(".git/hooks/pre-commit.before-runebook", "", mode=0o755).unlink()
    theirs.unlink()
    repository.hooks.install()
    edited = theirs.read_text() + "# edited\n"
    theirs.write_text(edited)
    repository.hooks.uninstall()
    assert theirs.read_text() == edited


def test_people_commit_when_runebook_is_gone_and_read_one_line(repository: Guarded) -> None:
    GuardHooks(repository.root, ("/nowhere/python", *INTERPRETER[1:])).install()
    (repository.root / ".runebook").mkdir()
    repository.write("beta/b", "2\n")
    done = repository.try_git("commit", "-q", "-am", "x", agent="alpha")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "runebook: the commit guard does not work, and lets this pass (runebook-tui guard status)"
    ]
    assert repository.hooks.found().state == "broken"


def test_a_hooks_folder_that_is_a_link_is_not_written_to(repository: Guarded) -> None:
    tracked = repository.write("githooks/pre-commit", recorder(repository, "pre-commit"), mode=0o755).parent
    hooks = repository.root / ".git" / "hooks"
    for each in hooks.iterdir():
        each.unlink()
    hooks.rmdir()
    hooks.symlink_to(tracked)
    before = pictured(tracked, repository.root / ".git" / "config")
    repository.hooks.install()
    assert pictured(tracked).items() <= before.items()
    repository.write("beta/b", "2\n")
    assert repository.refused("commit", "-qam", "x")
    assert note(repository, "pre-commit") == ["called "]
    repository.hooks.uninstall()
    assert pictured(tracked, repository.root / ".git" / "config") == before
