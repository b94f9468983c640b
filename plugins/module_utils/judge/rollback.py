# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the master that a switchover has stopped may serve again, when that is given up. Pure: no I/O, no clock.

The run itself has activated nobody, but another operator's may have, while this one had lost its way to a host.
"""

from __future__ import annotations

from . import topology
from .plan import RollbackPlan, SwitchoverPlan, only
from .refusal import Verdict, decide


def judge(plan: SwitchoverPlan, observations: topology.Observations) -> Verdict:
    """Return who is the master then; the observations are of the hosts that could be it, made since all was stopped.

    The old master's own interlock asks them, too. It need not wait for them when all have just been seen as standbys.
    """
    old = plan["old"]
    masters = topology.masters(observations)
    kinds = {name: topology.kind(seen) for name, seen in observations.items()}
    doubtful = [name for name, what in kinds.items() if what not in topology.STANDBYS]
    told = masters or doubtful or list(observations)
    judged: RollbackPlan = {
        "workflow": "rollback",
        "master": masters[0] if masters else str(old),
        "seen": "; ".join(f"{topology.being(name, observations[name])}" for name in told),
        "doubtful": doubtful,
        "unasked": not doubtful,
        "steps": {"undo": only(old, not masters)},
    }
    return decide(judged, [])
