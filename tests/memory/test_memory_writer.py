"""What the log's records become in the memory."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_play import BEGAN, Memory, ran, record, suggested

from runebook_tui.memory.outputs import MOST_OUTPUT, output_in, printed_in


def test_a_failed_command_is_a_command_its_output_and_an_error(memory: Memory) -> None:
    memory.outputs[2] = "Traceback\nModuleNotFoundError: No module named 'requests'\n"
    started = record(1, "AgentStarted", agent="alpha", pane="%1", pid=7, attempt=1)
    memory.take(started, ran(2, "python api.py", code=1, failed=True, seconds=0.5, folder="src"))
    (session,) = memory.all("session")
    (command,) = memory.all("command")
    (error,) = memory.all("error")
    assert (
        command.items()
        >= {
            "id": "command/1",
            "command": "python api.py",
            "agent": "alpha",
            "session": session["id"],
            "source": "hook",
            "started": BEGAN + 1.5,
            "environment": {},
            "folder": "src",
            "seconds": 0.5,
            "code": 1,
            "failed": True,
            "output": memory.outputs[2],
            "output_cut": False,
            "time": BEGAN + 2,
        }.items()
    )
    assert (error["kind"], error["command"], error["code"]) == ("command", "command/1", 1)
    assert error["words"].startswith("python api.py\nTraceback\nModuleNotFound")


def test_the_same_records_again_change_nothing(memory: Memory) -> None:
    records = [ran(1, "ls"), ran(2, "false", code=1), suggested(3)]
    assert memory.take(*records) == 3
    before = [memory.all(kind) for kind in ("command", "error", "insight", "suggestion")]
    assert memory.take(*records) == 0
    assert memory.take(*records[1:]) == 0
    assert [memory.all(kind) for kind in ("command", "error", "insight", "suggestion")] == before
    assert memory.writer.position(BEGAN) == 3


def test_another_log_begins_at_its_own_beginning(memory: Memory) -> None:
    memory.take(ran(1, "ls"), ran(2, "pwd"))
    assert memory.writer.position(5000.0) == 0
    assert memory.take(ran(1, "make"), began=5000.0) == 1
    assert [each["command"] for each in memory.all("command")] == ["ls", "pwd", "make"]


def test_sessions_begin_and_end(memory: Memory) -> None:
    memory.take(
        record(1, "AgentStarted", agent="alpha", pane="%1", pid=7, attempt=1),
        record(2, "ActivityChanged", agent="alpha", client="Claude Code", activity="working", session="s1"),
        record(3, "ActivityChanged", agent="alpha", client="Claude Code", activity="idle", session="s1"),
        ran(4, "ls"),
        record(5, "ActivityChanged", agent="alpha", client="Claude Code", activity="working", session="s2"),
        record(6, "AgentExited", agent="alpha", code=3, signal=None, last_lines=["boom"], reason=""),
        record(7, "AgentStarted", agent="beta", pane="%2", pid=8, attempt=1),
        record(8, "RunEnded", outcome="completed"),
    )
    found = [(each["agent"], each["kind"], each["name"], each["ended"]) for each in memory.all("session")]
    assert found == [
        ("alpha", "program", "%1 pid 7", BEGAN + 6),
        ("alpha", "client", "s1", BEGAN + 5),
        ("alpha", "client", "s2", BEGAN + 6),
        ("beta", "program", "%2 pid 8", BEGAN + 8),
    ]
    assert memory.all("command")[0]["session"] == "session/2"
    (error,) = memory.all("error")
    assert (error["kind"], error["code"]) == ("program", 3)
    assert error["words"] == "its program ended with exit code 3\nboom"


def test_a_shell_is_a_session_and_its_commands_belong_to_it(memory: Memory) -> None:
    memory.take(
        record(1, "AgentStarted", agent="alpha", pane="%1", pid=7, attempt=1),
        record(2, "ShellStarted", agent="alpha", shell="bash", session="41", folder="."),
        record(3, "ShellStarted", agent="alpha", shell="zsh", session="42", folder="."),
        ran(
            4, "ls", source="shell", session="41", arguments=["ls"], environment={"PASSWORD": "x", "A": None}
        ),
        ran(5, "pwd", source="pane", session=""),
        record(6, "ShellEnded", agent="alpha", shell="bash", session="41"),
    )
    assert [each["ended"] for each in memory.all("session")] == [None, BEGAN + 6, None]
    first, second = memory.all("command")
    assert (first["session"], first["source"], first["arguments"]) == ("session/2", "shell", ["ls"])
    assert first["environment"] == {"PASSWORD": "[hidden]", "A": None}
    assert second["session"] == "session/3"


def test_refusals_are_errors_in_words(memory: Memory) -> None:
    crossing = {"path": "src/beta/x", "owner": "beta"}
    memory.take(
        record(1, "CoordinationRequest", request=4, kind="held", requester="alpha", crossings=[crossing]),
        record(2, "HoldEnded", request=4, reason="nobody decided"),
        record(3, "CoordinationResponse", request=4, decision="rejected", reason="not now"),
        record(4, "CoordinationResponse", request=4, decision="approved", reason=""),
        record(5, "AttemptRefused", speaker="alpha", attempt="approve 4", reason="only the operator may"),
    )
    assert [(each["agent"], each["kind"], each["words"]) for each in memory.all("error")] == [
        ("alpha", "refusal", "request 4 (src/beta/x, beta's) was not let through: nobody decided"),
        ("alpha", "refusal", "request 4 (src/beta/x, beta's) was rejected: not now"),
        ("alpha", "refusal", "approve 4 was refused: only the operator may"),
    ]


def test_a_suggestion_counts_up_and_keeps_where_each_came_from(memory: Memory) -> None:
    memory.take(
        ran(2, "python api.py", code=1),
        suggested(3),
        record(4, "SuggestionApplied", suggestion=1, by="operator"),
        suggested(5, title="Install requests", provenance={}),
    )
    (found,) = memory.all("suggestion")
    assert (found["count"], found["status"], found["title"]) == (2, "open", "Install requests")
    assert [(each["seq"], each["rule"], each["command"]) for each in found["provenance"]] == [
        (3, "python-module", "command/1"),
        (5, "", None),
    ]
    assert memory.search('"Install the module"', ["suggestion"]) == []
    assert memory.search("Install requests", ["suggestion"]) == ["suggestion/1"]
    memory.take(record(6, "SuggestionDismissed", suggestion=1, by="operator"))
    (found,) = memory.all("suggestion")
    assert (found["status"], found["by"]) == ("dismissed", "operator")


def test_insights_say_what_failed_again_and_what_came_before_it_worked(memory: Memory) -> None:
    memory.take(
        ran(1, "make test", code=2),
        ran(2, "make  test", "beta", code=2),
        ran(3, "pip install x"),
        ran(4, "make test", code=0),
        ran(5, "make test", code=0),
    )
    found = {each["kind"]: each for each in memory.all("insight")}
    assert found["fails"]["words"] == "failed 2 times, by alpha, beta"
    assert found["fails"]["agents"] == ["alpha", "beta"]
    assert found["works-again"]["words"] == "worked after 2 failures; before it ran pip install x"
    assert found["works-again"]["count"] == 1


def test_no_secret_and_no_byte_that_is_no_character_is_stored(memory: Memory) -> None:
    memory.outputs[1] = "export API_TOKEN=abcdef123456\n"
    memory.take(ran(1, "curl -H 'Authorization: Bearer abcdef123456' x\udcff", code=1))
    raw = memory.path.read_bytes()
    assert b"abcdef123456" not in raw
    (command,) = memory.all("command")
    assert command["command"].endswith("x\\udcff")


def test_an_output_is_read_from_its_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "output"
    folder.mkdir()
    (tmp_path / "secret").write_text("not yours")
    (folder / "1.txt").write_text("printed")
    (folder / "link").symlink_to("../secret")
    os.mkfifo(folder / "pipe")
    (folder / "big").write_bytes(b"a" * MOST_OUTPUT + b"end")
    assert output_in(folder, "1.txt") == ("printed", False)
    for name in ("../secret", str(tmp_path / "secret"), "link", "pipe", "none", "", "."):
        assert output_in(folder, name) is None
    big = output_in(folder, "big")
    assert big is not None
    assert big.cut
    assert big.text.endswith("end")
    assert len(big.text) < MOST_OUTPUT + 20


def test_a_record_names_captured_output_only(tmp_path: Path) -> None:
    folder = tmp_path / ".runebook/agents/event-capture/output"
    folder.mkdir(parents=True)
    (folder / "1.txt").write_text("printed")
    (tmp_path / ".runebook/agents/event-capture/home").write_text("not printed")
    name = ".runebook/agents/event-capture/output/1.txt"
    assert printed_in(tmp_path, {"output": name}) == ("printed", False)
    for other in ("", "home", name.replace("output/1.txt", "home"), name + "/../../home", "/" + name):
        assert printed_in(tmp_path, {"output": other}) is None


events = st.sampled_from(["ok", "fail", "start", "exit", "suggest", "dismiss", "other"])


@settings(max_examples=30, deadline=None)
@given(kinds=st.lists(events, max_size=20), cuts=st.lists(st.integers(0, 20), max_size=6))
def test_however_the_records_come_in_parts_the_memory_is_the_same(
    tmp_path_factory, kinds: list[str], cuts: list[int]
) -> None:
    made = {
        "ok": lambda seq: ran(seq, "make", code=0),
        "fail": lambda seq: ran(seq, "make", code=1),
        "start": lambda seq: record(seq, "AgentStarted", agent="alpha", pane="%1", pid=1, attempt=1),
        "exit": lambda seq: record(seq, "AgentExited", agent="alpha", code=1, signal=None, last_lines=[]),
        "suggest": lambda seq: suggested(seq),
        "dismiss": lambda seq: record(seq, "SuggestionDismissed", suggestion=1, by="operator"),
        "other": lambda seq: record(seq, "PhaseStarted", phase="x"),
    }
    records = [made[kind](seq) for seq, kind in enumerate(kinds, start=1)]
    folder = tmp_path_factory.mktemp("parts")
    whole, parts = Memory(folder / "whole.sqlite"), Memory(folder / "parts.sqlite")
    whole.writer.take(BEGAN, records, len(records))
    for cut in (*cuts, len(records)):
        # Each part is given from the beginning, as by a writer that was killed and begins again.
        parts.writer.take(BEGAN, records[:cut], min(cut, len(records)))
    kept = ("session", "command", "error", "insight", "suggestion")
    assert [whole.all(kind) for kind in kept] == [parts.all(kind) for kind in kept]
    whole.store.close()
    parts.store.close()
