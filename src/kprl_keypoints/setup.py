from setuptools import find_packages, setup

setup(
    name="kprl_keypoints",
    version="0.1.0",
    description="The keypoint node",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_keypoints"]),
        ("share/kprl_keypoints", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "keypoint_node = kprl_keypoints.keypoint_node:main",
        ],
    },
)
