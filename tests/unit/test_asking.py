# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the other master hosts would answer the interlock: who is asked, how, and what is told of each answer."""

from __future__ import annotations

import concurrent.futures
import io
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import asking
from ansible_collections.hawq.mirroring.plugins.module_utils.host import network, peer_login, programs
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _run
from observations import probe

PEER = {"name": "mdw", "address": "mdw", "port": 5432, "ssh_port": 2222, "unit": "db.service"}
SETTINGS = {
    "bin_directory": "/usr/lib/postgresql/15/bin",
    "passfile": "/home/gpadmin/.pgpass",
    "role": "hawq_mirroring",
    "sslmode": "prefer",
    "peers": [PEER],
}
INSTALLED = {"program": "digest", "settings": SETTINGS, "unit": "digest"}
STATE = b"Database system identifier:           7711308009646152291\n"
HBA = 'psql: error: connection to server at "mdw" (10.9.0.2), port 5432 failed: FATAL:  no pg_hba.conf entry for\nhost'


class Run:
    """What psql and ssh end with."""

    def __init__(self, psql: tuple[int, str] = (0, ""), ssh: tuple[int, bytes, str] = (0, STATE, "")) -> None:
        self.psql, self.ssh, self.told = psql, ssh, t.cast("dict[str, list[str]]", {})

    def __call__(self, command: list[str], timeout: float) -> tuple[int, str, str]:
        self.told["psql"] = command
        return self.psql[0], "", self.psql[1]

    def reading(self, command: list[str], take: t.Callable[[t.Any], None], timeout: float) -> tuple[int, str]:
        self.told["ssh"] = command
        take(io.BytesIO(self.ssh[1]))
        return self.ssh[0], self.ssh[2]


def probing(*probes: dict[str, t.Any]) -> concurrent.futures.Future[t.Any]:
    """A look at the ports, which is done."""
    future: concurrent.futures.Future[t.Any] = concurrent.futures.Future()
    future.set_result({each["address"]: each for each in probes})
    return future


def asked(run: Run, *probes: dict[str, t.Any], installed: t.Any = None) -> dict[str, t.Any]:
    installed = INSTALLED if installed is None else installed
    return dict(asking.answers(t.cast("t.Any", run), installed, probing(*(probes or (probe("smdw", "mdw"),)))))


def test_it_is_asked_as_the_interlock_asks() -> None:
    run = Run()
    assert asked(run) == {"mdw": {"server": "accepted", "host": "answered"}}
    assert run.told["psql"][:6] == [
        "/usr/lib/postgresql/15/bin/psql",
        "--no-psqlrc",
        "--no-password",
        "-At",
        "-c",
        "IDENTIFY_SYSTEM",
    ]
    assert run.told["psql"][6] == (
        "host=mdw port=5432 user=hawq_mirroring passfile=/home/gpadmin/.pgpass sslmode=prefer replication=true"
        " dbname=replication connect_timeout=2 options='-c idle_session_timeout=0'"
    )
    assert run.told["ssh"] == [
        "ssh",
        "-T",
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=2",
        "-p",
        "2222",
        "--",
        "mdw",
        f"{programs.peer_command('db')} state",
    ]


NOT_INSTALLED = (
    {"program": None, "settings": SETTINGS},
    {"program": "digest", "settings": None},
    {"program": "digest", "settings": ["peers"]},
    {"program": "digest", "settings": {**SETTINGS, "peers": []}},
)


@pytest.mark.parametrize("installed", NOT_INSTALLED)
def test_without_an_interlock_nobody_is_asked(installed: dict[str, t.Any]) -> None:
    run = Run()
    assert asked(run, installed=installed) == {}
    assert run.told == {}


def test_a_peer_that_the_interlock_does_not_name_is_left_out() -> None:
    assert set(asked(Run(), probe("smdw", "mdw"), probe("smdw", "sdw1"))) == {"mdw"}


FAILED = (1, HBA)
SERVERS: dict[str, tuple[dict[str, t.Any], tuple[int, str], str | None]] = {
    "well": ({}, (0, ""), "accepted"),
    "port closed": ({"open": False, "answers": False, "error": "refused"}, (0, ""), None),
    "frozen": ({"answers": False}, (0, ""), "port 5432 is open, but nothing answers there"),
    "not let in": (
        {},
        (2, HBA),
        'connection to server at "mdw" (10.9.0.2), port 5432 failed: FATAL: no pg_hba.conf entry for host',
    ),
    "time is up": ({}, (124, ""), "no answer within 5 s"),
    "no program": ({}, (127, ""), "the program ended with 127 and said nothing"),
}


@pytest.mark.parametrize(("seen", "psql", "told"), SERVERS.values(), ids=SERVERS)
def test_servers(seen: dict[str, t.Any], psql: tuple[int, str], told: str | None) -> None:
    assert asked(Run(psql), probe("smdw", "mdw", **seen))["mdw"]["server"] == told


HOSTS: dict[str, tuple[tuple[int, bytes, str], str]] = {
    "state": ((0, STATE + b"standby\n", ""), "answered"),
    "no data": ((0, b"no data directory\n", ""), "answered"),
    "of no use": ((0, b"running\n", ""), "it says nothing of its data"),
    "key not let in": (
        (255, b"", "Warning: added\ngpadmin@mdw: Permission denied (publickey,password).\r\n"),
        "Permission denied (publickey,password)",
    ),
    "another host": (
        (255, b"", "No ED25519 host key is known for mdw.\nHost key verification failed.\n"),
        "Host key verification failed",
    ),
    "refused": (
        (255, b"", "ssh: connect to host mdw port 22: Connection refused\n"),
        "connect to host mdw port 22: Connection refused",
    ),
    "too slow": ((124, b"", ""), "no answer within 5 s"),
    "not a word": ((1, b"", ""), "the program ended with 1 and said nothing"),
}


@pytest.mark.parametrize(("ssh", "told"), HOSTS.values(), ids=HOSTS)
def test_hosts(ssh: tuple[int, bytes, str], told: str) -> None:
    assert asked(Run(ssh=ssh))["mdw"]["host"] == told


SILENT: dict[str, tuple[dict[str, t.Any], str]] = {
    "off": ({"open": False, "answers": False, "error": "timed out"}, "port 2222: timed out"),
    "frozen": ({"answers": False}, "port 2222 is open, but nothing answers there"),
    "only its server is slow": ({}, "answered"),
}


@pytest.mark.parametrize(("seen", "told"), SILENT.values(), ids=SILENT)
def test_a_host_that_is_silent_costs_one_time_out(
    monkeypatch: pytest.MonkeyPatch, seen: dict[str, t.Any], told: str
) -> None:
    questions = []

    def look(address: str, port: int, _seconds: float, question: bytes) -> dict[str, t.Any]:
        questions.append((address, port, question))
        return probe("smdw", address, **seen)

    monkeypatch.setattr(asking, "SOON_SECONDS", 0.01)
    monkeypatch.setattr(network, "probe", look)
    never: concurrent.futures.Future[t.Any] = concurrent.futures.Future()
    run = Run()
    assert asking.of_host(t.cast("t.Any", run), PEER, never) == told
    assert questions == [("mdw", 2222, b"")]
    assert ("ssh" in run.told) == (told == "answered")


# the same login, tried when it is set up

REFUSED = "gpadmin@mdw: Permission denied (publickey).\n"
TRIED: dict[str, tuple[Run, str]] = {
    "answered": (Run(), ""),
    "no data yet": (Run(ssh=(0, b"no data directory\n", "")), ""),
    "AllowUsers": (Run(ssh=(255, b"", REFUSED)), "at mdw port 2222: Permission denied (publickey). Each start"),
    "a banner before it": (Run(ssh=(255, b"", f"Authorized users only\n{REFUSED}")), "Permission denied (publickey)."),
    "another port": (
        Run(ssh=(255, b"", "ssh: connect to host mdw port 2222: Connection refused\n")),
        "connect to host mdw port 2222: Connection refused. Each",
    ),
    "ForceCommand": (Run(ssh=(0, b"Welcome\n", "")), "it says nothing of its data. Each"),
    "an account that has expired": (
        Run(ssh=(255, b"", "Connection closed by 10.9.0.2 port 2222\n")),
        "Connection closed by 10.9.0.2 port 2222. Each",
    ),
    "frozen": (Run(ssh=(124, b"", "")), "no answer within 5 s"),
}


@pytest.mark.parametrize(("run", "words"), TRIED.values(), ids=TRIED)
def test_a_login_that_is_refused_is_told_with_what_ssh_has_said(run: Run, words: str) -> None:
    found = peer_login.refused(t.cast("t.Any", run), "gpadmin", [PEER])
    assert len(found) == (1 if words else 0)
    for row in found:
        assert row.startswith("gpadmin cannot ask mdw by SSH, at mdw port 2222: ")
        assert words in row
        assert "AllowUsers" in row
        assert "set ssh_keys_port for mdw in the inventory" in row
    assert run.told["ssh"][-1] == f"{programs.peer_command('db.service')} state"


PORTS: dict[str, tuple[dict[str, t.Any], int]] = {
    "nothing said": ({}, 22),
    "Ansible's": ({"ansible_port": 2200}, 2200),
    "its own": ({"ansible_port": 2200, "ssh_keys_port": "2222"}, 2222),
    "its own, empty": ({"ansible_port": "2200", "ssh_keys_port": ""}, 2200),
}


@pytest.mark.parametrize(("variables", "port"), PORTS.values(), ids=PORTS)
def test_at_which_port_hosts_reach_each_other(variables: dict[str, t.Any], port: int) -> None:
    assert _run.ssh_port(variables.get) == port
