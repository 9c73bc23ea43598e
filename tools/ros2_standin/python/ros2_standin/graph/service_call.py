"""`ros2 service call NAME TYPE [YAML]`."""

from __future__ import annotations

import rclpy
import yaml

from ros2_standin.errors import CommandError, OneLineParser
from ros2_standin.graph.message_yaml import fill, to_yaml
from ros2_standin.graph.session import interface, looking_node

DEFAULT_TIMEOUT_S = 30.0


def run(arguments: list[str]) -> int:
    """Call a service and print its response as YAML."""
    parser = OneLineParser("ros2 service call")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("type", metavar="TYPE")
    parser.add_argument("values", metavar="YAML", nargs="?", default="{}")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, help="wait this long [s]")
    options = parser.parse_args(arguments)
    service = interface(options.type, "srv")
    request = service.Request()  # type: ignore[attr-defined]
    try:
        values = yaml.safe_load(options.values)
    except yaml.YAMLError as error:
        raise CommandError(f"'{options.values}' is no YAML") from error
    fill(request, values or {})
    with looking_node() as node:
        client = node.create_client(service, options.name)
        if not client.wait_for_service(options.timeout):
            raise CommandError(f"no service '{options.name}' of that type within {options.timeout:g} s", 1)
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=options.timeout)
        if not future.done():
            raise CommandError(f"service '{options.name}' did not answer within {options.timeout:g} s", 1)
        print(f"response:\n{to_yaml(future.result())}", end="")
    return 0
