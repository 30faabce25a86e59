"""The pack loads the way the host loads it, and lists its nodes."""

import asyncio
import sys


def test_entrypoint_lists_the_nodes(pack):
    extension = asyncio.run(pack.comfy_entrypoint())
    nodes = asyncio.run(extension.get_node_list())
    assert nodes == pack.nodes.NODES
    assert len({node.GET_SCHEMA().node_id for node in nodes}) == len(nodes)


def test_relative_imports_leave_the_hosts_nodes_module_alone(pack, host_modules):
    import nodes

    assert nodes.__file__ == str(host_modules / "nodes.py")
    assert pack.nodes is sys.modules[pack.__name__ + ".nodes"]
