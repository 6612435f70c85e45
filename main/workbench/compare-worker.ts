/**
 * The process that opens and measures comparisons: seconds of work over many large evaluations, which a shell must not be held up by.
 * A JSON line a question on standard input, a JSON line an answer; it ends when its input closes.
 */
import { Console } from 'node:console';
import { createInterface } from 'node:readline';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { type RouteInput, type RouteOutput, routes } from '../../shared/rpc/contract.ts';
import { type CompareAnswers, compareAnswers } from './compare-answers.ts';
import { CompareAsk, type CompareReply, type ComputedRoute } from './compare-messages.ts';

// Standard output is the line to the shell.
globalThis.console = new Console(process.stderr, process.stderr);

const views = new Map<string, CompareAnswers>();
const viewOf = (runsDir: string): CompareAnswers => {
  const answers = views.get(runsDir) ?? compareAnswers(runsDir);
  views.set(runsDir, answers);
  return answers;
};

const answer = <R extends ComputedRoute>(answers: CompareAnswers, route: R, input: unknown): Promise<RouteOutput<R>> =>
  answers[route](parseInput(routes[route].input, input, route) as RouteInput<R>);

async function replyTo({ id, runs_dir, route, input }: CompareAsk): Promise<CompareReply> {
  try {
    return { id, data: await answer(viewOf(runs_dir), route, input) };
  } catch (error) {
    const field = error instanceof InputError && error.field !== undefined ? { field: error.field } : {};
    return { id, error: error instanceof Error ? error.message : String(error), input: error instanceof InputError, ...field };
  }
}

const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
lines.on('line', (line) => {
  // The shell writes them: one that is none is a fault of ours, which ends this process and is told there.
  const ask = parseInput(CompareAsk, parseJson(line, 'line'), 'line');
  void replyTo(ask).then((reply) => process.stdout.write(`${JSON.stringify(reply)}\n`));
});
lines.on('close', () => process.exit(0));
// The shell is gone: there is nobody to tell.
process.stdout.on('error', () => process.exit(0));
