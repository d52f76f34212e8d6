"""What is wrong with a plan is named by file, line and field, in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runebook_tui.contracts import languages
from runebook_tui.core.types import AgentSpec, ExecutionPlan, Phase, PlanInfo
from runebook_tui.orchestrator.planner import EXAMPLE, PlanError, check_plan, load_plan, read_plan, schema

BASE = """\
[plan]
name = "demo"

[[phases]]
id = "build"

[[phases]]
id = "wire"
after = ["build"]

[[agents]]
id = "storage"
phase = "build"
command = ["true"]
claims = [
  "src/storage/**",
  "docs/*.md",
]
tasks = [{ id = "storage-publish" }]

[[agents]]
id = "analysis"
phase = "wire"
command = ["true"]
claims = ["src/analysis/**"]
needs = { apis = ["storage"] }

[[interfaces]]
name = "storage"
owner = "storage"
path = "src/storage/api.py"
"""

CASES = {
    "an unknown agent owns a shared path": (
        BASE + '[[shared]]\npath = "x"\nowner = "storge"\n',
        'runebook.toml:34: shared[0].owner: no agent is called "storge"; did you mean "storage"?',
    ),
    "an unknown agent owns an interface": (
        BASE.replace('owner = "storage"', 'owner = "nobody-here"'),
        'runebook.toml:30: interfaces[0] "storage": owner: no agent is called "nobody-here"; '
        'there is "storage", "analysis"',
    ),
    "a cycle of phases": (
        BASE.replace('id = "build"\n', 'id = "build"\nafter = ["wire"]\n', 1),
        'runebook.toml:6: phases[0] "build": after[0]: the phases wait for each other: build → wire → build',
    ),
    "a phase after itself": (
        BASE.replace('after = ["build"]', 'after = ["wire"]'),
        'runebook.toml:9: phases[1] "wire": after[0]: the phases wait for each other: wire → wire',
    ),
    "an agent that needs a task of one that waits for it": (
        BASE.replace('command = ["true"]', 'command = ["true"]\nneeds = { tasks = ["later"] }', 1).replace(
            'claims = ["src/analysis/**"]', 'tasks = [{ id = "later" }]\nclaims = ["src/analysis/**"]'
        ),
        'runebook.toml:15: agents[0] "storage": needs.tasks[0]: can never start, since each waits '
        "for the next: "
        'phase "wire" → phase "build" → agent "storage" → task "later" → agent "analysis" → phase "wire"',
    ),
    "two owners of one path": (
        BASE.replace('claims = ["src/analysis/**"]', 'claims = ["docs/*.md"]'),
        'runebook.toml:25: agents[1] "analysis": claims[0]: "docs/*.md" of "analysis" and '
        '"docs/*.md" of "storage" '
        '(line 17) are equally specific: two owners of one path, for example "docs/.md"',
    ),
    "an API that nobody publishes": (
        BASE.replace('apis = ["storage"]', 'apis = ["store"]'),
        'runebook.toml:26: agents[1] "analysis": needs.apis[0]: an API that nobody publishes: no '
        "[[interfaces]] "
        'is called "store"; did you mean "storage"?',
    ),
    "a task id used twice": (
        BASE.replace(
            'command = ["true"]\nclaims = ["src/a',
            'tasks = [{ id = "storage-publish" }]\ncommand = ["true"]\nclaims = ["src/a',
        ),
        'runebook.toml:24: agents[1] "analysis": tasks[0] "storage-publish": id: the task '
        '"storage-publish" is '
        "there twice; first at line 19",
    ),
    "an agent id used twice": (
        BASE.replace('id = "analysis"', 'id = "storage"'),
        'runebook.toml:22: agents[1] "storage": id: the agent "storage" is there twice; first at line 12',
    ),
    "a phase id used twice": (
        BASE + '[[phases]]\nid = "build"\n',
        'runebook.toml:33: phases[2] "build": id: the phase "build" is there twice; first at line 5',
    ),
    "an interface used twice": (
        BASE + '[[interfaces]]\nname = "storage"\nowner = "storage"\npath = "src/storage/b.py"\n',
        'runebook.toml:33: interfaces[1] "storage": name: the interface "storage" is there twice; '
        "first at line 29",
    ),
    "a claim that leaves the repository": (
        BASE.replace('  "docs/*.md",', '  "../docs/*.md",'),
        'runebook.toml:17: agents[0] "storage": claims[1]: leaves the repository (\'..\'): "../docs/*.md"',
    ),
    "a working folder that leaves the repository": (
        BASE.replace('phase = "build"', 'phase = "build"\ncwd = "a/../../b"'),
        'runebook.toml:14: agents[0] "storage": cwd: leaves the repository (\'..\'): "a/../../b"',
    ),
    "an interface outside of the repository": (
        BASE.replace('"src/storage/api.py"', '"/etc/passwd"'),
        'runebook.toml:31: interfaces[0] "storage": path: must be relative to the repository: "/etc/passwd"',
    ),
    "a pattern that is none": (
        BASE.replace('"docs/*.md"', '"docs/[a"').replace("docs/[a", "docs/***/[z-a]/["),
        'runebook.toml:17: agents[0] "storage": claims[1]: ',
    ),
    "an unknown phase of an agent": (
        BASE.replace('phase = "wire"', 'phase = "wires"'),
        'runebook.toml:23: agents[1] "analysis": phase: no phase is called "wires"; did you mean "wire"?',
    ),
    "an unknown phase in after": (
        BASE.replace('after = ["build"]', 'after = ["biuld"]'),
        'runebook.toml:9: phases[1] "wire": after[0]: no phase is called "biuld"; did you mean "build"?',
    ),
    "an unknown phase in needs": (
        BASE.replace('apis = ["storage"]', 'phases = ["x"]'),
        'runebook.toml:26: agents[1] "analysis": needs.phases[0]: no phase is called "x"; '
        'there is "build", "wire"',
    ),
    "an unknown task in needs": (
        BASE.replace('apis = ["storage"]', 'tasks = ["storage-publsh"]'),
        'runebook.toml:26: agents[1] "analysis": needs.tasks[0]: no task is called "storage-publsh"; '
        'did you mean "storage-publish"?',
    ),
    "waiting for a continuous phase": (
        BASE.replace('id = "build"\n', 'id = "build"\ncontinuous = true\n', 1),
        'runebook.toml:10: phases[1] "wire": after[0]: the phase "build" is continuous: it ends '
        "last, so nothing "
        "can wait for it",
    ),
    "an interface that its owner may not write": (
        BASE.replace('"src/storage/api.py"', '"src/analysis/api.py"'),
        'runebook.toml:31: interfaces[0] "storage": path: "src/analysis/api.py" belongs to '
        '"analysis" (the claim '
        '"src/analysis/**", line 25), so "storage" could not write it without asking',
    ),
    "a pattern that is no regular expression": (
        BASE + "must_match = ['fine', 'def (']\n",
        'runebook.toml:32: interfaces[0] "storage": must_match[1]: is not a regular expression '
        '(missing ), unterminated subpattern at position 4): "def ("',
    ),
    "a symbol that is no name": (
        BASE + 'symbols = ["Store.list()"]\n',
        'runebook.toml:32: interfaces[0] "storage": symbols[0]: must be a name, or names joined by '
        "'.' or '::': \"Store.list()\"",
    ),
    "symbols of a file that has none": (
        BASE.replace("api.py", "api.md") + 'symbols = ["Store"]\n',
        'runebook.toml:32: interfaces[0] "storage": symbols: "src/storage/api.md": symbols are found in '
        ".py, .pyi, .js, .jsx, .mjs, .cjs, .ts, .mts, .cts, .tsx, .rs only",
    ),
    "an empty check of an interface": (
        BASE + "command = []\n",
        "runebook.toml:32: interfaces[0] \"storage\": command: 'command' is empty: a list",
    ),
    "an interface that the operator owns": (
        BASE.replace('"src/storage/api.py"', '"runebook.toml"'),
        'runebook.toml:31: interfaces[0] "storage": path: "runebook.toml" can be written by the '
        "operator only",
    ),
    "an interface that nobody owns when writing there asks": (
        BASE.replace('"src/storage/api.py"', '"lib/api.py"') + '[policy]\nunowned = "ask"\n',
        'runebook.toml:31: interfaces[0] "storage": path: nobody owns "lib/api.py"; add it to the claims of '
        '"storage"',
    ),
    "an unknown key": (
        BASE.replace('claims = ["src/analysis/**"]', 'claim = ["src/analysis/**"]'),
        'runebook.toml:25: agents[1] "analysis": unknown key "claim"; did you mean "claims"?',
    ),
    "an unknown table": (
        BASE + "[[agnts]]\n",
        'runebook.toml:32: unknown key "agnts"; did you mean "agents"?',
    ),
    "a key that is missing": (
        BASE.replace('phase = "wire"\n', ""),
        'runebook.toml:21: agents[1] "analysis": phase: is missing',
    ),
    "no [plan]": (
        BASE.replace("[plan]", "[policy]").replace('name = "demo"', 'away = "hold"'),
        "runebook.toml:1: plan: the table [plan] is missing; a plan begins with it",
    ),
    "one bracket": (
        '[plan]\nname = "x"\n[phases]\nid = "a"\n',
        "runebook.toml:3: phases: must be written [[phases]] with two brackets, once for each",
    ),
    "two brackets": (
        '[[plan]]\nname = "x"\n',
        "runebook.toml:1: plan: must be one table, written [plan], not [[plan]]",
    ),
    "a text for a list": (
        BASE.replace('claims = ["src/analysis/**"]', 'claims = "src/analysis/**"'),
        'runebook.toml:25: agents[1] "analysis": claims: must be a list in [ ], not "src/analysis/**"',
    ),
    "a number for a text": (
        BASE.replace('name = "demo"', "name = 3"),
        "runebook.toml:2: plan.name: must be a text in quotes, not 3",
    ),
    "an unknown choice": (
        BASE + '[policy]\naway = "holt"\n',
        'runebook.toml:33: policy.away: must be "hold" or "refuse" or "flag", not "holt"; did you '
        'mean "hold"?',
    ),
    "an unknown choice where none is needed": (
        BASE.replace('phase = "wire"', 'phase = "wire"\nfinalize = "wayt"'),
        'runebook.toml:24: agents[1] "analysis": finalize: must be "signal" or "wait", not "wayt"; '
        'did you mean "wait"?',
    ),
    "a time that is none": (
        BASE + "[policy]\nhold_seconds = 0\n",
        "runebook.toml:33: policy.hold_seconds: must be more than 0, not 0",
    ),
    "a time that is too long": (
        BASE + "[policy]\nhold_seconds = 1e9\n",
        "runebook.toml:33: policy.hold_seconds: must be at most 86400, not 1000000000.0",
    ),
    "no program": (
        BASE.replace('command = ["true"]\nclaims = ["src/a', 'claims = ["src/a'),
        "runebook.toml:21: agents[1] \"analysis\": needs exactly one of 'builtin', 'command' and 'client'",
    ),
    "two programs": (
        BASE.replace('phase = "wire"', 'phase = "wire"\nclient = "claude"'),
        "runebook.toml:21: agents[1] \"analysis\": needs exactly one of 'builtin', 'command' and 'client'",
    ),
    "an unknown client": (
        BASE.replace('command = ["true"]\nclaims = ["src/a', 'client = "clade"\nclaims = ["src/a'),
        'runebook.toml:24: agents[1] "analysis": client: must be "claude" or "codex" or "gemini" or '
        '"opencode" or "copilot" or "qwen" or "cursor" or "goose" or "aider", not "clade"; did you '
        'mean "claude"?',
    ),
    "a prompt for a command": (
        BASE.replace('phase = "wire"', 'phase = "wire"\nprompt = "Do it"'),
        'runebook.toml:24: agents[1] "analysis": prompt: is for an agent with a \'client\' only: "Do it"',
    ),
    "a model for a command": (
        BASE.replace('phase = "wire"', 'phase = "wire"\nmodel = "big"'),
        'runebook.toml:24: agents[1] "analysis": model: is for an agent with a \'client\' only: "big"',
    ),
    "arguments for a command": (
        BASE.replace('phase = "wire"', 'phase = "wire"\nargs = ["-p"]'),
        "runebook.toml:24: agents[1] \"analysis\": args: is for an agent with a 'client' only: a list",
    ),
    "an empty model": (
        BASE.replace(
            'command = ["true"]\nclaims = ["src/a', 'client = "codex"\nmodel = ""\nclaims = ["src/a'
        ),
        'runebook.toml:25: agents[1] "analysis": model: is empty',
    ),
    "an argument with a NUL": (
        BASE.replace(
            'command = ["true"]\nclaims = ["src/a',
            'client = "codex"\nargs = ["a", "\\u0000"]\nclaims = ["src/a',
        ),
        'runebook.toml:25: agents[1] "analysis": args[1]: cannot hold a NUL character',
    ),
    "a prompt with a NUL": (
        BASE.replace(
            'command = ["true"]\nclaims = ["src/a', 'client = "codex"\nprompt = "\\u0000"\nclaims = ["src/a'
        ),
        'runebook.toml:25: agents[1] "analysis": prompt: cannot hold a NUL character',
    ),
    "an upper-case id": (
        BASE.replace('id = "build"', 'id = "Build"', 1),
        "runebook.toml:5: phases[0] \"Build\": id: must be lower-case letters, digits, '-' and "
        "'_', and begin "
        'with a letter or digit: "Build"',
    ),
    "a reserved id": (
        BASE.replace('id = "analysis"', 'id = "operator"'),
        'runebook.toml:22: agents[1] "operator": id: ',
    ),
    "a variable that cannot be set": (
        BASE.replace('phase = "wire"', 'phase = "wire"\nenv = { "A=B" = "1" }'),
        'runebook.toml:24: agents[1] "analysis": env."A=B": the name of a variable is not empty '
        "and holds no '='",
    ),
    "a variable that is not a text": (
        BASE.replace('phase = "wire"', 'phase = "wire"\nenv = { A = 1 }'),
        'runebook.toml:24: agents[1] "analysis": env.A: must be a text in quotes, not 1',
    ),
    "broken TOML": (
        BASE.replace('name = "demo"', 'name = "demo'),
        "runebook.toml:2: is not TOML: ",
    ),
    "TOML that ends early": ('[plan]\nname = "demo"\nx = [\n', "runebook.toml:4: is not TOML: "),
    "nesting without end": ("x = " + "[" * 50_000, "runebook.toml: is nested too deeply"),
}


def lines(text: str, root: Path | None = None) -> list[str]:
    _, problems = read_plan(text, "runebook.toml", root, builtins={"storage"})
    return [str(problem) for problem in problems]


def test_the_plan_that_the_cases_break_has_no_problems() -> None:
    assert lines(BASE) == []
    assert lines(EXAMPLE) == []


@pytest.mark.parametrize("case", CASES)
def test_it_names(case: str) -> None:
    text, message = CASES[case]
    found = lines(text)
    assert any(line.startswith(message) for line in found), "\n".join(found)
    assert read_plan(text, "runebook.toml", None)[0] is None


def test_one_mistake_is_one_error() -> None:
    for case, (text, message) in CASES.items():
        if case in ("an upper-case id", "a reserved id", "an interface used twice"):
            continue
        errors = [line for line in lines(text) if "warning" not in line]
        follows = [line for line in errors if not line.startswith(message)]
        assert not follows, (case, follows)


def test_every_problem_is_named_at_once_and_no_words_of_pydantic_are_used() -> None:
    text = BASE.replace('after = ["build"]', 'after = ["nope"]\ncolour = 3')
    text = text.replace('"docs/*.md"', '"../x"').replace('apis = ["storage"]', 'apis = ["none"]')
    found = "\n".join(lines(text))
    for part in ('"nope"', '"colour"', '"../x"', '"none"'):
        assert part in found
    for jargon in ("pydantic", "https://", "Value error", "type=", "input_value"):
        assert jargon not in found


def test_a_mistake_inside_an_agent_does_not_make_its_id_unknown() -> None:
    text = BASE.replace('id = "storage"\nphase = "build"', 'id = "storage"\nphase = 3')
    assert [line for line in lines(text) if "warning" not in line] == [
        'runebook.toml:13: agents[0] "storage": phase: must be a text in quotes, not 3'
    ]


def test_warnings_leave_the_plan_usable() -> None:
    text = BASE.replace('command = ["true"]', 'builtin = "storge"', 1) + '[[phases]]\nid = "empty"\n'
    plan, problems = read_plan(text, "runebook.toml", None, builtins={"storage"})
    assert plan is not None
    assert [str(problem) for problem in problems] == [
        'runebook.toml:14: warning: agents[0] "storage": builtin: no agent called "storge" is built in or '
        'installed here; did you mean "storage"?',
        'runebook.toml:32: warning: phases[2] "empty": no agent is in this phase, so it completes '
        "as soon as it "
        "starts",
    ]


def test_a_client_that_is_not_installed_or_loses_its_hook_is_a_warning() -> None:
    text = BASE.replace('command = ["true"]', 'client = "claude"\nargs = ["-p", "--settings=mine"]', 1)
    plan, problems = read_plan(text, "runebook.toml", None, which=lambda program: None)
    assert plan is not None
    assert [str(problem) for problem in problems] == [
        'runebook.toml:14: warning: agents[0] "storage": client: Claude Code is not installed: there is no '
        "'claude' on PATH; get it by `npm install -g @anthropic-ai/claude-code`",
        'runebook.toml:15: warning: agents[0] "storage": args[1]: "--settings=mine" takes the place of '
        "Runebook's settings, and its hook, so that the kernel gate alone keeps this agent's boundaries",
    ]
    _, problems = read_plan(text, "runebook.toml", None, which=lambda program: f"/bin/{program}")
    assert ["args[1]" in str(problem) for problem in problems] == [True]


def test_a_client_that_nothing_would_hold_is_a_warning() -> None:
    text = BASE.replace('command = ["true"]', 'client = "aider"\ngate = "off"', 1)
    _, problems = read_plan(text, "runebook.toml", None)
    assert [str(problem) for problem in problems] == [
        'runebook.toml:15: warning: agents[0] "storage": gate: aider has no hook, so without the gate '
        "nothing asks before it writes"
    ]


def test_errors_come_before_warnings() -> None:
    text = '[[phases]]\nid = "empty"\n' + BASE.replace('"src/storage/api.py"', '"../api.py"')
    assert [problem.severity for problem in read_plan(text, "f", None)[1]] == ["error"]
    text = '[[phases]]\nid = "empty"\n' + BASE.replace('phase = "wire"', 'phase = "wires"')
    severities = [problem.severity for problem in read_plan(text, "f", None)[1]]
    assert severities[0] == "error"
    assert set(severities[1:]) == {"warning"}


def test_hostile_text_is_shown_short_and_without_control_characters() -> None:
    text = BASE.replace('after = ["build"]', 'after = ["\\u001b[2Jx\\nyy"]')
    text = text.replace('name = "demo"', f'name = "{"n" * 5000}"')
    for line in lines(text):
        assert line.isprintable()
        assert len(line) < 400


def test_paths_that_leave_by_a_symbolic_link_are_errors(tmp_path: Path) -> None:
    root, outside = tmp_path / "repo", tmp_path / "outside"
    outside.mkdir()
    (root / "src").mkdir(parents=True)
    (root / "src" / "storage").symlink_to(outside)
    (root / "loop").symlink_to("loop")
    text = BASE.replace('phase = "wire"', 'phase = "wire"\ncwd = "loop"')
    found = lines(text, root)
    link = 'leaves the repository by a symbolic link, to "'
    assert any(
        line.startswith(f'runebook.toml:16: agents[0] "storage": claims[0]: "src/storage" {link}')
        for line in found
    )
    assert any('interfaces[0] "storage": path: "src/storage/api.py" ' + link in line for line in found)
    assert any('cwd: there is no folder "loop" yet' in line for line in found)
    inside = root / "inside"
    inside.mkdir()
    (root / "src" / "storage").unlink()
    (root / "src" / "storage").symlink_to(inside)
    assert not any("symbolic" in line for line in lines(BASE, root))


def test_a_file_that_is_no_plan_is_one_clear_problem(tmp_path: Path) -> None:
    plan = tmp_path / "runebook.toml"

    def only_problem() -> str:
        with pytest.raises(PlanError) as caught:
            load_plan(plan)
        assert len(caught.value.problems) == 1
        return str(caught.value).removeprefix(str(plan))

    assert only_problem() == ": cannot be read: No such file or directory"
    plan.write_bytes(b'[plan]\nname = "\xff"\n')
    assert only_problem() == ":2: is not UTF-8 text (byte 0xff)"
    plan.write_bytes(b"#" * ((1 << 20) + 1))
    assert only_problem() == ": is larger than 1 MiB"
    plan.unlink()
    os.mkfifo(plan)
    assert only_problem() == ": is a special file, not a text file"
    plan.unlink()
    plan.mkdir()
    assert only_problem() == ": is a folder, not a text file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_plan(tmp_path: Path) -> None:
    plan = tmp_path / "runebook.toml"
    plan.write_text(BASE)
    plan.chmod(0)
    with pytest.raises(PlanError, match="cannot be read: Permission denied"):
        load_plan(plan)


def test_a_plan_with_a_byte_order_mark_and_windows_line_ends_loads(tmp_path: Path) -> None:
    plan = tmp_path / "runebook.toml"
    plan.write_bytes(b"\xef\xbb\xbf#:schema ./runebook.schema.json\r\n" + BASE.replace("\n", "\r\n").encode())
    assert [agent.id for agent in load_plan(plan).agents] == ["storage", "analysis"]


def test_a_plan_made_by_a_program_is_checked_too() -> None:
    agent = AgentSpec(id="a", phase="nope", command=("true",))
    plan = ExecutionPlan(plan=PlanInfo(name="x"), phases=(Phase(id="build"),), agents=(agent,))
    first = check_plan(plan)[0]
    assert str(first) == 'plan: agents[0] "a": phase: no phase is called "nope"; there is "build"'


def test_the_schema_describes_every_field_and_its_example_is_a_plan() -> None:
    body = schema()
    assert body["title"] == "Runebook plan"
    examples = body["examples"]
    assert isinstance(examples, list)
    assert ExecutionPlan.model_validate(examples[0]).phases
    definitions = body["$defs"]
    assert isinstance(definitions, dict)
    missing = [
        f"{name}.{key}"
        for name, model in definitions.items()
        for key, value in model.get("properties", {}).items()
        if "description" not in value
    ]
    assert not missing


def test_a_pattern_that_is_everywhere_is_a_warning() -> None:
    plan, problems = read_plan(BASE + "must_match = ['x*']\n", "runebook.toml", None)
    assert plan is not None
    assert [str(each) for each in problems] == [
        'runebook.toml:32: warning: interfaces[0] "storage": must_match[0]: "x*" matches the empty text, '
        "so every file has it"
    ]


def test_symbols_without_the_extra_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    text = BASE.replace("api.py", "api.ts") + 'symbols = ["Store.list"]\n'
    monkeypatch.setattr(languages, "find_spec", lambda name: object())
    assert read_plan(text, "runebook.toml", None)[1] == ()
    monkeypatch.setattr(languages, "find_spec", lambda name: None)
    plan, problems = read_plan(text, "runebook.toml", None)
    assert plan is not None
    assert [str(each) for each in problems] == [
        'runebook.toml:32: warning: interfaces[0] "storage": symbols: "src/storage/api.ts": the symbols of '
        ".ts files need the extra 'symbols': pip install 'runebook-tui[symbols]'"
    ]


def test_a_password_in_the_address_of_the_store_is_not_shown() -> None:
    _, problems = read_plan('[plan]\nname = "x"\nstore = "postgresql://u:s3cr3t@host/db"\n', "plan", None)
    (found,) = [problem for problem in problems if "password" in problem.message]
    assert (found.line, found.field) == (3, "plan.store")
    assert "s3cr3t" not in str(problems)
