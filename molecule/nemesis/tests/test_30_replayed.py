# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The simulated life is held to real servers: schedules are played in the model and on hosts, and must agree.

``make nemesis REPLAY=5 SEED=7`` plays others than ``make test`` does, ``REPLAY=stories`` the named ones,
``REPLAY=105,set_back`` these.
"""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path

import pytest
from advice import Operator
from harness import Pair
from replay import STALE, Replay
from replay_steps import translatable
from simulation import judging, promises
from simulation.play import Step
from simulation.schedule import make
from simulation.stories import STORIES

#: schedules of ``make test``: quick ones
FIXED = "105,set_back,setting_raised"
FIRST = os.environ.get("NEMESIS_SEED", "")
ASKED = os.environ.get("NEMESIS_REPLAY", "" if FIRST else FIXED) or "0"
NAMED = {each.name: each.steps for each in STORIES if translatable(each.steps) and not each.broken}


def _schedules() -> dict[str, list[Step]]:
    """Return the schedules that are asked for: so many, all stories, or seeds and names."""
    if ASKED == "stories":
        return NAMED
    if ASKED.isdigit():
        begin = random.SystemRandom().randrange(10**6) if FIRST == "random" else int(FIRST or "1")
        seeds = (seed for seed in itertools.count(begin) if translatable(make(seed)))
        return {str(seed): make(seed) for seed in itertools.islice(seeds, int(ASKED))}
    return {name: make(int(name)) if name.isdigit() else NAMED[name] for name in ASKED.split(",")}


SCHEDULES = _schedules()


@pytest.mark.parametrize("name", SCHEDULES)
def test_replayed(name: str, pair: Pair, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(judging.DEFAULTS, "stale_seconds", STALE)
    monkeypatch.setattr(promises, "STALE", STALE)
    Replay(pair, operator, tmp_path).play(SCHEDULES[name])
