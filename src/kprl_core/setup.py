from pathlib import Path

from setuptools import find_packages, setup

package = Path(__file__).parent / "kprl"
# Everything that is not code: YAML, URDF, OBJ, textures.
assets = sorted(
    str(path.relative_to(package))
    for path in package.rglob("*")
    if path.is_file() and path.suffix not in {".py", ".pyc"}
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
