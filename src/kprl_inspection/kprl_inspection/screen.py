"""Where a Rerun recording goes, to a window, a browser or a file, and how its parts are laid out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

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
START_TIMEOUT = 20.0  # [s] for a viewer's server to listen, on a busy machine
END_TIMEOUT = 3.0  # [s] for it to end
POLL = 0.1  # [s]
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"


@dataclass(frozen=True)
class Screen:
    """A recording, where it goes, in words, and the server that ends with it, if it has one."""

    recording: rr.RecordingStream
    where: str
    server: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Send what waits, and end a file well."""
        self.recording.flush(timeout_sec=FLUSH_TIMEOUT)
        self.recording.disconnect()
        if self.server is not None:
            end_process(self.server)


def open_screen(mode: str, output: str, bind: str, grpc_port: int, web_port: int) -> Screen:
    """A recording that goes where `mode` says (spawn, serve, save); a viewer's server listens at `bind`.

    Errors: `KprlError` where there is no display, a port is taken, or the file cannot be written.
    """
    recording = rr.RecordingStream(APPLICATION)
    if mode == "save":
        return Screen(recording, _save(recording, output))
    if output:
        raise KprlError(f"output is given, but mode is {mode}: a file is written in the mode save")
    if mode == "serve":
        _require_free(bind, grpc_port=grpc_port, web_port=web_port)
        pages = ["--serve-web", "--web-viewer-port", str(web_port), "--server-memory-limit", MEMORY]
        server = _start(bind, grpc_port, pages)
        _connect(recording, server, bind, grpc_port)
        address = _address(bind, grpc_port)
        return Screen(recording, f"http://{bind}:{web_port}/?url={quote(address, safe='')}", server)
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise KprlError("there is no display for the viewer's window: use the mode serve or save")
    if not _listens(bind, grpc_port):  # a window that is there already shows this one too
        _start(bind, grpc_port, ["--hide-welcome-screen", "--memory-limit", MEMORY])
    _connect(recording, None, bind, grpc_port)
    return Screen(recording, "a window")


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Ask it and its children to end, and then insist: `python -m rerun` is the parent of the program itself."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(END_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(bind: str, port: int, arguments: list[str]) -> subprocess.Popen[bytes]:
    """Rerun's own program, in a session of its own: a Ctrl-C here is not meant for it."""
    command = [sys.executable, "-m", "rerun", "--bind", bind, "--port", str(port), *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)


def _connect(recording: rr.RecordingStream, server: subprocess.Popen[bytes] | None, bind: str, port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not _listens(bind, port):
        ended = server is not None and server.poll() is not None
        if ended or time.monotonic() > deadline:
            if server is not None and not ended:
                end_process(server)
            why = "it ended" if ended else f"nothing listened within {START_TIMEOUT:g} s"
            raise KprlError(f"Rerun's viewer did not start at {bind}:{port}: {why}; its words are above")
        time.sleep(POLL)
    recording.connect_grpc(_address(bind, port), default_blueprint=layout())


def _address(host: str, port: int) -> str:
    return f"rerun+http://{host}:{port}/proxy"


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(POLL)
        return probe.connect_ex((LOOPBACK if host == EVERYWHERE else host, port)) == 0


def _require_free(bind: str, **ports: int) -> None:
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((bind, port))
            except OSError as error:
                raise KprlError(f"{name} is {port}: {error.strerror}; choose another one") from None


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
