"""What a load offered before and after a change."""

import numpy as np
import pytest

from bpdemo.lab.lessons.offers import offered_around
from bpdemo.load.run import LoadRun
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples


def test_the_offer_is_told_apart_at_the_change():
    """Ten a second up to the fourth second, two a second after it; the second between is left."""
    t_s = np.concatenate([np.arange(0, 4, 0.1), [4.2, 4.4, 4.6], np.arange(5, 10, 0.5)])
    run = LoadRun(Records.of(t_s, 0.04, 0), Samples.none(), Meta(seconds=10))
    assert offered_around(run, 4) == pytest.approx((10, 2))
