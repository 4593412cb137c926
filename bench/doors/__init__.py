"""More commands of `python -m bench`, one file a subject; the folder is the list.

Importing a file registers its commands on `door.app`; what a command needs it imports when called, so that
`--help` stays quick.
"""

from __future__ import annotations

import importlib
import pkgutil

for _file in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_file.name}")
