"""`kprl data`: images for keypoint training."""

from __future__ import annotations

from pathlib import Path

from kprl.commands.shown import require_at_least


def generate(
    images: int,
    out: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    randomization: str = "train",
    workers: int = 2,
    seed: int = 0,
    engine: str = "local",
    address: str = "",
) -> None:
    """Render images with depth and segmentation for keypoint training; a killed run continues where it was.

    Args:
        images: How many.
        out: Folder for shards and manifest.json.
        task: The task whose world is rendered.
        scene: Scene of the task.
        object: Object on the table; several, as cube+gear, take turns by chance.
        randomization: Ranges of domain randomization: train, shifted, workcell or none.
        workers: Processes, on whichever machines. They do not change the images.
        seed: Decides every image.
        engine: local, or ray: the workers are tasks of a Ray, which may span several machines.
        address: Of the Ray cluster: host:port or auto on one of its machines, ray://host:10001 from another one.
            Without an address a Ray of its own is started on this machine.
    """
    from kprl.data.config import GenerateConfig
    from kprl.data.engine import make_engine
    from kprl.data.generate import generate as generate_images

    config = GenerateConfig(task, scene, object, randomization, images=images, out=out, workers=workers, seed=seed)
    generate_images(config, engine=make_engine(engine, address))


def preview(
    out: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    randomization: str = "train",
    images: int = 24,
    seed: int = 0,
) -> None:
    """Write a contact sheet: grey, depth and segmentation of random states.

    Args:
        out: PNG file to write.
        task: The task whose world is shown.
        scene: Scene of the task.
        object: Object on the table; several, as cube+gear, take turns by chance.
        randomization: What every world draws anew, a file of config/world: train, shifted, workcell or none.
        images: How many states.
        seed: Decides every image.
    """
    from kprl.data.config import image_seed
    from kprl.data.preview import contact_sheet
    from kprl.envs.world import World

    require_at_least("images", images, 1)
    require_at_least("seed", seed, 0)
    world = World(task, scene, object, randomization)
    contact_sheet(world, [image_seed(seed, i) for i in range(images)], out)
    world.close()
    print(f"wrote {out}")
