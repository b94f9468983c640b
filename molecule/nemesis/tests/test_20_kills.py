# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each playbook is killed after each of its tasks in turn, and the advice leads home. ``make test`` takes a sample.

A run is held by a callback when so many of its tasks are done, and killed there. How many it has it shows itself, by
coming to its end before.
"""

from __future__ import annotations

import os
import random
import typing as t
from pathlib import Path

import pytest
from advice import Operator
from harness import DATA, Ledger, Pair, on
from held import Gate, Held
from nemesis_faults import check_promises, timeline

#: more tasks than a playbook does
TASKS = 120
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
#: kills of ``make test``, each before a task that is the last moment of something
FIXED: list[tuple[str, Gate]] = [("switchover", ("Activate it", 0))]
FIRST = os.environ.get("NEMESIS_SEED", "")
CHANCE = random.Random(FIRST)
SAMPLE: list[tuple[str, Gate]] = [
    (playbook, number)
    for playbook in PLAYBOOKS
    for number in (range(1, TASKS) if ALL else CHANCE.sample(range(3, 25), 1))
]
if not FIRST and not ALL:
    SAMPLE = FIXED


@pytest.mark.parametrize(("playbook", "gate"), SAMPLE, ids=[f"{name}-{gate}" for name, gate in SAMPLE])
def test_killed(playbook: str, gate: Gate, pair: Pair, ledger: Ledger, operator: Operator, tmp_path: Path) -> None:
    if playbook in ENDED:
        pytest.skip("it has fewer tasks")
    before = timeline(pair.master)
    PLAYBOOKS[playbook](pair)
    run = Held(tmp_path / "run", playbook)
    task = run.go(gate)
    run.kill()
    if not task:
        assert gate not in (*(each[1] for each in FIXED), TASKS - 1), f"the run never came there:\n{run.run.output}"
        ENDED.add(playbook)
    operator.world.say(f"\n{playbook} is killed before {task or 'nothing, it had ended'}")
    operator.home(4)
    check_promises(ledger, before, operator.decided, "\n".join(operator.story))
