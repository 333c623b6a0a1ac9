"""The group-by of ``grouping.py``, in another library's own environment.

    .peers/tumult/bin/python benchmarks/peers/group.py tumult < job.json

The job: ``parquet`` and ``columns`` (the same rows twice: a Parquet file, and a folder
with an array per column), ``groups``, ``groups_per_unit``, ``rows_per_group``, ``low``
and ``high`` of the summed amount, ``epsilon``, ``delta``, ``repeats``.  A library that
reads files reads the Parquet file inside the clock; one that takes rows from memory
has them there before.  Every line of the output is one repeat: seconds by the wall
clock and of processor time, and the sum of all noisy counts, by which the caller sees that the work was done.
Each library answers through its own front door, as its guide says.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import warnings
from pathlib import Path


def opendp(job):
    """OpenDP's Context API: groups per unit and rows per group truncated by the identifier."""
    import opendp.prelude as dp
    import polars as pl

    dp.enable_features("contrib", "honest-but-curious")
    low, high = float(job["low"]), float(job["high"])

    def run():
        context = dp.Context.compositor(
            data=pl.scan_parquet(job["parquet"]),
            privacy_unit=dp.unit_of(contributions=1, identifier=pl.col("patient")),
            privacy_loss=dp.loss_of(rho=job["rho"], delta=job["delta"]),
            split_evenly_over=1,
            margins=[dp.polars.Margin(by=[], max_length=10 * job["rows"])],
        )
        query = (
            context.query()
            .truncate_per_group(job["rows_per_group"], by=["ward"])
            # keep="sample", its default, is refused by its Polars: one name stands for two fields
            .truncate_num_groups(job["groups_per_unit"], by=["ward"], keep="first")
            .group_by("ward")
            .agg(
                dp.len().alias("n"),
                pl.col("amount").fill_null(0.0).fill_nan(0.0).dp.sum((low, high)),
            )
            .with_keys(pl.LazyFrame({"ward": list(range(job["groups"]))}))
        )
        return query.release().collect()["n"].sum()

    return run


def smartnoise(job):
    """SmartNoise SQL over a pandas frame: its one bound is rows per unit in all."""
    import numpy
    import pandas
    import snsql

    columns = Path(job["columns"])
    frame = pandas.DataFrame(
        {name: numpy.load(columns / f"{name}.npy") for name in ("patient", "ward", "amount")}
    )
    meta = {
        "": {
            "": {
                "visits": {
                    "max_ids": job["groups_per_unit"] * job["rows_per_group"],
                    "censor_dims": False,
                    "clamp_counts": False,
                    "patient": {"type": "int", "private_id": True},
                    "ward": {"type": "int"},
                    "amount": {"type": "float", "lower": job["low"], "upper": job["high"]},
                }
            }
        }
    }

    def run():
        privacy = snsql.Privacy(epsilon=job["epsilon"], delta=job["delta"])
        reader = snsql.from_df(frame, privacy=privacy, metadata=meta)
        answer = reader.execute(
            "SELECT ward, COUNT(*) AS n, SUM(amount) AS s FROM visits GROUP BY ward"
        )
        return sum(row[1] for row in answer[1:])

    return run


def pipelinedp(job):
    """PipelineDP on its local backend, which is one process."""
    import numpy
    import pipeline_dp as pipeline

    columns = Path(job["columns"])
    read = [numpy.load(columns / f"{c}.npy").tolist() for c in ("patient", "ward", "amount")]
    rows = list(zip(*read, strict=True))

    def run():
        budget = pipeline.NaiveBudgetAccountant(job["epsilon"], job["delta"])
        engine = pipeline.DPEngine(budget, pipeline.LocalBackend())
        asked = pipeline.AggregateParams(
            noise_kind=pipeline.NoiseKind.GAUSSIAN,
            metrics=[pipeline.Metrics.COUNT, pipeline.Metrics.SUM],
            max_partitions_contributed=job["groups_per_unit"],
            max_contributions_per_partition=job["rows_per_group"],
            min_value=job["low"],
            max_value=job["high"],
        )
        extractors = pipeline.DataExtractors(
            privacy_id_extractor=lambda row: row[0],
            partition_extractor=lambda row: row[1],
            value_extractor=lambda row: row[2],
        )
        result = engine.aggregate(rows, asked, extractors, list(range(job["groups"])))
        budget.compute_budgets()
        return sum(metrics.count for _, metrics in result)

    return run


def tumult(job):
    """Tumult Analytics on Spark, local, a thread per core; two answers of one session."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession
    from tmlt.analytics import (
        AddRowsWithID,
        KeySet,
        MaxGroupsPerID,
        MaxRowsPerGroupPerID,
        QueryBuilder,
        RhoZCDPBudget,
        Session,
    )

    spark = (
        SparkSession.builder.master("local[*]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", job["columns"] + "-spark")
        .config("spark.driver.memory", "6g")
        .config("spark.sql.shuffle.partitions", os.cpu_count())
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    keys = KeySet.from_dict({"ward": list(range(job["groups"]))})

    def run():
        session = Session.from_dataframe(
            privacy_budget=RhoZCDPBudget(job["rho"]),
            source_id="visits",
            dataframe=spark.read.parquet(job["parquet"]).select("patient", "ward", "amount"),
            protected_change=AddRowsWithID("patient"),
        )
        bounded = (
            QueryBuilder("visits")
            .enforce(MaxGroupsPerID("ward", job["groups_per_unit"]))
            .enforce(MaxRowsPerGroupPerID("ward", job["rows_per_group"]))
            .groupby(keys)
        )
        half = RhoZCDPBudget(job["rho"] / 2)
        counts = session.evaluate(bounded.count(), half).toPandas()
        session.evaluate(bounded.sum("amount", job["low"], job["high"]), half).toPandas()
        return counts["count"].sum()

    return run


PEERS = {one.__name__: one for one in (opendp, smartnoise, pipelinedp, tumult)}


def processor_seconds():
    """Of every process of this session so far: Spark's Java and its workers too."""
    ticks, here = 0, os.getsid(0)
    for one in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            fields = one.read_text().rpartition(")")[2].split()
            if int(fields[3]) == here:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def main():
    warnings.simplefilter("ignore")
    job = json.loads(sys.stdin.read())
    run = PEERS[sys.argv[1]](job)
    for _ in range(job["repeats"]):
        start, before = time.perf_counter(), processor_seconds()
        counted = float(run())
        wall, cpu = time.perf_counter() - start, processor_seconds() - before
        print(json.dumps({"seconds": wall, "cpu_seconds": cpu, "counted": counted}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
