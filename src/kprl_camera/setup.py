from setuptools import find_packages, setup

setup(
    name="kprl_camera",
    version="0.1.0",
    description="The camera node",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_camera"]),
        ("share/kprl_camera", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "camera_node = kprl_camera.camera_node:main",
        ],
    },
)
