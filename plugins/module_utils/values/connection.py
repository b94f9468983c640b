# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the controller connects: our bounds stand where nobody has said otherwise. Pure."""

from __future__ import annotations

import typing as t

#: a host that dies in the middle of a connection is given up after four seconds. SSH takes the first value that it is
#: given, so that these stand behind what others have said
KEEPALIVE = "-o ServerAliveInterval=1 -o ServerAliveCountMax=4"
#: seconds that a connection may take
TIMEOUT = 5
#: variables of Ansible that a play of ours sets, with what else may set the same; the first that is set counts
TIMEOUTS = ("ssh_connect_timeout", "ansible_ssh_timeout", "ansible_timeout")
PIPELININGS = ("ansible_ssh_pipelining", "ansible_pipelining")
EXTRA_ARGS = "ansible_ssh_extra_args"
NAMES = (*TIMEOUTS, *PIPELININGS, EXTRA_ARGS)


class Settings(t.TypedDict, total=False):
    """What the command line, the environment and ansible.cfg say; what they leave at its default is not here."""

    timeout: t.Any
    pipelining: t.Any
    ssh_extra_args: t.Any


def bounds(given: t.Mapping[str, t.Any], settings: Settings) -> dict[str, t.Any]:
    """Return time-out, pipelining and arguments of SSH for a host whose inventory says ``given``.

    Pipelining: hosts without the ACL package, and fewer round trips.
    """
    extra = _first(given, (EXTRA_ARGS,), settings.get("ssh_extra_args"), "")
    return {
        "timeout": _first(given, TIMEOUTS, settings.get("timeout"), TIMEOUT),
        "pipelining": _first(given, PIPELININGS, settings.get("pipelining"), True),
        "ssh_extra_args": f"{extra} {KEEPALIVE}".strip(),
    }


def _first(given: t.Mapping[str, t.Any], names: tuple[str, ...], said: t.Any, otherwise: t.Any) -> t.Any:
    found = [given[name] for name in names if given.get(name) not in (None, "")]
    return next(iter(found), otherwise if said is None else said)
