# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a schedule can be played on real hosts as well (``molecule/replay.py``): tried without hosts."""

from __future__ import annotations

import pytest
from harness import Pair
from replay import Both, Stopping, prepared
from replay_steps import CABLES, CANNOT, ELSEWHERE, ON_HOST, translatable

from simulation import playbook, promises
from simulation.faults import FAULTS
from simulation.play import pair
from simulation.run import PLAYS
from simulation.stories import STORIES, Story

POSSIBLE = [each for each in STORIES if translatable(each.steps) and not each.broken]


def test_of_each_step_it_is_said_how_it_is_done_on_hosts_or_why_not() -> None:
    known = {*ON_HOST, *CABLES, *CANNOT, "work", "mount"}
    assert set(FAULTS) <= known
    assert not set(CANNOT) & {*ON_HOST, *CABLES, *ELSEWHERE}


@pytest.mark.parametrize("master", ["mdw", "smdw"])
@pytest.mark.parametrize("story", POSSIBLE, ids=[each.name for each in POSSIBLE])
def test_a_story_that_can_be_replayed_keeps_the_promises_in_the_model(
    story: Story, master: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promises, "STALE", 3600)
    player = Both(master)
    names = Pair(master, "smdw" if master == "mdw" else "mdw")
    for step in prepared(story.steps, names):
        player.step(step)


@pytest.mark.parametrize("workflow", ["failover", "switchover", "resync_standby", "init_standby", "remove_standby"])
def test_a_run_that_is_held_stands_before_a_task_that_a_real_run_shows(workflow: str) -> None:
    names = {task.name for play in PLAYS[workflow] for task in playbook.flat(play.tasks)}
    for moments in range(0, 60, 7):
        run = Stopping(pair(segments=False), workflow)
        run.go(moments)
        assert run.ended or (run.gate and run.gate[0] in names)
