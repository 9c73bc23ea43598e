import os
from pathlib import Path

from setuptools import find_packages, setup

package = Path(__file__).parent / "kprl"
# Everything that is not code: URDF, OBJ, and the YAML of sim/config, which is a link to config/world of the repository.
assets = sorted(
    str(Path(folder, name).relative_to(package))
    for folder, _, names in os.walk(package, followlinks=True)
    for name in names
    if not name.endswith((".py", ".pyc"))
)

setup(
    name="kprl_core",
    version="0.1.0",
    description="The kprl library and its command line",
    license="Apache-2.0",
    packages=find_packages(),
    package_data={"kprl": assets},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_core"]),
        ("share/kprl_core", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "kprl = kprl.cli:main",
        ],
    },
)
