/** The questions that a machine is asked, in one `sh` script, and how its answers are read. */
import { z } from 'zod';
import { type FoundPython, Gpu, type MachineFacts } from '../../../shared/machine-check.ts';

/** `$1` is the folder there. Each answer is a line: name, tab, value. What cannot be told is left out. */
export const PROBE_SCRIPT = `
say() { printf '%s\\t%s\\n' "$1" "$2"; }
root=$1
say now "$(date +%s.%N 2>/dev/null)"
say system "$(uname -s)"
say kernel "$(uname -r)"
say arch "$(uname -m)"
say user "$(id -un 2>/dev/null || id -u)"
[ -r /etc/os-release ] && say distribution "$(. /etc/os-release; echo "$PRETTY_NAME")"
say cpus "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null)"
if [ -r /proc/meminfo ]; then
  say memory "$(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)"
  say memory_available "$(awk '/^MemAvailable:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)"
else
  say memory "$(sysctl -n hw.memsize 2>/dev/null)"
fi
for f in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do [ -r "$f" ] && say memory_limit "$(cat "$f")"; done
d=$root
while [ ! -d "$d" ] && [ "$d" != / ]; do d=$(dirname -- "$d"); done
w=no; [ -w "$d" ] && w=yes
say disk "$w $(df -Pk -- "$d" 2>/dev/null | awk 'END { printf "%.0f %.0f", $2 * 1024, $4 * 1024 }') $d"
if command -v nvidia-smi >/dev/null 2>&1; then
  nvidia-smi --query-gpu=index,memory.total,driver_version,compute_cap,name --format=csv,noheader,nounits 2>/dev/null | while IFS= read -r l; do say gpu "$l"; done
  say cuda "$(nvidia-smi 2>/dev/null | sed -n 's/.*CUDA Version: *\\([0-9.]*\\).*/\\1/p' | head -n 1)"
fi
seen=:
for p in python3.14 python3.13 python3.12 python3.11 python3.10 python3 python; do
  path=$(command -v "$p" 2>/dev/null) || continue
  case "$seen" in *":$path:"*) continue ;; esac
  seen="$seen$path:"
  say python "$("$path" -c 'import sys
try:
    import venv, ensurepip
    able = "yes"
except ImportError:
    able = "no"
print("%d.%d.%d" % sys.version_info[:3], able, sys.argv[1])' "$path" 2>/dev/null)"
done
for f in "$root"/setup/*.stamp; do [ -f "$f" ] && say stamp "$(basename -- "$f" .stamp) $(head -c 200 -- "$f" | head -n 1)"; done
[ -x "$root/bin/python" ] && say have python
[ -x "$root/bin/node" ] && say have node
[ -f "$root/runner/main/runner/main.js" ] && say have runner
exit 0
`;

export interface Probed {
  facts: Omit<MachineFacts, 'clock_offset' | 'clock_uncertainty'>;
  /** Seconds since 1970 by its clock; null where it told none. */
  now: number | null;
  /** Stamps of the setup's steps, by name. */
  stamps: Map<string, string>;
  /** What lies where the setup lays it. */
  have: Set<string>;
}

const MIB = 1024 * 1024;
const MOST_ANSWERS = 1000;

const numberOf = (text: string | undefined): number | null => {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
};

const plain = (text: string | undefined, limit = 200): string =>
  (text ?? '')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim()
    .slice(0, limit);

const words = (text: string | undefined): string | null => plain(text) || null;

/** `0, 46068, 570.86.15, 8.6, NVIDIA A40`; memory in MiB. A value that the driver does not know is `[N/A]`. */
function parseGpu(text: string): { gpu: Gpu; driver: string | null } | null {
  const [index, memory, driver, capability, ...name] = text.split(',').map((part) => part.trim());
  const read = Gpu.safeParse({
    index: numberOf(index),
    name: plain(name.join(', ')),
    memory: (numberOf(memory) ?? Number.NaN) * MIB,
    compute_capability: /^\d+\.\d+$/.test(capability ?? '') ? capability : null,
  });
  return read.success ? { gpu: read.data, driver: /^[\d.]+$/.test(driver ?? '') ? (driver ?? null) : null } : null;
}

function parsePython(text: string): FoundPython | null {
  const [, version, able, path] = /^(\d+\.\d+\.\d+) (yes|no) (\/.*)$/.exec(text.trim()) ?? [];
  return version === undefined || path === undefined ? null : { path: plain(path, 500), version, venv: able === 'yes' };
}

function parseDisk(text: string | undefined): MachineFacts['disk'] {
  const [, writable, total, free, path] = /^(yes|no) (\d+) (\d+) (\/.*)$/.exec(text?.trim() ?? '') ?? [];
  return path === undefined ? null : { path: plain(path, 500), total: Number(total), free: Number(free), writable: writable === 'yes' };
}

/** Reads what the script printed. Everything in it may be wrong: what does not fit is left out. */
export function parseProbe(text: string): Probed {
  const answers = new Map<string, string[]>();
  for (const line of text.split('\n').slice(0, MOST_ANSWERS)) {
    const tab = line.indexOf('\t');
    if (tab < 0) continue;
    const name = line.slice(0, tab);
    answers.set(name, [...(answers.get(name) ?? []), line.slice(tab + 1)]);
  }
  const one = (name: string): string | undefined => answers.get(name)?.[0];
  const gpus = (answers.get('gpu') ?? []).map(parseGpu).filter((found) => found !== null);
  const limits = (answers.get('memory_limit') ?? []).map(numberOf).filter((value) => value !== null && value > 0);
  const total = numberOf(one('memory'));
  const memory = total === null ? null : Math.min(total, ...limits.filter((value) => value !== null));
  const available = numberOf(one('memory_available'));
  const stamps = (answers.get('stamp') ?? []).map((stamp) => stamp.split(' ', 2));
  return {
    facts: {
      system: plain(one('system')) || 'unknown',
      kernel: plain(one('kernel')) || 'unknown',
      arch: plain(one('arch')) || 'unknown',
      distribution: words(one('distribution')),
      user: plain(one('user')) || 'unknown',
      cpus:
        z
          .number()
          .int()
          .positive()
          .safeParse(numberOf(one('cpus'))).data ?? null,
      memory,
      memory_available: available === null || memory === null ? available : Math.min(available, memory),
      disk: parseDisk(one('disk')),
      gpus: gpus.map(({ gpu }) => gpu),
      driver: gpus[0]?.driver ?? null,
      cuda: /^\d+(\.\d+)?$/.test(one('cuda') ?? '') ? (one('cuda') ?? null) : null,
      pythons: (answers.get('python') ?? []).map(parsePython).filter((found) => found !== null),
    },
    now: numberOf(one('now')?.replace(/N$/, '')),
    stamps: new Map(stamps.flatMap(([name, key]) => (name === undefined || key === undefined ? [] : [[plain(name, 40), plain(key)]]))),
    have: new Set(answers.get('have') ?? []),
  };
}
