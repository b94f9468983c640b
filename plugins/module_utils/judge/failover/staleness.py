# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby may have been cut off from its master long before that one went down. Pure: no I/O, no clock.

When a master's host is off, its standby looks the same whether the two have parted at that moment, or the master has
gone on without it for a while and then went down, too. Only what others have seen, or the operator, can tell the two
apart. So the standby's own word is believed for a short time only. Points in time are ages, as its host counted them.
"""

from __future__ import annotations

import datetime
import math

from ...values import lsn
from ...values.command import again, playbook
from ...values.text import duration
from .. import topology
from ..options import Options
from ..refusal import Refusal
from . import evidence, memories

#: so long it is taken for granted that a standby and the master's host were lost at the same moment
SECONDS = 60
#: a segment hears of the master now and then: what it heard so much before the standby's silence counts as after that
APART = 60
#: and one host's clock goes back by so much without being set
SET_BACK = 1
#: so much longer a silence is accepted than it has lasted yet, since the operator has to type that
MARGIN = 600


def silent_seconds(seen: topology.Observation) -> float | None:
    """Return for how long a standby has heard nothing of its master, as far as is known.

    What was heard in the future says that the host's clock was set back since: nobody knows then.
    """
    server = seen["server"]
    receiver = server["receiver"] if server else None
    age = seen.get("wal_age_seconds")
    if receiver and receiver["silent_seconds"] is not None:
        age = receiver["silent_seconds"]
    return None if age is None or age < -SET_BACK else age


def last_commit(seen: topology.Observation) -> str:
    """Return when the last commit that a standby has replayed was made, in words; empty when that is not known."""
    server = seen["server"]
    if not server or server["last_commit_at"] is None:
        return ""
    when = datetime.datetime.fromtimestamp(server["last_commit_at"], datetime.timezone.utc)
    age = server["replay_age_seconds"]
    ago = f", {duration(age)} ago" if age is not None and age >= 0 else ""  # two hosts' clocks, which may differ
    return f"its last commit is of {when.strftime('%Y-%m-%d %H:%M:%S UTC')}{ago}"


def words(seen: topology.Observation) -> str:
    """Return how current a standby is, as people read it."""
    silent = silent_seconds(seen)
    heard = "when it last received WAL is not known" if silent is None else f"last received WAL {duration(silent)} ago"
    return "; ".join(each for each in (heard, last_commit(seen)) if each)


def refusals(
    old: str, new: str, observations: topology.Observations, witnesses: topology.Observations, options: Options
) -> list[Refusal]:
    """Return why it cannot be taken for granted that the standby has what its master, whose host is gone, committed."""
    seen = observations[new]
    if evidence.has_data(observations[old]) or _was_in_step(old, seen, witnesses):
        return []
    silent, most = silent_seconds(seen), float(options.get("stale_seconds", SECONDS))
    if silent is not None and silent <= most:
        return []
    return [
        Refusal(
            "standby-stale",
            f"{new} {words(seen)}, and {topology.being(old, observations[old])}",
            f"what {old} has committed since then would be lost, and nobody here can tell whether there is any",
            f"Bring the host of {old} up without its server, then: {playbook('failover')} (which fetches what is"
            f" missing). {_in_time(old, silent, observations[old])}If the loss is accepted:"
            f" {again(accept_data_loss=True)}",
        )
    ]


def _in_time(old: str, silent: float | None, seen: topology.Observation) -> str:
    """Return the command for an operator who knows that the master went down when the standby last heard of it."""
    if silent is None or seen.get("unresolved"):
        return ""
    known = playbook("failover", master_is_down=True, stale_seconds=math.ceil(silent) + MARGIN)
    return f"If it is certain that {old} went down at that time, nothing is missing: {known}. "


def listed(old: str, new: str, observations: topology.Observations) -> list[str]:
    """Return how current the standby is, where nobody can fetch what it lacks, for the evidence of a takeover."""
    return [] if evidence.has_data(observations[old]) else [f"{new} {words(observations[new])}"]


def _was_in_step(old: str, seen: topology.Observation, witnesses: topology.Observations) -> bool:
    """Whether a segment still reached the master after the standby had heard of it, and it had its standby in step.

    A memory of an earlier time says nothing of what the master did when the standby had been cut off. Each of the two
    hosts tells how long ago it was by its own clock: what one clock shows is never held against another.
    """
    last, silent = memories.furthest(old, witnesses, topology.timeline(seen)), silent_seconds(seen)
    age = last.get("age_seconds") if last else None
    if not last or age is None or silent is None or last["summary_state"] != topology.SYNCHRONIZED:
        return False
    more = lsn.distance(last["lsn"], evidence.have(seen)) or 0
    return more <= 0 and -SET_BACK <= age <= silent + APART
