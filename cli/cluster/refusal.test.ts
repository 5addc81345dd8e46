import { expect, test } from '@jest/globals';
import { HoldfastError } from '../../base/errors.ts';
import { KubeError, type Status } from '../../operator/kube/api.ts';
import { type Asked, refusalOf } from './refusal.ts';

const ASKED: Asked = { verb: 'create', resource: 'retentionruns', namespace: 'shop', place: 'the cluster dev' };

function told(status: number, reason: string, said: Status | string, asked: Partial<Asked> = {}): string {
  const text = typeof said === 'string' ? { message: said } : said;
  const error = new KubeError(status, reason, `POST /apis/x: ${text.message}`, { said: text });
  const refusal = refusalOf(error, { ...ASKED, ...asked });
  if (!(refusal instanceof HoldfastError)) throw new Error('it has no code');
  expect(refusal.cause).toBe(error);
  return `${refusal.code}: ${refusal.message}`;
}

const CANNOT =
  'retentionruns.holdfast.dev is forbidden: User "ann" cannot create resource "retentionruns" in API group';
const FIELD = { field: 'spec.slot', message: 'Invalid value: "x": must be an instant' };

test.each<[string, Parameters<typeof told>, string]>([
  [
    '401',
    [401, 'Unauthorized', 'Unauthorized'],
    'HF_CLUSTER_UNAUTHORIZED: the cluster dev does not take the credentials',
  ],
  [
    '403 of a right',
    [403, 'Forbidden', CANNOT],
    'HF_CLUSTER_FORBIDDEN: you may not create retentionruns in the namespace shop as ann: ask for a RoleBinding',
  ],
  [
    '403 of nobody',
    [403, 'Forbidden', CANNOT.replace('ann', 'system:anonymous')],
    'HF_CLUSTER_UNAUTHORIZED: the cluster dev was shown no credentials that it knows',
  ],
  ['403 of a right to read', [403, 'Forbidden', CANNOT, { verb: 'watch' }], 'HF_CLUSTER_FORBIDDEN: you may not watch'],
  [
    '403 of a policy',
    [403, 'Forbidden', 'denied request: no'],
    'HF_CLUSTER_REFUSED: the cluster dev refuses: denied request: no',
  ],
  [
    '403 of a quota',
    [403, 'Forbidden', 'exceeded quota: few'],
    'HF_CLUSTER_REFUSED: the cluster dev refuses: exceeded quota',
  ],
  [
    '404 of a kind',
    [404, 'NotFound', '404 page not found'],
    'HF_NOT_INSTALLED: Holdfast is not installed in the cluster dev',
  ],
  [
    '404 of a namespace',
    [404, 'NotFound', 'namespaces "shop" not found'],
    'HF_CLUSTER_CONFLICT: the cluster dev: namespaces "shop"',
  ],
  ['409', [409, 'Conflict', 'the object has been modified'], 'HF_CLUSTER_CONFLICT: another changed it meanwhile'],
  [
    '422 with fields',
    [422, 'Invalid', { message: 'is invalid', details: { causes: [FIELD, { reason: 'without one' }] } }],
    'HF_CLUSTER_REFUSED: the cluster dev refuses it: spec.slot: Invalid value: "x": must be an instant',
  ],
  ['422 without', [422, 'Invalid', 'is invalid'], 'HF_CLUSTER_REFUSED: the cluster dev refuses it: is invalid'],
  ['429', [429, 'TooManyRequests', 'slow down'], 'HF_CLUSTER_UNREACHABLE: the cluster dev answers with status 429'],
  [
    '503 of a proxy',
    [503, 'ServiceUnavailable', '<html>'],
    'HF_CLUSTER_UNREACHABLE: the cluster dev answers with status 503',
  ],
])('%s is said in our words', (_, answer, words) => {
  expect(told(...answer)).toContain(words);
});

test.each([
  ['ECONNREFUSED', 'HF_CLUSTER_UNREACHABLE'],
  ['ENOTFOUND', 'HF_CLUSTER_UNREACHABLE'],
  ['CERT_HAS_EXPIRED', 'HF_CLUSTER_CONFIG'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'HF_CLUSTER_CONFIG'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'HF_CLUSTER_CONFIG'],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'HF_CLUSTER_CONFIG'],
  ['ERR_OSSL_PEM_NO_START_LINE', 'HF_CLUSTER_CONFIG'],
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'HF_CLUSTER_CONFIG'],
  ['ERR_INVALID_URL', 'HF_CLUSTER_CONFIG'],
])('%s of the connection has the code %s', (code, expected) => {
  const cause = Object.assign(new Error('no'), { code });
  const error = new KubeError(0, 'Unreachable', 'GET /apis/x: no answer (no)', { cause });
  expect(refusalOf(error, ASKED)).toMatchObject({ code: expected });
});

test('credentials that cannot be had, such as of a program that fails, are a matter of the kubeconfig', () => {
  const error = new KubeError(0, 'NoCredentials', 'the credentials cannot be had: spawn aws ENOENT');
  expect(refusalOf(error, ASKED)).toMatchObject({
    code: 'HF_CLUSTER_CONFIG',
    message: expect.stringContaining('ENOENT'),
  });
});

test('what is no answer of an API server stays what it is', () => {
  const error = new TypeError('ours');
  expect(refusalOf(error, ASKED)).toBe(error);
});
