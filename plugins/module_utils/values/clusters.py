# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The clusters of an inventory: each has a group of master hosts, and may have more of other hosts. Pure.

One cluster has the groups ``masters``, ``segments`` and ``witnesses``. Where there are several, that of the name
``NAME`` has ``NAME_masters``, ``NAME_segments`` and ``NAME_witnesses``, and ``-e cluster=NAME`` says which is meant;
playbooks/vars/groups.yml says the same to Ansible.
"""

from __future__ import annotations

import re
import typing as t

MASTERS, SEGMENTS, WITNESSES = KINDS = ("masters", "segments", "witnesses")
#: what stands for every cluster of the inventory
ALL = "all"
#: groups that Ansible makes in each inventory
EVERYBODY = (ALL, "ungrouped")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

Groups = t.Mapping[str, t.Sequence[str]]


class WrongClusterError(Exception):
    """It cannot be said which cluster is meant, or its hosts cannot be told from another one's."""


def group(kind: str, cluster: str | None) -> str:
    """Return the name of a cluster's group."""
    return f"{cluster}_{kind}" if cluster else kind


def hosts(groups: Groups, cluster: str | None) -> dict[str, list[str]]:
    """Return the hosts of a cluster by what they are. A segment bears witness already, and a master cannot."""
    found = {kind: list(groups.get(group(kind, cluster)) or []) for kind in KINDS}
    return {**found, WITNESSES: [name for name in found[WITNESSES] if name not in found[SEGMENTS] + found[MASTERS]]}


def named(groups: Groups) -> list[str]:
    """Return the names of all clusters that have one."""
    end = f"_{MASTERS}"
    return sorted(name[: -len(end)] for name, hosts in groups.items() if name.endswith(end) and name != end and hosts)


def chosen(groups: Groups, given: str | None, every: bool = False) -> list[str | None]:
    """Return the names of the clusters that are meant; None is the one without a name. ``every`` lets all be meant."""
    known = named(groups)
    if given == ALL and ALL not in known:
        if not every:
            raise WrongClusterError(f"cluster=all is for state.yml only: name one, {_choice(known)}")
        return list(known) or _one(groups, known, every=False)
    if given:
        if not groups.get(group(MASTERS, given)):
            there = f"it has the clusters {', '.join(known)}" if known else "it has no cluster with a name"
            raise WrongClusterError(
                f"cluster={given} means the hosts of the group {group(MASTERS, given)}, and the inventory has none:"
                f" {there}. Correct -e cluster=, or name its hosts there"
            )
        if not NAME.fullmatch(given):
            raise WrongClusterError(f"cluster is {given!r}, and must be a plain name")
        return [given]
    return _one(groups, known, every)


def _one(groups: Groups, known: list[str], every: bool) -> list[str | None]:
    """Return what is meant where no cluster is named."""
    if groups.get(MASTERS):
        return [None]
    if known and every:
        return list(known)
    if known:
        raise WrongClusterError(
            f"the inventory has no group masters, but the cluster{'' if len(known) == 1 else 's'} {', '.join(known)}:"
            f" say which one, {_choice(known)}"
        )
    there = ", ".join(sorted(name for name, members in groups.items() if members and name not in EVERYBODY))
    raise WrongClusterError(
        f"The inventory has no hosts in the group {MASTERS}{f' (its groups are: {there})' if there else ''}. Put the"
        f" hosts into a group of the name {MASTERS}, or name another inventory with -i (inventories/example shows how)."
    )


def _choice(known: list[str]) -> str:
    return " or ".join(f"-e cluster={name}" for name in known) or "-e cluster="


def shared(groups: Groups, clusters: t.Sequence[str | None]) -> str | None:
    """Return a sentence about a host that two clusters have: Ansible gives it the variables of both mixed.

    A group that holds all hosts of others is the group above them, as it seems, and none of a cluster beside them.
    """
    for cluster in filter(None, clusters):
        mine = set(groups[group(MASTERS, cluster)])
        for other in named(groups):
            its = set(groups[group(MASTERS, other)])
            both = sorted(mine & its)
            if other == cluster or not both or mine < its or its < mine:
                continue
            return (
                f"{both[0]} is in the groups {group(MASTERS, cluster)} and {group(MASTERS, other)}, and Ansible would"
                " mix the variables of both clusters there. Give it a name of its own in each, for example"
                f" {both[0]}-{other} with ansible_host={both[0]} in {group(MASTERS, other)}"
            )
    return None


def lost_together(groups: Groups, clusters: t.Sequence[str | None]) -> str | None:
    """Return a sentence about a host that may be the master and is to bear witness: both are lost with it."""
    for cluster in clusters:
        masters, witnesses = group(MASTERS, cluster), group(WITNESSES, cluster)
        both = [name for name in groups.get(witnesses, ()) if name in groups[masters]]
        if both:
            return (
                f"{both[0]} is in the groups {masters} and {witnesses}: a witness is asked when a master's host is"
                f" lost. Take it out of {witnesses}, and name another host there"
            )
    return None


def of_host(groups: Groups, clusters: t.Sequence[str | None], host: str) -> str | None:
    """Return which of these clusters a host belongs to."""
    for kind in KINDS:
        for cluster in clusters:
            if host in groups.get(group(kind, cluster), ()):
                return cluster
    return clusters[0]
