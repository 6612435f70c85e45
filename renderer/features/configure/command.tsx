/** The command that does the same without the window. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import type { Draft } from '../../../shared/config-draft.ts';
import { headlessCommand } from '../../../shared/headless-command.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { exportName } from './exchange.ts';
import type { StartPoint } from './start-point.ts';
import type { Place } from './use-place.ts';

export function Command({ draft, start, place, wrong }: { draft: Draft; start: StartPoint; place: Place | null; wrong: boolean }) {
  const { data: about } = useQuery('app.about', {});
  const [copied, setCopied] = useState<string | null>(null);
  const text = headlessCommand(draft, {
    preset: start.preset === null ? null : { name: start.preset, draft: start.draft },
    file: exportName(draft, start),
    runsDir: about?.runs_dir ?? null,
    place,
  });
  return (
    <section aria-labelledby="command-title" className="configure-part">
      <div className="configure-part-head">
        <h2 id="command-title">Without the window</h2>
        <Tooltip label={copied === text ? 'Copied' : 'Copy the command'}>
          <ActionIcon
            aria-label={copied === text ? 'The command is copied' : 'Copy the command'}
            onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}
          >
            {copied === text ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
          </ActionIcon>
        </Tooltip>
      </div>
      <code className="mono verbatim configure-command">{text}</code>
      {wrong ? <p className="small quiet">It refuses the same settings until they are mended.</p> : null}
      {start.preset === null ? <p className="small quiet">Export the file first; the command reads it from where you are.</p> : null}
    </section>
  );
}
