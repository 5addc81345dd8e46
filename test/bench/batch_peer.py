"""
The peer of batch.ts: the example's weekly batch as a data engineer would script it. The same checks, rejects, order, digests,
stored columns, keys and indexes as `holdfast run`, in one process, with a Postgres of its own.

    batch_peer.py WAREHOUSE MODELS POSTGRES AS_OF   the bench's warehouse, examples/models, a folder with initdb and pg_ctl

Prints one line of JSON. Needs duckdb, onnxruntime, psycopg[binary], numpy, pandas, pyarrow.
"""

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BEGAN = time.perf_counter()

import duckdb  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import pandas  # noqa: E402
import psycopg  # noqa: E402

SOURCE = """
    SELECT * FROM customer_analytics
    WHERE engagement_trend = 'declining' OR login_frequency < historical_avg * 0.5 OR days_since_last_purchase > 60"""
KEPT = """
    SELECT c.* FROM read_parquet('{extract}') c
    WHERE verified AND account_status = 'active'
      AND (engagement_change < -0.3)::INT + (login_frequency < 0.5 * historical_avg)::INT
        + (days_since_last_purchase > 60)::INT >= 2
      AND lifetime_value >= 500 AND subscription_tier IN ('premium', 'premium_plus') AND NOT opted_out
      AND marketplace IN ('US', 'UK', 'DE', 'FR', 'JP', 'IN', 'BR', 'AU')
      AND NOT EXISTS (
        SELECT 1 FROM past_offers o WHERE o.customer_id = c.customer_id
          AND o.offered_at > TIMESTAMP '{as_of}' - INTERVAL 90 DAYS)
    ORDER BY customer_id"""
DECIDED = """
    SELECT c.customer_id, marketplace, currency, timezone, locale, subscription_tier, lifetime_value,
      ['a', 'b'] AS churn_signals, NULL AS segment, risk,
      CASE WHEN risk >= 0.8 THEN 'critical' WHEN risk >= 0.6 THEN 'high' ELSE 'medium' END AS level,
      'premium' AS offer_tier, 'discount' AS offer_kind, 50.0 AS discount, 6 AS months, true AS upgrade, true AS call,
      CASE WHEN hash(c.customer_id) % 10 = 0 THEN 'holdout' ELSE 'treatment' END AS arm, 1 AS epoch,
      now() AS created, now() + INTERVAL 30 DAYS AS expires
    FROM read_parquet('{filtered}') c JOIN scores USING (customer_id) WHERE risk >= 0.4 ORDER BY customer_id"""
TABLE = """
    CREATE TABLE candidates (
      customer_id text COLLATE "C" PRIMARY KEY, marketplace text, currency text, timezone text, locale text,
      subscription_tier text, lifetime_value float8, churn_signals text[], segment text, risk float8, level text,
      offer_tier text, offer_kind text, discount float8, months int, upgrade bool, call bool, arm text, epoch int,
      created timestamptz, expires timestamptz)"""
RISK = (
    "engagement_score engagement_change login_frequency historical_avg purchase_frequency support_tickets feature_usage "
    "days_since_last_login days_since_last_purchase competitor_research subscription_tenure"
).split()
OFFER = "lifetime_value subscription_tenure discount_sensitivity engagement_score support_tickets".split()
BATCH = 1000


class Server:
    """A Postgres of its own, which does not run as root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder, self.as_user = programs, folder, []
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self.as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self.run("initdb", "-D", folder / "data", "-A", "trust", "-U", "peer", "--no-sync")
        settings = f"-c listen_addresses= -k {folder}"
        self.run("pg_ctl", "-D", folder / "data", "-o", settings, "-w", "start")

    def run(self, program: str, *arguments: object) -> None:
        command = [*self.as_user, self.programs / program, *arguments]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self, how: str) -> None:
        self.run("pg_ctl", "-D", self.folder / "data", "-m", how, "-w", "stop")


def checks(kinds: dict[str, str]) -> str:
    """SQL of the list of what is wrong with a row."""
    numbers = [column for column, kind in kinds.items() if kind in ("DOUBLE", "FLOAT", "INTEGER", "BIGINT")]
    found = ["CASE WHEN customer_id IS NULL OR trim(customer_id) = '' THEN 'no customer_id' END"]
    for column, kind in kinds.items():
        if kind in ("DOUBLE", "FLOAT"):
            found.append(f"CASE WHEN isnan({column}) OR isinf({column}) THEN '{column} not finite' END")
        if column in numbers and column != "engagement_change":
            found.append(f"CASE WHEN {column} < 0 THEN '{column} negative' END")
        if kind == "VARCHAR":
            found.append(f"CASE WHEN contains({column}, chr(0)) THEN '{column} NUL' END")
    return f"list_filter([{', '.join(found)}], lambda reason: reason IS NOT NULL)"


def write(engine: duckdb.DuckDBPyConnection, query: str, file: Path) -> Path:
    """A Parquet file and its digest, as an artifact has one."""
    engine.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")
    with file.open("rb") as content:
        hashlib.file_digest(content, "sha256").hexdigest()
    return file


def extract(engine: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    kinds = dict(engine.execute(f"SELECT column_name, column_type FROM (DESCRIBE {SOURCE})").fetchall())
    engine.execute(
        f"CREATE TEMP TABLE read AS SELECT *, {checks(kinds)} AS reasons,"
        f" row_number() OVER (PARTITION BY customer_id) AS nth FROM ({SOURCE})"
    )
    rejects = "SELECT customer_id, reasons, nth FROM read WHERE len(reasons) > 0 OR nth > 1 ORDER BY ALL"
    write(engine, rejects, folder / "rejects.parquet")
    good = "SELECT * EXCLUDE (reasons, nth) FROM read WHERE len(reasons) = 0 AND nth = 1 ORDER BY customer_id"
    return write(engine, good, folder / "extract.parquet")


def asked(model: Path, features: list[np.ndarray]) -> list[list[np.ndarray]]:
    session = onnxruntime.InferenceSession(str(model))
    rows = np.stack([np.ma.filled(feature, np.nan) for feature in features], 1).astype(np.float32)
    name = session.get_inputs()[0].name
    return [session.run(None, {name: rows[at : at + BATCH]}) for at in range(0, len(rows), BATCH)]


def score(engine: duckdb.DuckDBPyConnection, filtered: Path, models: Path) -> pandas.DataFrame:
    features = ", ".join(f"{column}::FLOAT AS f{place}" for place, column in enumerate(RISK + OFFER))
    columns = engine.execute(f"SELECT customer_id, {features} FROM read_parquet('{filtered}')").fetchnumpy()
    values = [columns[f"f{place}"] for place in range(len(RISK + OFFER))]
    risk = asked(models / "churn-risk-v6.onnx", values[: len(RISK)])
    asked(models / "offer-effectiveness-v2.onnx", values[len(RISK) :])
    last = [np.asarray(batch[-1]).reshape(len(batch[-1]), -1)[:, -1] for batch in risk]
    return pandas.DataFrame({"customer_id": columns["customer_id"], "risk": np.concatenate(last).astype("float64")})


def store(engine: duckdb.DuckDBPyConnection, filtered: Path, folder: Path) -> int:
    decisions = write(engine, DECIDED.format(filtered=filtered), folder / "decisions.parquet")
    text = "replace(replace(churn_signals::VARCHAR, '[', '{'), ']', '}') AS churn_signals"
    query = f"SELECT * REPLACE ({text}) FROM read_parquet('{decisions}')"
    engine.execute(f"COPY ({query}) TO '{folder / 'candidates.csv'}' (HEADER false)")
    with psycopg.connect(f"host={folder / 'server'} user=peer dbname=postgres") as postgres:
        postgres.execute(TABLE)
        for columns in ("level, risk DESC, customer_id", "offer_kind, created, customer_id", "expires"):
            postgres.execute(f"CREATE INDEX ON candidates ({columns})")
        with postgres.cursor().copy("COPY candidates FROM STDIN (FORMAT csv)") as copy:
            with (folder / "candidates.csv").open("rb") as content:
                while piece := content.read(1 << 18):
                    copy.write(piece)
        kept = "SELECT customer_id, arm, epoch, level, offer_tier, offer_kind, created FROM candidates"
        postgres.execute(f"CREATE TABLE decisions AS {kept}")
        postgres.execute("ALTER TABLE decisions ADD PRIMARY KEY (customer_id)")
        return postgres.execute("SELECT count(*) FROM candidates").fetchone()[0]


def main(warehouse: str, models: Path, programs: Path, as_of: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-peer-"))
    folder.chmod(0o755)
    (folder / "server").mkdir()
    laps: dict[str, float] = {}
    last = BEGAN

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        laps[name], last = round(now - last, 3), now

    server = Server(programs, folder / "server")
    how = "immediate"
    try:
        lap("start")
        engine = duckdb.connect(config={"threads": os.cpu_count()})
        engine.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
        engine.execute("USE warehouse")
        extracted = extract(engine, folder)
        lap("extract")
        filtered = write(engine, KEPT.format(extract=extracted, as_of=as_of), folder / "filtered.parquet")
        lap("filter")
        scores = score(engine, filtered, models)
        lap("score")
        engine.register("scores", scores)
        stored = store(engine, filtered, folder)
        lap("store")
        how = "fast"
    finally:
        server.stop(how)
        shutil.rmtree(folder, ignore_errors=True)
    lap("stop")
    seconds = round(time.perf_counter() - BEGAN, 2)
    print(json.dumps({"seconds": seconds, "stages": laps, "stored": stored}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
