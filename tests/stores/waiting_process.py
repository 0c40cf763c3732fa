"""Reads the file it is given until that ends."""

import sys
from pathlib import Path

Path(sys.argv[1]).read_bytes()
