/** Output of a command: passed on as it comes, kept up to a limit, so that endless output fills no memory. */
import { StringDecoder } from 'node:string_decoder';
import type { OutputPiece } from './machine.ts';

export interface BoundedOutput {
  add(stream: OutputPiece['stream'], bytes: Uint8Array): void;
  /** Passes on what a torn last character leaves. */
  end(): { stdout: string; stderr: string };
}

/** `onExceeded` is called once, with what comes beyond the limit thrown away. */
export function boundedOutput(limit: number, onPiece: ((piece: OutputPiece) => void) | undefined, onExceeded: () => void): BoundedOutput {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  const texts: Record<OutputPiece['stream'], string[]> = { stdout: [], stderr: [] };
  let bytesLeft = limit;
  let exceeded = false;
  const take = (stream: OutputPiece['stream'], text: string): void => {
    if (text === '') return;
    texts[stream].push(text);
    onPiece?.({ stream, text });
  };
  return {
    add(stream, bytes) {
      if (exceeded) return;
      bytesLeft -= bytes.length;
      take(stream, decoders[stream].write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
      if (bytesLeft >= 0) return;
      exceeded = true;
      onExceeded();
    },
    end() {
      for (const stream of ['stdout', 'stderr'] as const) take(stream, decoders[stream].end());
      return { stdout: texts.stdout.join(''), stderr: texts.stderr.join('') };
    },
  };
}
