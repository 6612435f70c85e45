/**
 * Frames between the runner and the PyTorch engine; resources/torch-engine/medlogictrace_engine/protocol.py is the other end.
 * "MLTE", u32 header length, u64 body length (little-endian), the header as JSON, the body: tensors one after the other, as the header's
 * `tensors` [[name, dtype, shape], …] says.
 */
import { z } from 'zod';

/** Version of frames and messages; medlogictrace_engine.PROTOCOL has the same number. */
export const PROTOCOL = 1;

const MAGIC = Buffer.from('MLTE');
const PREFIX = 16;
const LARGEST_HEADER = 1 << 24;
const LARGEST_BODY = 2 ** 32;

export type FrameTensor = Int32Array | Float32Array | Uint8Array;
export interface Frame {
  header: Record<string, unknown>;
  tensors: Map<string, FrameTensor>;
}

const kinds = { i32: Int32Array, f32: Float32Array, u8: Uint8Array } as const;
const kindOf = (tensor: FrameTensor): keyof typeof kinds =>
  tensor instanceof Int32Array ? 'i32' : tensor instanceof Float32Array ? 'f32' : 'u8';

const Header = z.looseObject({
  tensors: z.array(z.tuple([z.string(), z.enum(['i32', 'f32', 'u8']), z.array(z.number().int().min(0))])).optional(),
});

/** What came is no frame: the two ends do not speak the same language. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** One frame; every tensor is one-dimensional. */
export function encodeFrame(header: Record<string, unknown>, tensors: Readonly<Record<string, FrameTensor>> = {}): Buffer {
  const entries = Object.entries(tensors);
  const table = entries.map(([name, tensor]) => [name, kindOf(tensor), [tensor.length]]);
  const text = Buffer.from(JSON.stringify({ ...header, tensors: table }));
  const bodies = entries.map(([, { buffer, byteOffset, byteLength }]) => Buffer.from(buffer, byteOffset, byteLength));
  const prefix = Buffer.alloc(PREFIX);
  MAGIC.copy(prefix);
  prefix.writeUInt32LE(text.length, 4);
  prefix.writeBigUInt64LE(BigInt(bodies.reduce((sum, body) => sum + body.length, 0)), 8);
  return Buffer.concat([prefix, text, ...bodies]);
}

function decodeFrame(text: Buffer, body: Buffer): Frame {
  let json: unknown;
  try {
    json = JSON.parse(text.toString('utf8'));
  } catch {
    throw new FrameError('a frame of the engine has a header that is no JSON');
  }
  const parsed = Header.safeParse(json);
  if (!parsed.success) throw new FrameError('a frame of the engine has a header that cannot be read');
  const { tensors: table = [], ...header } = parsed.data;
  const tensors = new Map<string, FrameTensor>();
  let at = 0;
  for (const [name, kind, shape] of table) {
    const type = kinds[kind];
    const end = at + shape.reduce((a, b) => a * b, 1) * type.BYTES_PER_ELEMENT;
    if (end > body.length) throw new FrameError(`tensor ${name} reaches beyond its frame`);
    // A copy of its own, at an address that the type can be read from.
    tensors.set(name, new type(new Uint8Array(body.subarray(at, end)).buffer));
    at = end;
  }
  if (at !== body.length) throw new FrameError(`a frame's tensors take ${at} of its ${body.length} bytes`);
  return { header, tensors };
}

/** Puts together what comes in pieces. */
export class FrameReader {
  private pieces: Buffer[] = [];
  private held = 0;
  /** Bytes of the frame that is being waited for; its prefix at first. */
  private needed = PREFIX;

  /** The frames that are whole with this piece. Errors: FrameError. */
  push(piece: Buffer): Frame[] {
    this.pieces.push(piece);
    this.held += piece.length;
    const frames: Frame[] = [];
    while (this.held >= this.needed) {
      const all = this.pieces.length === 1 ? (this.pieces[0] as Buffer) : Buffer.concat(this.pieces);
      this.pieces = [all];
      const text = all.readUInt32LE(4);
      const body = Number(all.readBigUInt64LE(8));
      if (!all.subarray(0, 4).equals(MAGIC) || text > LARGEST_HEADER || body > LARGEST_BODY)
        throw new FrameError('what came over the engine’s socket is no frame');
      const end = PREFIX + text + body;
      if (all.length < end) {
        this.needed = end;
        break;
      }
      frames.push(decodeFrame(all.subarray(PREFIX, PREFIX + text), all.subarray(PREFIX + text, end)));
      this.pieces = [all.subarray(end)];
      this.held = all.length - end;
      this.needed = PREFIX;
    }
    return frames;
  }
}
