#!/usr/bin/env python3
"""Times the scripts of this folder: aio against CPython 3.13, or against another build. See README.md."""
import argparse
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def is_313(python):
    check = "import sys; sys.exit(sys.version_info[:2] != (3, 13))"
    return subprocess.run([python, "-c", check], stderr=subprocess.DEVNULL).returncode == 0


def find_python():
    """CPython 3.13, or None."""
    for name in ("python3.13", sys.executable, "python3"):
        found = shutil.which(name)
        if found and is_313(found):
            return found
    return None


def once(command, script):
    """Seconds, the most memory in MiB, and stdout of one run."""
    start = time.perf_counter()
    child = subprocess.Popen(command + [str(script)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if child.returncode:
        sys.exit(f"{' '.join(command)} {script}: exit status {child.returncode}")
    per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return seconds, usage.ru_maxrss / per_mib, out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=3, help="runs of each, after one to warm up (3)")
    parser.add_argument("--only", default="", help="only scripts with this in their name")
    parser.add_argument("--aio", default=str(HERE.parent / "target/release/aio"))
    parser.add_argument("--python", help="CPython 3.13")
    parser.add_argument("--against", help="another aio instead of CPython")
    options = parser.parse_args()

    sides = {"aio": [options.aio, "run"]}
    if options.against:
        sides["other"] = [options.against, "run"]
    elif python := options.python or find_python():
        sides["python"] = [python]
    else:
        print("no CPython 3.13 found: aio alone", file=sys.stderr)

    print(f"{'script':24}" + "".join(f"{name + ' s':>10}{'MiB':>8}" for name in sides) + f"{'times':>9}")
    ratios = {}
    for script in sorted(HERE.glob("*.aio")):
        if options.only not in script.stem:
            continue
        runs = {name: [] for name in sides}
        for _ in range(options.n + 1):
            for name, command in sides.items():
                runs[name].append(once(command, script))
        if len({out for side in runs.values() for _, _, out in side}) > 1:
            print(f"{script.stem:24}  they print different things")
            continue
        medians = [statistics.median(seconds for seconds, _, _ in side[1:]) for side in runs.values()]
        peaks = [max(mib for _, mib, _ in side) for side in runs.values()]
        row = "".join(f"{s:10.3f}{m:8.1f}" for s, m in zip(medians, peaks))
        if len(medians) == 2:
            ratio = medians[1] / medians[0]
            ratios.setdefault(script.stem.split("_")[0], []).append(ratio)
            row += f"{ratio:9.2f}"
        print(f"{script.stem:24}{row}", flush=True)
    for kind, those in ratios.items():
        mean = math.exp(sum(map(math.log, those)) / len(those))
        print(f"{kind}: geometric mean {mean:.2f}, least {min(those):.2f}")


if __name__ == "__main__":
    main()
