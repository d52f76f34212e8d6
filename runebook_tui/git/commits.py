"""Commits that Runebook makes without a work tree."""

from __future__ import annotations

from collections.abc import Sequence

from runebook_tui.git.process import Git, GitError

_MAIL = "runebook.invalid"


def commit_tree(git: Git, tree: str, parents: Sequence[str], message: str, author: str | None = None) -> str:
    """The name of a new commit of `tree`, by the agent `author`; nothing refers to it yet. Raises GitError.

    Who commits is who git says that the user is, or Runebook where git does not know.
    """
    variables: dict[str, str] = {}
    if author is not None:
        variables |= {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": f"{author}@{_MAIL}"}
    try:
        git.run("var", "GIT_COMMITTER_IDENT")
    except GitError:
        own = {"NAME": "Runebook", "EMAIL": f"engine@{_MAIL}"}
        for role in ("AUTHOR", "COMMITTER"):
            variables = {f"GIT_{role}_{part}": value for part, value in own.items()} | variables
    words = [word for parent in parents for word in ("-p", parent)]
    made = git.run(
        "commit-tree", tree, *words, "-F", "-", given=message.encode("utf-8", "replace"), variables=variables
    )
    return made.decode("ascii").strip()
