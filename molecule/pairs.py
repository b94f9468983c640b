# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures of the scenarios that lose masters: a synchronised pair, whoever is what, and a client that uses both."""

from __future__ import annotations

import typing as t
from pathlib import Path

import harness
import pytest

harness.INVENTORY = Path(__file__).resolve().parent / "failover" / "inventory"
VIRTUAL_IP = "10.77.0.100"
HOSTS = ("mdw", "smdw")
SEGMENTS = ("sdw1", "sdw2")
WITH_SEGMENTS = (
    *("-i", str(harness.ROOT / "inventories" / "lab")),
    *("-e", "virtual_ip_address=10.77.0.100/24", "-e", "virtual_ip_interface=eth0"),
)


@pytest.fixture(scope="session")
def made() -> None:
    """Make the first pair."""
    harness.play("init_master", "-e", "master_host=mdw")
    harness.open_to_clients()
    harness.play("init_standby")


def off_or_cut() -> list[tuple[str, tuple[str, ...]]]:
    """Return the verbs that give back what the last test has cost; the lab is asked once for all, which is quicker."""
    said = harness.lab("status")
    cuts = [tuple(line.split()[1:]) for line in said.splitlines() if line.startswith("cut: ")]
    ours = [cut for cut in cuts if set(cut) <= {"controller", *HOSTS}]
    power = {line.split()[0]: line.split()[1] for line in said.splitlines() if line.startswith(HOSTS)}
    return [
        *(("join", cut) for cut in ours),
        *(("thaw", (host,)) for host in HOSTS if power[host] == "frozen"),
        *(("power-on", (host,)) for host in HOSTS if power[host] != "on"),
    ]


@pytest.fixture
def pair(made: None, request: pytest.FixtureRequest) -> harness.Pair:
    """Give the standby back that the last test has cost, in whatever state it is; nothing changes where all is well."""
    for verb, hosts in off_or_cut():
        harness.lab(verb, *hosts)
    try:
        harness.until(lambda: any(map(harness.accepts_writes, HOSTS)), 60, "a master")
    except AssertionError:
        if not request.session.testsfailed:
            raise
        # a test that failed left none: the others are to be played all the same
        harness.play("failover", "-e", "master_is_down=true", "-e", "accept_data_loss=true")
    master = next(host for host in HOSTS if harness.accepts_writes(host))
    standby = next(host for host in HOSTS if host != master)
    well = harness.mirroring(master)[0] == "Synchronized"
    said = harness.play("resync_standby")
    assert not well or harness.changed(said) == 0, said
    assert harness.mirroring(master)[0] == "Synchronized"
    return harness.Pair(master, standby)


@pytest.fixture(params=[VIRTUAL_IP, ",".join(HOSTS)], ids=["virtual-ip", "both-hosts"])
def ledger(pair: harness.Pair, request: pytest.FixtureRequest) -> t.Iterator[harness.Ledger]:
    """Give a client that commits numbered rows through the master's address; never may two hosts take any."""
    last = harness.sql(pair.master, "SELECT coalesce(max(n), 0) + 1 FROM ledger")
    with harness.Ledger(request.param, HOSTS, start=int(last)) as client:
        harness.until(lambda: len(client.acknowledged) > 20, 30, "the first acknowledged rows")
        yield client
    assert client.two_writers() == []


@pytest.fixture
def disk(pair: harness.Pair) -> t.Iterator[t.Callable[[str], None]]:
    """Let a host keep its data on a small disk meanwhile."""
    moved, unit, data = [], harness.SERVICE, "/data/hawq"

    def move(host: str) -> None:
        harness.on(host, f"systemctl stop {unit}; mv {data} {data}.disk; mkdir {data}")
        moved.append(host)
        harness.lab("disk", host, data, "900")
        harness.on(host, f"cp -a {data}.disk/. {data}/")

    yield move
    for host in moved:
        harness.on(host, f"systemctl stop {unit}; rm -rf {data}.disk; cp -a {data} {data}.disk")
        harness.on(host, f"umount {data}; rmdir {data}; mv {data}.disk {data}; systemctl start {unit}")


@pytest.fixture
def segments(pair: harness.Pair) -> harness.Pair:
    """Two segments that have registered with the master."""
    for host in SEGMENTS:
        harness.on(host, "id gpadmin 2>/dev/null || useradd --create-home gpadmin")
        own = "systemctl is-active own || systemd-run --quiet --unit=own python3 -m http.server 40000"
        harness.on(host, own, check=False)
    harness.play("init_segments", *WITH_SEGMENTS)
    up = "SELECT count(*) FROM gp_segment_configuration WHERE role = 'p' AND status = 'u'"
    harness.until(lambda: harness.sql(pair.master, up) == str(len(SEGMENTS)), 30, "both segments up")
    return pair
