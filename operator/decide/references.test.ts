import { expect, test } from '@jest/globals';
import { objectName } from '../../base/schema/fields.ts';
import { retentionProgramSpec } from '../../crds/retention-program.ts';
import { retentionRunSpec } from '../../crds/retention-run.ts';
import { programSpec, STAGE_SETTINGS } from '../../test/support/program.ts';
import { asking, EVERY_REFERENCE, REFERENCE_CASES, reading } from '../../test/support/references.ts';
import type { StageSettings } from '../settings/settings.ts';
import { referenceFault } from './references.ts';

/** As the chart comes. */
const SETTINGS: StageSettings = {
  ...STAGE_SETTINGS,
  allowed: { ...STAGE_SETTINGS.allowed, connections: ['holdfast-warehouse-*'], serviceAccounts: ['holdfast-tasks*'] },
};

test.each(Object.entries(REFERENCE_CASES))('%s: the operator agrees with the policy', (_name, { change, refused }) => {
  const fault = referenceFault(programSpec(change), SETTINGS);
  expect(fault === undefined).toBe(refused === undefined);
  if (refused !== undefined) expect(fault).toContain(`${refused} `);
});

const OBJECT_NAME = objectName('') as { readonly pattern?: string };

/** Where a schema has the name of an object of Kubernetes, as in `spec.storage.files.claimName`. */
function objectNames(schema: any, field: string): string[] {
  if (schema.pattern !== undefined && schema.pattern === OBJECT_NAME.pattern) return [field];
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => objectNames(one, `${field}.${name}`));
  return schema.items === undefined ? inner : [...inner, ...objectNames(schema.items, `${field}[]`)];
}

test('an owner that names nothing but what its pods need may have it', () => {
  const { execution } = programSpec({});
  expect(referenceFault({ execution }, SETTINGS)).toBeUndefined();
  expect(referenceFault({ execution: { ...execution, serviceAccountName: 'root' } }, SETTINGS)).toContain('root');
});

test('every name of an object that a program can hold is looked at, and a run holds those of its program and of another run', () => {
  const refused = Object.values(REFERENCE_CASES).flatMap(({ refused: said }) => (said === undefined ? [] : [said]));
  const fields = refused.map((said) => said.slice(0, said.indexOf(':')).replaceAll(/\[\d+\]/g, '[]'));
  expect(new Set(fields)).toEqual(new Set(objectNames(retentionProgramSpec(), 'spec')));
  expect(objectNames(retentionRunSpec(), 'spec')).toEqual(['spec.programRef.name', 'spec.retryOf.name']);
});

test('a program may name as much as it can', () => {
  expect(referenceFault(programSpec(EVERY_REFERENCE), SETTINGS)).toBeUndefined();
});

test('what is refused is told with the names that are not, and where they are set', () => {
  expect(referenceFault(programSpec(reading('crm')), SETTINGS)).toBe(
    'spec.dataConnectors[0].config.connectionSecretRef.name: the Secret crm is not one that programs may use for this; ' +
      'those are holdfast-warehouse-* (allow.secrets.connections of the chart)',
  );
});

const ANYTHING: StageSettings = {
  ...SETTINGS,
  allowed: Object.fromEntries(Object.keys(SETTINGS.allowed).map((use) => [use, ['*']])) as never,
};

test.each([
  ['the URL of the system of record is no token', asking('holdfast-postgres'), 'is that of the database'],
  ['nor a warehouse', reading('holdfast-postgres'), 'is that of the database'],
  [
    'nor is the one that the program itself names',
    { ...reading('own'), storage: { postgres: { secretRef: { name: 'own', key: 'url' } } } },
    'is that of the database',
  ],
  ['the artifacts of all are not files', { storage: { files: { claimName: 'holdfast-artifacts' } } }, 'all programs'],
  [
    'nor are those of a claim that the program itself names',
    { storage: { artifacts: { claimName: 'own' }, files: { claimName: 'own' } } },
    'all programs',
  ],
])('where every name is allowed, %s', (_name, change, said) => {
  expect(referenceFault(programSpec(change), ANYTHING)).toContain(said);
});

test('a name is that name and none that begins with it; a star stands for all that begin so', () => {
  const names = (connections: readonly string[], name: string) =>
    referenceFault(programSpec(reading(name)), { ...SETTINGS, allowed: { ...SETTINGS.allowed, connections } });
  expect(names(['crm'], 'crm')).toBeUndefined();
  expect(names(['crm'], 'crm-admin')).toBeDefined();
  expect(names(['crm-*'], 'crm-reader')).toBeUndefined();
  expect(names(['crm-*'], 'crm')).toBeDefined();
  expect(names([], 'crm')).toContain('those are none');
});
