/**
 * A few rows that no honest warehouse is without: of every 9,800 customers returned by the example query three
 * kinds of bad row twice (a usage that is not a number, a NUL character in a text, a date of 1900) and one twin.
 */
const EVERY = 1_400;
const FIRST = 700;
const KINDS = 7;

/** Whether anything is wrong with a returned customer, numbered from 1 over all chunks. */
export const IS_SPOILED = `returned_number % ${EVERY} = ${FIRST}`;

const ordinal = `(returned_number - ${FIRST}) // ${EVERY}`;
const kindIs = (...kinds: number[]) => `${IS_SPOILED} AND ${ordinal} % ${KINDS} IN (${kinds.join(', ')})`;

/** Whether such a customer is loaded twice. */
export const IS_TWIN = kindIs(6);

/**
 * Spoils the tables of a chunk. What is spoiled must not decide whether the query returns the customer:
 * a date of 1900 goes to those who are long-standing anyway, a usage that is not a number to those who used something.
 */
export const DEFECTS = `
  UPDATE chunk_sessions SET feature_share = 'NaN'::DOUBLE
    WHERE customer_id IN (SELECT customer_id FROM returned WHERE ${kindIs(0, 3)} AND login_frequency > 0);
  UPDATE chunk_customers SET subscription_status = 'active' || chr(0)
    WHERE customer_id IN (SELECT customer_id FROM returned
      WHERE ${kindIs(1, 4)}
        OR (${kindIs(0, 3)} AND login_frequency = 0) OR (${kindIs(2, 5)} AND subscription_tenure < 12));
  UPDATE chunk_customers SET joined_on = DATE '1900-01-01'
    WHERE customer_id IN (SELECT customer_id FROM returned WHERE ${kindIs(2, 5)} AND subscription_tenure >= 12);
  INSERT INTO chunk_customers
    SELECT * FROM chunk_customers WHERE customer_id IN (SELECT customer_id FROM returned WHERE twin);
`;
