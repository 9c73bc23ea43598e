"""Whether a ROS package is there."""

from __future__ import annotations

from ament_index_python.packages import PackageNotFoundError, get_package_prefix


def is_installed(package: str) -> bool:
    """Whether the ROS packages that this shell knows have one of this name."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
