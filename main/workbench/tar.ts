/**
 * Tar archives of plain files (POSIX.1-1988 "ustar", IEEE Std 1003.1 pax §"ustar Interchange Format"): 512-byte blocks, a header before
 * each file, two zero blocks at the end. Written so that every tar program reads them; read strictly: plain files only.
 */
import { InputError } from '../../shared/input-error.ts';

const BLOCK = 512;
/** Sizes that eleven octal digits cannot hold are written in base 256, as GNU tar and bsdtar read them. */
const OCTAL_LIMIT = 8 ** 11;

export interface TarEntry {
  /** Path with `/`, at most 255 bytes. */
  name: string;
  /** Bytes. */
  size: number;
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/** Sum of the header's bytes with the field for it (8 bytes at 148) taken as blanks. */
const checksum = (header: Uint8Array): number => header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);

/** Name and prefix of a path: a path over 100 bytes is divided at a `/`. Errors: InputError where it cannot be. */
function divided(name: string): [name: string, prefix: string] {
  if (Buffer.byteLength(name) <= 100) return [name, ''];
  for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100 && rest !== '') return [rest, prefix];
  }
  throw new InputError(`${name}: the name is too long for an archive (100 bytes, or 155 more before a "/"); rename the run`, 'run');
}

/** The header of a plain file. */
export function tarHeader({ name, size }: TarEntry): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  const [short, prefix] = divided(name);
  header.write(short, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  if (size < OCTAL_LIMIT) header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write('00000000000\0', 136);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  header.write(prefix, 345);
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** An archive of entries, each with its bytes. Errors: an Error where an entry has other than the bytes it states. */
export async function* writeTar(
  entries: Iterable<TarEntry & { content: AsyncIterable<Uint8Array> | Iterable<Uint8Array> }>,
): AsyncGenerator<Uint8Array> {
  for (const { name, size, content } of entries) {
    yield tarHeader({ name, size });
    let written = 0;
    for await (const piece of content) {
      written += piece.length;
      yield piece;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes instead of ${size}: it changed while it was read`);
    yield new Uint8Array(padding(size));
  }
  yield new Uint8Array(2 * BLOCK);
}

const text = (header: Buffer, from: number, length: number): string => {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
};

function parseHeader(header: Buffer): TarEntry {
  const broken = (what: string): never => {
    throw new InputError(`the archive is damaged, or no tar archive: ${what}`, 'file');
  };
  if (Number.parseInt(text(header, 148, 8), 8) !== checksum(header)) return broken('a header does not fit its checksum');
  if (text(header, 257, 6) !== 'ustar') return broken('it is not in the ustar format');
  const [prefix, short] = [text(header, 345, 155), text(header, 0, 100)];
  const name = prefix === '' ? short : `${prefix}/${short}`;
  const type = text(header, 156, 1);
  if (type !== '0' && type !== '') {
    throw new InputError(`archive entry "${name}" is no plain file (type "${type}"): links, devices and folders are refused`, 'file');
  }
  const size = (header[124] ?? 0) >= 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(text(header, 124, 12), 8);
  if (!Number.isSafeInteger(size) || size < 0) return broken(`"${name}" has no size`);
  return { name, size };
}

/** Cuts pieces of any size into the lengths asked for. */
class Pieces {
  private readonly source: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, at most `limit` of them. Errors: InputError at the end of the archive. */
  async next(limit: number): Promise<Uint8Array> {
    while (this.rest.length === 0) {
      const { value, done } = await this.source.next();
      if (done) throw new InputError('the archive ends in the middle of a file; copy it again', 'file');
      this.rest = value;
    }
    const piece = this.rest.subarray(0, limit);
    this.rest = this.rest.subarray(limit);
    return piece;
  }

  async exactly(length: number): Promise<Buffer> {
    const whole = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const piece = await this.next(length - at);
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/**
 * The files of an archive, in its order. The content of each must be read to its end before the next is asked for.
 * Errors: InputError for what is no plain file, a damaged header or an end in the middle.
 */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry & { content: AsyncGenerator<Uint8Array> }> {
  const pieces = new Pieces(archive);
  for (;;) {
    const header = await pieces.exactly(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    const entry = parseHeader(header);
    async function* content(): AsyncGenerator<Uint8Array> {
      for (let left = entry.size; left > 0; ) {
        const piece = await pieces.next(Math.min(left, 1 << 20));
        left -= piece.length;
        yield piece;
      }
    }
    yield { ...entry, content: content() };
    await pieces.exactly(padding(entry.size));
  }
}
