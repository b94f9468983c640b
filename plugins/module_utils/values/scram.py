# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SCRAM-SHA-256 verifiers, so that a password never stands in a statement that a server may log.

Sources: RFC 5802, RFC 7677; PostgreSQL manual, "pg_authid" (format of rolpassword).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096


def verifier(password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """Return what pg_authid.rolpassword holds for an ASCII password."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    server_key = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    texts = [base64.b64encode(value).decode() for value in (salt, hashlib.sha256(client_key).digest(), server_key)]
    return f"SCRAM-SHA-256${iterations}:{texts[0]}${texts[1]}:{texts[2]}"


def matches(password: str, stored: str | None) -> bool:
    """Whether the stored verifier was made from this password."""
    try:
        method, parameters, _keys = (stored or "").split("$")
        iterations, salt = parameters.split(":")
    except ValueError:
        return False
    if method != "SCRAM-SHA-256":
        return False
    return hmac.compare_digest(verifier(password, base64.b64decode(salt), int(iterations)), stored or "")
