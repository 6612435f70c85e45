/** Answers beside the question that was asked, and never beside another. */
import { describe, expect, test } from 'vitest';
import { openDataset } from '../../main/data/catalogue.ts';
import { hashQuestions } from '../../main/data/dataset.ts';
import type { CompletionIndex } from '../../main/workbench/completion-index.ts';
import { shownGroup } from '../../main/workbench/run-completions.ts';
import { EvaluateConfig } from '../../shared/config.ts';
import { RunRecord } from '../../shared/run-record.ts';
import { testRecord } from '../fixtures/run-record.ts';

const noAnswers = { answers: async () => [] } as unknown as CompletionIndex;

function recordOf(id: string, hash: string, n: number): RunRecord {
  const config = EvaluateConfig.parse({ kind: 'evaluate', data: { test: 'dosage:validation' } });
  const data = [{ name: 'dosage', split: 'validation', hash, n }];
  return RunRecord.parse({ created: '2026-01-02T03:04:05.000Z', ...testRecord(), id, config, data });
}

describe('the question beside its answers', () => {
  test('is shown where the set is what the run was given, also the beginning of it', async () => {
    const { questions } = await openDataset('dosage:validation');
    const first = questions[0];
    const record = recordOf('run-same', hashQuestions(questions.slice(0, 20)), 20);
    const group = await shownGroup(record, noAnswers, { phase: 'evaluation', step: 0, question: first?.id ?? '' });
    expect(group.question).toEqual(first);
  });

  test('is left out, with the reason, where the set has changed since (bug: another question under the same id)', async () => {
    const group = await shownGroup(recordOf('run-changed', 'f'.repeat(64), 20), noAnswers, {
      phase: 'evaluation',
      step: 0,
      question: 'validation:0',
    });
    expect(group.question).toBeNull();
    expect(group.missing).toMatch(/other questions now/);
  });
});
