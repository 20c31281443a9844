"""This checkout beside another one, in turns: what each takes for the same, in CPU time of its process.

    python -m tests.benchmarks.beside /path/of/the/other [--rounds 5] [--only live,paced,flips,drain,cold,start]

The other one needs an environment of its own (`make .venv/.dev`). `paced`: 4,000 messages a second; `flips`: every
message changes a value; `cold`: the first message of each of 20,000 devices; `start`: 20,000 stations × 5, all heard,
and started once more with everything to restore.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).parents[2]
WAYS = {
    "live": 'run("gateway", Load(100_000))',
    "paced": 'run("gateway", Load(32_000, rate=4_000))',
    "flips": 'run("gateway", Load(60_000, flip_every=1))',
    "drain": 'run("gateway", Load(100_000), drain=True)',
    "cold": 'run("gateway", Load(20_000, 1_000, 20))',
    "start": 'run("gateway", Load(100_000, 20_000, 5, 50), again=True)',
}
TOLD = ("cpu_us", "rss_mib", "documents", "again_start_cpu_s", "again_idle_mib")


def once(tree: Path, way: str) -> dict[str, float]:
    program = f"import json; from tests.benchmarks.runs import Load, run; print(json.dumps({WAYS[way]}))"
    command = [str(tree / ".venv/bin/python"), "-c", program]
    done = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(WAYS))
    asked = parser.parse_args()
    for way in asked.only.split(","):
        rounds = [(once(asked.other, way), once(HERE, way)) for _ in range(asked.rounds)]
        for name in [name for name in TOLD if name in rounds[0][1]]:
            other, here = (median(told[which][name] for told in rounds) for which in (0, 1))
            sys.stdout.write(f"{way:6} {name:18} {other:10.2f} {here:10.2f} {here / other:6.2f} ×\n")


if __name__ == "__main__":
    main()
