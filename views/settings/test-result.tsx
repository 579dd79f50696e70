/** What came of a test card. */

import type { VNode } from 'preact';

export interface TestView {
  readonly isSent: boolean;
  readonly text: string;
}

/** Said to screen readers when it appears (`data-result`). */
export function TestResult({ test }: { readonly test: TestView | null }): VNode | null {
  if (test === null) return null;
  return (
    <p
      id="test-result"
      class={test.isSent ? 'result-good' : 'result-bad'}
      data-result="yes"
      data-read-first={test.isSent ? undefined : 'yes'}
    >
      {test.text}
    </p>
  );
}
