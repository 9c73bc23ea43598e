"""The error of a substitution that has no value."""

from __future__ import annotations


class SubstitutionFailure(RuntimeError):
    """A substitution could not be performed."""
