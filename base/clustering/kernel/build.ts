import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * Compiles kernel.ts to ../kernel-bytes.ts, with the compiler of package-lock.json here, installed when it is not there.
 * --check only says whether kernel-bytes.ts is what kernel.ts compiles to.
 */

/** Longest that each may take; some seconds are usual. */
const INSTALL_MS = 5 * 60_000;
const COMPILE_MS = 2 * 60_000;

const here = import.meta.dirname;
const compiler = join(here, 'node_modules/assemblyscript/bin/asc.js');
const bytes = join(here, '../kernel-bytes.ts');
if (!existsSync(compiler)) {
  execFileSync('npm', ['ci', '--prefix', here, '--ignore-scripts', '--loglevel=error'], {
    stdio: 'inherit',
    timeout: INSTALL_MS,
  });
}
const folder = mkdtempSync(join(tmpdir(), 'holdfast-kernel-'));
try {
  const file = join(folder, 'kernel.wasm');
  // biome-ignore format: an option and its value stand together
  const options = [
    '--outFile', file, '--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert', '--runtime', 'stub',
    '--enable', 'simd', '--enable', 'threads', '--importMemory', '--sharedMemory',
    '--initialMemory', '1', '--maximumMemory', '65536',
  ];
  execFileSync(process.execPath, [compiler, 'kernel.ts', ...options], {
    cwd: here,
    stdio: 'inherit',
    timeout: COMPILE_MS,
  });
  const text = `/* DO NOT EDIT: made by \`npm run kernel\` from kernel/kernel.ts. */

/** The kernel as WebAssembly, in base64. */
export const KERNEL =
  '${readFileSync(file).toString('base64')}';
`;
  if (!process.argv.includes('--check')) writeFileSync(bytes, text);
  else if (readFileSync(bytes, 'utf8') !== text) {
    console.error('base/clustering/kernel-bytes.ts is not what kernel/kernel.ts compiles to: npm run kernel');
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
