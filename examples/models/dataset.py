"""Training rows from the sample warehouse: features known at T, and the cancellation event after T."""

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np

RISK_FEATURES = [
    "engagement_score", "engagement_change", "login_frequency", "historical_avg", "purchase_frequency",
    "support_tickets", "feature_usage", "days_since_last_login", "days_since_last_purchase",
    "competitor_research", "subscription_tenure",
]
OFFER_FEATURES = [
    "lifetime_value", "subscription_tenure", "discount_sensitivity", "engagement_score", "support_tickets",
]
KINDS = ["discount", "upgrade", "personal_call"]
LABEL_DAYS = 90
QUARTER = timedelta(days=91)

# The filters of examples/churn-prevention.yaml before the two that look at past offers.
TRUSTED = "verified AND account_status = 'active'"
SIGNALS = """(engagement_change <= -0.3)::INTEGER + (login_frequency < 0.5 * historical_avg)::INTEGER
  + (days_since_last_purchase > 60)::INTEGER >= 2"""
VALUABLE = "lifetime_value >= 500 AND subscription_tier IN ('premium', 'premium_plus')"


@dataclass(frozen=True)
class Rows:
    """Rows of one kind, sorted by (T, customer): the same on every machine."""

    customers: np.ndarray
    features: np.ndarray
    columns: dict[str, np.ndarray]

    def where(self, mask: np.ndarray) -> "Rows":
        return Rows(self.customers[mask], self.features[mask], {name: c[mask] for name, c in self.columns.items()})


def as_of_day(warehouse: duckdb.DuckDBPyConnection) -> date:
    """History ends with the last whole week before the as-of day."""
    return warehouse.sql("SELECT max(week_starting) + 7 FROM sessions").fetchone()[0]


def in_training(customer: str = "customer_id") -> str:
    """Half of the customers train, the other half tests."""
    return f"md5_number_lower('half:' || {customer}) % 2 = 0"


def fold(customer: str = "customer_id") -> str:
    return f"(md5_number_lower('fold:' || {customer}) % 5)::INTEGER"


def _rows(warehouse: duckdb.DuckDBPyConnection, query: str, features: list[str]) -> Rows:
    answer = warehouse.execute(query).fetchnumpy()
    matrix = np.column_stack([np.asarray(answer[name], dtype=np.float32) for name in features])
    columns = {name: np.asarray(column) for name, column in answer.items()}
    return Rows(columns["customer_id"], matrix, columns)


def risk_rows(warehouse: duckdb.DuckDBPyConnection, moments: list[date]) -> Rows:
    """
    Current customers at each T who had no offer of the program in the 90 days before. The pilot gave everyone of its
    arm one every twelve weeks, so these are the arm that never gets one: their cancellations are the untreated ones.
    """
    parts = []
    for moment in moments:
        parts.append(f"""
          SELECT customers.*, DATE '{moment}' AS moment,
            (cancelled_on IS NOT NULL)::INTEGER AS cancelled,
            truth.cancellation_probability AS truth,
            coalesce({TRUSTED} AND {VALUABLE} AND NOT opted_out, false) AS valuable,
            coalesce({SIGNALS}, false) AS signals,
            -- Of those without signals, who are many and all alike, one in four.
            {TRUSTED} AND (coalesce({SIGNALS}, false) OR md5_number_lower('part:' || customers.customer_id) % 4 = 0) AS sampled,
            recent.customer_id IS NULL AS not_capped,
            {in_training('customers.customer_id')} AS training, {fold('customers.customer_id')} AS fold
          FROM customer_analytics_at(TIMESTAMP '{moment}') AS customers
          LEFT JOIN (SELECT customer_id, any_value(cancelled_on) AS cancelled_on FROM cancellations
                     WHERE cancelled_on >= DATE '{moment}' AND cancelled_on < DATE '{moment + timedelta(days=LABEL_DAYS)}'
                     GROUP BY customer_id) AS event
            ON event.customer_id = customers.customer_id
          LEFT JOIN customer_truth_at AS truth
            ON truth.customer_id = customers.customer_id AND truth.as_of = DATE '{moment}'
          LEFT JOIN (SELECT DISTINCT customer_id FROM past_offers
                     WHERE offered_at < TIMESTAMP '{moment}' AND offered_at >= TIMESTAMP '{moment}' - INTERVAL 90 DAY) AS recent
            ON recent.customer_id = customers.customer_id
          ANTI JOIN (SELECT customer_id FROM past_offers WHERE program_id = 'churn-prevention'
                     AND offered_at < TIMESTAMP '{moment}' AND offered_at >= TIMESTAMP '{moment}' - INTERVAL 90 DAY) AS offered
            ON offered.customer_id = customers.customer_id
          -- Whoever joined after the last round may still be in the arm that gets offers.
          WHERE subscription_tenure BETWEEN 3 AND 1200""")
    query = f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE NOT isnan(feature_usage) ORDER BY moment, customer_id"
    return _rows(warehouse, query, RISK_FEATURES)


def offer_rows(warehouse: duckdb.DuckDBPyConnection, moments: list[date]) -> Rows:
    """
    Randomised offers of the pilot made in the week after each T to customers with signals and value, with the logged
    propensity of the kind they drew, and whether they were still customers twelve weeks later.
    """
    parts = []
    for moment in moments:
        parts.append(f"""
          SELECT customers.*, DATE '{moment}' AS moment, kind, propensity,
            CASE kind WHEN 'discount' THEN 0 WHEN 'upgrade' THEN 1 WHEN 'personal_call' THEN 2 ELSE 3 END AS kind_number,
            (event.customer_id IS NULL)::INTEGER AS retained,
            {in_training('customers.customer_id')} AS training
          FROM customer_analytics_at(TIMESTAMP '{moment}') AS customers
          JOIN (SELECT customer_id, kind, propensity, offered_at::DATE AS offered_on FROM past_offers
                WHERE randomised AND program_id = 'churn-prevention'
                AND offered_at >= TIMESTAMP '{moment}' AND offered_at < TIMESTAMP '{moment}' + INTERVAL 7 DAY) AS offer
            ON offer.customer_id = customers.customer_id
          LEFT JOIN cancellations AS event
            ON event.customer_id = customers.customer_id AND event.cancelled_on < offered_on + 84
          WHERE {TRUSTED} AND {VALUABLE} AND {SIGNALS} AND subscription_tenure <= 1200""")
    query = f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE NOT isnan(feature_usage) ORDER BY moment, customer_id"
    return _rows(warehouse, query, OFFER_FEATURES)


def slot_rows(warehouse: duckdb.DuckDBPyConnection) -> Rows:
    """The customers who pass every filter at the as-of day, with their true effects and what will happen to them."""
    moment = as_of_day(warehouse)
    query = f"""
      SELECT customers.*, truth.* EXCLUDE (customer_id), outcome.* EXCLUDE (customer_id)
      FROM customer_analytics_at(TIMESTAMP '{moment}') AS customers
      JOIN customer_truth AS truth USING (customer_id) JOIN future_outcomes AS outcome USING (customer_id)
      ANTI JOIN (SELECT customer_id FROM past_offers WHERE offered_at >= TIMESTAMP '{moment}' - INTERVAL 90 DAY) AS offered
        USING (customer_id)
      WHERE {TRUSTED} AND {VALUABLE} AND {SIGNALS} AND NOT opted_out
        AND NOT isnan(feature_usage) AND subscription_tenure <= 1200
      ORDER BY customer_id"""
    return _rows(warehouse, query, RISK_FEATURES + OFFER_FEATURES)
