"""What the benchmarks share: arguments, the machine in a line, medians, JSON under --out."""

import argparse
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import numpy as np


def arguments(description, name, **options):
    """--out, --threads, and the benchmark's own options as name=(default, help)."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out") / name)
    for option, (default, explanation) in options.items():
        parser.add_argument(
            f"--{option}", type=type(default), default=default, help=f"{explanation} ({default})"
        )
    args = parser.parse_args()
    for option, (default, _) in options.items():
        if isinstance(default, int | float) and not 0 < getattr(args, option) < float("inf"):
            parser.error(f"--{option}: expected a number > 0, got {getattr(args, option)}")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out: cannot write to {args.out}: {error.strerror}")
    return args


def refuse(message):
    """Ends the benchmark with one line about its command line, and exit code 2."""
    print(f"{Path(sys.argv[0]).stem}: error: {message}", file=sys.stderr)
    sys.exit(2)


def listed(option, text, known):
    """The names in "one,two", each of which must be known."""
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            refuse(f"--{option}: expected names of {', '.join(known)}, got {name!r}")
    return names


def seeds(option, text):
    """[first, ..., last] from "first-last"."""
    try:
        first, last = map(int, text.split("-"))
    except ValueError:
        refuse(f"--{option}: expected first-last, such as 0-4, got {text!r}")
    return range(first, last + 1)


def machine():
    """{"cpu", "cores", "python", and the versions of what is installed}."""
    found = {"cpu": _cpu(), "cores": _cores(), "system": platform.system()}
    found["python"] = platform.python_version()
    for package in ("numpy", "numba", "torch", "jax"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return found


def _cores():
    """How many this process may use; macOS and Windows do not say, so all there."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _cpu():
    """The processor's name, as the system gives it; its family and model where that says little."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    name = fields.get("model name", platform.machine())
    return f"{name} (family {fields.get('cpu family')}, model {fields.get('model')})"


def in_words(facts):
    """The machine on one line."""
    versions = [f"{k} {v}" for k, v in facts.items() if k not in ("cpu", "cores", "system")]
    return f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}; " + ", ".join(versions)


def spread(times):
    """(median, 10th percentile, 90th percentile) of the times."""
    return tuple(float(np.percentile(times, q)) for q in (50, 10, 90))


def write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n")
    print(f"wrote {path}")
