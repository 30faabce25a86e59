"""The pack inside a real server: it loads, it describes itself, and runs can be watched, repeated and cancelled."""

import io

import numpy as np
from PIL import Image


def image_graph(**changes):
    empty = {"width": 64, "height": 32, "batch_size": 2, "color": 0x336699, **changes}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "plain"}},
    }


def test_a_graph_of_host_nodes_runs(host):
    run = host.run(image_graph())
    assert run.end == "execution_success"
    assert len(run.files) == 2
    pixels = np.asarray(Image.open(io.BytesIO(host.view(run.files[0]))))
    assert pixels.shape == (32, 64, 3)
    assert (pixels == (0x33, 0x66, 0x99)).all()
