# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state as people read it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import state
from ansible_collections.hawq.mirroring.plugins.module_utils.report import state as state_text
from cases import value
from observations import master, mirrored, standby, stopped


@pytest.fixture
def healthy() -> dict[str, t.Any]:
    return state.document({"mdw": mirrored(), "smdw": standby()})


LABELS = {
    "Master instance": "Active",
    "Master host": "mdw",
    "Master standby": "smdw",
    "Standby master state": "Standby host passive",
    "Total segments count from catalog": "0",
    "Total segment valid (at master)": "0",
    "Total segment failures (at master)": "0",
    "Mirroring state": "Synchronized since 2026-11-23 10:14:16 UTC",
    "Standby behind": "0 B, 0.000 s",
    "Timeline": "1",
    "Slot hawq_mirroring_smdw": "active, WAL reserved, 1 kB retained",
    "Host mdw": "a master that accepts writes (timeline 1, LSN 0/3017F88)",
    "Host smdw": "a running standby (timeline 1, LSN 0/3017F88)",
    "Rewind of smdw": "possible: not needed: it is on the master's timeline",
}


@pytest.mark.parametrize(("label", "text"), LABELS.items(), ids=LABELS)
def test_state_labels(healthy: dict[str, t.Any], label: str, text: str) -> None:
    assert value(state_text.text(healthy), label) == [text]


def test_state_begins_as_hawq_state_does(healthy: dict[str, t.Any]) -> None:
    assert state_text.text(healthy).splitlines()[0] == "HAWQ instance status summary"
    assert "Problem" not in state_text.text(healthy)


def test_state_without_standby() -> None:
    text = state_text.text(state.document({"mdw": master()}))
    assert value(text, "Master standby") == ["No Standby master defined"]
    assert value(text, "Mirroring state") == ["Not Configured"]
    assert value(text, "Standby master state") == value(text, "Standby behind") == []


def test_state_without_master() -> None:
    text = state_text.text(state.document({"mdw": stopped("mdw")}))
    assert value(text, "Master instance") == ["Down"]
    assert value(text, "Master host") == ["none"]
    assert value(text, "Timeline") == ["unknown"]
    assert "Problem: no host accepts writes" in text


def test_state_with_a_reason() -> None:
    mirroring = {
        "summary_state": "Not Synchronized",
        "detail_state": "Connection error",
        "since": 0.0,
        "error_message": "standby smdw is not connected",
    }
    text = state_text.text(state.document({"mdw": mirrored("mdw", {"server.mirroring": mirroring})}))
    assert value(text, "Mirroring state") == [
        "Not Synchronized (Connection error, standby smdw is not connected) since 1970-01-01 00:00:00 UTC"
    ]
    assert "Problem: standby smdw is Not Synchronized (Connection error)" in text
