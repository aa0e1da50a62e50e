"""What the benchmarks share: the machine in a line, medians, JSON and plots under --out."""

import argparse
import json
import platform
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
    args.out.mkdir(parents=True, exist_ok=True)
    return args


def machine():
    """{"cpu", "cores", "python", and the versions of what is installed}."""
    import os

    found = {"cpu": _cpu(), "cores": len(os.sched_getaffinity(0)), "system": platform.system()}
    found["python"] = platform.python_version()
    for package in ("numpy", "numba", "torch", "jax"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return found


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
