"""Changes spec documents at random, a million times, and asks each time whether what is promised of reading them still holds.

Usage: python -m fuzz [--mutations N] [--seed N] [--minutes N] [--replay FILE]. Ends with 1 where a promise was broken; what broke it is kept in
build/fuzz, as small as it still does.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from functools import cache
from pathlib import Path

from fuzz.failure import load, save, shrunk
from fuzz.mutation import LENGTH, Chain, beginnings, chain
from fuzz.promise import EVERY_VERSION, SOME_VERSIONS, broken_promise

KEPT = Path(__file__).parents[2] / "build" / "fuzz"
MOST_FAILURES = 10
"""After as many the run ends: the rest is likely the same."""
BLOCK = 40
"""Chains that a process does before it tells."""


def main(arguments: list[str]) -> int:
    """Runs one command line."""
    chosen = _parsed(arguments)
    if chosen.replay:
        why = broken_promise(load(chosen.replay), EVERY_VERSION)
        sys.stdout.write(f"{why}\n" if why else "Every promise is kept.\n")
        return 1 if why else 0
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    sys.stdout.write(f"Seed {seed}: --seed {seed} makes the same mutations again, of the same documents.\n")
    return _run(seed, chosen.mutations, chosen.minutes * 60)


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description="Mutates spec documents and checks what is promised of reading them.")
    parser.add_argument("--mutations", type=int, default=1_000_000, help="how many; a million unless told")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run; a new one unless told")
    parser.add_argument("--minutes", type=float, default=60.0, help="the run ends after this long, however far it is")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="ask the promises of a chain that was kept, and nothing else")
    return parser.parse_args(arguments)


def _run(seed: int, mutations: int, seconds: float) -> int:
    blocks = [(seed, first) for first in range(0, -(-mutations // LENGTH), BLOCK)]
    started, done, failures = time.monotonic(), 0, 0
    with multiprocessing.Pool() as pool:
        for broken in pool.imap_unordered(_block, blocks):
            done += BLOCK * LENGTH
            for number, why in broken:
                failures += 1
                _keep(seed, number, why)
            taken = time.monotonic() - started
            _tell(f"{done:,} of {mutations:,} mutations, {done / taken:,.0f} a second, {failures} broken promises")
            if failures >= MOST_FAILURES or taken > seconds:
                break
    sys.stdout.write(f"\n{done:,} mutations in {time.monotonic() - started:,.0f} s: {failures or 'no'} broken promises.\n")
    return 1 if failures else 0


def _block(block: tuple[int, int]) -> list[tuple[int, str]]:
    seed, first = block
    checked = ((number, broken_promise(_chain(seed, number), SOME_VERSIONS)) for number in range(first, first + BLOCK))
    return [(number, why) for number, why in checked if why]


_known = cache(beginnings)


def _chain(seed: int, number: int) -> Chain:
    return chain(seed, number, _known())


def _keep(seed: int, number: int, why: str) -> None:
    small = shrunk(_chain(seed, number), lambda each: broken_promise(each, EVERY_VERSION))
    path = KEPT / f"{seed}-{number}.json"
    save(path, small, broken_promise(small, EVERY_VERSION) or why)
    sys.stdout.write(f'\nBroken by chain {number}: {why}\nKept, and made small. Again: make fuzz ARGS="--replay {path}"\n')


def _tell(progress: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{progress}   ")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
