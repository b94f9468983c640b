# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of the inventory that are not what runs there: recognised, told once, and refused by every workflow."""

from __future__ import annotations

import typing as t

import cases
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import (
    checks,
    init_master,
    init_standby,
    inventory,
    removal,
    switchover,
    topology,
    uninstall,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.failover import judge as failover
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync import judge as resync
from ansible_collections.hawq.mirroring.plugins.module_utils.values import reach
from observations import (
    FOREIGN,
    HOSTS,
    OWN,
    Observation,
    change,
    empty,
    master,
    mirrored,
    standby,
    stopped,
    unreachable,
)

Hosts = dict[str, Observation]
STATE = "ansible-playbook hawq.mirroring.state"
UNIT = "hawq-master.service"
#: what the inventory says of the directory, and what runs
TYPO, RIGHT = "/data/hawq/mastre", "/data/hawq/master"


def elsewhere(unit: str | None = UNIT, system: str | None = OWN, **more: t.Any) -> dict[str, t.Any]:
    there = {"path": RIGHT, "port": 5432, "unit": unit, "system_identifier": system}
    return {"elsewhere": there, "listening": True, "data_directory.path": TYPO, **more}


def nameless(name: str = "mdx") -> Observation:
    return t.cast(
        Observation,
        reach.away(
            name, {"msg": f"ssh: Could not resolve hostname {name}: Name or service not known", "unreachable": 1}
        ),
    )


PORT = {"endpoint.port": 5433}
MDX = {"mdx": nameless(), "smdw": standby()}
#: each workflow, with options that would let it go on
WORKFLOWS: dict[str, tuple[t.Any, dict[str, t.Any]]] = {
    "init_master": (init_master.judge, {"master_host": None}),
    "init_standby": (init_standby.judge, {}),
    "resync_standby": (resync.judge, {}),
    "switchover": (switchover.judge, {}),
    "failover": (failover.judge, {"master_is_down": True, "accept_data_loss": True}),
    "remove_standby": (removal.judge, {}),
    "uninstall": (uninstall.judge, {}),
}
WRONG_DIRECTORY = (
    f"a server runs on mdw from {RIGHT} ({UNIT}), and the inventory says {TYPO}",
    f"correct data_directory_path for mdw in the inventory: {RIGHT}",
)
WRONG_PORT = (
    f"the server on mdw ({RIGHT}) listens on port 5432, and the inventory says 5433",
    "correct server_port for mdw in the inventory: 5432",
)
WRONG_NAME = (
    "smdw receives WAL from mdw:5432, which no host of the group masters is, and the controller cannot resolve the name"
    " of mdx",
    "correct the name mdx in the inventory if mdw is meant",
)

#: hosts, and of each fault its kind, its host, what was found, what mends it
FAULTS: dict[str, tuple[Hosts, list[tuple[str, str, str, str]]]] = {
    "all is well": ({"mdw": mirrored(), "smdw": standby()}, []),
    "nothing there yet": ({"mdw": empty("mdw"), "smdw": empty()}, []),
    "the unit runs a server in another directory": (
        {"mdw": empty("mdw", elsewhere()), "smdw": standby()},
        [("inventory-directory", "mdw", *WRONG_DIRECTORY)],
    ),
    "the same, and whose data it is cannot be read": (
        {"mdw": empty("mdw", elsewhere(system=None))},
        [("inventory-directory", "mdw", *WRONG_DIRECTORY)],
    ),
    "past its unit, and the data is the standby's": (
        {"mdw": empty("mdw", elsewhere(unit=None)), "smdw": standby()},
        [
            (
                "inventory-directory",
                "mdw",
                f"from {RIGHT} (port 5432)",
                "correct data_directory_path for mdw in the inventory",
            )
        ],
    ),
    "another one's server has the port": (
        {"mdw": mirrored(), "smdw": empty("smdw", elsewhere(unit=None, system=FOREIGN))},
        [],
    ),
    "a server of which only the port is known": ({"mdw": empty("mdw", elsewhere(unit=None, system=None))}, []),
    "the directory of another server that runs": (
        {"mdw": master("mdw", {**elsewhere(), **PORT}), "smdw": standby()},
        [("inventory-directory", "mdw", *WRONG_DIRECTORY)],
    ),
    "a stopped master's old directory": (
        {"mdw": stopped("mdw", elsewhere()), "smdw": standby()},
        [("inventory-directory", "mdw", *WRONG_DIRECTORY)],
    ),
    "the standby's": (
        {"mdw": mirrored(), "smdw": empty("smdw", elsewhere())},
        [("inventory-directory", "smdw", "runs on smdw from", "correct data_directory_path for smdw")],
    ),
    "another port": (
        {"mdw": mirrored("mdw", PORT), "smdw": standby()},
        [("inventory-port", "mdw", *WRONG_PORT)],
    ),
    "another port, which another cluster's server has": (
        {
            "mdw": mirrored("mdw", {**PORT, "elsewhere": elsewhere(unit=None, system=OWN)["elsewhere"]}),
            "smdw": standby(),
        },
        [("inventory-port", "mdw", *WRONG_PORT)],
    ),
    "another port for all": (
        {"mdw": mirrored("mdw", PORT), "smdw": standby("smdw", PORT)},
        [
            ("inventory-port", "mdw", *WRONG_PORT),
            ("inventory-port", "smdw", "the server on smdw", "correct server_port for smdw in the inventory: 5432"),
        ],
    ),
    "a stopped server has no port": ({"mdw": stopped("mdw", {**PORT, "process.pidfile": {"port": 5432}})}, []),
    "a server whose port cannot be read": ({"mdw": mirrored("mdw", {**PORT, "process.pidfile": {}})}, []),
    "a misspelt host": (MDX, [("inventory-name", "mdx", *WRONG_NAME)]),
    "a misspelt host, whose standby gets nothing now": (
        {"mdx": nameless(), "smdw": standby("smdw", {"server.receiver": None})},
        [("inventory-name", "mdx", "smdw is told to follow mdw:5432, which no host", "correct the name mdx")],
    ),
    "a host that is off": ({"mdx": unreachable(), "smdw": standby()}, []),
    "a name that cannot be resolved, and is the master's": ({"mdw": nameless("mdw"), "smdw": standby()}, []),
    "a misspelt standby": ({"mdw": mirrored(), "smdx": nameless("smdx")}, []),
}


def endpoints(hosts: Hosts) -> dict[str, t.Any]:
    return {name: seen.get("endpoint") or {"address": name, "port": 5432} for name, seen in hosts.items()}


@pytest.mark.parametrize(("hosts", "expected"), cases.rows(FAULTS))
def test_what_is_wrong(hosts: Hosts, expected: list[tuple[str, str, str, str]]) -> None:
    found = inventory.faults(t.cast(t.Any, hosts), t.cast(t.Any, endpoints(hosts)))
    assert [(row.kind, row.host) for row in found] == [row[:2] for row in expected]
    for fault, (_kind, _host, words, mend) in zip(found, expected):
        assert words in fault.found
        assert mend in fault.mend


@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ({"mdw": empty("mdw", elsewhere()), "smdw": standby()}, WRONG_DIRECTORY),
        ({"mdw": mirrored("mdw", PORT), "smdw": standby()}, WRONG_PORT),
        (MDX, WRONG_NAME),
    ],
)
def test_every_workflow_refuses_for_that_alone(workflow: str, hosts: Hosts, words: tuple[str, str]) -> None:
    judge, options = WORKFLOWS[workflow]
    verdict = inventory.judged(judge, t.cast(t.Any, hosts), t.cast(t.Any, endpoints(hosts)), t.cast(t.Any, options))
    (refusal,) = verdict.refusals
    assert words[0] in refusal.found
    assert f"{words[1][0].upper()}{words[1][1:]}" in refusal.command
    assert refusal.command.endswith("then run this again")


def test_a_judge_is_asked_where_nothing_is_wrong() -> None:
    hosts = t.cast(t.Any, {"mdw": mirrored(), "smdw": standby()})
    judge, options = WORKFLOWS["switchover"]
    asked = []
    inventory.judged(lambda *given: asked.append(given), hosts, HOSTS, options)  # type: ignore[arg-type,func-returns-value,return-value]
    assert asked == [(hosts, HOSTS, options)]
    assert judge


#: hosts, the kinds of the problems, the exit code, the state of the master
STATES: dict[str, tuple[Hosts, list[str], int, str]] = {
    "another directory": (
        {"mdw": empty("mdw", elsewhere()), "smdw": standby()},
        ["inventory-directory"],
        14,
        "Unknown",
    ),
    "only its port is known": (
        {"mdw": empty("mdw", elsewhere(unit=None, system=None)), "smdw": empty()},
        ["inventory-directory"],
        14,
        "Unknown",
    ),
    "another port": ({"mdw": mirrored("mdw", PORT), "smdw": standby()}, ["inventory-port"], 13, "Active"),
    "another port, and a standby that is not connected": (
        {
            "mdw": mirrored(
                "mdw", {**PORT, "server.mirroring.summary_state": "Not Synchronized", "server.senders": []}
            ),
            "smdw": standby("smdw", {"server.receiver": None}),
        },
        ["inventory-port", "not-synchronized"],
        12,
        "Active",
    ),
    "two masters beside a wrong port": (
        {"mdw": mirrored("mdw", PORT), "smdw": master("smdw")},
        ["two-masters", "inventory-port"],
        11,
        "Active",
    ),
    "a misspelt host": (MDX, ["inventory-name"], 14, "Unknown"),
    "another one's server on a bare host": (
        {"mdw": mirrored(), "smdw": empty("smdw", elsewhere(unit=None, system=FOREIGN))},
        ["standby-down"],
        12,
        "Active",
    ),
}


@pytest.mark.parametrize(("hosts", "kinds", "code", "state"), cases.rows(STATES))
def test_what_the_state_says(
    hosts: Hosts, kinds: list[str], code: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "HOSTS", endpoints(hosts))
    found = cases.state(hosts)
    assert [row["kind"] for row in found["problems"]][: len(kinds)] == kinds
    assert (found["exit_code"], found["master_state"]) == (code, state)
    if "inventory" not in kinds[0]:
        return
    assert [row["kind"] for row in found["problems"]] == kinds
    texts = " ".join(f"{row['text']} {row['command']}" for row in (*found["problems"], *found["notes"]))
    for word in ("init_master", "init_standby", "resync_standby", "failover", "restore", "no host accepts writes"):
        assert word not in texts
    assert all(STATE in row["command"] for row in found["problems"])


def test_every_fault_would_be_refused_for_the_port() -> None:
    told = cases.state({"mdw": mirrored("mdw", PORT), "smdw": standby()})["readiness"]
    assert [row["outcome"] for row in told] == ["refused"] * 4
    assert {row["words"] for row in told} == {WRONG_PORT[0]}


#: a master whose name cannot be resolved: nobody says that it may be declared down
OF_A_NAME: dict[str, Hosts] = {
    "the standby follows it": {"mdw": nameless("mdw"), "smdw": standby()},
    "the standby gets nothing any more": {"mdw": nameless("mdw"), "smdw": standby("smdw", {"server.receiver": None})},
}


@pytest.mark.parametrize("hosts", OF_A_NAME.values(), ids=OF_A_NAME)
def test_a_name_that_cannot_be_resolved_is_no_host_that_is_off(hosts: Hosts) -> None:
    found = cases.state(hosts)
    told = [row["command"] for row in found["problems"]]
    told += [row.command for row in cases.failover(hosts, {}).refusals]
    told += [row.command for row in cases.resync(hosts, {}).refusals]
    assert len(told) >= 3
    for command in told:
        assert "master_is_down" not in command
    assert any("getent hosts mdw" in command for command in told)


def test_the_operators_word_counts_all_the_same() -> None:
    hosts = {"mdw": nameless("mdw"), "smdw": change(standby(), {"probes.mdw.open": False, "probes.mdw.answers": False})}
    kinds = [row.kind for row in cases.failover(hosts, {"master_is_down": True}).refusals]
    assert "not-proven-dead" not in kinds


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (elsewhere(), f"taken by a server that runs from {RIGHT}, and the inventory says {TYPO}"),
        ({"listening": True}, "is taken by another program"),
    ],
)
def test_whose_a_port_is(seen: dict[str, t.Any], words: str) -> None:
    (refusal,) = checks.port("smdw", t.cast(t.Any, empty("smdw", seen)), 5432)
    assert refusal.kind == "port-taken"
    assert words in refusal.found
    assert "server_port for" in refusal.command


def test_a_host_is_described_by_what_runs_there() -> None:
    told = topology.describe(t.cast(t.Any, empty("mdw", elsewhere())))
    assert told == f"without a data directory, beside a server that runs from {RIGHT}"
