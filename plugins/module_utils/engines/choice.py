# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one place where a module chooses among engines. What they do is in ``base``, which no host needs."""

from __future__ import annotations

import typing as t

from ..host.errors import MirroringError

Verb = t.TypeVar("Verb", bound=t.Callable[..., t.Any])


def of(engine: str, **engines: Verb) -> Verb:
    """Return the function of this engine out of those that are given by the engines' names."""
    if engine not in engines:
        raise MirroringError(
            f"this cannot be done with the engine {engine}, only with {', '.join(sorted(engines))}: correct"
            " the instance's engine"
        )
    return engines[engine]
