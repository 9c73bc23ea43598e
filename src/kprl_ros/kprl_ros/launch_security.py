"""SROS 2 for what a launch starts: nodes prove who they are, say only what the policy lets them, and encrypt it."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from launch.actions import SetEnvironmentVariable

from kprl.errors import KprlError
from kprl_ros.installed import is_installed

SECURITY_ARGUMENT: tuple[str | None, str, list[str] | None] = (
    "",
    "keystore folder of SROS 2: nodes prove who they are, and encrypt (docs/security.md); empty: off",
    None,
)
# What rmw reads of an enclave; without one of them no node of it starts.
ENCLAVE_FILES = (
    "identity_ca.cert.pem", "cert.pem", "key.pem", "permissions_ca.cert.pem", "governance.p7s", "permissions.p7s",
)  # fmt: skip
PERMISSIONS = "permissions.xml"  # the same as permissions.p7s, before it was signed
GRAPH, OPERATOR = "graph", "operator"  # who is known: the nodes of a launch, a person at a shell


def enclave(who: str, namespace: str = "") -> str:
    """The enclave of GRAPH or OPERATOR; a second robot's, in a namespace, is another one."""
    return "/".join(["/kprl", *filter(None, namespace.split("/")), who])


def security(keystore: str, namespace: str = "") -> list[Any]:
    """What puts all that a launch starts from then on into the enclave of the graph; nothing where `keystore` is empty.

    Errors: `KprlError` where ROS or the keystore lacks something for it.
    """
    if not keystore:
        return []
    if not is_installed("sros2"):
        raise KprlError(f"security:={keystore} needs SROS 2, {_how_to_install()}, or leave the argument out")
    store, name = Path(keystore).expanduser().absolute(), enclave(GRAPH, namespace)
    _check(store, name, namespace)
    variables = {
        "ROS_SECURITY_KEYSTORE": str(store),
        "ROS_SECURITY_ENABLE": "true",
        "ROS_SECURITY_STRATEGY": "Enforce",
        "ROS_SECURITY_ENCLAVE_OVERRIDE": name,
    }
    return [SetEnvironmentVariable(variable, value) for variable, value in variables.items()]


def _how_to_install() -> str:
    if os.environ.get("ROS_DISTRO"):
        return "which is not installed: install ros-$ROS_DISTRO-sros2"
    return "which ROS from wheels has not (its Fast DDS is built without): set kprl up on a ROS distribution"


def _check(store: Path, name: str, namespace: str) -> None:
    """Refuse a keystore with which the nodes would only end one by one, each with a message of its middleware."""
    if not (store / "enclaves").is_dir():
        raise KprlError(f"{store} is no keystore: make one with `ros2 security create_keystore {store}`")
    folder = store / "enclaves" / name.lstrip("/")
    lacking = [file for file in ENCLAVE_FILES if not (folder / file).is_file()]
    if lacking:
        lack = f"enclave {name}" if not folder.is_dir() else f"{lacking[0]} of the enclave {name}"
        policy, first = "config/security/policy.xml", ""
        if namespace:
            policy = f"{namespace.strip('/').replace('/', '-')}.xml"
            first = f"`python tools/security/make_policy.py --namespace {namespace} > {policy}` and "
        command = f"{first}`ros2 security generate_artifacts -k {store} -p {policy}`"
        raise KprlError(f"the keystore {store} has no {lack}: make it with {command}")
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    allowed = _domains(folder / PERMISSIONS)
    if allowed and domain not in allowed:
        raise KprlError(
            f"the enclave {name} of {store} is for ROS_DOMAIN_ID {', '.join(sorted(allowed))}, this is {domain}: "
            f"set that one, or make a keystore in a shell with {domain}"
        )


def _domains(permissions: Path) -> set[str]:
    """The domains that the permissions are for; empty where that cannot be told."""
    try:
        return {(domain.text or "").strip() for domain in ElementTree.parse(permissions).iter("id")}
    except (OSError, ElementTree.ParseError):
        return set()
