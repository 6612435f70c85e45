/** How a result was made: the commands, and of all settings those that differ first. */
import { settingsDifference } from '../../shared/settings-difference.ts';
import type { Report } from './report-content.ts';
import { escapeHtml, tableHtml } from './report-html.ts';

const listHtml = (settings: readonly [string, string][]): string =>
  `<dl class="settings">${settings.map(([key, value]) => `<div><dt>${escapeHtml(key)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>`;

/** Of one set of settings all, on request; of several what differs, and the rest on request. */
function settingsHtml(what: string, named: readonly { name: string; settings: Readonly<Record<string, unknown>> }[]): string {
  if (named.length === 0) return '';
  const { differing, same } = settingsDifference(named.map((one) => one.settings));
  const rest = (title: string) =>
    same.length === 0 ? '' : `<details><summary>${same.length} settings ${title}</summary>${listHtml(same)}</details>`;
  if (named.length === 1) return `<h3>${escapeHtml(what)}: ${escapeHtml(named[0]?.name ?? '')}</h3>${rest('')}`;
  // Many at once read better downwards: a row each.
  const table =
    named.length > 4
      ? tableHtml(
          ['', ...differing.map((row) => row.key)],
          named.map((one, i) => [one.name, ...differing.map((row) => row.values[i] ?? '')]),
        )
      : tableHtml(
          ['', ...named.map((one) => one.name)],
          differing.map((row) => [row.key, ...row.values]),
        );
  const body = differing.length === 0 ? '<p class="quiet">no setting differs</p>' : table;
  return `<div class="set-table differences"><h3>${escapeHtml(what)}: what differs</h3>${body}</div>${rest(`alike in all ${named.length}`)}`;
}

/** The section that lets a reader make the result again. */
export function recipeHtml(report: Report): string {
  const commands = report.commands.length === 0 ? '' : `<pre class="commands">${escapeHtml(report.commands.join('\n'))}</pre>`;
  return `${commands}${settingsHtml('Training', report.runs)}${settingsHtml('Evaluation', report.evaluations ?? [])}`;
}
