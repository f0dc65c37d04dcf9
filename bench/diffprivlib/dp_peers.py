"""Draws of other libraries, for dp-peers.bench.ts: reads requests as lines of JSON, answers each with a line of JSON.

A request names a library, a law, a scale and for how many seconds to draw; the answer says how many draws took how many seconds of
processor time. The first line out names the versions.
"""

import json
import sys
import time
from importlib.metadata import version

import opendp.prelude as opendp
from diffprivlib.mechanisms import GaussianDiscrete, Geometric
from pydp.algorithms.numerical_mechanisms import GaussianMechanism, LaplaceMechanism

opendp.enable_features("contrib")


def opendp_laplace(scale):
    space = opendp.vector_domain(opendp.atom_domain(T="i64")), opendp.l1_distance(T="i64")
    return vectorised(opendp.m.make_laplace(*space, scale=scale))


def opendp_gaussian(scale):
    space = opendp.vector_domain(opendp.atom_domain(T="i64")), opendp.l2_distance(T="i64")
    return vectorised(opendp.m.make_gaussian(*space, scale=scale))


def vectorised(measurement):
    zeros = [0] * 2_000
    return lambda: len(measurement(zeros))


def one_by_one(draw, count):
    def batch():
        for _ in range(count):
            draw(0)
        return count

    return batch


def diffprivlib_laplace(scale):
    return one_by_one(Geometric(epsilon=1 / scale, sensitivity=1).randomise, 200)


def diffprivlib_gaussian(scale):
    mechanism = GaussianDiscrete(epsilon=0.5, delta=1e-6, sensitivity=1)
    # Its search for the scale of a large sensitivity takes long and is not what is measured.
    mechanism._scale = scale
    return one_by_one(mechanism.randomise, 1)


def pydp_laplace(scale):
    return one_by_one(LaplaceMechanism(epsilon=1 / scale, sensitivity=1.0).add_noise, 200)


def pydp_gaussian(scale):
    unit = GaussianMechanism(1.0, 1e-6, 1.0).std
    return one_by_one(GaussianMechanism(1.0, 1e-6, scale / unit).add_noise, 200)


subjects = {
    ("OpenDP", "Laplace"): opendp_laplace,
    ("OpenDP", "Gaussian"): opendp_gaussian,
    ("diffprivlib", "Laplace"): diffprivlib_laplace,
    ("diffprivlib", "Gaussian"): diffprivlib_gaussian,
    ("PyDP", "Laplace"): pydp_laplace,
    ("PyDP", "Gaussian"): pydp_gaussian,
}

names = {"OpenDP": "opendp", "diffprivlib": "diffprivlib", "PyDP": "python-dp", "scikit-learn": "scikit-learn"}
print(json.dumps({name: version(package) for name, package in names.items()}), flush=True)

for line in sys.stdin:
    request = json.loads(line)
    batch = subjects[request["library"], request["law"]](request["scale"])
    if request["warm"]:
        batch()
    draws = 0
    started = time.process_time()
    while True:
        draws += batch()
        taken = time.process_time() - started
        if taken >= request["seconds"]:
            break
    print(json.dumps({"draws": draws, "seconds": taken}), flush=True)
