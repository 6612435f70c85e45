/**
 * The safetensors file format (huggingface/safetensors, README "Format"): 8 bytes little-endian header length, a JSON
 * header {name: {dtype, shape, data_offsets: [begin, end]}, __metadata__: {text: text}}, then the tensors' bytes without
 * gaps. Read here: F32, F16 and BF16, all widened to float32; written: F32. Tensors are read one at a time, so a file
 * larger than one buffer can be is no obstacle. Bytes are little-endian, as on every machine that Node 24 ships for today
 * except s390x.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { writeAtomic } from './atomic-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { checked, reason } from './json-file.ts';

/** A dense float32 tensor in row-major order. */
export interface Tensor {
  shape: number[];
  data: Float32Array;
}

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
export type Dtype = keyof typeof BYTES;
const isDtype = (name: string): name is Dtype => Object.hasOwn(BYTES, name);

/** The format's own bound on the header, against a lying length. */
const LARGEST_HEADER = 100_000_000;
/** One read or write asks for at most this many bytes: the system call's own limit is 2 GiB. */
const LARGEST_TRANSFER = 1 << 30;
/** Values written in one go: 4 MiB. */
const BUFFER_FLOATS = 1 << 20;

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().min(0)),
  data_offsets: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
});
const Metadata = z.record(z.string(), z.string());

export interface TensorEntry {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** First byte in the file, and the byte after the last. */
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  metadata: Record<string, string>;
  /** In the order of their bytes. */
  entries: TensorEntry[];
}

/** Header of a file, fully checked against the file's size. Errors: CheckpointError naming file, tensor and finding. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, (file, size) => readHeader(file, size, path));
}

/** All tensors of a file as float32, in the order of their bytes. Errors: CheckpointError naming file, tensor and finding. */
export async function readSafetensors(path: string): Promise<{ metadata: Record<string, string>; tensors: Map<string, Tensor> }> {
  return withFile(path, async (file, size) => {
    const header = await readHeader(file, size, path);
    const tensors = new Map<string, Tensor>();
    for (const entry of header.entries) {
      const bytes = await readBytes(file, entry.begin, entry.end - entry.begin, path);
      tensors.set(entry.name, { shape: entry.shape, data: toFloat32(bytes, bytes.byteLength, entry.dtype) });
    }
    return { metadata: header.metadata, tensors };
  });
}

/** Bytes of a tensor that are read in one go. */
const PIECE = 1 << 22;

/**
 * The values of chosen tensors as float32, a piece of at most 4 MiB at a time and in the order of their bytes. `take` gets a tensor's name,
 * the index of the first value and the values, which hold until it returns. Errors: CheckpointError when the file ends too soon.
 */
export async function readTensorValues(
  path: string,
  entries: readonly TensorEntry[],
  take: (name: string, at: number, values: Float32Array) => void,
): Promise<void> {
  await withFile(path, async (file) => {
    const bytes = new ArrayBuffer(PIECE);
    for (const entry of [...entries].sort((a, b) => a.begin - b.begin)) {
      for (let from = entry.begin; from < entry.end; from += PIECE) {
        const length = Math.min(PIECE, entry.end - from);
        await fill(file, new Uint8Array(bytes, 0, length), from, path);
        take(entry.name, (from - entry.begin) / BYTES[entry.dtype], toFloat32(bytes, length, entry.dtype));
      }
    }
  });
}

async function withFile<T>(path: string, use: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw new CheckpointError(`${path}: cannot be read (${reason(error)}).`);
  }
  try {
    return await use(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle, size: number, path: string): Promise<SafetensorsHeader> {
  const wrong = (finding: string): never => {
    throw new CheckpointError(`${path}: not a whole safetensors file: ${finding}. Fetch or write it again.`);
  };
  if (size < 8) return wrong(`it has ${size} bytes, fewer than the 8 of the header length`);
  const lengthBytes = await readBytes(file, 0, 8, path);
  const length = Number(new DataView(lengthBytes).getBigUint64(0, true));
  if (length > LARGEST_HEADER) return wrong(`the header claims ${length} bytes, more than the format allows (${LARGEST_HEADER})`);
  if (length > size - 8) return wrong(`the header claims ${length} bytes, but only ${size - 8} follow`);

  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readBytes(file, 8, length, path));
    json = JSON.parse(text);
  } catch (error) {
    return wrong(`the header is not valid JSON (${reason(error)})`);
  }
  const doubled = firstDoubledKey(text);
  if (doubled !== null) return wrong(`the header names ${JSON.stringify(doubled)} twice`);
  const { __metadata__: rawMetadata, ...rest } = checked(z.record(z.string(), z.unknown()), json, `${path}: header`);
  const metadata = checked(Metadata, rawMetadata ?? {}, `${path}: __metadata__`);

  const start = 8 + length;
  const entries: TensorEntry[] = [];
  for (const [name, raw] of Object.entries(rest)) {
    const { dtype, shape, data_offsets } = checked(Entry, raw, `${path}: tensor ${name}`);
    if (!isDtype(dtype)) {
      throw new CheckpointError(
        `${path}: tensor ${name} has dtype ${dtype}; supported: ${Object.keys(BYTES).join(', ')}. Choose weights in one of these.`,
      );
    }
    const [begin, end] = data_offsets;
    const expected = shape.reduce((product, n) => product * n, BYTES[dtype]);
    if (end - begin !== expected) {
      return wrong(
        `tensor ${name} ${dtype} [${shape.join(', ')}] needs ${expected} bytes, its offsets [${begin}, ${end}] hold ${end - begin}`,
      );
    }
    if (end > size - start) return wrong(`tensor ${name} ends at byte ${end}, the data has only ${size - start}`);
    entries.push({ name, dtype, shape, begin: start + begin, end: start + end });
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = start;
  for (const entry of entries) {
    if (entry.begin !== next) {
      return wrong(`tensor ${entry.name} starts at data byte ${entry.begin - start} where ${next - start} was due (a gap or an overlap)`);
    }
    next = entry.end;
  }
  if (next !== size) return wrong(`${size - next} bytes follow the last tensor`);
  return { metadata, entries };
}

/** First key that occurs twice at the top level of a valid JSON object's text, which JSON.parse would silently merge. */
function firstDoubledKey(text: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  // Strings, and the brackets between them: enough to know the depth and which strings are keys.
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(?=\s*(:)?)|[{}[\]]/g)) {
    const token = match[0];
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && match[1]) {
      const key: unknown = JSON.parse(token);
      if (typeof key !== 'string') continue;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return null;
}

async function readBytes(file: FileHandle, position: number, length: number, path: string): Promise<ArrayBuffer> {
  const buffer = new ArrayBuffer(length);
  await fill(file, new Uint8Array(buffer), position, path);
  return buffer;
}

async function fill(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, Math.min(into.length - done, LARGEST_TRANSFER), position + done);
    if (bytesRead === 0) throw new CheckpointError(`${path}: ended at byte ${position + done} while it was read.`);
    done += bytesRead;
  }
}

/** The first `length` bytes as float32; F32 is not copied. */
function toFloat32(bytes: ArrayBuffer, length: number, dtype: Dtype): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes, 0, length / 4);
  const half = new Uint16Array(bytes, 0, length / 2);
  const bits = new Uint32Array(half.length);
  if (dtype === 'BF16') {
    // A bfloat16 is the upper half of a float32.
    for (let i = 0; i < half.length; i++) bits[i] = (half[i] as number) << 16;
  } else {
    for (let i = 0; i < half.length; i++) bits[i] = float16ToFloat32Bits(half[i] as number);
  }
  return new Float32Array(bits.buffer);
}

/** IEEE 754 binary16 to the bits of the equal binary32 (every binary16 value is one). */
function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  let fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: shift until the leading one stands where the implicit one does.
  let shift = 0;
  while ((fraction & 0x400) === 0) {
    fraction <<= 1;
    shift++;
  }
  return sign | ((113 - shift) << 23) | ((fraction & 0x3ff) << 13);
}

/**
 * Writes tensors as F32, sorted by name, header padded with spaces to 8 bytes as the format's own writer does: the same
 * tensors give the same bytes. Temporary file, then rename. Errors: Error when a shape does not fit its data.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const names = [...tensors.keys()].sort();
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name) as Tensor;
    const size = shape.reduce((product, n) => product * n, 1);
    if (size !== data.length) throw new Error(`tensor ${name}: shape [${shape.join(', ')}] does not hold ${data.length} values`);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + 4 * size] };
    offset += 4 * size;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  await writeAtomic(path, async (file) => {
    await writeBytes(file, head);
    // One buffer for all of them: `data` may be a window on memory that moves while the disk is busy, and copies of whole tensors
    // would make every checkpoint double what a run holds.
    const longest = names.reduce((most, name) => Math.max(most, (tensors.get(name) as Tensor).data.length), 0);
    const buffer = new Float32Array(Math.min(longest, BUFFER_FLOATS));
    for (const name of names) {
      const tensor = tensors.get(name) as Tensor;
      const { length } = tensor.data;
      for (let from = 0; from < length; from += buffer.length) {
        const part = tensor.data.subarray(from, from + buffer.length);
        buffer.set(part);
        await writeBytes(file, new Uint8Array(buffer.buffer, 0, part.byteLength));
      }
    }
  });
}

async function writeBytes(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.length - done, LARGEST_TRANSFER));
    done += bytesWritten;
  }
}
