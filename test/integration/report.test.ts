/** The report as a file: complete without a network, and inert whatever a model wrote. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../main/workbench/report.ts';
import { embeddedJson, scriptHash } from '../../main/workbench/report-html.ts';
import { ATTACK, questions, hostileReport as report } from '../fixtures/report.ts';

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
