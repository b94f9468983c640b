# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rounds of faults. ``make nemesis SEED=7 ROUNDS=50`` plays others than ``make test`` does; each prints its seed."""

from __future__ import annotations

import contextlib
import os
import random

import pytest
from advice import Operator
from harness import Ledger, Pair
from nemesis_faults import FAULTS, LOSES_THE_MASTER, check_promises, timeline

#: rounds of ``make test``: quick ones, and each of another kind
FIXED = (12, 22, 10)
FIRST = os.environ.get("NEMESIS_SEED", "")
BEGIN = random.SystemRandom().randrange(1000, 10**6) if FIRST == "random" else int(FIRST or "0")
SEEDS = range(BEGIN, BEGIN + int(os.environ.get("NEMESIS_ROUNDS", "20"))) if FIRST else FIXED
#: commands that lead home from one fault, and from two
MOST = {1: 4, 2: 6}


@pytest.mark.parametrize("seed", SEEDS)
def test_round(seed: int, pair: Pair, ledger: Ledger, operator: Operator) -> None:
    chance = random.Random(seed)
    names = chance.sample(list(FAULTS), chance.choice([1, 1, 2]))
    before = timeline(pair.master)
    operator.world.say(f"\nseed {seed}: {' and '.join(names)} (master {pair.master})")
    for name in names:
        # what has happened before may leave nothing for it to happen to
        with contextlib.suppress(*([] if name == names[0] else [AssertionError])):
            FAULTS[name](pair, ledger, chance)
    if len(names) == 1 and names[0] in LOSES_THE_MASTER:
        # state.yml has said before that a failover would work, so it must
        operator.fail_over()
    operator.home(MOST[len(names)])
    check_promises(ledger, before, operator.decided, "\n".join(operator.story))
