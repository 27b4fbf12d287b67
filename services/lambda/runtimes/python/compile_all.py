"""Compiles the modules below a directory and writes the results to standard output: no code of them runs.

For each file: the length of its path, the path, the length of its content, the content; lengths in eight bytes.
"""

import importlib.util
import os
import sys
from importlib import _bootstrap_external as external
from importlib.machinery import SourceFileLoader


def compiled(path):
    """What the interpreter would write beside the module, for as long as that is the file that it is."""
    with open(path, "rb") as file:
        source = file.read()
    code = SourceFileLoader("module", path).source_to_code(source, path)
    return external._code_to_timestamp_pyc(code, int(os.stat(path).st_mtime), len(source))


def main(root):
    out = sys.stdout.buffer
    for directory, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name != "__pycache__"]
        for name in files:
            path = os.path.join(directory, name)
            if not name.endswith(".py") or os.path.islink(path):
                continue
            target = importlib.util.cache_from_source(path)
            if os.path.exists(target):
                continue
            try:
                content = compiled(path)
            except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
                # The function will see for itself, if it ever imports this.
                continue
            shown = os.path.relpath(target, root).encode()
            for part in (shown, content):
                out.write(len(part).to_bytes(8, "big") + part)
    out.flush()


main(sys.argv[1])
