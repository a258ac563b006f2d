"""A clock that can be put ahead or back while a process runs, by libfaketime."""

from pathlib import Path

from invariants import require


class Clock:
    """The time of day of processes that are started with this environment; what measures spans is as ever."""

    def __init__(self, file):
        library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
        require(library, "libfaketime is not here: apt-get install faketime")
        self.file = file
        self.jump(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else waits of less than a second end at once: Java spins
            "FAKETIME_CACHE_DURATION": "1",  # else each look at the clock reads the file
        }

    def jump(self, seconds):
        """Puts it so far ahead of the machine's clock, or behind it."""
        self.file.write_text(f"{seconds:+.0f}\n")
