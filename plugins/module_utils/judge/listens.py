# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a server listens where the other hosts and its clients look for it, now and as the master. Pure.

A fixed address is only good for the host that has it, and a name may be a loopback address there (127.0.1.1 in
/etc/hosts). The address that follows the master comes when the server has long been started, and a server only
listens at what was there then, or where the kernel lets it listen at addresses that the host does not have.
"""

from __future__ import annotations

import ipaddress

from ..engines import table
from ..values.observation import ListenWord, Observation, Trial
from . import checks
from .refusal import AGAIN, Refusal

ALL = ("*", "0.0.0.0", "::")  # noqa: S104
WHY = "clients and the other hosts could not reach it as the master"
NONLOCAL = "sysctl -w net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1"


def is_loopback(address: str) -> bool:
    """Whether an address is only good for its own host."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refusals(name: str, seen: Observation, trial: Trial, source: Observation) -> list[Refusal]:
    """Return why a copy on that host would not listen where it should."""
    rows = trial["listens"]
    setting = table.of(source).words.settings["addresses"]
    if any(row["word"] in ALL for row in rows) or checks.listens_locally([row["word"] for row in rows]):
        return []
    found = [_word(name, seen, setting, row) for row in rows if row["word"] not in ALL and not _local(row)]
    return [each for each in found if each]


def _local(row: ListenWord) -> bool:
    return checks.listens_locally([row["word"]])


def _word(name: str, seen: Observation, setting: str, row: ListenWord) -> Refusal | None:
    word, addresses = row["word"], row["addresses"]
    all_of_them = f"Let the master listen at all addresses ({setting} = '*')"
    if not addresses:
        found, command = f"no address is known for that on {name}", f"Name it there (getent ahosts {word} shows it)"
    elif all(is_loopback(each) for each in addresses):
        found = f"on {name} that is {', '.join(addresses)}, which no other host reaches"
        command = f"Correct /etc/hosts on {name} (getent ahosts {word} must not say {addresses[0]})"
    elif row["able"]:
        return None
    elif word == virtual(seen):
        found, command = "the standby does not have that address when it starts", f"On both hosts: {NONLOCAL}"
    else:
        found, command = f"{name} does not have that address", f"Take {word} out of {setting} on the master"
    return Refusal(
        "listens-elsewhere", f"{setting} names {word}, and {found}", WHY, f"{command}, {AGAIN}. {all_of_them}"
    )


def virtual(seen: Observation) -> str | None:
    """Return the address that follows the master, without its prefix."""
    here = seen["virtual_ip"]
    return here["address"].partition("/")[0] if here else None


def wrong(name: str, seen: Observation) -> str | None:
    """Return what is wrong with where a server that runs listens; None where nothing is, or nothing is known."""
    server, bound = seen["server"], seen.get("bound")
    if not server or not bound:
        return None
    words = server["settings"]["listens"]
    setting = table.of(seen).words.settings["addresses"]
    if set(words) & set(ALL) or set(bound) & set(ALL) or checks.listens_locally(words):
        return None
    told = f"{setting} on {name} is {', '.join(words)}"
    if all(is_loopback(each) for each in bound):
        return f"{told}, and its server listens at {', '.join(bound)} only"
    address = virtual(seen)
    if address and address not in bound:
        return f"{told}, and its server listens at {', '.join(bound)} and not at {address}, which follows the master"
    return None


def mend(name: str, seen: Observation) -> str:
    """Return the command that lets a server listen at all addresses of its host."""
    words = table.of(seen).words
    value = words.set_setting.format(name=words.settings["addresses"], value="*")
    return f"on {name}: {table.typed(seen, [value])}, then systemctl restart {seen['service']['unit']}"


def running(name: str, seen: Observation) -> list[Refusal]:
    """Return the same as the reason not to make a server the master."""
    found = wrong(name, seen)
    return [Refusal("listens-elsewhere", found, WHY, f"Mend it: {mend(name, seen)}, {AGAIN}")] if found else []
