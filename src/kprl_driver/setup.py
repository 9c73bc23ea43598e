from setuptools import find_packages, setup

setup(
    name="kprl_driver",
    version="0.1.0",
    description="The robot driver node",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_driver"]),
        ("share/kprl_driver", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "driver_node = kprl_driver.driver_node:main",
        ],
    },
)
