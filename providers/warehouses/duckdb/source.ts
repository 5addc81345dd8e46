import { mkdir, open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Engine, identifier, literal, openEngine } from '../../../base/duckdb/engine.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { whyNoFile } from '../../../base/unread-file.ts';
import { programFile } from '../../program-file.ts';
import type { WarehouseOptions } from '../connector.ts';
import { csvScan } from './csv-source.ts';
import { readingFrom } from './failure.ts';
import { asPattern, type FileFormat, fileFormat, KNOWN_ENDINGS } from './file-format.ts';
import { jsonScan } from './json-source.ts';
import type { DuckdbConnector } from './parameters.ts';
import { sampleWarehouse } from './sample-file.ts';
import { workbookAsCsv } from './workbook.ts';

/**
 * Opens what a connector points to and locks the engine: it reads that source and writes into `outputFolder`,
 * and no statement can make it reach another file or change that.
 * @throws HF_WAREHOUSE_UNREADABLE, HF_WAREHOUSE_UNREACHABLE, HF_PATH_REFUSED, HF_MANIFEST_INVALID, HF_DISK_FULL, HF_INTERRUPTED
 */
export async function openSource(
  connector: DuckdbConnector,
  options: WarehouseOptions,
  outputFolder: string,
): Promise<Engine> {
  const path = await locate(connector, options);
  const format = formatOf(connector, path);
  return readingFrom(connector.connectorId, `read ${path}`, async () => {
    // DuckDB lets every query read the folder it spills to: it must be one that holds nothing else.
    const limits = { ...options.resources, scratchFolder: outputFolder };
    const engine = await openEngine(
      format === 'database' ? { ...limits, file: await readable(connector, path), readOnly: true } : limits,
    );
    try {
      const files =
        format === 'database' ? [] : await exposeFiles(engine, connector, options, path, format, outputFolder);
      await lock(engine, files, outputFolder);
      return engine;
    } catch (error) {
      engine.close();
      throw error;
    }
  });
}

/** Absolute path of the source, made first when it is the sample warehouse. */
async function locate(connector: DuckdbConnector, options: WarehouseOptions): Promise<string> {
  const { path: written, sample } = connector.config;
  const path = options.source ?? written;
  if (path !== undefined) return programFile(path, options, `Connector ${connector.connectorId}`);
  if (sample === undefined) {
    throw new HoldfastError(
      'HF_MANIFEST_INVALID',
      `Connector ${connector.connectorId}: config needs a path or a sample.`,
    );
  }
  return sampleWarehouse(sample, options);
}

function formatOf(connector: DuckdbConnector, path: string): FileFormat {
  const format = fileFormat(path);
  if (format !== undefined) return format;
  const known = KNOWN_ENDINGS.join(', ');
  const sentence = `Connector ${connector.connectorId}: cannot tell what ${path} is; its name should end in one of ${known}.`;
  throw new HoldfastError('HF_WAREHOUSE_UNREADABLE', sentence);
}

/** Makes the files one view, under the name that the query uses, and resolves to their paths. */
async function exposeFiles(
  engine: Engine,
  connector: DuckdbConnector,
  options: WarehouseOptions,
  path: string,
  format: Exclude<FileFormat, 'database'>,
  outputFolder: string,
): Promise<string[]> {
  // A file of that very name comes first: `export[2].csv` is that file, not export2.csv beside it.
  const pattern = await stat(path).then(
    () => asPattern(path),
    () => path,
  );
  const found = await engine.rows<{ file: string }>(`SELECT file FROM glob(${literal(pattern)}) ORDER BY file`);
  const files = found.map(({ file }) => file);
  if (files.length === 0) {
    await readable(connector, path);
    throw unreadable(connector, path, 'no file has such a name');
  }
  // A pattern says nothing of where the links among its files lead.
  for (const file of files) {
    await programFile(file, options, `Connector ${connector.connectorId}`);
    await readable(connector, file);
  }
  const table = connector.config.table ?? basename(path).replace(/\..*$/, '');
  if (table.includes('*') || table.includes('?') || table === '') {
    const sentence = `Connector ${connector.connectorId}: name the files of ${path} with config.table, so that the query can.`;
    throw new HoldfastError('HF_MANIFEST_INVALID', sentence);
  }
  const scan = await scanOf(engine, connector, files, format, outputFolder);
  await engine.run(`CREATE VIEW ${identifier(table)} AS SELECT * FROM ${scan}`);
  return files;
}

/** What the view of the files selects from. */
async function scanOf(
  engine: Engine,
  connector: DuckdbConnector,
  files: readonly string[],
  format: Exclude<FileFormat, 'database'>,
  outputFolder: string,
): Promise<string> {
  const { connectorId, config } = connector;
  const allVarchar = config.allVarchar === true;
  switch (format) {
    case 'parquet':
      for (const file of files) await refuseOtherThanParquet(connector, file);
      return `read_parquet([${files.map(asPattern).map(literal).join(', ')}], union_by_name = ${files.length > 1})`;
    case 'csv':
      return csvScan(engine, connectorId, files, allVarchar);
    case 'json':
      return jsonScan(engine, connectorId, files, allVarchar);
    case 'workbook': {
      const sheets: string[] = [];
      for (const [index, file] of files.entries()) {
        const folder = join(outputFolder, `sheet-${index}`);
        await mkdir(folder);
        sheets.push(await workbookAsCsv(connectorId, file, config, folder));
      }
      return csvScan(engine, connectorId, sheets, allVarchar);
    }
  }
}

async function lock(engine: Engine, files: readonly string[], outputFolder: string): Promise<void> {
  // As they are read, and as they are called.
  const allowed = [...files.map(asPattern), ...files];
  await engine.run(`SET allowed_paths = [${allowed.map(literal).join(', ')}]`);
  await engine.run(`SET allowed_directories = [${literal(outputFolder)}]`);
  await engine.run('SET enable_external_access = false');
  await engine.run('SET lock_configuration = true');
}

/** The path, of a file that can be read. */
async function readable(connector: DuckdbConnector, path: string): Promise<string> {
  const trouble = await whyNoFile(path);
  if (trouble !== undefined) throw unreadable(connector, path, `it ${trouble}`);
  if ((await stat(path)).size === 0) {
    const sentence = `Connector ${connector.connectorId}: cannot read ${path}: it is empty; is it still being written?`;
    throw new HoldfastError('HF_WAREHOUSE_UNREACHABLE', sentence);
  }
  return path;
}

/** One whose end is not there may still be written; its beginning says what it is. */
async function refuseOtherThanParquet(connector: DuckdbConnector, path: string): Promise<void> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  if (bytesRead === 4 && !['PAR1', 'PARE'].includes(buffer.toString('latin1'))) {
    throw unreadable(connector, path, 'it is no Parquet file, whatever its name');
  }
}

function unreadable({ connectorId }: DuckdbConnector, path: string, trouble: string): HoldfastError {
  return new HoldfastError('HF_WAREHOUSE_UNREADABLE', `Connector ${connectorId}: cannot read ${path}: ${trouble}.`);
}
