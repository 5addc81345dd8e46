import type { AddressInfo } from 'node:net';
import express from 'express';
import { Pool } from 'pg';

/** What somebody would write in ten minutes with Express and pg: the same rows, and nothing else. */
const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
const CURRENT = '(SELECT run FROM holdfast.current_batches WHERE namespace = $1 AND program = $2)';

const app = express();
app.get('/:namespace/:program/candidates/:customer', async (request, response) => {
  const { namespace, program, customer } = request.params;
  const { rows } = await pool.query({
    name: 'one',
    text: `SELECT * FROM holdfast.candidates
      WHERE namespace = $1 AND program = $2 AND run = ${CURRENT} AND customer_id = $3 AND expires_at > $4`,
    values: [namespace, program, customer, new Date()],
  });
  response.json(rows[0]);
});
app.get('/:namespace/:program/candidates', async (request, response) => {
  const { namespace, program } = request.params;
  const { rows } = await pool.query({
    name: 'list',
    text: `SELECT * FROM holdfast.candidates
      WHERE namespace = $1 AND program = $2 AND run = ${CURRENT} AND risk_level = $3 AND expires_at > $4
      ORDER BY risk_score DESC, customer_id LIMIT 50`,
    values: [namespace, program, request.query['riskLevel'], new Date()],
  });
  response.json(rows);
});
const server = app.listen(0, '127.0.0.1', () => {
  process.on('SIGTERM', () => process.exit(0));
  console.log(`at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
