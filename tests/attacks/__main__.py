"""`python -m tests.attacks`: play every attack, and print how many there are of each family."""

import sys

import pytest

from tests.attacks.table import families

if __name__ == "__main__":
    result = pytest.main(["-q", "-p", "no:cacheprovider", "tests/attacks", *sys.argv[1:]])
    found = families()
    print(f"{'family':<16}attacks")
    for name, attacks in found.items():
        print(f"{name:<16}{len(attacks):>7}")
    print(f"{'in all':<16}{sum(map(len, found.values())):>7}")
    sys.exit(result)
