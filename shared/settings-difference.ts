/** Settings side by side: those that differ, and the rest. */

/** `{a: {b: 1}}` as `[['a.b', '1']]`. */
export function flattened(settings: Readonly<Record<string, unknown>>, prefix = ''): [string, string][] {
  return Object.entries(settings).flatMap(([key, value]): [string, string][] => {
    if (value === undefined) return [];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return flattened({ ...value }, `${prefix}${key}.`);
    return [[prefix + key, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]];
  });
}

export interface SettingsDifference {
  /** A setting that not all have, or have alike, and its value for each in order; `—` where it is not set. */
  differing: { key: string; values: string[] }[];
  same: [string, string][];
}

/** Settings side by side, in the order in which they first occur. */
export function settingsDifference(all: readonly Readonly<Record<string, unknown>>[]): SettingsDifference {
  const maps = all.map((settings) => new Map(flattened(settings)));
  const keys = [...new Set(maps.flatMap((map) => [...map.keys()]))];
  const result: SettingsDifference = { differing: [], same: [] };
  for (const key of keys) {
    const values = maps.map((map) => map.get(key) ?? '—');
    if (new Set(values).size > 1) result.differing.push({ key, values });
    else result.same.push([key, values[0] ?? '']);
  }
  return result;
}
