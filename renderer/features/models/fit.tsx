/** Whether a model can be used and trained here: memory by backend, and what would make it fit. */
import { NumberInput, Table } from '@mantine/core';
import { useState } from 'react';
import { type FitUse, FitWork, type ModelFit } from '../../../shared/model-fit.ts';
import type { ModelView } from '../../../shared/rpc/models.ts';
import { hrefOf } from '../../app/address.ts';
import { memoryText } from '../../app/byte-text.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { Term } from './help.tsx';

const USES: readonly (readonly [FitUse, string, string])[] = [
  ['write', 'Write answers', 'An evaluation, or the box “Try it”.'],
  ['lora', 'Train an adapter (LoRA)', 'GRPO on two small matrices beside each product, rank 16 on all of them.'],
  ['full', 'Train all weights', 'GRPO on the whole model: gradients and both moments of AdamW are as large as it is.'],
];
const BACKENDS = ['wasm', 'tensorflow', 'webgpu', 'torch'] as const;
const FIELDS: readonly (readonly [keyof FitWork, string, number, number])[] = [
  ['prompt', 'Tokens a prompt', 1, 1_000_000],
  ['completion', 'Tokens an answer', 1, 1_000_000],
  ['questions', 'Questions a step', 1, 10_000],
  ['answers', 'Answers a question', 2, 1_000],
];

type Cell = ModelFit['cells'][number];

function CellView({ cell }: { cell: Cell }) {
  const { needs, limit, fits } = cell;
  if (limit === null)
    return (
      <span title="The device does not tell how much memory it has">
        <span aria-hidden="true">? </span>
        {memoryText(needs)}
        <span className="quiet"> of what the device has</span>
      </span>
    );
  return (
    <span className={fits ? 'state-done' : 'state-failed'}>
      <span aria-hidden="true">{fits ? '✓ ' : '✕ '}</span>
      {fits ? 'fits: ' : 'too large: '}
      {memoryText(needs)} <span className="quiet">of {memoryText(limit)}</span>
    </span>
  );
}

function Advice({ cells }: { cells: readonly Cell[] }) {
  const told = cells.filter(({ advice }) => advice !== null);
  if (told.length === 0) return null;
  return (
    <ul className="models-advice">
      {told.map(({ backend, use, advice }) => (
        <li key={`${backend} ${use}`}>
          <strong>{USES.find(([one]) => one === use)?.[1]}</strong> on <span className="mono">{backend}</span>: {advice}.
        </li>
      ))}
    </ul>
  );
}

export function ModelFitView({ model }: { model: ModelView }) {
  const [work, setWork] = useState(() => FitWork.parse({}));
  const { data: fit, error, refresh } = useQuery('models.fit', { model: model.entry.id, work });
  const backends = useQuery('settings.backends', {});
  const there = new Map(backends.data?.map((status) => [status.name, status]) ?? []);
  return (
    <div className="models-tab">
      <section className="models-section" aria-label="What is asked of it">
        <p>
          Memory for one step of this size, by the formulas that runs are refused by. It is the most that is held at once, on one thread of
          wasm, which has 4 GiB of its own.
        </p>
        <div className="models-fit-fields">
          {FIELDS.map(([field, label, min, max]) => (
            <NumberInput
              key={field}
              size="xs"
              label={label}
              min={min}
              max={max}
              allowDecimal={false}
              value={work[field]}
              onChange={(value) => {
                const number = Number(value);
                if (value !== '' && Number.isInteger(number) && number >= min && number <= max)
                  setWork((now) => ({ ...now, [field]: number }));
              }}
            />
          ))}
        </div>
      </section>
      {fit === null ? (
        error === null ? (
          <Loading what="Computing what it takes" />
        ) : (
          <Failed what="What it takes could not be computed" error={error} retry={refresh} />
        )
      ) : (
        <section className="models-section" aria-label="Memory by backend" aria-live="polite">
          {fit.longest > fit.context ? (
            <p className="state-unverifiable">
              ⚠ Prompt and answer are {fit.longest} tokens, and the model takes {fit.context}: answers end there.
            </p>
          ) : null}
          <div className="card models-fit">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Backend</Table.Th>
                  {USES.map(([use, title, help]) => (
                    <Table.Th key={use}>
                      <Term help={help}>{title}</Term>
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {BACKENDS.map((backend) => (
                  <Table.Tr key={backend}>
                    <Table.Th scope="row">
                      <span className="mono">{backend}</span>
                      <div className="quiet small">
                        {there.get(backend) === undefined
                          ? backends.error === null
                            ? 'looking …'
                            : 'not known whether it is here'
                          : there.get(backend)?.available
                            ? 'available here'
                            : 'not available here'}
                      </div>
                    </Table.Th>
                    {USES.map(([use]) => {
                      const cell = fit.cells.find((one) => one.backend === backend && one.use === use);
                      return <Table.Td key={use}>{cell === undefined ? null : <CellView cell={cell} />}</Table.Td>;
                    })}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
          <Advice cells={fit.cells} />
          <p className="small">
            <a href={hrefOf(['new'], { from: 'lora', model: model.entry.id })}>New run: train an adapter of it</a> ·{' '}
            <a href={hrefOf(['new'], { from: 'train', model: model.entry.id })}>train all weights</a> ·{' '}
            <a href={hrefOf(['new'], { from: 'evaluate', model: model.entry.id })}>evaluate it</a> ·{' '}
            <a href={hrefOf(['settings', 'backends'])}>get a backend</a>
          </p>
        </section>
      )}
    </div>
  );
}
