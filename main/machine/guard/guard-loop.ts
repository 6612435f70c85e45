/** The loop in which a guard runs on its pod. */

/**
 * The command that runs the guard, and again whenever it ends other than by itself. Where another guard has the folder (75) it stands by.
 * `restSeconds`: before each new start.
 */
export const guardLoop = (node: string, program: string, folder: string, restSeconds = 5): string[] => [
  'sh',
  '-c',
  'while :; do "$1" "$2" "$3"; case $? in 0 | 2) exit ;; esac; sleep "$4"; done',
  'medlogictrace-guard',
  node,
  program,
  folder,
  String(restSeconds),
];
