/** Prints the imports that break the table of rooms and ends with exit code 1 if there are any, or if files went unread. */
import { checkImports } from './import-rules.ts';

const { read, present, violations } = await checkImports();
for (const { rule, from, to, comment } of violations) process.stdout.write(`${from} imports ${to}\n  ${rule}: ${comment}\n`);
if (read < present) process.stdout.write(`only ${read} of ${present} source files were read: the parser of the check is broken\n`);
process.stdout.write(`${read} files read, ${violations.length} violations\n`);
process.exit(violations.length === 0 && read >= present && read > 0 ? 0 : 1);
