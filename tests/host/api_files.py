"""Write workflows/api anew from the saved graphs: python -m tests.host.api_files"""

import json
import tempfile
from pathlib import Path

from launcher.graph import to_prompt
from launcher.places import WORKFLOWS
from launcher.server import Server


def main() -> None:
    with tempfile.TemporaryDirectory() as state, Server(state=Path(state), arguments=["--cpu"]) as server:
        object_info = server.client.object_info()
    for file in sorted(WORKFLOWS.glob("*.json")):
        prompt = to_prompt(json.loads(file.read_text(encoding="utf-8")), object_info)
        text = json.dumps(prompt, indent=2, ensure_ascii=False)
        (WORKFLOWS / "api" / file.name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
