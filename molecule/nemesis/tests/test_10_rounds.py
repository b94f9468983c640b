# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rounds of faults. ``make nemesis SEED=7 ROUNDS=50`` plays others than those of ``make test``; each prints its seed."""

from __future__ import annotations

import os
import random
import typing as t
from pathlib import Path

import pytest
from advice import Operator
from harness import Ledger, Pair, accepts_writes, lab, mirroring, sql, until
from nemesis_faults import FAULTS, LOSES_THE_MASTER
from pairs import HOSTS

FIRST, ROUNDS = int(os.environ.get("NEMESIS_SEED", "1")), int(os.environ.get("NEMESIS_ROUNDS", "6"))
#: commands that lead home from one fault, and from two
MOST = {1: 4, 2: 6}


def everything_on() -> None:
    for host in HOSTS:
        lab("plug", host)
        lab("join", "controller", host)
        lab("thaw", host)
        lab("power-on", host)
    lab("join", *HOSTS)


def timeline(host: str) -> int:
    return int(sql(host, "SELECT timeline_id FROM pg_control_checkpoint()"))


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(HOSTS, tmp_path)


@pytest.fixture
def pair(made: None, operator: Operator) -> Pair:
    """Give a pair that state.yml calls well. What the last round has left is mended by the same operator."""
    everything_on()
    until(lambda: any(map(accepts_writes, HOSTS)), 60, "a master")
    operator.home(6)
    operator.typed.clear()
    master = next(host for host in HOSTS if accepts_writes(host))
    return Pair(master, next(host for host in HOSTS if host != master))


@pytest.fixture
def ledger(pair: Pair) -> t.Iterator[Ledger]:
    last = sql(pair.master, "SELECT coalesce(max(n), 0) + 1 FROM ledger")
    with Ledger(",".join(HOSTS), HOSTS, start=int(last)) as client:
        until(lambda: len(client.acknowledged) > 20, 30, "the first acknowledged rows")
        yield client


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
def test_round(seed: int, pair: Pair, ledger: Ledger, operator: Operator) -> None:
    chance = random.Random(seed)
    names = chance.sample(list(FAULTS), chance.choice([1, 1, 2]))
    before = timeline(pair.master)
    operator.story.append(f"seed {seed}: {' and '.join(names)} (master {pair.master})")
    print(operator.story[-1])
    for name in names:
        FAULTS[name](pair, ledger, chance)
    if len(names) == 1 and names[0] in LOSES_THE_MASTER:
        # state.yml has said before that a failover would work, so it must
        operator.must_fail_over(pair.master)
    operator.home(MOST[len(names)])
    print("\n".join(operator.story))
    master = next(host for host in HOSTS if accepts_writes(host))
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 30, "commits on the master")
    ledger.swaps = timeline(master) - before
    ledger.stop()
    story = "\n".join(operator.story)
    assert mirroring(master)[0] == "Synchronized", story
    assert ledger.two_writers() == [], story
    assert ledger.lost_on(master) == [], story
