"""A million damaged frames: run by `make fuzz`; the unit tests take a tenth of it with a fixed seed."""

import random

from tests.fuzz.mutations import run


def test_a_million_damaged_frames_decode_or_are_refused_soon_and_cheaply(capsys):
    seed = random.SystemRandom().randrange(1 << 32)
    outcome = run(1_000_000, seed)
    with capsys.disabled():
        print(f"\nseed {seed}: decoded {outcome.decoded}, refused {outcome.refused}, "
              f"slowest {outcome.slowest_s * 1e3:.2f} ms")  # fmt: skip
    assert outcome.failures == [], f"seed {seed}"
