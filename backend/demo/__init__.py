"""A made-up county to try the platform on: nobody in it exists.

`generate.generate(seed, today)` is pure: it reads no clock, file or database, and the same arguments give the same
county.
"""
