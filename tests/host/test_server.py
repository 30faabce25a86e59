"""The pack inside a real server: runs can be watched, repeated and cancelled."""

import io

import numpy as np
import pytest
from PIL import Image

from launcher.places import LaunchError


def image_graph(**changes):
    """Two plain pictures, saved."""
    empty = {"width": 64, "height": 32, "batch_size": 2, "color": 0x336699, **changes}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "plain"}},
    }


def long_graph(blurs=60):
    """A picture blurred again and again: seconds of work in many nodes, between which a run can be cancelled."""
    graph = {"0": {"class_type": "EmptyImage", "inputs": {"width": 512, "height": 512, "batch_size": 1, "color": 3}}}
    for i in range(blurs):
        blur = {"image": [str(i), 0], "blur_radius": 15, "sigma": 5.0}
        graph[str(i + 1)] = {"class_type": "ImageBlur", "inputs": blur}
    graph["preview"] = {"class_type": "PreviewImage", "inputs": {"images": [str(blurs), 0]}}
    return graph


def pixels(host, file):
    return np.asarray(Image.open(io.BytesIO(host.view(file))))


def test_a_graph_of_host_nodes_runs(host):
    run = host.run(image_graph())
    assert run.end == "execution_success"
    assert len(run.files) == 2
    assert pixels(host, run.files[0]).shape == (32, 64, 3)
    assert (pixels(host, run.files[1]) == (0x33, 0x66, 0x99)).all()


def test_the_second_run_comes_from_the_cache(host):
    first, second = host.run(image_graph(color=1)), host.run(image_graph(color=1))
    assert first.end == second.end == "execution_success"
    assert {"1"} <= set(second.of_type("execution_cached")[0]["nodes"])


def test_a_run_can_be_cancelled_and_the_server_goes_on(host):
    run = host.run(long_graph(), interrupt_at="executing")
    assert run.end == "execution_interrupted"
    assert run.history["status"]["status_str"] == "error"
    assert run.files == []
    assert 0 < len(run.of_type("executing")) < 60
    assert host.run(image_graph(color=2)).end == "execution_success"


def test_a_wrong_graph_is_refused_with_the_nodes_named(host):
    graph = image_graph(width=0)
    with pytest.raises(LaunchError, match=r"node 1 \(EmptyImage\): Value 0 smaller than min"):
        host.queue(graph)


def test_the_log_has_no_failed_import(host):
    log = host.server.log.read_text(encoding="utf-8", errors="replace")
    assert "Import times for custom nodes" in log
    for trouble in ("IMPORT FAILED", "Cannot import", "Error while calling comfy_entrypoint"):
        assert trouble not in log
