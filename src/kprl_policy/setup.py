from setuptools import find_packages, setup

setup(
    name="kprl_policy",
    version="0.1.0",
    description="The policy node, the trainer node and the evaluation over topics",
    license="Apache-2.0",
    packages=find_packages(),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/kprl_policy"]),
        ("share/kprl_policy", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "policy_node = kprl_policy.policy_node:main",
            "trainer_node = kprl_policy.trainer_node:main",
            "evaluate_node = kprl_policy.evaluate_node:main",
        ],
    },
)
