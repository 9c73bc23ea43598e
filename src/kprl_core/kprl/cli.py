"""The command line `kprl`: data, keypoints, policy, bench, experiment.

Every command is one function whose parameters are its flags (tyro reads them).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import tyro

from kprl.commands import bench, data, experiment, keypoints, policy
from kprl.errors import KprlError

USER_ERROR = 2  # exit status for a fault that a user can mend
INTERRUPTED = 130
COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "data": {"generate": data.generate, "preview": data.preview},
    "keypoints": {
        "train": keypoints.train,
        "eval": keypoints.evaluate,
        "card": keypoints.card,
        "ablation": keypoints.ablation,
    },
    "bench": {
        "env": bench.env,
        "encoder": bench.encoder,
        "sac": bench.sac,
        "graph": bench.graph,
        "pipeline": bench.pipeline,
        "learning": bench.learning,
    },
    "experiment": {
        "fig7": experiment.fig7,
        "fig8": experiment.fig8,
        "fig10": experiment.fig10,
        "table1": experiment.table1,
        "ablation": experiment.ablation,
    },
    "policy": {"train": policy.train, "eval": policy.evaluate, "show": policy.show, "card": policy.card},
}
ABOUT = "Keypoint policies for a robot arm, learnt in simulation."
GROUPS = {
    "bench": "Measurements against named peers and limits.",
    "data": "Images for keypoint training.",
    "experiment": "The paper's figures and tables.",
    "keypoints": "The self-supervised keypoint representation.",
    "policy": "Manipulation policies.",
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `kprl`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    group = arguments[0] if arguments and arguments[0] in COMMANDS else None
    app = tyro.extras.SubcommandApp()
    for name, commands in COMMANDS.items():
        for command, function in commands.items():
            if group is None:
                app.command(name=f"{name} {command}")(function)  # listed in the help; never parsed as one word
            elif group == name:
                app.command(name=command)(function)
    try:
        if group is None:
            app.cli(args=arguments, prog="kprl", description=ABOUT)
        else:
            app.cli(args=arguments[1:], prog=f"kprl {group}", description=GROUPS[group])
    except KprlError as error:
        print(f"kprl: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
