"""What an image may cost its reader. An image that exceeds one of these is refused with a `ContentError` that names the layer."""

from __future__ import annotations

#: Of one image. Docker stacks 127, overlay file systems some hundred more.
MAX_LAYERS = 500
#: Tar entries of one image, and files and directories that they make: the largest images have some hundred thousand.
MAX_ENTRIES = 2_000_000
#: Bytes of all names and link targets that are held: 2,000,000 names of usual length.
MAX_NAME_BYTES = 256 * 1024 * 1024
#: Names in a directory that is searched, PATH's and conda's: they are searched again after each layer. Large ones have some thousand.
MAX_NAMES = 100_000
#: Bytes of a path and of a link's target (Linux, ``PATH_MAX``).
MAX_PATH = 4096
#: Directories on a path that are looked into; a path of `MAX_PATH` bytes could name 2,048, and none in an image has thirty.
MAX_DEPTH = 256
#: Links that are followed on one path (Linux, ``MAXSYMLINKS``).
MAX_LINKS = 40
#: Bytes of the extended headers before one entry: names and attributes of a real one have some thousand.
MAX_HEADER = 1024 * 1024
#: Headers before one entry that only describe it; pax and GNU tar write at most three.
MAX_HEADERS = 16
#: Bytes of a file that is read, ``os-release`` and its like: they have less than one KiB.
MAX_FILE = 64 * 1024
#: Bytes of such files that are held in case they are asked for.
MAX_KEPT = 4 * 1024 * 1024
#: How much larger a layer may be than its compressed form. Zeros shrink to a thousandth, anything worth keeping to a tenth.
MAX_RATIO = 200
#: Bytes that a layer may unpack to whatever its ratio.
ALWAYS_ALLOWED = 1024**3
#: Bytes that all layers of one image may unpack to.
MAX_UNPACKED = 128 * 1024**3
#: Bytes of layers that a quick look reads at most.
QUICK = 32 * 1024 * 1024
