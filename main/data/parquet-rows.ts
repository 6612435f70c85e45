/** Rows of a Parquet file through DuckDB; list and struct columns become arrays and objects. */
import { InputError } from '../../shared/input-error.ts';
import { BadRow } from './bad-row.ts';
import { openDuckDb, sqlName, sqlText } from './duckdb.ts';
import type { RawRow } from './raw-row.ts';

/** Whole numbers that JavaScript cannot hold exactly come as text; bytes are no text and are named. */
const WIDE = /^(BIGINT|UBIGINT|HUGEINT|UHUGEINT)$/;

function parquetRow(row: number, text: string): RawRow {
  try {
    const value: unknown = JSON.parse(text);
    return { row, line: null, value, fault: null };
  } catch {
    return {
      row,
      line: null,
      value: null,
      fault: new BadRow(null, null, 'a number of the row is not finite', 'Correct or remove the row.'),
    };
  }
}

/** Rows in batches. Errors: InputError for a file that cannot be read as Parquet, or one with columns of bytes. */
export async function* parquetRows(path: string): AsyncGenerator<RawRow[]> {
  let row = 0;
  const { connection, close } = await openDuckDb();
  try {
    const source = `read_parquet(${sqlText(path)})`;
    const described = await connection.runAndReadAll(`describe select * from ${source}`);
    const columns = described.getRowsJS().map(([name, type]) => ({ name: String(name), type: String(type) }));
    const bytes = columns.find(({ type }) => type.includes('BLOB'));
    if (bytes !== undefined) {
      throw new InputError(
        `${path}: column "${bytes.name}" holds bytes (${bytes.type}), not text. Write it as text or leave it out.`,
        'data',
      );
    }
    const wide = columns.filter(({ type }) => WIDE.test(type)).map(({ name }) => `${sqlName(name)}::varchar as ${sqlName(name)}`);
    const select = `select *${wide.length > 0 ? ` replace (${wide.join(', ')})` : ''} from ${source}`;
    const result = await connection.stream(`select to_json(t)::varchar from (${select}) t`);
    for await (const rows of result.yieldRowsJs()) yield rows.map(([text]) => parquetRow(++row, String(text)));
  } catch (error) {
    if (error instanceof InputError) throw error;
    const [reason] = (error as Error).message.split('\n');
    throw new InputError(`${path}: cannot be read as Parquet${row > 0 ? ` after row ${row}` : ''}: ${reason}`, 'data');
  } finally {
    close();
  }
}
