"""Speed beside a hand-written floor and the plain way, as ratios of the same run. Nothing here runs in pytest."""
