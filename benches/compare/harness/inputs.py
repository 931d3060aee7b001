"""The generated catalogues and their compressed forms, kept in the work folder from one comparison to the next."""

import hashlib
import subprocess

FULL_ROWS = 1_570_000
SEED = 1

# Name of the file, and how it comes about: the catalogue's format, or the compression of another file.
FILES = {
    "catalogue.csv": "csv",
    "catalogue.json": "json",
    "catalogue.csv.gz": "gzip",
    "catalogue.csv.zst": "zstd",
    "catalogue.frames.zst": "zstd-frames",
}


class Inputs:
    """The inputs of one size, made when they are first asked for."""

    def __init__(self, work, size, programs):
        self.num_rows = round(FULL_ROWS * size)
        self.programs = programs
        sample = [programs.prospector, "generate", "--rows", "1000", "--seed", str(SEED)]
        generated = subprocess.run(sample, check=True, capture_output=True).stdout
        # Another generator makes other catalogues.
        version = hashlib.sha256(generated).hexdigest()[:12]
        self.folder = work / f"catalogue-{version}-{self.num_rows}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, name):
        file = self.folder / name
        if not file.exists():
            print(f"making {file.name} of {self.num_rows:,} rows", flush=True)
            # A file that was being made when something failed is not to be taken for one.
            unfinished = file.with_name(name + ".new")
            subprocess.run(self._command(name, unfinished), check=True, stderr=subprocess.DEVNULL)
            unfinished.rename(file)
        return file

    def _command(self, name, to):
        how = FILES[name]
        if how in ("csv", "json"):
            options = ["--rows", str(self.num_rows), "--seed", str(SEED), "--format", how, "--output", to]
            return [self.programs.prospector, "generate", *options]
        return [self.programs.comparison, "compress", how, self.path("catalogue.csv"), to]


def warm(file):
    """Reads a file, so that the next reader finds it in memory."""
    with open(file, "rb", buffering=0) as content:
        buffer = bytearray(1 << 20)
        while content.readinto(buffer):
            pass
