# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verifiers of passwords, as the server makes them."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import scram
from cases import rows

#: made by PostgreSQL 15
VERIFIERS = {
    "correct horse": (
        "SCRAM-SHA-256$4096:RhBu9Stxs5bPl3gVlojdlw==$"
        "31/aghy8i4chIvEO/VN8NVgPEdmAcK96+pRb7b5yUUk=:N4PacnkWRiyHBhA36LL2mf8L4ScJrhV5fVASg9FONMU="
    ),
    "p:a\\ss'w": (
        "SCRAM-SHA-256$4096:79t/TbbohabpYa/K5CPd9A==$"
        "wUfixc8htJyJGkewvwFgaLo/OlmbY66aKj7mv99jlEg=:l0fLlKQE0N1SV6GFvkJUldLlEmAElHEScpiqNBv1d3s="
    ),
}


@pytest.mark.parametrize(("password", "stored"), rows({name: (name, text) for name, text in VERIFIERS.items()}))
def test_scram_as_the_server_makes_it(password: str, stored: str) -> None:
    assert scram.matches(password, stored)


@pytest.mark.parametrize(
    ("password", "stored"),
    rows(
        {
            "other password": ("correct horsf", VERIFIERS["correct horse"]),
            "empty password": ("", VERIFIERS["correct horse"]),
            "other salt": ("correct horse", VERIFIERS["correct horse"].replace("RhBu", "RhBv")),
            "md5": ("correct horse", "md5d8578edf8458ce06fbc5bb76a58c5ca4"),
            "other method": ("correct horse", VERIFIERS["correct horse"].replace("SHA-256", "SHA-512")),
            "no password stored": ("correct horse", None),
        }
    ),
)
def test_scram_refuses(password: str, stored: str | None) -> None:
    assert not scram.matches(password, stored)


def test_scram_salts_are_new_each_time() -> None:
    one, other = scram.verifier("geheim"), scram.verifier("geheim")
    assert one != other
    assert scram.matches("geheim", one)
    assert scram.matches("geheim", other)
    assert "geheim" not in one
