/** The view "New run": a config written in a form, checked while it is, and started once. */
import { useState } from 'react';
import { withSetting } from '../../../shared/config-draft.ts';
import type { ModelList } from '../../../shared/model-list.ts';
import type { StartPoints } from '../../../shared/start-points.ts';
import { open, useParameter } from '../../app/address.ts';
import { useRunList } from '../../app/run-list.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { CallFailed } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import './configure.css';
import { DropZone } from './drop-zone.tsx';
import { Editor } from './editor.tsx';
import { importFile } from './exchange.ts';
import { StartList } from './start-list.tsx';
import { asDraft, FILE, FIRST, type ImportedFile, keepFile, keptFile, knownStart, type StartPoint } from './start-point.ts';

/** The start point of the address, which may have to be read from a run. */
function useStartPoint(
  from: string,
  points: StartPoints,
  file: ImportedFile | null,
): { start: StartPoint | null; error: CallFailed | null } {
  const own: StartPoint | null =
    from === FILE
      ? file === null
        ? null
        : { id: FILE, label: file.name, draft: file.draft, notes: file.notes, preset: null }
      : knownStart(from, points);
  const isRun = own === null && from !== FILE;
  // An id never holds a slash; what does is no run and is asked for nowhere.
  const { data, stale, error } = useQuery('runs.record', { run: isRun ? from.replaceAll(/[/\\]/g, '_') : 'none' }, { enabled: isRun });
  if (own !== null) return { start: own, error: null };
  if (from === FILE) {
    return { start: null, error: new CallFailed({ code: 'failed', message: 'The file was imported in another tab. Import it here.' }) };
  }
  if (error !== null) return { start: null, error };
  const draft = data === null || stale ? null : asDraft(data.config);
  return { start: draft === null ? null : { id: from, label: `run ${from}`, draft, notes: [], preset: null }, error: null };
}

/** The start point with the model of the address in its place: `?model=` names one of the list. */
function withModel(start: StartPoint | null, id: string | null, list: ModelList | null): StartPoint | null {
  if (start === null || id === null) return start;
  const entry = list?.models.find((model) => model.id === id);
  if (entry === undefined) return start;
  const model = entry.origin === 'hub' ? entry.name : entry.location;
  return { ...start, id: `${start.id} ${id}`, begin: withSetting(start.draft, 'model', model) };
}

function Ready({ points }: { points: StartPoints }) {
  const [given] = useParameter('from');
  const [model] = useParameter('model');
  const models = useQuery('models.list', {}, { enabled: model !== null });
  const from = given ?? FIRST;
  const [file, setFile] = useState(keptFile);
  const [count, setCount] = useState(0);
  const [refused, setRefused] = useState<string | null>(null);
  const runs = useRunList(({ list }) => list?.runs) ?? [];
  const begun = useStartPoint(from, points, file);
  const { error } = begun;
  // Before the list is here nothing is known of the model that was asked for.
  const start = model !== null && models.data === null && models.error === null ? null : withModel(begun.start, model, models.data);

  const take = async (picked: File): Promise<void> => {
    try {
      const imported = await importFile(picked, points);
      keepFile(imported);
      setFile(imported);
      setCount((before) => before + 1);
      setRefused(null);
      open(['new'], { from: FILE });
    } catch (thrown) {
      setRefused(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  return (
    <DropZone take={(picked) => void take(picked)}>
      <StartList points={points} runs={runs} file={file} chosen={from} />
      {start === null ? (
        <div className="pane-subject configure-subject">
          {error === null ? (
            <Loading what="Reading the run's config" />
          ) : (
            <Failed
              what={`There is nothing to begin with under “${from}”`}
              error={
                new Error(
                  `${error.code === 'input' ? 'No preset and no run of this folder has that name.' : error.message}\nChoose something from the list on the left.`,
                )
              }
            />
          )}
        </div>
      ) : (
        <Editor
          key={`${start.id} ${count}`}
          start={start}
          points={points}
          runs={runs}
          take={(picked) => void take(picked)}
          refused={refused}
          dismiss={() => setRefused(null)}
        />
      )}
    </DropZone>
  );
}

export default function Configure() {
  const { data: points, error, refresh } = useQuery('configure.start_points', {});
  if (points === null) {
    return error === null ? (
      <Loading what="Reading the presets" />
    ) : (
      <Failed what="The presets could not be read" error={error} retry={refresh} />
    );
  }
  return <Ready points={points} />;
}
