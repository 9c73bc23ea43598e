"""Where a Rerun recording goes, to a window, a browser or a file, and how its parts are laid out."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import rerun as rr
import rerun.blueprint as rrb

from kprl.errors import KprlError
from kprl_inspection import scene

APPLICATION = "kprl"
MEMORY = "1GB"  # of the viewer, beyond which the oldest is forgotten: a graph may run for days
SECONDS_IN_SIGHT = 20.0  # [s] of the curves
TIMELINE = "log_time"  # when it came here; every entry has it
STAMP = "stamp"  # of the message's header: in lockstep the simulator's time, so a timeline of its own
EYE, LOOK_AT = (1.1, -0.8, 0.6), (0.38, 0.0, 0.22)  # [m] in base_link: from the table's far right corner
FLUSH_TIMEOUT = 10.0  # [s] in which the last entries must be out


def open_screen(mode: str, output: str, grpc_port: int, web_port: int) -> tuple[rr.RecordingStream, str]:
    """A recording that goes where `mode` says (spawn, serve, save), and where that is, in words.

    Errors: `KprlError` where there is no display, a port is taken, or the file cannot be written.
    """
    recording = rr.RecordingStream(APPLICATION)
    if mode == "save":
        return recording, _save(recording, output)
    if output:
        raise KprlError(f"output is given, but mode is {mode}: a file is written in the mode save")
    if mode == "serve":
        return recording, _serve(recording, grpc_port, web_port)
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise KprlError("there is no display for the viewer's window: use the mode serve or save")
    recording.spawn(port=grpc_port, memory_limit=MEMORY, hide_welcome_screen=True, default_blueprint=layout())
    return recording, "a window"


def close_screen(recording: rr.RecordingStream) -> None:
    """Send what waits, and end a file well."""
    recording.flush(timeout_sec=FLUSH_TIMEOUT)
    recording.disconnect()


def _save(recording: rr.RecordingStream, output: str) -> str:
    path = Path(output).expanduser().absolute()
    if path.suffix != ".rrd":
        raise KprlError(f"output is '{output}': expected a file that ends in .rrd")
    if path.exists():
        raise KprlError(f"{path} exists: choose another file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()  # says in words what is wrong with the place
    except OSError as error:
        raise KprlError(f"cannot write {path}: {error.strerror}") from None
    recording.save(path, default_blueprint=layout())
    return f"{path}; look at it with: rerun {path}"


def _serve(recording: rr.RecordingStream, grpc_port: int, web_port: int) -> str:
    for name, port in (("grpc_port", grpc_port), ("web_port", web_port)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError as error:
                raise KprlError(f"{name} is {port}: {error.strerror}; choose another one") from None
    address = recording.serve_grpc(grpc_port=grpc_port, default_blueprint=layout(), server_memory_limit=MEMORY)
    rr.serve_web_viewer(web_port=web_port, open_browser=False, connect_to=address)
    return f"http://localhost:{web_port}/?url={address.replace(':', '%3A').replace('/', '%2F').replace('+', '%2B')}"


def layout() -> rrb.Blueprint:
    """The image and what is said at the left, the robot in the middle, curves at the right."""
    sight = [
        rrb.VisibleTimeRange(
            timeline,
            start=rrb.TimeRangeBoundary.cursor_relative(seconds=-SECONDS_IN_SIGHT),
            end=rrb.TimeRangeBoundary.cursor_relative(),
        )
        for timeline in (TIMELINE, STAMP)
    ]

    def curves(name: str, origin: str, legend: bool = True) -> rrb.TimeSeriesView:
        corner = rrb.PlotLegend(corner="lefttop", visible=legend)
        return rrb.TimeSeriesView(origin=origin, name=name, plot_legend=corner, time_ranges=sight)

    return rrb.Blueprint(
        rrb.Horizontal(
            rrb.Vertical(
                rrb.Spatial2DView(origin="camera", name="camera and keypoints"),
                rrb.TextLogView(origin="log", name="robot and nodes"),
                row_shares=[3, 1],
            ),
            rrb.Spatial3DView(
                origin="world",
                name="robot",
                contents=["+ $origin/**", f"- {scene.COLLISIONS}/**"],
                eye_controls=rrb.EyeControls3D(position=EYE, look_target=LOOK_AT, eye_up=(0.0, 0.0, 1.0)),
            ),
            rrb.Vertical(
                curves("confidence", scene.CONFIDENCE, legend=False),
                curves("velocity [m/s]", "curves/velocity"),
                curves("gripper opening [m]", scene.GRIPPER),
                rrb.Tabs(
                    curves("latency [ms]", "curves/latency"),
                    curves("rate [Hz]", "curves/rate"),
                    curves("training", scene.TRAINING),
                ),
            ),
            column_shares=[3, 4, 3],
        ),
        rrb.TimePanel(state="collapsed", timeline=TIMELINE),
        collapse_panels=True,
    )
