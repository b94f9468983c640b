# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the titles of a server's processes say: only one that serves a client may ever be ended."""

from __future__ import annotations

import os
import signal
import subprocess
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import backends

OWN = [
    "/usr/lib/postgresql/15/bin/postgres -D /data/hawq/master",
    "postgres: checkpointer ",
    "postgres: background writer ",
    "postgres: 15/main: startup recovering 000000010000000000000003",
    "postgres: startup recovering 000000010000000000000003 waiting",
    "postgres: walreceiver streaming 0/3078140",
    "postgres: walsender hawq_mirroring 10.77.0.12(41832) streaming 0/3078140",
    "postgres: 15/main: walsender hawq_mirroring [local] idle",
    "postgres: autovacuum worker shop",
    "postgres: parallel worker for PID 4711 ",
    "postgres: io worker 1",
    "postgres: logical replication launcher ",
    "sshd: gpadmin [priv]",
]
CLIENTS = {
    "postgres: gpadmin postgres [local] idle": ("gpadmin postgres [local]", "idle"),
    "postgres: 15/main: shop shop 10.77.0.1(51234) UPDATE": ("15/main: shop shop 10.77.0.1(51234)", "UPDATE"),
    "postgres: shop shop fd77::1(51234) idle in transaction": ("shop shop fd77::1(51234)", "idle in transaction"),
    "postgres: shop shop app.example(51234)": ("shop shop app.example(51234)", ""),
    "postgres: a b [local] c d [local] SELECT waiting": ("a b [local] c d [local]", "SELECT waiting"),
    "postgres: startup shop [local] idle": ("startup shop [local]", "idle"),
}


def test_what_is_stopped_is_let_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the server's own; a client that is stopped holds nothing up that is not ended anyway."""
    child = subprocess.Popen(["sleep", "60"])
    try:
        for said, told in (("postgres: startup recovering 1", [child.pid]), (next(iter(CLIENTS)), [])):
            monkeypatch.setattr(backends, "title", lambda pid, said=said: said)
            os.kill(child.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            assert list(backends.stopped(os.getpid())) == told
            assert backends.wake(os.getpid()) == told
            os.kill(child.pid, signal.SIGCONT)
            os.waitid(os.P_PID, child.pid, os.WCONTINUED)
            assert backends.stopped(os.getpid()) == {}
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("title", OWN)
def test_the_servers_own_processes_serve_no_client(title: str) -> None:
    assert backends.client_of(title) is None


@pytest.mark.parametrize("title", CLIENTS)
def test_a_client_is_known_by_its_address(title: str) -> None:
    assert backends.client_of(title) == CLIENTS[title]
    assert backends.startup_of(title) is None


def test_the_process_that_replays() -> None:
    found = [does for does in map(backends.startup_of, OWN) if does is not None]
    assert found == ["recovering 000000010000000000000003", "recovering 000000010000000000000003 waiting"]
    assert [backends.waits(does) for does in [*found, None, ""]] == [False, True, False, False]


def test_those_are_given_up_first_that_lose_least() -> None:
    does = ["SELECT", "idle in transaction (aborted)", "", "idle", "idle"]
    found = [backends.Client(pid, 100 - pid, "shop shop [local]", each) for pid, each in enumerate(does)]
    assert [each.pid for each in backends.in_order(found)] == [4, 3, 2, 1, 0]


@pytest.fixture
def child() -> t.Iterator[subprocess.Popen[bytes]]:
    """A process that calls itself what one of a server would."""
    shown = "postgres: shop shop [local] idle"
    process = subprocess.Popen(
        [shown, "-c", "print(flush=True); input()"],
        executable="/usr/bin/python3",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_only_the_very_process_is_ended(child: subprocess.Popen[bytes]) -> None:
    assert backends.title(child.pid) == "postgres: shop shop [local] idle"
    client = next(each for each in backends.clients(os.getpid()) if each.pid == child.pid)
    assert not backends.end(os.getpid(), client._replace(started=client.started - 1))
    assert not backends.end(1, client)
    assert child.poll() is None
    assert backends.end(os.getpid(), client)
    assert child.wait(timeout=10) == -signal.SIGTERM
    assert not backends.end(os.getpid(), client)
