from setuptools import find_packages, setup

setup(
    name="kprl_fake_hardware",
    version="0.1.0",
    description="Fake UR5 controller, Robotiq gripper, camera, and the world that they are in",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_fake_hardware"]),
        ("share/kprl_fake_hardware", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "fake_camera_node = kprl_fake_hardware.fake_camera_node:main",
            "workcell = kprl_fake_hardware.workcell_node:main",
            "wait_for_workcell = kprl_fake_hardware.wait_for_workcell:main",
            "ur_controller = kprl_fake_hardware.ur_controller:main",
            "robotiq_gripper = kprl_fake_hardware.robotiq_gripper:main",
        ],
    },
)
