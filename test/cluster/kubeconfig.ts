import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

export interface KubeconfigOptions {
  readonly url: string;
  readonly caFile: string;
  readonly token: string;
  readonly user: string;
}

/** Writes a kubeconfig of one cluster and one user that needs no other file, and resolves to its path. */
export async function writeKubeconfig(file: string, { url, caFile, token, user }: KubeconfigOptions): Promise<string> {
  const name = 'holdfast-test';
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name, cluster: { server: url, 'certificate-authority-data': (await readFile(caFile)).toString('base64') } },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  };
  await writeFile(file, stringify(content), { mode: 0o600 });
  return file;
}
