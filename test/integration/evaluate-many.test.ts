/** Several models on several data sets in one call, and likelihood mode, as another program sees them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { type CommandResult, medlogictrace } from '../fixtures/command-line.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const run = (...args: string[]): Promise<CommandResult> => medlogictrace(args, { cwd: folder, env: { MEDLOGICTRACE_RUNS: at('runs') } });

const medmcqa = (id: string, cop: number) =>
  JSON.stringify({ id, question: `Vitamin of ${id}?`, opa: 'A1', opb: 'B2', opc: 'C3', opd: 'D4', cop, choice_type: 'single' });
const pubmedqa = (decision: string) => ({ QUESTION: `Is it ${decision}?`, CONTEXTS: ['One.', 'Two.'], final_decision: decision });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'many-'));
  await writeSmallModel(at('model'));
  await writeFile(at('letters.jsonl'), ['q1', 'q2', 'q3', 'q4'].map((id, i) => medmcqa(id, i + 1)).join('\n'));
  await writeFile(at('words.json'), JSON.stringify({ 11: pubmedqa('yes'), 12: pubmedqa('no'), 13: pubmedqa('maybe') }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('several pairs', () => {
  it('give a list of results in the order of models and data sets, under one progress line', async () => {
    const { code, stdout, stderr } = await run(
      ...['evaluate', '--model', at('model'), '--model', at('model'), '--data', at('letters.jsonl'), '--data', at('words.json')],
      ...['--mode', 'likelihood', '--json'],
    );
    expect(code, stderr).toBe(0);
    const results = z.array(Evaluation).parse(JSON.parse(stdout));
    expect(results.map(({ data, n }) => [data, n])).toEqual([
      [at('letters.jsonl'), 4],
      [at('words.json'), 3],
      [at('letters.jsonl'), 4],
      [at('words.json'), 3],
    ]);
    // Bug: a progress line for each pair, so that nobody sees how long the whole takes.
    expect(stderr.match(/took/g)).toHaveLength(1);
    expect(stderr).toContain('14/14');
    for (const { mode, calibration, macro_f1, items, decoding, n } of results) {
      expect({ mode, decoding }).toEqual({ mode: 'likelihood', decoding: null });
      expect(calibration?.bins.reduce((sum, bin) => sum + bin.n, 0)).toBe(n);
      expect(macro_f1 === null).toBe(n === 4);
      const lines = (await readFile(items, 'utf8')).trim().split('\n');
      for (const line of lines) expect(EvaluationItem.parse(JSON.parse(line)).logprobs).toHaveLength(n === 4 ? 4 : 3);
    }
  });

  it('are not lost when one fails: exit code 1, the failure named, the others said (bug: one bad pair costs a night)', async () => {
    // The questions of one of two resumed runs are no longer those that it began with, which its runner finds out.
    const runOf = async (data: string): Promise<string> => {
      const { stdout } = await run('evaluate', '--model', at('model'), '--data', data, '--max-tokens', '4', '--json');
      return dirname(Evaluation.parse(JSON.parse(stdout)).items);
    };
    const whole = await runOf(at('letters.jsonl'));
    await writeFile(at('gone.jsonl'), medmcqa('q9', 4));
    const broken = await runOf(at('gone.jsonl'));
    await rm(join(broken, 'evaluation.json'));
    await rm(join(broken, 'items.jsonl'));
    await writeFile(at('gone.jsonl'), medmcqa('q10', 4));
    const { code, stdout, stderr } = await run('evaluate', '--resume', broken, '--resume', whole, '--json');
    expect(code).toBe(1);
    expect(stderr).toContain('1 of 2 evaluations failed');
    expect(stderr).toContain('gone.jsonl');
    expect(
      z
        .array(Evaluation)
        .parse(JSON.parse(stdout))
        .map(({ data }) => data),
    ).toEqual([at('letters.jsonl')]);
  });
});

describe('one call of everything', () => {
  it('writes samples, budgets and rotations of written answers', async () => {
    const { code, stdout, stderr } = await run(
      ...['evaluate', '--model', at('model'), '--data', at('letters.jsonl'), '--max-tokens', '8', '--samples', '3', '--budgets', '4,2'],
      ...['--rotate-options', '--template', 'raw', '--json'],
    );
    expect(code, stderr).toBe(0);
    const found = Evaluation.parse(JSON.parse(stdout));
    expect(found.template).toBe('raw');
    expect(found.samples).toMatchObject({ k: 3, temperature: 1 });
    expect(found.budgets?.map(({ tokens }) => tokens)).toEqual([2, 4]);
    expect(found.position_bias?.rotations).toBe(4);
    const [item] = (await readFile(found.items, 'utf8')).trim().split('\n');
    expect(EvaluationItem.parse(JSON.parse(item ?? ''))).toMatchObject({
      samples: { length: 3 },
      budgets: { length: 2 },
      rotations: { length: 4 },
    });
  });
});

describe('Ctrl-C', () => {
  it('keeps what was answered and says how to go on (bug: hours of answers thrown away, or no word of where they are)', async () => {
    const cli = join(import.meta.dirname, '../../main/cli.ts');
    const args = ['evaluate', '--model', at('model'), '--data', 'arithmetic', '--max-tokens', '64', '--samples', '200', '--json'];
    const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, MEDLOGICTRACE_RUNS: at('stopped') } });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      // The first line of progress: something has been answered.
      if (said === '') child.kill('SIGINT');
      said += part;
    });
    const [code] = await once(child, 'close');
    expect(code, said).toBe(130);
    const [run] = await readdir(at('stopped'));
    expect(said).toContain(`Go on with: medlogictrace evaluate --resume ${at('stopped', run ?? '')}`);
    const kept = (await readFile(at('stopped', run ?? '', 'completions.jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(kept[0] ?? '')).toMatchObject({ phase: 'evaluation' });
  });
});
