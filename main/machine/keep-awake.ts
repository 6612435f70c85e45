/** A Mac falls asleep under a run that nobody touches; an assertion held for the run's lifetime keeps it awake. */

export interface KeepAwake {
  command: string;
  args: readonly string[];
  /** For the run's log. */
  says: string;
}

/** What holds off idle sleep until the process has ended (`man caffeinate`: -i idle sleep, -w waits for a pid); null where nothing is needed. */
export function keepAwake(platform: NodeJS.Platform, pid: number): KeepAwake | null {
  if (platform !== 'darwin') return null;
  return {
    command: '/usr/bin/caffeinate',
    args: ['-i', '-w', String(pid)],
    says: 'This Mac will not fall asleep by itself while the run goes on (caffeinate); closing the lid still puts it to sleep.',
  };
}
