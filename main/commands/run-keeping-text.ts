/** What `runs export`, `runs adopt` and `runs gc` say in the terminal. */
import type { RunAdopted, RunExported } from '../../shared/run-archive.ts';
import type { RunsCleaned } from '../../shared/run-cleaning.ts';
import { textTable } from './text-table.ts';

/** Bytes in decimal units, as disks are sold: `3.4 MB`. */
export function bytesInWords(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

/** `runs export` */
export function exportedText({ run, file, bytes, content_bytes, files, checkpoints }: RunExported): string {
  const which = checkpoints.length === 0 ? 'no checkpoint: it can be read and compared, not resumed' : checkpoints.join(', ');
  return `${run}: ${files} files, ${bytesInWords(content_bytes)}, packed into ${file} (${bytesInWords(bytes)}; ${which})\nOn the other machine: medlogictrace runs adopt ${file}`;
}

/** `runs adopt` */
export function adoptedText({ run, folder, files, bytes, finished, checkpoint }: RunAdopted): string {
  const resume =
    checkpoint === null
      ? 'It has no checkpoint to resume from.'
      : `It goes on from step ${checkpoint} with: medlogictrace runs resume ${folder}`;
  const next = finished ? 'It has finished: it can be shown, evaluated and compared.' : resume;
  return `${run}: ${files} files, ${bytesInWords(bytes)}, all as exported, now in ${folder}\n${next}`;
}

/** `runs gc` */
export function cleanedText({ runs_dir, done, items, bytes, kept }: RunsCleaned): string {
  const rows = items.map((item) => [item.path, item.what, bytesInWords(item.bytes), item.why]);
  const table = rows.length === 0 ? `nothing to free in ${runs_dir}` : textTable(['in the runs folder', 'what', 'size', 'why'], rows);
  const sum = done
    ? `${bytesInWords(bytes)} freed`
    : `${bytesInWords(bytes)} would be freed; nothing was deleted. The same command with --yes does it`;
  return [table, ...kept.map(({ run, why }) => `kept: ${run}: ${why}`), ...(rows.length === 0 ? [] : [sum])].join('\n');
}
