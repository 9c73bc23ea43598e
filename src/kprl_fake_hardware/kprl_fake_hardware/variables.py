"""The RTDE variables that the fake controller has, by name and type.

Source: Universal Robots, "RTDE guide". What `ur_rtde` asks for is complete; what nobody here asks for is left out, and
the controller then answers NOT_FOUND as a real one does.
"""

from __future__ import annotations

from kprl_fake_hardware.rtde import Value

REGISTERS = 48  # of a kind; a client that finds the first 24 in use may take the other 24
HALF = 24

OUTPUTS: dict[str, str] = {
    "timestamp": "DOUBLE",
    "target_q": "VECTOR6D",
    "target_qd": "VECTOR6D",
    "target_qdd": "VECTOR6D",
    "target_current": "VECTOR6D",
    "target_moment": "VECTOR6D",
    "actual_q": "VECTOR6D",
    "actual_qd": "VECTOR6D",
    "actual_current": "VECTOR6D",
    "joint_control_output": "VECTOR6D",
    "actual_TCP_pose": "VECTOR6D",
    "actual_TCP_speed": "VECTOR6D",
    "actual_TCP_force": "VECTOR6D",
    "target_TCP_pose": "VECTOR6D",
    "target_TCP_speed": "VECTOR6D",
    "actual_digital_input_bits": "UINT64",
    "joint_temperatures": "VECTOR6D",
    "actual_execution_time": "DOUBLE",
    "robot_mode": "INT32",
    "joint_mode": "VECTOR6INT32",
    "safety_mode": "INT32",
    "actual_tool_accelerometer": "VECTOR3D",
    "speed_scaling": "DOUBLE",
    "target_speed_fraction": "DOUBLE",
    "actual_momentum": "DOUBLE",
    "actual_main_voltage": "DOUBLE",
    "actual_robot_voltage": "DOUBLE",
    "actual_robot_current": "DOUBLE",
    "actual_joint_voltage": "VECTOR6D",
    "actual_digital_output_bits": "UINT64",
    "runtime_state": "UINT32",
    "standard_analog_input0": "DOUBLE",
    "standard_analog_input1": "DOUBLE",
    "standard_analog_output0": "DOUBLE",
    "standard_analog_output1": "DOUBLE",
    "robot_status_bits": "UINT32",
    "safety_status_bits": "UINT32",
    "ft_raw_wrench": "VECTOR6D",
    "payload": "DOUBLE",
    "payload_cog": "VECTOR3D",
    "payload_inertia": "VECTOR6D",
} | {
    f"output_{kind}_register_{index}": type_
    for kind, type_ in (("int", "INT32"), ("double", "DOUBLE"))
    for index in range(REGISTERS)
}

INPUTS: dict[str, str] = {
    "speed_slider_mask": "UINT32",
    "speed_slider_fraction": "DOUBLE",
    "standard_digital_output_mask": "UINT8",
    "standard_digital_output": "UINT8",
    "configurable_digital_output_mask": "UINT8",
    "configurable_digital_output": "UINT8",
    "tool_digital_output_mask": "UINT8",
    "tool_digital_output": "UINT8",
    "standard_analog_output_mask": "UINT8",
    "standard_analog_output_type": "UINT8",
    "standard_analog_output_0": "DOUBLE",
    "standard_analog_output_1": "DOUBLE",
    "external_force_torque": "VECTOR6D",
} | {
    f"input_{kind}_register_{index}": type_
    for kind, type_ in (("int", "INT32"), ("double", "DOUBLE"))
    for index in range(REGISTERS)
}

# What a fieldbus adapter that is switched on takes for itself: the first half of the registers.
FIELDBUS_INPUTS = frozenset(f"input_{kind}_register_{index}" for kind in ("int", "double") for index in range(HALF))

# Where the fake has nothing to say: a plausible constant for each type.
_NOTHING: dict[str, Value] = {"VECTOR6D": (0.0,) * 6, "VECTOR3D": (0.0,) * 3, "DOUBLE": 0.0, "VECTOR6INT32": (0,) * 6}
CONSTANTS: dict[str, Value] = {name: _NOTHING.get(type_, 0) for name, type_ in OUTPUTS.items()} | {
    "joint_mode": (255,) * 6,  # every joint runs
    "joint_temperatures": (25.0,) * 6,  # [degrees C]
    "speed_scaling": 1.0,
    "target_speed_fraction": 1.0,
    "actual_main_voltage": 48.0,  # [V]
    "actual_robot_voltage": 48.0,
    "actual_joint_voltage": (48.0,) * 6,
}
