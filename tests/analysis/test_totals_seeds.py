"""A union over seeds stands beside a union over layers only where it is over as many."""

import numpy as np
import pandas as pd

from bertnesia.analysis.totals import as_many_seeds


def test_a_union_over_fewer_seeds_than_layers_is_left_out() -> None:
    totals = pd.DataFrame({"layers": [6, 6, 6], "seeds": [2, 6, 7], "seeds_union": [0.1, 0.2, 0.3]})
    shown = as_many_seeds(totals)["seeds_union"]
    assert np.isnan(shown[0])
    assert shown[1:].tolist() == [0.2, 0.3]
    assert totals["seeds_union"].tolist() == [0.1, 0.2, 0.3]
