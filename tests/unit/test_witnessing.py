# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is observed of a witness's record and of a guard, whatever is in the place of their files."""

from __future__ import annotations

import json
import os
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import witnessing
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger, places
from cases import rows

ROLES = Path(__file__).parents[2] / "roles"
NAMES = ("sdw1", "sdw2", "sdw3")
WISH = ledger.Wish(7, ledger.SYNCHRONOUS, 1, "0/3000000", "mdw", 1795428856.0, 1, ("smdw",), NAMES)
RECORD = ledger.Record("7712689664250374424", "sdw1", ledger.Promise(2, "smdw", 1795428856.0, "run-1"), WISH)
TOLD = {"mode": "synchronous", "degrade_after": 5, "witnesses": ["sdw1"], "library": "/usr/local/lib/hawq-mirroring"}


def test_a_record_is_observed_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(ledger.render(RECORD))
    found = witnessing.record_at(str(path))
    assert found
    assert found["why"] is None
    assert ledger.parse(json.dumps(found["record"])) == (RECORD, None)


def test_a_host_without_a_record_is_no_witness(tmp_path: Path) -> None:
    assert witnessing.record_at(str(tmp_path / "record.json")) is None
    assert witnessing.record_at(str(tmp_path / "nowhere" / "record.json")) is None
    (tmp_path / "file").touch()
    assert witnessing.record_at(str(tmp_path / "file" / "record.json")) is None


@pytest.mark.parametrize(
    ("make", "words"),
    rows(
        {
            "no record": (lambda path: path.write_text("[]"), "damaged"),
            "half of one": (lambda path: path.write_text(ledger.render(RECORD)[:100]), "damaged"),
            "too long": (lambda path: path.write_text("x" * 5000), "longer than 4096 bytes"),
            "a pipe that never ends": (os.mkfifo, "no plain file"),
            "a link": (lambda path: path.symlink_to("/etc/passwd"), "cannot be read"),
        }
    ),
)
def test_a_record_that_cannot_be_believed_says_why(tmp_path: Path, make: t.Any, words: str) -> None:
    path = tmp_path / "record.json"
    make(path)
    found = witnessing.record_at(str(path))
    assert found
    assert found["record"] is None
    assert words in str(found["why"])
    assert str(path) in str(found["why"])


@pytest.mark.parametrize(
    ("text", "found"),
    rows(
        {
            "as the role writes it": (json.dumps({**TOLD, "count": 2}), {**TOLD, "degrade_after": 5.0, "count": 2}),
            "none": (None, None),
            "no JSON": ("{", None),
            "of another kind": ("[]", None),
            "no mode": (json.dumps({**TOLD, "mode": "quick"}), None),
            "no list": (json.dumps({**TOLD, "witnesses": "sdw1"}), None),
            "no number": (json.dumps({**TOLD, "degrade_after": "soon"}), None),
        }
    ),
)
def test_what_a_guard_is_told(text: str | None, found: dict[str, t.Any] | None) -> None:
    wanted = {name: value for name, value in found.items() if name != "library"} if found else None
    assert witnessing.told_guard(text) == wanted


def test_roles_and_observation_mean_the_same_places() -> None:
    """A role writes where the observation looks."""
    guard, witness = ((ROLES / name / "vars" / "main.yml").read_text() for name in ("guard", "witness"))
    service, cluster = "hawq-other.service", "{{ server_cluster }}"
    for text, name, path in (
        (guard, "guard_settings_path", places.guard_settings(service)),
        (guard, "guard_unit", places.guard_unit(service)),
        (witness, "witness_directory", os.path.dirname(places.witness_record(service))),
    ):
        told = re.search(rf"^{name}: (.+)$", text, re.MULTILINE)
        assert told
        assert told[1].replace(cluster, "hawq-other") == path
    assert 'record: "{{ witness_directory }}/record.json"' in witness
    program = (ROLES / "guard" / "files" / "hawq-mirroring-guard").read_text()
    assert f'INHERITED = "{places.INHERITED}"' in program
