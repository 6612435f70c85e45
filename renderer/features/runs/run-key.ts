/** What a run is called in addresses: the name of its folder, which is its id unless someone has renamed the folder. */
import type { RunSummary } from '../../../shared/run-view.ts';

export const runKey = ({ folder, id }: Pick<RunSummary, 'folder' | 'id'>): string => folder.split(/[/\\]/).at(-1) || id;
