# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What needs nobody: a master that waits for another host comes up by itself, and its address comes back."""

from __future__ import annotations

import typing as t

import pytest
from harness import DATA, PERMISSION, SERVICE, Pair, accepts_writes, lab, mirroring, on, until
from pairs import HOSTS, VIRTUAL_IP

UNIT = "hawq-mirroring-virtual-ip-hawq-master.service"
MARK = "/var/lib/hawq-mirroring/hawq-master.removed.json"
SSHD = "/etc/ssh/sshd_config.d/test.conf"


def waits_for(host: str) -> str:
    """Return what the start of the server waits for, as systemd has it; empty when it waits for nothing."""
    shown = on(host, f"systemctl show {SERVICE} -p ActiveState -p StatusText").split("\n")
    fields = dict(line.partition("=")[::2] for line in shown)
    return fields["StatusText"] if fields["ActiveState"] == "activating" else ""


def start(host: str) -> None:
    """Start the server and do not wait for it."""
    on(host, f"systemctl reset-failed {SERVICE}; systemctl start --no-block {SERVICE}")


def has_address(host: str) -> bool:
    return f" {VIRTUAL_IP}/" in on(host, "ip -o -4 address show")


def until_it_waits(host: str, text: str) -> str:
    until(lambda: text in waits_for(host), 40, f"{host} waits: {text}")
    return waits_for(host)


@pytest.fixture
def healed(made: None) -> Pair:
    """Give the pair of the last test, which no playbook has helped since."""
    until(lambda: any(map(accepts_writes, HOSTS)), 60, "a master")
    master = next(host for host in HOSTS if accepts_writes(host))
    until(lambda: mirroring(master)[0] == "Synchronized", 60, "its standby")
    return Pair(master, next(host for host in HOSTS if host != master))


@pytest.fixture
def stopped(healed: Pair) -> t.Iterator[Pair]:
    """Stop both servers, cleanly; at the end the standby's starts, and nothing else."""
    on(healed.master, f"systemctl stop {SERVICE}")
    on(healed.standby, f"systemctl stop {SERVICE}")
    yield healed
    on(healed.standby, f"systemctl start {SERVICE}")
    until(lambda: accepts_writes(healed.master), 60, "the master")


def test_case_61_the_masters_host_is_up_first(healed: Pair) -> None:
    """Nobody helps, and the address is there again as well."""
    for host in (healed.standby, healed.master):
        lab("power-off", host)
    lab("power-on", healed.master)
    said = until_it_waits(healed.master, f"{healed.standby} cannot be asked: neither its server (")
    assert "nor its host by SSH (ssh: connect to host" in said
    # all else is there meanwhile
    assert on(healed.master, "systemctl is-active ssh.service sysinit.target basic.target").split() == ["active"] * 3
    assert on(healed.master, "systemctl is-system-running", check=False) == "starting"
    assert not has_address(healed.master)
    lab("power-on", healed.standby)
    until(lambda: accepts_writes(healed.master), 60, "the master is there by itself")
    until(lambda: has_address(healed.master), 20, "and its address")
    assert waits_for(healed.master) == ""
    logged = on(healed.master, f"journalctl -b -u {SERVICE} -o cat")
    assert 1 <= logged.count("This server waits, and starts by itself when") <= 4


def test_case_65_it_says_that_the_login_was_refused_and_sees_a_permission_meanwhile(stopped: Pair) -> None:
    try:
        on(stopped.standby, f"echo 'AllowUsers root ops' > {SSHD}; systemctl reload ssh")
        start(stopped.master)
        until_it_waits(stopped.master, "Permission denied")
        on(stopped.master, f"touch {PERMISSION}")
        until(lambda: accepts_writes(stopped.master), 20, "touch is enough")
        assert on(stopped.master, f"ls {PERMISSION}", check=False) == ""
    finally:
        on(stopped.standby, f"rm {SSHD}; systemctl reload ssh")


def test_a12_no_data_may_only_be_not_mounted(stopped: Pair) -> None:
    """A host without data is waited for, unless its data was deleted on purpose."""
    on(stopped.standby, f"mv {DATA} {DATA}.aside; install -d -o gpadmin -m 0700 {DATA}")
    try:
        start(stopped.master)
        until_it_waits(stopped.master, f"{stopped.standby} has no data directory: is its file system mounted?")
        told = f'{{"data_directory": "{DATA}"}}'
        on(stopped.standby, f"install -d {MARK.rpartition('/')[0]}; echo '{told}' > {MARK}")
        until(lambda: accepts_writes(stopped.master), 30, "nothing was to be waited for")
    finally:
        on(stopped.standby, f"rmdir {DATA}; mv {DATA}.aside {DATA}")
    on(stopped.standby, f"systemctl start {SERVICE}")
    assert on(stopped.standby, f"ls {MARK}", check=False) == ""  # it has data again


def test_a_waiting_start_can_be_ended(stopped: Pair) -> None:
    on(stopped.standby, f"mv {DATA}/global/pg_control {DATA}/global/aside")
    try:
        start(stopped.master)
        until_it_waits(stopped.master, f"{stopped.standby} has no data directory")
        on(stopped.master, f"systemctl stop {SERVICE}", seconds=10)
        assert "Traceback" not in on(stopped.master, f"journalctl -u {SERVICE} --since -60s -o cat")
        start(stopped.master)
    finally:
        on(stopped.standby, f"mv {DATA}/global/aside {DATA}/global/pg_control")


def test_the_address_comes_back(healed: Pair) -> None:
    on(healed.master, f"ip address flush dev eth0 to {VIRTUAL_IP}")
    until(lambda: has_address(healed.master), 5, "the address, which a restart of the network took away")
    on(healed.master, f"kill -9 $(systemctl show -p MainPID --value {UNIT})")
    active = f"systemctl is-active {UNIT}"
    until(lambda: has_address(healed.master) and on(healed.master, active, False) == "active", 10, "its program")
    assert not has_address(healed.standby)
    # where the server dies with it nothing starts the server
    units = " ".join(f"$(systemctl show -p MainPID --value {unit})" for unit in (UNIT, SERVICE))
    on(healed.master, f"kill -9 {units}")
    until(lambda: not has_address(healed.master), 10, "no address without a server")
    assert on(healed.master, f"sleep 3; systemctl is-active {SERVICE}", check=False) == "failed"
    assert not has_address(healed.master)
    start(healed.master)
    until(lambda: accepts_writes(healed.master) and has_address(healed.master), 30, "both")


def test_no_standby_takes_the_address(healed: Pair) -> None:
    on(healed.standby, f"systemctl restart {UNIT}")
    assert on(healed.standby, f"systemctl is-active {UNIT}") == "active"
    on(healed.master, f"ip address delete {VIRTUAL_IP}/24 dev eth0")
    until(lambda: has_address(healed.master), 5, "it is the master's")
    assert not has_address(healed.standby)
