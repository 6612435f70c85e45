/** The report as a file: complete without a network, and inert whatever a model wrote. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../main/workbench/report.ts';
import { embeddedJson, scriptHash } from '../../main/workbench/report-html.ts';
import { shortNames } from '../../main/workbench/short-names.ts';
import { flattened, settingsDifference } from '../../shared/settings-difference.ts';
import { ATTACK, questions, hostileReport as report, severalReport } from '../fixtures/report.ts';

let folder = '';
let path = '';
let html = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'));
  path = join(folder, 'report.html');
  await writeReport(path, report);
  html = await readFile(path, 'utf8');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the file', () => {
  it('holds no text that could end its script, and reads back unchanged', () => {
    const value = { text: ATTACK };
    expect(embeddedJson(value)).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(embeddedJson(value))).toEqual(value);
    // Six script elements are ours: two of data, Plotly, three modules. One more would be the attack.
    expect(html.match(/<script/g)).toHaveLength(6);
    expect(html.match(/<\/script/g)).toHaveLength(6);
    expect(html.includes('<img')).toBe(false);
    expect(html.includes(ATTACK)).toBe(false);
  });

  it('lets only its own scripts run and nothing be fetched', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.replaceAll('&#39;', "'") ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|script-src[^;]*unsafe/);
    const scripts = [...html.matchAll(/<script(?: type="module")?>([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? '');
    expect(scripts).toHaveLength(4);
    for (const script of scripts) expect(policy).toContain(scriptHash(script));
  });

  it('refers to no other file', () => {
    const skeleton = html.replaceAll(/<script[\s\S]*?<\/script>/g, '').replaceAll(/(?:aria-label|title)="[^"]*"/g, '');
    expect(skeleton.match(/<[a-z][^>]*\s(?:src|srcset)=|href="(?!#)|@import|url\(/g)).toBeNull();
  });

  it('says what it is not for, shows constants, legacy and intervals, and stays small', async () => {
    for (const text of ['not for clinical use', 'constant:0 (%)', 'legacy50 (%)', 'About this result']) {
      expect(html.includes(text), text).toBe(true);
    }
    expect((await stat(path)).size).toBeLessThan(6e6);
  });

  it('leaves nothing half-written when it fails', async () => {
    const bad = { ...report, comparisons: report.comparisons.map((entry) => ({ ...entry, questions: questions.slice(1) })) };
    await expect(writeReport(join(folder, 'bad.html'), bad)).rejects.toThrow(/has an answer to test:0, but not the question/);
    await expect(writeReport(join(folder, 'none', 'report.html'), report)).rejects.toThrow(/ENOENT/);
    expect(await readdir(folder)).toEqual(['report.html']);
  });
});

describe('several models', () => {
  it('is as inert, keeps each text once, and shows corrections, marks and what differs', async () => {
    const several = join(folder, 'several.html');
    await writeReport(several, severalReport);
    const page = await readFile(several, 'utf8');
    expect(page.match(/<script/g)).toHaveLength(6);
    expect(page.includes(ATTACK)).toBe(false);
    for (const text of [
      'p, Holm',
      'on its reporting split',
      '⚠ selected here',
      'Training: what differs',
      'milestone-accuracy',
      'changes-tokens',
      'pareto-1',
    ]) {
      expect(page.includes(text), text).toBe(true);
    }
    const data = page.slice(page.indexOf('id="question-data"'));
    expect(data.match(/"id":"test:17"/g)).toHaveLength(1);
    await rm(several);
  });

  it('settings: only what differs is in the table, also what one side lacks (a default that one file left out)', () => {
    expect(flattened({ a: { b: 1, c: undefined }, d: [1, 2], e: null })).toEqual([
      ['a.b', '1'],
      ['d', '[1,2]'],
      ['e', 'null'],
    ]);
    expect(
      settingsDifference([
        { seed: 1, lr: 1, data: { train: 'x' } },
        { seed: 2, lr: 1, data: { train: 'x' }, beta: 0.1 },
      ]),
    ).toEqual({
      differing: [
        { key: 'seed', values: ['1', '2'] },
        { key: 'beta', values: ['—', '0.1'] },
      ],
      same: [
        ['lr', '1'],
        ['data.train', 'x'],
      ],
    });
  });

  it('names: as short as they can be told apart, ends that say nothing left out', () => {
    expect(shortNames(['/x/seed-1/train/model', '/x/seed-2/train/model', 'tiny', 'out/evaluation.json'])).toEqual([
      'seed-1/train',
      'seed-2/train',
      'tiny',
      'out',
    ]);
    expect(shortNames(['a.json', 'b/a.json'])).toEqual(['a', 'b/a']);
  });
});
