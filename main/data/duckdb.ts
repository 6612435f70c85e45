/** An in-memory DuckDB with a bound on its memory, and the quoting of names and values in its SQL. */
import type { DuckDBConnection } from '@duckdb/node-api';

/** Enough for 180,000 questions; more spills into `spill`. */
const MEMORY = '128MB';

export interface DuckDbSession {
  connection: DuckDBConnection;
  close(): void;
}

/** Opens a database in memory. `spill`: folder for what does not fit; none unless given. */
export async function openDuckDb(spill?: string): Promise<DuckDbSession> {
  // A native library of some size: loaded only where a Parquet file or an imported set is read.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY,
    threads: '1',
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    ...(spill === undefined ? {} : { temp_directory: spill }),
  });
  const connection = await instance.connect();
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Runs `work` with a connection and closes it. */
export async function withDuckDb<T>(work: (connection: DuckDBConnection) => Promise<T>, spill?: string): Promise<T> {
  const session = await openDuckDb(spill);
  try {
    return await work(session.connection);
  } finally {
    session.close();
  }
}

/** A text as an SQL literal. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A column's name as SQL. */
export const sqlName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
