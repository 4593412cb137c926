"""The trials: published results, answers known in advance, and the claims people make about L1 and L2."""
