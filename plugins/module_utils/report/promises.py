# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the report of a failover says of the witnesses: who has promised, and what is known by that. Pure."""

from __future__ import annotations

from ..judge.failover.promising import Outcome

#: of a check, which lets nobody promise
WOULD = "not asked for in a check. As the witnesses are now: "


def facts(outcome: Outcome | None, check: bool) -> dict[str, str]:
    """Return the lines on the promises; nothing where there is no witness.

    The fence and the loss stand in place of what is said without witnesses, where the witnesses know.
    """
    if outcome is None or not outcome.promises:
        return {}
    found = {"Promised": f"{WOULD}{outcome.promises}" if check else outcome.promises}
    if outcome.fence and not check:
        found["Fence"] = outcome.fence
    if outcome.lost:
        found["Data lost"] = outcome.lost
    return found
