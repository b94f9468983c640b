# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of an uninstallation. Pure."""

from __future__ import annotations

import typing as t

from . import work


def report(document: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return title, facts and next steps."""
    plan, check, changed = document["plan"], document["check"], document["changed"]
    standbys, master = [name for name in plan["steps"]["remove"] if name], plan["steps"]["master"]
    hosts = [*plan["steps"]["leave"], *plan["steps"]["segments"]]
    facts = {"Hosts": ", ".join(hosts)}
    if standbys:
        facts["Standbys"] = f"{', '.join(standbys)}, {'to be removed' if check else 'removed'}"
    if master:
        facts["Server"] = f"goes on on {master[0]}, not restarted"
    facts["Stay"] = "packages, the server's user and its key pair, settings that only a restart would take back"
    title = "All of this collection is taken away"
    if check:
        title = f"{work.UNCHANGED} take away: all of this collection"
    elif not changed:
        title = "Nothing of this collection is left, nothing changed"
    return {"title": title, "facts": facts, "next": list(plan["left"]), "nothing": not changed and not check}
