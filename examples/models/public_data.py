"""Training rows from public data: the features as an example's own query gives them, and the file's label."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import yaml


@dataclass(frozen=True)
class Task:
    """A manifest, and what its file says about who left."""

    manifest: str
    identity: str
    left: str
    kind: str
    label: str


TASKS = {
    "telco": Task("telco.yaml", "customerID", "CAST(Churn AS VARCHAR) IN ('Yes', 'true')", "logistic",
                  "Churn: left within the last month"),
    "bank": Task("bank.yaml", "CustomerId", "Exited = 1", "trees", "Exited: has closed the account"),
    "cell2cell": Task("cell2cell.yaml", "CustomerID", "CAST(Churn AS VARCHAR) IN ('Yes', 'true')", "trees",
                      "Churn: left between 31 and 60 days after the file's month"),
}


@dataclass(frozen=True)
class PublicRows:
    model: str
    names: list[str]
    features: np.ndarray
    labels: np.ndarray


def rows_of(task: Task, examples: Path, csv: Path) -> PublicRows:
    """What `holdfast run` hands to the model of the manifest, for every customer with a label, sorted by customer."""
    spec = yaml.safe_load((examples / task.manifest).read_text())["spec"]
    config = spec["dataConnectors"][0]["config"]
    model = spec["scoringModels"][0]
    with duckdb.connect() as warehouse:
        warehouse.execute(f"CREATE VIEW {config['table']} AS SELECT * FROM read_csv('{csv}', header = true, sample_size = -1)")
        columns = ", ".join(f"coalesce(CAST({name} AS DOUBLE), CAST('NaN' AS DOUBLE)) AS {name}" for name in model["features"])
        answer = warehouse.execute(f"""
          SELECT {columns}, holdfast_left
          FROM ({config['query']}) AS given
          JOIN (SELECT {task.identity} AS holdfast_id, ({task.left})::INTEGER AS holdfast_left FROM {config['table']}) AS file
            ON given.customer_id = holdfast_id
          ORDER BY given.customer_id""").fetchnumpy()
    features = np.column_stack([np.ma.filled(answer[name], np.nan).astype(np.float32) for name in model["features"]])
    return PublicRows(model["modelId"], model["features"], features, np.asarray(answer["holdfast_left"], dtype=np.float64))
