"""What `make bench` measures: bpdemo beside its peers, interleaved in one run, as ratios."""
