# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What databases need of their host and would not find there after a failover. Pure: no I/O, no clock."""

from __future__ import annotations

from ...engines import table
from .. import needs
from .group import Finding, Group, finding, on


def findings(group: Group) -> list[Finding]:
    """Return what the standbys' hosts lack, and what must be rebuilt on the master."""
    found = []
    for name, seen in group.members.items():
        if name == group.master:
            continue
        found += [
            finding(lack.kind, name, f"{lack.found}: {lack.why}", lack.mend)
            for lack in needs.lacks(name, seen, group.master, group.source)
        ]
        found += _difference(group, name)
    return [*found, *_outdated(group), *_unlogged(group)]


def _difference(group: Group, name: str) -> list[Finding]:
    other = needs.difference(name, group.members[name], group.master, group.source)
    if not other:
        return []
    text = (
        f"texts are sorted by {other.words} ({needs.in_databases(other.databases)}): after a failover indexes on texts"
        " are corrupt until they are rebuilt"
    )
    mend = (
        f"give both hosts the same version of their operating system. To accept it, set {needs.OPTION}: true in the"
        " inventory; the report of a failover then says what is to be rebuilt"
    )
    return [finding(needs.DIFFERENCE, name, text, mend)]


def _unlogged(group: Group) -> list[Finding]:
    """They are empty after a crash of the master, too, but nobody expects that of a swap."""
    tables = needs.unlogged(group.source) if group.standbys else []
    if not tables:
        return []
    text = f"unlogged tables are on no standby, and empty after a failover or a switchover: {'; '.join(tables)}"
    row = group.source["server"]["needs"]["unlogged"][0]
    sets = [table.of(group.source).words.log_table.format(name=name) for name in row["names"]]
    logged = on(group.master, table.typed(group.source, sets, row["database"]))
    return [finding("unlogged-tables", group.master, text, f"if their rows must outlive that, {logged}")]


def _outdated(group: Group) -> list[Finding]:
    """The master itself may have been given another version, by a failover or with its operating system."""
    old = needs.outdated(group.source)
    if not old:
        return []
    text = (
        f"indexes on texts of {group.master} ({needs.in_databases(list(old))}) were made with"
        f" {needs.versions(group.source)}: rows may not be found, and unique keys may be there twice"
    )
    mend = on(group.master, " && ".join(needs.rebuilding(group.source)))
    return [finding("collation-outdated", group.master, text, mend)]
