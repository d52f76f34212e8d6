"""`runebook-tui serve` as everything but a browser meets it: refused, unless it brings what it was given."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator

import pytest
from session_play import DEADLINE, Session
from web_play import Served, prepare, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="an engine is needed")


@pytest.fixture
def here(session: Session) -> Iterator[Served]:
    prepare(session)
    try:
        with served(session) as found:
            yield found
    finally:
        session.command("down")


def test_without_the_token_nothing_is_answered(here: Served) -> None:
    for path in ("/", "/static/js/textual.js", "/static/../server.py", "/nothing", "/?token=wrong"):
        status, _, text = here.get(path)
        assert (status, text) == (401, "open the whole address that `runebook-tui serve` printed\n")
    cookie = here.cookie()
    assert here.get("/", Cookie=cookie)[0] == 200
    assert here.get("/", Cookie=cookie + "x")[0] == 401
    assert here.get("/", Host="evil.example", Cookie=cookie)[0] == 403
    assert here.get("/static/js/textual.js", Cookie=cookie)[0] == 200
    assert here.get("/static/../server.py", Cookie=cookie)[0] in (403, 404)
    own = f"http://{here.host}"
    assert here.live(Origin=own) == 401
    assert here.live(Origin="http://127.0.0.1:5173", Cookie=cookie) == 403
    assert here.live(Cookie=cookie) == 403
    assert not here.tabs()
    assert here.live(Origin=own, Cookie=cookie) == 101


def test_the_cookie_and_the_page_are_kept_from_others(here: Served) -> None:
    path = here.url.partition(here.host)[2]
    _, headers, text = here.get(path)
    assert {"HttpOnly", "SameSite=Strict"} <= set(headers["Set-Cookie"].split("; "))
    assert path.partition("=")[2] not in text + headers["Set-Cookie"] + headers["Refresh"]
    _, headers, page = here.get("/", Cookie=here.cookie())
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert f"ws://{here.host}/ws" in page


def test_it_listens_on_loopback_only_and_another_gets_another_token(here: Served) -> None:
    with open("/proc/net/tcp") as table:
        listening = [row.split()[1] for row in table if f":{here.port:04X} 00000000:0000" in row]
    assert listening == [f"0100007F:{here.port:04X}"]
    with served(here.session) as other:
        assert other.url.partition("token=")[2] != here.url.partition("token=")[2]
        assert other.get("/", Cookie=here.cookie())[0] == 401
    taken = here.session.command("serve", "--port", str(here.port))
    assert (taken.returncode, taken.stdout) == (1, "")
    assert taken.stderr == f"runebook-tui: port {here.port} cannot be listened on: Address already in use\n"
    assert here.session.command("serve", "--port", "70000").returncode == 2


def test_an_agent_is_refused_with_and_without_the_token(session: Session) -> None:
    prepare(session)
    (session.root / "alpha.sh").write_text(
        "while [ ! -s url ]; do sleep 0.05; done\n"
        "exec python3 - $(cat url) <<'END'\n"
        "import sys, time, urllib.error, urllib.request\n"
        "with open('src/alpha/said', 'w') as said:\n"
        "    for url in (sys.argv[1].partition('?')[0], sys.argv[1]):\n"
        "        try:\n"
        "            print(urllib.request.urlopen(url).status, file=said)\n"
        "        except urllib.error.HTTPError as error:\n"
        "            print(error.code, error.read().decode().strip(), file=said)\n"
        "    print('end', file=said)\n"
        "time.sleep(600)\n"
        "END\n"
    )
    said = session.root / "src/alpha/said"
    session.plan((session.root / "runebook.toml").read_text() + "# again\n")
    session.start()
    with served(session) as here:
        (session.root / "url").write_text(here.url)
        session.until("what it was told", lambda: said.exists() and said.read_text().endswith("end\n"))
        assert (
            said.read_text() == "403 a process of an agent's pane may not open this cockpit\n" * 2 + "end\n"
        )
        assert here.get("/", Cookie=here.cookie())[0] == 200


def test_neither_memory_nor_environment_of_the_server_show_the_token(here: Served) -> None:
    token = here.url.partition("token=")[2].encode()
    pid = here.process.pid
    for name in ("environ", "cmdline"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert token not in file.read()
        except PermissionError:
            assert os.getuid() != 0
    with open(f"/proc/{pid}/stat", "rb"):
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # a process that may not be looked into is root's


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["INT", "TERM", "KILL"]
)
def test_the_end_of_the_server_ends_its_tabs_and_no_agent(session: Session, number: signal.Signals) -> None:
    prepare(session)
    session.start()
    session.until_gate("alpha")
    with served(session) as here:
        cookie = here.cookie()
        with socket.create_connection(("127.0.0.1", here.port), timeout=DEADLINE) as browser:
            browser.sendall(
                f"GET /ws?width=100&height=30 HTTP/1.1\r\nHost: {here.host}\r\nOrigin: http://{here.host}\r\n"
                f"Cookie: {cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            seen = b""
            while b"served" not in seen:  # the plan's name, in the heading
                seen += (more := browser.recv(65536))
                assert more
            (tab,) = here.tabs()
            here.process.send_signal(number)
            here.process.wait(DEADLINE)
            session.until("the end of the tab", lambda: not os.path.exists(f"/proc/{tab}") or _is_dead(tab))
    assert session.agent("alpha")["alive"]


def _is_dead(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return True
