# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server would miss at its next start: files that its configuration names. Pure: no I/O, no clock."""

from __future__ import annotations

from ...values.command import playbook
from .. import named, needs
from .group import Finding, Group, finding


def findings(group: Group) -> list[Finding]:
    """Return what has vanished since the servers started."""
    found = []
    for name in group.members:
        for row in named.troubles(name, group.observations):
            why = named.STARTS if row.starts else named.LATER
            text = f"{row.setting} names {row.path}, which {row.wrong} on {name}: {why}"
            found.append(finding("named-place", name, text, f"{row.mend}, then look again: {playbook('state')}"))
        found += _libraries(group, name)
    return found


def _libraries(group: Group, name: str) -> list[Finding]:
    """Of what a standby lacks beside its master it is told with the other needs."""
    seen, source = group.members[name], group.source
    told = [] if name == group.master else needs.lacks(name, seen, group.master, source)
    names = {each for lack in told for each in lack.names}
    return [
        finding(lack.kind, name, f"{lack.found}: {named.STARTS}", lack.mend)
        for lack in needs.of_itself(name, seen)
        if lack.starts and not names.issuperset(lack.names)
    ]
