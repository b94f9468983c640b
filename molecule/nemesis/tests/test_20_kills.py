# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each playbook is killed after each of its tasks in turn, and the advice leads home. ``make test`` takes a sample."""

from __future__ import annotations

import os
import random
import typing as t

import pytest
from advice import Operator
from harness import DATA, Ledger, Pair, on
from nemesis_faults import check_promises, kill_at, timeline

#: tasks that a playbook has at most
TASKS = 60
#: playbooks that have ended before the task at which they were to be killed
ENDED: set[str] = set()
ALL = os.environ.get("NEMESIS_KILLS") == "all"


def _nothing(_pair: Pair) -> None:
    pass


def _crash(pair: Pair) -> None:
    on(pair.master, f"kill -9 $(head -1 {DATA}/postmaster.pid)")


def _stop_standby(pair: Pair) -> None:
    on(pair.standby, f"kill -9 $(head -1 {DATA}/postmaster.pid)")


#: what is done before, so that the playbook has something to do
PLAYBOOKS: dict[str, t.Callable[[Pair], None]] = {
    "switchover": _nothing,
    "failover": _crash,
    "resync_standby": _stop_standby,
    "remove_standby": _nothing,
    "init_standby": _nothing,
}
#: kills of ``make test``
FIXED = [("switchover", 9), ("failover", 7), ("remove_standby", 10)]
FIRST = os.environ.get("NEMESIS_SEED", "")
CHANCE = random.Random(FIRST)
SAMPLE = [
    (playbook, number)
    for playbook in PLAYBOOKS
    for number in (range(2, TASKS) if ALL else CHANCE.sample(range(3, 14), 1))
]
if not FIRST and not ALL:
    SAMPLE = FIXED


@pytest.mark.parametrize(("playbook", "number"), SAMPLE, ids=[f"{name}-{number}" for name, number in SAMPLE])
def test_killed(playbook: str, number: int, pair: Pair, ledger: Ledger, operator: Operator) -> None:
    if playbook in ENDED:
        pytest.skip("it has fewer tasks")
    before = timeline(pair.master)
    PLAYBOOKS[playbook](pair)
    task = kill_at(playbook, number)
    if not task:
        ENDED.add(playbook)
    operator.world.say(f"\n{playbook} is killed at task {number}: {task or 'it had ended'}")
    operator.home(4)
    check_promises(ledger, before, operator.decided, "\n".join(operator.story))
