from setuptools import find_packages, setup

setup(
    name="kprl_sim",
    version="0.1.0",
    description="The sim bridge node",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_sim"]),
        ("share/kprl_sim", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "sim_bridge = kprl_sim.sim_bridge:main",
        ],
    },
)
