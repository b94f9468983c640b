# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pair that state.yml calls well, the client that uses it, and the operator who looks after it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from advice import Operator
from harness import Ledger, Pair, accepts_writes, lab, open_to_clients, play, sql, until
from pairs import HOSTS  # also where the inventory is chosen


def everything_on() -> None:
    for host in HOSTS:
        lab("plug", host)
        lab("join", "controller", host)
        lab("thaw", host)
        lab("power-on", host)
    lab("join", *HOSTS)


@pytest.fixture(scope="session")
def made() -> None:
    """Make the first pair, unless the lab has one of a run before."""
    if not any(map(accepts_writes, HOSTS)):
        play("init_master", "-e", "master_host=mdw")
        open_to_clients()
        play("init_standby")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(HOSTS, tmp_path)


@pytest.fixture
def pair(made: None, operator: Operator) -> Pair:
    """Give a pair that state.yml calls well. What the last round has left is mended by the same operator."""
    everything_on()
    until(lambda: any(map(accepts_writes, HOSTS)), 60, "a master")
    operator.home(6)
    operator.forget()
    master = next(host for host in HOSTS if accepts_writes(host))
    return Pair(master, next(host for host in HOSTS if host != master))


@pytest.fixture
def ledger(pair: Pair) -> t.Iterator[Ledger]:
    last = sql(pair.master, "SELECT coalesce(max(n), 0) + 1 FROM ledger")
    with Ledger(",".join(HOSTS), HOSTS, start=int(last)) as client:
        until(lambda: len(client.acknowledged) > 20, 120, "the first acknowledged rows")
        yield client
