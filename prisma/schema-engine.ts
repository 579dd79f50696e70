/** Prisma's schema engine as WebAssembly from npm: migrations without the native engine that the Prisma CLI would download. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import { Client, DatabaseError, Pool, types, type QueryConfig, type QueryResult } from 'pg';

const CONNECT_TIMEOUT_MS = 10_000;
// pg_type.dat: "char", the one-letter type of PostgreSQL's catalogues.
const CATALOGUE_CHAR_OID = 18;
const PANIC_REGISTRY = 'PRISMA_WASM_PANIC_REGISTRY';
const PACKAGE = '@prisma/schema-engine-wasm/schema_engine_bg';

/** Lends the schema engine on a database; `schema` is the text of schema.prisma. Rejects when the database cannot be reached, and with the engine's own errors. */
export async function withSchemaEngine<T>(
  { connectionString, schema }: { connectionString: string; schema: string },
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine: Engine } = await loadEngine();
  const pools: Pool[] = [];
  const adapter = bindMigrationAwareSqlAdapterFactory(adapterFactory(connectionString, pools));
  try {
    const engine = await Engine.new({ datamodels: [['schema.prisma', schema]] }, () => undefined, adapter);
    try {
      return await use(engine);
    } finally {
      engine.free();
    }
  } finally {
    // The engine closes shadow databases itself, but leaves its main connection to us.
    await Promise.all(pools.filter((pool) => !pool.ending).map((pool) => pool.end()));
  }
}

// Once for all engines: the glue code remembers one instance, and a second one would pull it away under a running call.
let engineModule: Promise<typeof import('@prisma/schema-engine-wasm')> | undefined;

function loadEngine(): Promise<typeof import('@prisma/schema-engine-wasm')> {
  return (engineModule ??= instantiateEngine());
}

// The package's own entry imports the .wasm file as a module, which Node does not do without a flag; so its two halves are joined here.
async function instantiateEngine(): Promise<typeof import('@prisma/schema-engine-wasm')> {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const file = join(dirname(require.resolve(PACKAGE)), 'schema_engine_bg.wasm');
  const { instance } = await WebAssembly.instantiate(await readFile(file), { './schema_engine_bg.js': importsOf(glue) });
  call(Reflect.get(glue, '__wbg_set_wasm'), instance.exports);
  call(instance.exports['__wbindgen_start']);
  // Where the engine reports a crash of its own; Prisma's client has the same one and may have set it already.
  if (!Reflect.has(globalThis, PANIC_REGISTRY)) Reflect.set(globalThis, PANIC_REGISTRY, { set_message: reportPanic });
  return glue;
}

/** What the engine calls in JavaScript. Its 10-second limit on getting its lock must not keep a process alive that is done. */
function importsOf(glue: object): Record<string, WebAssembly.ImportValue> {
  const setIdleTimeout = (run: () => void, delayMs: number): NodeJS.Timeout => setTimeout(run, delayMs).unref();
  return Object.fromEntries(
    Object.entries(glue).map(([name, value]) => [name, name.startsWith('__wbg_setTimeout_') ? setIdleTimeout : value]),
  );
}

function reportPanic(message: string): never {
  throw new Error(`Prisma's schema engine crashed: ${message}`);
}

function call(candidate: unknown, ...args: unknown[]): void {
  if (typeof candidate !== 'function') throw new Error(`${PACKAGE} is not the build that this file was written for`);
  Reflect.apply(candidate, undefined, args);
}

/**
 * The shadow database is made here: the adapter's own way connects to the real database again when it was given a connection string.
 */
function adapterFactory(connectionString: string, pools: Pool[]): SqlMigrationAwareDriverAdapterFactory {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connectAdapter(connectionString, pools),
    connectToShadowDb: async () => {
      const shadow = `prisma_migrate_shadow_db_${globalThis.crypto.randomUUID()}`;
      await execute(connectionString, `CREATE DATABASE "${shadow}"`);
      const url = new URL(connectionString);
      url.pathname = `/${shadow}`;
      const adapter = await connectAdapter(url.href, pools);
      const dispose = adapter.dispose.bind(adapter);
      adapter.dispose = async () => {
        await dispose();
        await execute(connectionString, `DROP DATABASE IF EXISTS "${shadow}" WITH (FORCE)`);
      };
      return adapter;
    },
  };
}

/**
 * Prisma's adapter, taught the "char" type of PostgreSQL's catalogues: 7.10 refuses results that have it, and the engine needs them to read a schema.
 * One connection at a time, so that the engine's advisory lock is taken and given back on the same one.
 */
async function connectAdapter(connectionString: string, pools: Pool[]): Promise<SqlDriverAdapter> {
  const pool = new Pool({ connectionString, max: 1, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  pools.push(pool);
  const charColumns = new WeakMap<object, readonly number[]>();
  const query = pool.query.bind(pool);
  const queryPassingCharAsText = async (config: QueryConfig): Promise<QueryResult> => {
    const result = await query(config);
    const fields = result.fields.filter((field) => field.dataTypeID === CATALOGUE_CHAR_OID);
    charColumns.set(
      result.rows,
      fields.map((field) => result.fields.indexOf(field)),
    );
    for (const field of fields) field.dataTypeID = types.builtins.TEXT;
    return result;
  };
  Reflect.set(pool, 'query', queryPassingCharAsText);
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect();
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (sqlQuery) => {
    const result = await queryRaw(sqlQuery);
    for (const column of charColumns.get(result.rows) ?? []) result.columnTypes[column] = ColumnTypeEnum.Character;
    return result;
  };
  adapter.executeScript = (script) => executeWhole((text) => query(text), script);
  return adapter;
}

/** A script as one message, which PostgreSQL runs whole or not at all; the adapter's own way cuts it at every semicolon, even inside a string. */
async function executeWhole(query: (text: string) => Promise<unknown>, script: string): Promise<void> {
  try {
    await query(script);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const { code = 'XX000', severity = 'ERROR', message, detail, column, hint } = error;
    throw new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint });
  }
}

async function execute(connectionString: string, sql: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end();
  }
}
