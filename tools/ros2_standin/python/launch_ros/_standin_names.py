"""ROS names: namespaces joined, made absolute and checked."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMESPACE = re.compile(r"/|(/[A-Za-z_][A-Za-z0-9_]*)+")


def join_namespaces(outer: str | None, inner: str | None) -> str | None:
    """`inner` below `outer`, made absolute; None where neither is given.

    An `inner` that is absolute stays as it is.

    Raises:
        ValueError: the result is no valid namespace.
    """
    if inner is None:
        joined = outer
    elif outer and not inner.startswith("/"):
        joined = f"{outer.rstrip('/')}/{inner}"
    else:
        joined = inner
    if joined is None:
        return None
    absolute = "/" + joined.strip("/")
    if not _NAMESPACE.fullmatch(absolute):
        raise ValueError(f"'{joined}' is no valid namespace: letters, digits and '_', parts separated by '/'")
    return absolute


def check_node_name(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: it is no valid node name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no valid node name: letters, digits and '_', no digit first")
    return name
