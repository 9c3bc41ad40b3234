"""JavaScript in Node, for the suites that compare its numbers with Python's."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def run_node(source: str, given: Any) -> Any:
    """Run a module that reads `given`, and return what it calls `found`."""
    done = subprocess.run(
        ["node", "--input-type=module", "-"],
        input=f"const given = {json.dumps(given)};\n{source}\n"
        "console.log(JSON.stringify(found));",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
