"""The objects: they rest where the data says, collide where they are seen, and the gripper can hold and lift them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from kprl.action import GRIPPER_FORCE, GRIPPER_STROKE, MAX_GRIPPER_SPEED
from kprl.control.kinematics import ELBOW_UP, JOINT_NAMES, forward, solve_inverse
from kprl.control.limits import CONTROL_HZ, CONTROL_PERIOD, WORKSPACE
from kprl.errors import KprlError
from kprl.sim.arm import TOOL_DOWN
from kprl.sim.assets.make_objects import FILES, FOLDER, to_obj
from kprl.sim.assets.make_urdf import EFFORT, TCP_OFFSET
from kprl.sim.bullet import PHYSICS_HZ, Bullet
from kprl.sim.gripper import Gripper, ObjectStatus
from kprl.sim.objects import DISTRACTORS, OBJECTS, Box, Mesh, ObjectModel, object_models

ALL = (*OBJECTS.values(), *DISTRACTORS)
TRIANGLES = {"cube": 12, "rectangle": 12, "mouse": 90, "gear": 140}  # at most; rendering is what a step costs
DISTRACTOR_TRIANGLES = 30
UPRIGHT = (0.0, 0.0, 0.0, 1.0)
CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])

each_object = pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
each_target = pytest.mark.parametrize("model", OBJECTS.values(), ids=lambda model: model.name)


def triangles(part: Box | Mesh) -> np.ndarray:
    """Triangles (n, 3, 3) [m] of a part in the body's frame; a box is taken for its hull."""
    if isinstance(part, Box):
        corners = CORNERS * part.half + part.centre
        hull = ConvexHull(corners)
        faces = corners[hull.simplices]
        normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
        inward = np.einsum("ij,ij->i", normals, hull.equations[:, :3]) < 0
        faces[inward] = faces[inward][:, ::-1]
        return faces
    vertices, faces = [], []
    for line in part.path.read_text().splitlines():
        kind, *fields = line.split()
        if kind == "v":
            vertices.append([float(field) for field in fields])
        elif kind == "f":
            faces.append([int(field.split("/")[0]) - 1 for field in fields])
    return (np.array(vertices) * part.scale + part.centre)[np.array(faces)]


def vertices(model: ObjectModel) -> np.ndarray:
    return np.concatenate([triangles(part).reshape(-1, 3) for part in model.parts])


def on_a_table() -> Bullet:
    bullet = Bullet()
    table = bullet.add_body([Box((0.5, 0.5, 0.02))], mass=0.0, friction=0.7)
    bullet.place(table, (0.5, 0.0, -0.02), UPRIGHT)
    return bullet


@each_object
def test_it_rests_at_its_height_without_rocking(model):
    bullet = on_a_table()
    body = bullet.add_body(model.parts, model.mass)
    bullet.place(body, (0.5, 0.0, model.rest_height), UPRIGHT)
    for _ in range(4):
        bullet.step(PHYSICS_HZ // 4)
        position, quaternion = bullet.pose(body)
        assert np.linalg.norm(position - (0.5, 0.0, model.rest_height)) < 2e-4
        assert np.degrees(Rotation.from_quat(quaternion).magnitude()) < 0.2
    bullet.close()


@each_object
def test_its_origin_is_its_centre_of_mass(model):
    # Tetrahedra from a point in the plane that a mesh stands on: the hub's open underside adds nothing.
    volume, moment = 0.0, np.zeros(3)
    for part in model.parts:
        faces = triangles(part)
        foot = np.array([0.0, 0.0, faces[..., 2].min()])
        faces = faces - foot
        volumes = np.einsum("ij,ij->i", faces[:, 0], np.cross(faces[:, 1], faces[:, 2])) / 6
        volume += volumes.sum()
        moment += volumes @ (faces.sum(axis=1) / 4 + foot)
    assert volume > 0
    assert np.abs(moment / volume).max() < 1e-4


@each_object
def test_its_inertia_is_that_of_its_size(model):
    bullet = Bullet()
    body = bullet.add_body(model.parts, model.mass)
    mass, _, inertia, origin, axes = bullet.client.getDynamicsInfo(body, -1)[:5]
    squares = np.ptp(vertices(model), axis=0) ** 2
    of_a_cuboid = model.mass / 12 * (squares.sum() - squares)
    assert mass == model.mass
    assert np.allclose(inertia, of_a_cuboid, rtol=0.4)
    assert np.allclose(origin, 0) and np.allclose(axes, UPRIGHT)
    bullet.close()


@each_object
def test_it_collides_where_it_is_seen(model):
    bullet, rng = Bullet(), np.random.default_rng(0)
    body = bullet.add_body(model.parts, model.mass)
    client, radius, away = bullet.client, 0.002, 0.005
    probe = client.createMultiBody(1.0, client.createCollisionShape(client.GEOM_SPHERE, radius=radius))
    hulls = [ConvexHull(triangles(part).reshape(-1, 3)) for part in model.parts]
    distances = []
    for hull in hulls:
        others = [other.equations for other in hulls if other is not hull]
        for simplex, equation in zip(hull.simplices, hull.equations, strict=True):
            point = rng.dirichlet([1.0, 1.0, 1.0]) @ hull.points[simplex] + away * equation[:3]
            if any((other[:, :3] @ point + other[:, 3]).max() < away for other in others):
                continue  # another part may be nearer
            bullet.place(probe, point, UPRIGHT)
            contacts = client.getClosestPoints(body, probe, 0.05)
            distances.append(min(contact[8] for contact in contacts) + radius)
    assert len(distances) >= 8
    assert np.allclose(distances, away, atol=2e-4)
    bullet.close()


@each_object
def test_its_radius_covers_it(model):
    reach = np.linalg.norm(vertices(model)[:, :2], axis=1).max()
    assert reach <= model.radius < reach + 1e-3


@each_object
def test_it_has_few_triangles(model):
    count = sum(len(triangles(part)) for part in model.parts)
    assert count <= TRIANGLES.get(model.name, DISTRACTOR_TRIANGLES)


@each_target
def test_the_open_gripper_goes_around_it(model):
    assert model.grip_width <= GRIPPER_STROKE - 0.025
    assert np.isclose(np.ptp(vertices(model)[:, 1]), model.grip_width, atol=5e-4)


def test_names_are_unique_and_keys():
    assert all(name == model.name for name, model in OBJECTS.items())
    assert len({model.name for model in ALL}) == len(ALL)
    assert list(OBJECTS) == ["cube", "rectangle", "mouse", "gear"]
    assert len(DISTRACTORS) == 6


def test_several_objects_are_named_with_a_plus_and_once_each():
    assert object_models("gear") == (OBJECTS["gear"],)
    assert object_models("mouse+cube") == (OBJECTS["mouse"], OBJECTS["cube"])
    with pytest.raises(KprlError, match="the object 'cube' is named twice in 'cube\\+gear\\+cube'"):
        object_models("cube+gear+cube")
    for wrong in ("cube+egg", "cube+", "cube,gear"):
        with pytest.raises(KprlError, match="unknown object"):
            object_models(wrong)


@pytest.mark.parametrize("name", FILES)
def test_the_shipped_files_are_what_the_code_gives(name):
    assert (FOLDER / name).read_text() == to_obj(FILES[name]())


@pytest.mark.parametrize("name", FILES)
def test_meshes_are_flat_shaded_and_textured(name):
    lines = [line.split() for line in (FOLDER / name).read_text().splitlines()]
    rows = {kind: np.array([line[1:] for line in lines if line[0] == kind], dtype=float) for kind in ("v", "vt", "vn")}
    assert (rows["vt"] >= 0).all() and (rows["vt"] <= 1).all()
    for line in lines:
        if line[0] == "f":
            corners, _, normals = (np.array([field.split("/") for field in line[1:]], dtype=int) - 1).T
            assert len(set(normals)) == 1
            a, b, c = rows["v"][corners]
            normal = np.cross(b - a, c - a)
            assert normal @ rows["vn"][normals[0]] > 0.999 * np.linalg.norm(normal)


@pytest.mark.parametrize("name, holes", [("mouse.obj", 0), ("gear_wheel.obj", 0), ("gear_hub.obj", 8)])
def test_meshes_are_closed(name, holes):
    faces = np.round(triangles(Mesh(name)), 6)
    edges = Counter((tuple(face[i]), tuple(face[(i + 1) % 3])) for face in faces for i in range(3))
    assert max(edges.values()) == 1
    assert sum((b, a) not in edges for a, b in edges) == holes


class Hand:
    """The robot over a table, its tool moved up and down, with an object between the open fingers."""

    def __init__(self, model: ObjectModel, yaw: float) -> None:
        self.bullet = on_a_table()
        self.robot = self.bullet.load_urdf(FOLDER / "ur5_2f85.urdf")
        self.gripper = Gripper(self.bullet, self.robot)
        names = self.bullet.joint_indices(self.robot)
        self._joints = [names[name] for name in JOINT_NAMES]
        self._tool = np.array([0.5, 0.0, max(model.rest_height, WORKSPACE.lower[2])])
        self._solution, _ = solve_inverse(self._tool, TOOL_DOWN, ELBOW_UP, TCP_OFFSET)
        self.bullet.set_joints(self.robot, self._joints, list(self._solution))
        self.gripper.place(GRIPPER_STROKE)
        self.object = self.bullet.add_body(model.parts, model.mass)
        self.bullet.set_contact(self.object, -1, friction=0.8, spinning=0.005)
        turn = Rotation.from_euler("z", yaw).as_quat()
        self.bullet.place(self.object, (0.5, 0.0, model.rest_height), turn.tolist())

    def close_fingers(self, seconds: float, climb: float = 0.0) -> None:
        """Press the fingers together while the tool climbs at a speed [m/s]."""
        for _ in range(round(seconds * CONTROL_HZ)):
            self._tool = self._tool + (0.0, 0.0, climb * CONTROL_PERIOD)
            self._solution, _ = solve_inverse(self._tool, TOOL_DOWN, self._solution, TCP_OFFSET, iterations=3)
            rates = (self._solution - self.bullet.joint_positions(self.robot, self._joints)) / CONTROL_PERIOD
            self.bullet.drive_joints(self.robot, self._joints, list(rates), EFFORT)
            wanted = max(self.gripper.opening() - MAX_GRIPPER_SPEED * CONTROL_PERIOD, 0.0)
            self.gripper.command(wanted, MAX_GRIPPER_SPEED, GRIPPER_FORCE)
            self.bullet.step(round(PHYSICS_HZ * CONTROL_PERIOD))
            self.gripper.observe()

    def in_hand(self) -> np.ndarray:
        """Position (3,) [m] of the object from the tool centre point, axes of `base_link`."""
        tool = forward(self.bullet.joint_positions(self.robot, self._joints), TCP_OFFSET)[:3, 3]
        return self.bullet.pose(self.object)[0] - tool

    def held(self) -> bool:
        touching = self.bullet.links_touching(self.robot, self.object)
        return touching.issuperset(self.gripper.fingers) and self.gripper.status == ObjectStatus.STOPPED_CLOSING


@each_target
@pytest.mark.parametrize("yaw", [-0.3, 0.0, 0.3])
def test_the_gripper_lifts_and_holds_it(model, yaw):
    hand = Hand(model, yaw)
    hand.close_fingers(1.0)
    assert hand.held()
    if yaw == 0.0:
        assert abs(hand.gripper.opening() - model.grip_width) < 1e-3
    grasped = hand.in_hand()
    hand.close_fingers(1.0, climb=0.1)
    hand.close_fingers(2.0)
    assert hand.held()
    assert hand.bullet.pose(hand.object)[0][2] > model.rest_height + 0.09
    assert np.linalg.norm(hand.in_hand() - grasped) < 0.001
    hand.bullet.close()
