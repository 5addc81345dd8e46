import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { API_VERSION } from '../../crds/index.ts';
import { connect } from '../../database/client/connect.ts';
import { migrate } from '../../database/migrations/migrate.ts';
import type { JobObject, PodObject, ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { until } from '../support/until.ts';
import { type Gates, installGates } from './gate.ts';
import { makeNamespace, type World } from './world.ts';

/** The user of the image. */
const USER = 65_532;

const PHASES_AT_END = ['Succeeded', 'Failed', 'Cancelled'];
const RUN_MS = 240_000;

/** A namespace with programs, and what it is expected to have. */
export interface Tenant {
  readonly namespace: string;
  kubectl(...args: string[]): Promise<string>;
  apply(...objects: object[]): Promise<void>;
  /** Makes a run by hand, of this name and as of SLOT unless told otherwise. */
  makeRun(name: string, program: string, spec?: object): Promise<void>;
  run(name: string): Promise<RunObject>;
  program(name: string): Promise<ProgramObject>;
  runs(): Promise<readonly RunObject[]>;
  jobs(run: string): Promise<readonly JobObject[]>;
  pods(run: string): Promise<readonly PodObject[]>;
  /** Resolves to the run when it is over. */
  ended(name: string): Promise<RunObject>;
  /** Resolves to the run when it says why it waits. */
  waits(name: string, reason: string): Promise<RunObject>;
  /** Resolves once a pod works at a task, given as STAGE/TASK. */
  works(task: string): Promise<void>;
  /** Rows of the tenant's database. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<readonly Row[]>;
  /** The URL of its database. */
  databaseUrl(): string;
  /** A volume for a claim that somebody else makes. */
  giveVolume(claimName: string): Promise<void>;
  /** The secret with the URL of its database; default name: the chart's. */
  giveSecret(name?: string): Promise<void>;
  /** The claim for artifacts, and a volume for it; default name: the chart's. Resolves to the volume's folder. */
  giveClaim(name?: string): Promise<string>;
  /** The folder of the volume of that claim. */
  volume(claimName: string): string;
  /** Forgets all that its runs have left: an empty database, of today's schema and with gates, and no artifact. */
  startAnew(): Promise<Gates>;
}

/** The slot of runs by hand: any instant will do, and the same for all makes results comparable. */
const SLOT = '2026-11-23T02:00:00Z';

/** A namespace with nothing in it, which is for whoever calls to make. */
async function openTenant(world: World, namespace: string): Promise<Tenant> {
  const { cluster, get } = world;
  let url = await world.postgres.makeDatabase(namespace);
  const kubectl = (...args: string[]) => cluster.kubectl('--namespace', namespace, ...args);
  const apply = (...objects: object[]) => world.apply(namespace, ...objects);
  const ours = `/apis/holdfast.dev/v1alpha1/namespaces/${namespace}`;
  const run = async (name: string): Promise<RunObject> => await get(`${ours}/retentionruns/${name}`);
  const giveSecret = (name = 'holdfast-postgres') =>
    apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { url } });
  async function query<Row extends object>(sql: string, values: unknown[] = []): Promise<readonly Row[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }
  const volumes = join(cluster.folder, 'volumes', namespace);
  return {
    namespace,
    kubectl,
    apply,
    async makeRun(name, program, spec = {}) {
      await apply({
        apiVersion: API_VERSION,
        kind: 'RetentionRun',
        metadata: { name },
        spec: { programRef: { name: program }, pipeline: 'batch', trigger: 'manual', slot: SLOT, ...spec },
      });
    },
    run,
    program: (name) => get(`${ours}/retentionprograms/${name}`),
    runs: async () => (await get(`${ours}/retentionruns`)).items,
    jobs: async (name) => {
      const { items } = await get(`/apis/batch/v1/namespaces/${namespace}/jobs`);
      return items.filter((job: JobObject) => job.metadata.annotations?.['holdfast.dev/run'] === name);
    },
    pods: async (name) => {
      const { items } = await get(`/api/v1/namespaces/${namespace}/pods`);
      return items.filter((pod: PodObject) => pod.metadata.annotations?.['holdfast.dev/run'] === name);
    },
    ended: (name) =>
      until(
        `the run ${namespace}/${name} is over`,
        () => run(name),
        (seen) => PHASES_AT_END.includes(seen?.status?.phase ?? ''),
        RUN_MS,
      ),
    waits: (name, reason) =>
      until(
        `the run ${namespace}/${name} waits for the reason ${reason}`,
        () => run(name),
        (seen) => conditionOf(seen, 'Reconciling')?.reason === reason,
      ),
    async works(task) {
      // Its connections have its name.
      const sql = 'SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1';
      await until(
        `a pod works at ${task}`,
        () => query(sql, [`holdfast ${task}`]),
        (rows) => rows.length > 0,
      );
    },
    query,
    databaseUrl: () => url,
    async giveVolume(name) {
      const [volume] = await claim(join(volumes, name), namespace, name);
      await apply(volume);
    },
    giveSecret,
    async giveClaim(name = 'holdfast-artifacts') {
      await apply(...(await claim(join(volumes, name), namespace, name)));
      return join(volumes, name);
    },
    volume: (name) => join(volumes, name),
    async startAnew() {
      await rm(volumes, { recursive: true, force: true });
      await makeVolume(join(volumes, 'holdfast-artifacts'));
      url = await world.postgres.makeDatabase(namespace);
      const database = await connect(url, { applicationName: 'holdfast test' });
      await migrate(database);
      await database.close();
      await giveSecret();
      return await installGates(url);
    },
  };
}

const tenants = new WeakMap<World, Map<string, Promise<Tenant>>>();

/** The namespace with all that a program needs; scenarios may share one. */
export function openReadyTenant(world: World, namespace: string): Promise<Tenant> {
  return sharedTenant(world, namespace, makeReady);
}

/** The same where somebody else makes the namespace and all in it: it has a database and a volume to be claimed. */
export function openBareTenant(world: World, namespace: string): Promise<Tenant> {
  return sharedTenant(world, namespace, async () => {
    const tenant = await openTenant(world, namespace);
    await tenant.giveVolume('holdfast-artifacts');
    return tenant;
  });
}

function sharedTenant(world: World, namespace: string, make: typeof openTenant): Promise<Tenant> {
  const known = tenants.get(world) ?? new Map<string, Promise<Tenant>>();
  tenants.set(world, known);
  const tenant = known.get(namespace) ?? make(world, namespace);
  known.set(namespace, tenant);
  return tenant;
}

async function makeReady(world: World, namespace: string): Promise<Tenant> {
  if ((await world.get(`/api/v1/namespaces/${namespace}`)) === undefined) await makeNamespace(world.cluster, namespace);
  const tenant = await openTenant(world, namespace);
  await tenant.giveSecret();
  await tenant.giveClaim();
  return tenant;
}

export function conditionOf(object: RunObject | ProgramObject | undefined, type: string) {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

async function makeVolume(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chown(path, USER, USER);
}

async function claim(path: string, namespace: string, name: string): Promise<readonly [object, object]> {
  await makeVolume(path);
  const volumeName = `${namespace}-${name}`;
  const common = { accessModes: ['ReadWriteMany', 'ReadWriteOnce'], storageClassName: '' };
  const storage = '20Gi';
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName },
      spec: { ...common, capacity: { storage }, hostPath: { path }, claimRef: { namespace, name } },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: { ...common, volumeName, resources: { requests: { storage } } },
    },
  ];
}
