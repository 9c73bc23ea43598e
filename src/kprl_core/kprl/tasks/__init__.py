"""The tasks: scene, goal, reward, success, start states. A task knows no simulator."""

from __future__ import annotations

from kprl.errors import require_choice
from kprl.sim.objects import object_models
from kprl.tasks.grasp import Grasp
from kprl.tasks.push import Push
from kprl.tasks.task import Task

TASKS: dict[str, type[Task]] = {"grasp": Grasp, "push": Push}


def make_task(name: str, scene: str = "env1") -> Task:
    """The task of a name in a scene; KprlError names the valid choices."""
    require_choice("task", name, list(TASKS))
    task = TASKS[name]
    require_choice(f"scene of task {name}", scene, task.scenes)
    return task(scene)


def check_names(task: str, scene: str, object: str) -> None:
    """Refuse an unknown task, scene or object before anything is started; KprlError names the valid choices."""
    make_task(task, scene)
    object_models(object)
