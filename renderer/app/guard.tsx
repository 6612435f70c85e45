/** A view that throws must not take the window with it. */
import { Button, Stack, Text, Title } from '@mantine/core';
import { Component, type ReactNode } from 'react';

interface Props {
  /** A change of it tries again. */
  address: string;
  children: ReactNode;
}

export class Guard extends Component<Props, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: Props): void {
    if (before.address !== this.props.address && this.state.error !== null) this.setState({ error: null });
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <Stack p="xl" align="flex-start" role="alert">
        <Title order={2}>This view has failed</Title>
        <Text>Nothing is lost: runs and data do not depend on the window. The reason, for a report:</Text>
        <Text className="mono verbatim">{this.state.error.message}</Text>
        <Button onClick={() => this.setState({ error: null })}>Try again</Button>
      </Stack>
    );
  }
}
