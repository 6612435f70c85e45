/** What its reader wants to remember of a run: a note, and tags to find it by. */
import { Button, TagsInput, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { RunNotes } from '../../../../shared/run-live.ts';
import { useRunList } from '../../../app/run-list.ts';
import { Failed, Loading } from '../../../app/states.tsx';
import { call } from '../../../rpc/client.ts';
import { useQuery } from '../../../rpc/use-query.ts';
import type { LiveTabProps } from './tab-props.ts';

export default function NotesTab({ run }: LiveTabProps) {
  const kept = useQuery('runs.notes', { run });
  if (kept.data === null)
    return kept.error === null ? (
      <Loading what="Reading notes.json" />
    ) : (
      <Failed what="notes.json could not be read; nothing in it was changed" error={kept.error} retry={kept.refresh} />
    );
  return <NotesForm run={run} kept={kept.data} onSaved={kept.refresh} />;
}

function NotesForm({ run, kept, onSaved }: { run: string; kept: RunNotes; onSaved: () => void }) {
  const [note, setNote] = useState(kept.note);
  const [tags, setTags] = useState<string[]>(kept.tags);
  const [state, setState] = useState<'as kept' | 'saving' | Error>('as kept');
  const used = useRunList(({ list }) => list);
  const known = [...new Set(used?.runs.flatMap((one) => one.tags) ?? [])];
  const changed = note !== kept.note || tags.join('\n') !== kept.tags.join('\n');
  const save = async (): Promise<void> => {
    setState('saving');
    try {
      await call('runs.annotate', { run, notes: { note, tags } });
      setState('as kept');
      onSaved();
    } catch (error) {
      setState(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return (
    <form
      className="notes-tab"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {state instanceof Error ? <Failed what="The notes were not saved; they are still here" error={state} /> : null}
      <TagsInput
        label="Tags"
        description="To find the run by in the list. Enter adds one."
        data={known}
        value={tags}
        onChange={setTags}
        maxTags={20}
      />
      <Textarea
        label="Note"
        description="Kept in notes.json beside the run; the run itself is not touched."
        autosize
        minRows={8}
        maxRows={24}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <div className="notes-end">
        <Button type="submit" disabled={!changed || state === 'saving'}>
          Save notes
        </Button>
        <span className="quiet" role="status">
          {state === 'saving' ? 'Saving …' : changed ? 'Not saved yet' : 'Saved'}
        </span>
      </div>
    </form>
  );
}
