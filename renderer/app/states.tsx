/** The four states that every view has beside its content: loading, empty, failed, and old. */
import { Alert, Button, Skeleton, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { secondsInWords } from '../../shared/run-words.ts';
import type { CallFailed } from '../rpc/client.ts';

/** Nothing for 150 ms, then grey lines, then after 2 s a word on what is waited for: an answer that comes at once must not flash. */
export function Loading({ what }: { what: string }) {
  const [phase, setPhase] = useState(0);
  useEffect(() => {
    const timers = [setTimeout(() => setPhase(1), 150), setTimeout(() => setPhase(2), 2000)];
    return () => timers.forEach(clearTimeout);
  }, []);
  if (phase === 0) return null;
  return (
    <Stack gap="sm" p="lg" aria-busy="true" role="status">
      <Skeleton height={14} width="40%" />
      <Skeleton height={14} width="70%" />
      <Skeleton height={14} width="55%" />
      {phase === 2 ? (
        <Text size="xs" c="dimmed">
          {what} …
        </Text>
      ) : null}
    </Stack>
  );
}

/** What this place is for, and the one thing to do. */
export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <Stack gap="md" p="xl" maw={620} mx="auto" mt="xl" align="flex-start">
      <Title order={2}>{title}</Title>
      <div>{children}</div>
      {action}
    </Stack>
  );
}

/** What happened, what was kept, what to do. */
export function Failed({ what, error, at, retry }: { what: string; error: CallFailed | Error; at?: number | null; retry?: () => void }) {
  return (
    <Alert color="red" variant="light" title={what} m="md" role="alert">
      <Text size="sm" className="verbatim">
        {error.message}
      </Text>
      {at ? (
        <Text size="xs" c="dimmed" mt="xs">
          What is shown is from {secondsInWords((Date.now() - at) / 1000)} ago.
        </Text>
      ) : null}
      {retry ? (
        <Button mt="sm" variant="default" onClick={retry}>
          Try again
        </Button>
      ) : null}
    </Alert>
  );
}
