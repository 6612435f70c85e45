/** Comparisons computed beside the shell: the same answers, its errors, what is no longer wanted, and a process that dies. Real processes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CompareProcess } from '../../main/workbench/compare-process.ts';
import { CompareView } from '../../main/workbench/compare-view.ts';
import { InputError } from '../../shared/input-error.ts';
import { CompareChoice } from '../../shared/rpc/compare.ts';
import { answerTo, evaluationOf, numberQuestion } from '../fixtures/comparison.ts';

let runs = '';
const choose = (...refs: string[]) => CompareChoice.parse({ with: refs });

beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), 'compare-process-'));
  const questions = Array.from({ length: 30 }, (_, i) => numberQuestion(`test:${i}`, String(i)));
  for (const [ref, right] of [
    ['before', 10],
    ['after', 20],
  ] as const) {
    const items = questions.map((question, i) => answerTo(question, i < right, 40, { text: 'Answer: <b>1</b>' }));
    await mkdir(join(runs, ref));
    const document = evaluationOf(items, questions, { model: ref, model_hash: ref, data: './gone.jsonl' });
    await writeFile(join(runs, ref, 'evaluation.json'), JSON.stringify(document));
    await writeFile(join(runs, ref, 'items.jsonl'), `${items.map((item) => JSON.stringify(item)).join('\n')}\n`);
  }
});
afterAll(() => rm(runs, { recursive: true, force: true }));

/** A process that answers when `code` says; it sees each line as `ask`, all of them as `asked`, and answers through `reply(id)`. */
async function standIn(name: string, code: string): Promise<CompareProcess> {
  const program = join(runs, `${name}.mjs`);
  await writeFile(
    program,
    `import { createInterface } from 'node:readline';
    const asked = [];
    const reply = (id) => console.log(JSON.stringify({ id, data: { pid: process.pid, asked: asked.length } }));
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => { const ask = JSON.parse(line); asked.push(ask); ${code} });
    lines.on('close', () => process.exit(0));`,
  );
  return new CompareProcess(runs, { program, patienceMs: 20 });
}

describe('the process', () => {
  test('answers as the comparison in this process does, and an error keeps its kind and field', async () => {
    const process = new CompareProcess(runs);
    try {
      const choice = choose('before', 'after');
      const here = await new CompareView(runs).result(choice);
      expect(await process.ask('compare.result', choice)).toEqual(JSON.parse(JSON.stringify(here)));
      const rows = await process.ask('compare.questions', { ...choice, after: 'after', search: '' });
      expect(rows.total).toBe(30);
      const report = await process.ask('compare.report', choice);
      expect(report.html).toContain('Content-Security-Policy');
      const wrong = process.ask('compare.questions', { ...choice, after: 'nobody', search: '' });
      await expect(wrong).rejects.toBeInstanceOf(InputError);
      await expect(wrong).rejects.toMatchObject({ field: 'after' });
      expect(process.pid).not.toBe(globalThis.process.pid);
    } finally {
      process.close();
    }
  });

  test('is ended where it works on what nobody wants any more, and what came later is asked of another (bug: it waits behind)', async () => {
    const process = await standIn('stuck', `if (ask.input.with[0] === 'slow') { for (;;); } else reply(ask.id);`);
    const first = new AbortController();
    const slow = process.ask('compare.result', choose('slow'), first.signal);
    const stuck = process.pid;
    first.abort();
    await expect(slow).rejects.toThrow('cancelled');
    expect(await process.ask('compare.result', choose('quick'))).toMatchObject({ asked: 1 });
    expect(process.pid).not.toBe(stuck);
    process.close();
  });

  test('goes on with what is asked again, and with what was asked before (bug: typing on starts the same work anew)', async () => {
    const process = await standIn('patient', `if (asked.length === 3) setTimeout(() => [1, 3].forEach(reply), 200);`);
    const again = new AbortController();
    const before = process.ask('compare.result', choose('a', 'b'));
    const { pid } = process;
    const once = process.ask('compare.questions', { ...choose('c', 'd'), after: 'd', search: 'x' }, again.signal);
    again.abort();
    await expect(once).rejects.toThrow('cancelled');
    const second = process.ask('compare.questions', { ...choose('c', 'd'), after: 'd', search: 'xy' });
    expect(await Promise.all([before, second])).toMatchObject([{ pid }, { pid }]);
    process.close();
  });

  test('that dies fails what it had with the reason, and the next question starts another', async () => {
    const process = await standIn('dying', `if (ask.input.with[0] === 'die') throw new Error('out of memory'); reply(ask.id);`);
    await expect(process.ask('compare.result', choose('die'))).rejects.toThrow(/stopped in the middle.*out of memory/);
    expect(process.pid).toBeNull();
    expect(await process.ask('compare.result', choose('live'))).toMatchObject({ asked: 1 });
    process.close();
  });

  test('that writes what is none of ours is ended, and is an error and not a wait for ever', async () => {
    const process = await standIn('chatty', `console.log('Hello!');`);
    await expect(process.ask('compare.result', choose('x'))).rejects.toThrow('none of ours');
    expect(process.pid).toBeNull();
  });
});
