# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The address that follows the master, without arping: neighbours, a third host that has it, other inventories."""

from __future__ import annotations

import json
import subprocess
import typing as t

import pytest
from harness import DATA, SERVICE, Pair, accepts_writes, flat, mirroring, on, play, until
from pairs import HOSTS, VIRTUAL_IP

SIX = "fd77::100"
TO_SIX = ("-e", f"virtual_ip_address={SIX}/64")
UNIT = "hawq-mirroring-virtual-ip-hawq-master.service"
OTHER = ("-e", "ssh_keys_port=2222")
#: port 22 is the controller's alone
CLOSED = (
    "nft 'table inet closed { chain input { type filter hook input priority 0;"
    " ip saddr != 10.77.0.1 tcp dport 22 reject with tcp reset;"
    " meta nfproto ipv6 tcp dport 22 reject with tcp reset; }; }'"
)
SSHD = "/etc/ssh/sshd_config.d/test.conf"


def here(*words: str) -> str:
    """Run a command on the controller: a client, and the third host."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def device() -> str:
    """Return the interface by which the controller is in the hosts' network."""
    (route,) = json.loads(here("ip", "-json", "route", "get", "10.77.0.254"))
    return str(route["dev"])


def mac_of(host: str) -> str:
    return on(host, "cat /sys/class/net/eth0/address")


def learnt(address: str) -> str:
    """Return where the controller sends what is for the address, without asking anybody."""
    rows = json.loads(here("ip", "-json", "neighbour", "show", address) or "[]")
    return str(rows[0].get("lladdr", "")) if rows else ""


def has(host: str, address: str) -> bool:
    return f" {address}/" in on(host, "ip -o address show")


def problems(*arguments: str) -> dict[str, dict[str, t.Any]]:
    """Return what state.yml finds wrong, by kind."""
    play("state", "-e", "state_file=/tmp/address-state.json", *arguments, ok=False)
    with open("/tmp/address-state.json", encoding="utf-8") as file:
        return {row["kind"]: row for row in json.load(file)["problems"]}


@pytest.fixture
def bare(pair: Pair) -> t.Iterator[Pair]:
    """Give a pair whose hosts have no arping; at the end the address is the old one again."""
    for host in HOSTS:
        on(host, "if [ -e /usr/bin/arping ]; then mv /usr/bin/arping /usr/bin/arping.away; fi")
    yield pair
    for address in (f"{VIRTUAL_IP}/32", f"{SIX}/128"):
        here("ip", "address", "delete", address, "dev", device())
    for host in HOSTS:
        on(host, "mv /usr/bin/arping.away /usr/bin/arping", False)
        on(host, "rm -f /etc/network/interfaces; ip address flush dev lo scope global", False)
    play("init_standby")


def test_case_82_a_client_learns_at_once_where_the_address_is_and_nobody_else_may_have_it(bare: Pair) -> None:
    """A swap with IPv4, then the same with IPv6, to which the inventory changes; at last it names none."""
    master, standby = bare
    for address, arguments in ((VIRTUAL_IP, ()), (SIX, TO_SIX)):
        whole = f"{address}/{'128' if ':' in address else '32'}"
        if address == SIX:
            told = problems(*TO_SIX)
            assert f"the inventory says {SIX}/64 on eth0" in told["address-program"]["text"]
            play("init_standby", *TO_SIX)
            assert not has(master, VIRTUAL_IP)  # the old one is gone
        here("ping", "-c", "1", "-W", "2", address)
        assert learnt(address) == mac_of(master)
        swapped = flat(play("switchover", *arguments))
        master, standby = standby, master
        assert learnt(address) == mac_of(master), swapped
        assert " 0% packet loss" in here("ping", "-c", "1", "-W", "2", address)
        # a third host has it, and the host that is no master would give it to itself at its next boot, and has it on lo
        here("ip", "address", "add", whole, "dev", device(), "nodad")
        on(standby, f"mkdir -p /etc/network && echo '  address {address}/24' > /etc/network/interfaces")
        on(standby, f"ip address add {whole} dev lo")
        said = flat(play("switchover", *arguments, ok=False))
        assert f"a host that was not looked at answers for {address} (" in said
        assert f"/etc/network/interfaces on {standby} names {address}" in said
        assert f"{address} is on lo of {standby}" in said
        assert accepts_writes(master)
        assert has(master, address)
        here("ip", "address", "delete", whole, "dev", device())
        on(standby, f"rm /etc/network/interfaces; ip address flush dev lo to {address}")
    # the inventory names no address any more
    assert "names no such address any more" in problems("-e", "virtual_ip_address=")["address-program"]["text"]
    play("init_standby", "-e", "virtual_ip_address=")
    for host in HOSTS:
        assert not has(host, SIX)
        assert on(host, f"systemctl show -p LoadState --value {UNIT}") == "not-found"
    assert mirroring(master)[0] == "Synchronized"


def test_case_65_the_login_of_the_interlock_is_tried_and_may_have_another_port(pair: Pair) -> None:
    master, standby = pair
    try:
        for host in HOSTS:
            on(host, f"echo 'AllowUsers root ops' > {SSHD}; systemctl reload ssh")
        told = problems()
        assert "Permission denied" in told["cannot-ask"]["text"]
        said = flat(play("init_standby", ok=False))
        assert f"gpadmin cannot ask {standby} by SSH" in said
        assert f"gpadmin cannot ask {master} by SSH" in said
        assert "AllowUsers" in said
        # the hosts reach each other at another port
        for host in HOSTS:
            on(host, f"printf 'Port 22\\nPort 2222\\n' > {SSHD}; systemctl restart ssh; {CLOSED}")
        play("init_standby", *OTHER)
        on(master, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
        play("failover", *OTHER)
        play("resync_standby", *OTHER)
        play("state", *OTHER)
        # the other host is asked by SSH there when the server starts again
        on(master, f"systemctl stop {SERVICE}")
        on(standby, f"systemctl restart {SERVICE}")
        until(lambda: accepts_writes(standby), 60, "the new master again")
    finally:
        for host in HOSTS:
            on(host, f"rm -f {SSHD}; systemctl restart ssh; nft delete table inet closed; true", check=False)
            on(host, f"systemctl start --no-block {SERVICE}")
    play("init_standby")
