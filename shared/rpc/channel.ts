/** What goes between window and services, on its own so that the preload script stays free of schemas. */

/** Electron's channels: frames either way, and files that the user chose. */
export const FRAME_CHANNEL = 'rpc-frame';
export const FILE_CHANNEL = 'rpc-file';

/** Name under which the preload script puts the port into the window. */
export const PORT_NAME = 'workbench';

/** From the window: questions … */
export type ClientFrame =
  | { id: number; kind: 'call'; route: string; input: unknown }
  | { id: number; kind: 'subscribe'; topic: string; input: unknown }
  | { id: number; kind: 'cancel' };
/** … and to it: answers, and items of what it follows, under the number of the question. */
export type ServerFrame =
  | { id: number; kind: 'reply'; reply: unknown }
  | { id: number; kind: 'item'; item: unknown }
  | { id: number; kind: 'end'; error: unknown }
  /** The shell brings up an address of the window (menu, notification). */
  | { id: number; kind: 'show'; address: string };

/** What a shell gives to the window. Everything that goes through it is checked on the other side. */
export interface Port {
  send(frame: ClientFrame): void;
  onFrame(listener: (frame: unknown) => void): void;
  /** Called with true when frames can go through, with false when the services are out of reach. */
  onConnected(listener: (connected: boolean) => void): void;
  /** Hands a file that the user chose to the services; the reply's data is a handle, never a path. */
  giveFile(file: File): Promise<unknown>;
}
