"""Where shards are rendered: what an engine does, and the choice of one by name."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol

from kprl.data.config import GenerateConfig, WorldFactory
from kprl.errors import KprlError, require_choice

ENGINES = ("local", "ray")


class Engine(Protocol):
    """Renders shards by several workers, which write no files: theirs may be another machine's disk."""

    def render(
        self, config: GenerateConfig, make_world: WorldFactory, names: list[str], advance: Callable[[int], object]
    ) -> Generator[tuple[str, bytes], None, None]:
        """Yield name and file content of each shard of `names`, in the order in which they get ready.

        `advance` hears how many more images are rendered. Closing the generator stops the workers.
        """


def make_engine(name: str, address: str = "") -> Engine:
    """The engine of a name; `address` is that of a Ray cluster, "" for none."""
    require_choice("engine", name, ENGINES)
    if name == "ray":
        from kprl.data.ray_engine import RayEngine

        return RayEngine(address)
    if address:
        raise KprlError(f"the address {address} is a Ray cluster's: add '--engine ray', or leave it out")
    from kprl.data.local_engine import LocalEngine

    return LocalEngine()
