"""What another library answers: run inside that library's own environment.

    .peers/pydp/bin/python benchmarks/peers/answer.py pydp < job.json

The job: ``values`` (skew to numbers), ``epsilons``, ``repeats``, and ``fewer``,
what a library that takes its time is asked instead.  Every line of the output is
one cell: statistic, skew, epsilon, answers.  Clamps are the smallest and the
largest value.  Each library answers through its own front door, as its guide says.
"""

from __future__ import annotations

import json
import sys
import warnings

PERSON_ROWS = 1


def pydp(values, epsilon, low, high):
    """Google's library: Laplace noise, one more or one less person."""
    import pydp.algorithms.laplacian as laplacian

    bounds = {"epsilon": epsilon, "lower_bound": low, "upper_bound": high, "dtype": "float"}
    return {
        "count": lambda: laplacian.Count(epsilon=epsilon, dtype="float").quick_result(values),
        "sum": lambda: laplacian.BoundedSum(**bounds).quick_result(values),
        "mean": lambda: laplacian.BoundedMean(**bounds).quick_result(values),
        "variance": lambda: laplacian.BoundedVariance(**bounds).quick_result(values),
        "median": lambda: laplacian.Median(**bounds).quick_result(values),
    }


def diffprivlib(values, epsilon, low, high):
    """IBM's library: one person's value is changed, and how many there are is public."""
    import numpy
    from diffprivlib import tools

    values = numpy.array(values)
    asked = {"epsilon": epsilon, "bounds": (low, high)}
    return {
        "sum": lambda: float(tools.sum(values, **asked)),
        "mean": lambda: float(tools.mean(values, **asked)),
        "variance": lambda: float(tools.var(values, **asked)),
        "median": lambda: float(tools.median(values, **asked)),
    }


def pipelinedp(values, epsilon, low, high):
    """PipelineDP on its local backend: one more or one less person.

    It takes a second for five answers, and its counts and sums have the Laplace noise
    that PyDP's have; so it is asked for the rest.
    """
    import pipeline_dp as pipeline

    def run(metric):
        budget = pipeline.NaiveBudgetAccountant(total_epsilon=epsilon, total_delta=0)
        engine = pipeline.DPEngine(budget, pipeline.LocalBackend())
        asked = pipeline.AggregateParams(
            noise_kind=pipeline.NoiseKind.LAPLACE,
            metrics=[metric],
            max_partitions_contributed=1,
            max_contributions_per_partition=PERSON_ROWS,
            min_value=low,
            max_value=high,
            contribution_bounds_already_enforced=True,
        )
        columns = pipeline.DataExtractors(
            partition_extractor=lambda _: 0, value_extractor=lambda value: value
        )
        result = engine.aggregate(values, asked, columns, public_partitions=[0])
        budget.compute_budgets()
        return float(next(iter(result))[1][0])

    metrics = pipeline.Metrics
    return {
        "mean": lambda: run(metrics.MEAN),
        "variance": lambda: run(metrics.VARIANCE),
        "median": lambda: run(metrics.PERCENTILE(50)),
    }


LIBRARIES = {"pydp": pydp, "diffprivlib": diffprivlib, "pipelinedp": pipelinedp}
SLOW = {"pipelinedp"}


def main() -> None:
    warnings.simplefilter("ignore")
    name = sys.argv[1]
    job = json.load(sys.stdin)
    repeats = job["fewer"] if name in SLOW else job["repeats"]
    for at, (skew, values) in enumerate(job["values"].items()):
        for epsilon in job["epsilons"]:
            for statistic, ask in LIBRARIES[name](
                values, epsilon, min(values), max(values)
            ).items():
                if statistic == "count" and at:
                    continue  # a count does not know the values
                answers = [ask() for _ in range(repeats)]
                cell = {"statistic": statistic, "skew": skew, "epsilon": epsilon}
                print(json.dumps({**cell, "answers": answers}), flush=True)


if __name__ == "__main__":
    main()
