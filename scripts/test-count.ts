/** Adds up what the test runners report. */
import { z } from 'zod';

export interface TestCount {
  passed: number;
  failed: number;
  skipped: number;
}

/** A test that failed, or a file that broke before its tests, with the first lines of its message. */
export interface FailedTest {
  name: string;
  message: string;
}

/** Lines of a failure's message that are repeated at the end. */
const MESSAGE_LINES = 4;

/** The part of vitest's JSON report that is counted. */
const VitestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string().default('a file'),
      status: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({ status: z.string(), fullName: z.string().default(''), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

const firstLines = (text: string): string => text.split('\n').slice(0, MESSAGE_LINES).join('\n');

/** What failed in one vitest run, as far as its report tells. Paths are relative to `root`. */
export function failedVitest(report: unknown, root: string): FailedTest[] {
  const parsed = VitestReport.safeParse(report);
  if (!parsed.success) return [];
  return parsed.data.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = name.replace(`${root}/`, '');
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0) return status === 'failed' ? [{ name: file, message: firstLines(message) }] : [];
    return failed.map((test) => ({ name: `${file}: ${test.fullName}`, message: firstLines(test.failureMessages?.[0] ?? '') }));
  });
}

/** What failed in one pytest run, from its JUnit report. */
export function failedPytest(report: string | null): FailedTest[] {
  const cases = (report ?? '').matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="([^"]*)"/g);
  return [...cases].map(([, where, name, message]) => ({ name: `${where}: ${name}`, message: firstLines(message ?? '') }));
}

/** The failures of all runners together, so that the end of a long log tells what to look for; empty where there were none. */
export function failedLines(failed: readonly FailedTest[]): string[] {
  if (failed.length === 0) return [];
  return ['', 'What failed:', ...failed.flatMap(({ name, message }) => [`- ${name}`, ...message.split('\n').map((line) => `    ${line}`)])];
}

/**
 * Counts of one vitest run. A file that failed before any of its tests (a missing import) counts as one failure, and so does a run
 * that ended badly without a failed test (an unhandled rejection, a timeout, no report at all).
 */
export function countVitest(report: unknown, exitCode: number | null): TestCount {
  const parsed = VitestReport.safeParse(report);
  if (!parsed.success) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = parsed.data;
  const brokenFiles = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = numFailedTests + brokenFiles;
  return {
    passed: numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: numPendingTests + numTodoTests,
  };
}

/**
 * Counts of one pytest run, from its JUnit report. A file that could not be imported is an error there and a failure here; so is a run
 * that ended badly without one.
 */
export function countPytest(report: string | null, exitCode: number | null): TestCount {
  const suite = report === null ? null : /<testsuite [^>]*>/.exec(report)?.[0];
  const number = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite ?? '')?.[1] ?? Number.NaN);
  const [tests, failures, errors, skipped] = [number('tests'), number('failures'), number('errors'), number('skipped')];
  if (![tests, failures, errors, skipped].every(Number.isFinite)) return { passed: 0, failed: 1, skipped: 0 };
  const failed = failures + errors;
  return { passed: tests - failed - skipped, failed: failed === 0 && exitCode !== 0 ? 1 : failed, skipped };
}

export const addCounts = (a: TestCount, b: TestCount): TestCount => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** `12 passed, 0 failed`, and the skipped where there are any. */
export const countLine = (count: TestCount): string =>
  `${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`;
