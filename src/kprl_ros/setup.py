from setuptools import find_packages, setup

setup(
    name="kprl_ros",
    version="0.1.0",
    description="What all nodes of kprl share",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_ros"]),
        ("share/kprl_ros", ["package.xml"]),
    ],
    zip_safe=False,
)
