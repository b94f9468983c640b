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


@pytest.fixture(scope="session")
def made() -> None:
    """Make the first pair."""
    harness.play("init_master", "-e", "master_host=mdw")
    harness.open_to_clients()
    harness.play("init_standby")


@pytest.fixture
def pair(made: None) -> harness.Pair:
    """Give the standby back that the last test has cost, in whatever state it is; nothing changes where all is well."""
    for host in HOSTS:
        harness.lab("join", "controller", host)
        harness.lab("thaw", host)
        harness.lab("power-on", host)
    harness.lab("join", *HOSTS)
    harness.until(lambda: any(map(harness.accepts_writes, HOSTS)), 60, "a master")
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
