/** Bytes as people read them. */
import { figureText } from '../../shared/figures/number-text.ts';

/** `1.23 MB`, in powers of 1000 as disks are sold. */
export function byteText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${step === 0 ? bytes : figureText(bytes / 1000 ** step)} ${units[step]}`;
}

/** `1.23 GiB`, in powers of 1024 as memory is counted. */
export const memoryText = (bytes: number): string =>
  bytes < 2 ** 30 ? `${figureText(bytes / 2 ** 20)} MiB` : `${figureText(bytes / 2 ** 30)} GiB`;
