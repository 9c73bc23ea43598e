from setuptools import find_packages, setup

setup(
    name="kprl_inspection",
    version="0.1.0",
    description="A recorder and a viewer of the graph, for machines without rosbag2 and rviz",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_inspection"]),
        ("share/kprl_inspection", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "record_node = kprl_inspection.record_node:main",
            "viewer_node = kprl_inspection.viewer_node:main",
        ],
    },
)
