"""Distances on a round earth. Unit vectors make a k-d tree exact across any longitude, unlike degrees."""

import numpy as np

from backend.matching.engine.arrays import Floats, Pairs, RequestArrays, VolunteerArrays

EARTH_M = 6_371_008.8


def unit_vectors(lon: Floats, lat: Floats) -> Floats:
    east, north = np.radians(lon), np.radians(lat)
    return np.column_stack((np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)))


def chord(metres: float) -> float:
    """Straight distance between unit vectors, widened by a hair: the exact test on metres follows."""
    half_angle = min(metres / (2 * EARTH_M), np.pi / 2)
    return float(2 * np.sin(half_angle) * (1 + 1e-9) + 1e-12)


def distance_m(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Floats:
    here = unit_vectors(requests.lon[pairs.request], requests.lat[pairs.request])
    there = unit_vectors(volunteers.lon[pairs.volunteer], volunteers.lat[pairs.volunteer])
    straight: Floats = np.sqrt(((here - there) ** 2).sum(axis=1))
    metres: Floats = 2 * EARTH_M * np.arcsin(np.minimum(straight / 2, 1.0))
    return metres
