/** What the compiled kernels compute, written plainly in double precision. A matrix is an array of rows. */
export type Rows = number[][];

export const multiply = (a: Rows, b: Rows): Rows =>
  a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, x, k) => sum + x * ((b[k] as number[])[j] as number), 0)));

export const transpose = (a: Rows): Rows => (a[0] ?? []).map((_, j) => a.map((row) => row[j] as number));

export const rmsNorm = (x: Rows, gain: number[], epsilon: number): Rows =>
  x.map((row) => {
    const rms = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / row.length + epsilon);
    return row.map((v, i) => (v / rms) * (gain[i] as number));
  });

export const swiGlu = (x: Rows, width: number): Rows =>
  x.map((row) => row.slice(0, width).map((gate, i) => (gate / (1 + Math.exp(-gate))) * (row[width + i] as number)));

/** Rotate-half convention over the first `heads` heads of each row. */
export function rotary(x: Rows, positions: number[], heads: number, headWidth: number, theta: number): Rows {
  const half = headWidth / 2;
  return x.map((row, r) =>
    row.map((value, c) => {
      const i = c % headWidth;
      if (c >= heads * headWidth) return value;
      const angle = (positions[r] as number) * theta ** ((-2 * (i % half)) / headWidth);
      const other = i < half ? -(row[c + half] as number) : (row[c - half] as number);
      return value * Math.cos(angle) + other * Math.sin(angle);
    }),
  );
}

/** Causal grouped-query attention; `starts` bounds the sequences. */
export function attention(qkv: Rows, starts: number[], heads: number, keyHeads: number, headWidth: number): Rows {
  const part = (row: number, head: number): number[] => (qkv[row] as number[]).slice(head * headWidth, (head + 1) * headWidth);
  const dot = (a: number[], b: number[]): number => a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
  return qkv.map((_, row) => {
    const start = Math.max(...starts.filter((s) => s <= row));
    const out: number[] = [];
    for (let h = 0; h < heads; h++) {
      const kv = Math.floor((h * keyHeads) / heads);
      const keys = Array.from({ length: row - start + 1 }, (_, j) => start + j);
      const scores = keys.map((j) => Math.exp(dot(part(row, h), part(j, heads + kv)) / Math.sqrt(headWidth)));
      const total = scores.reduce((a, b) => a + b, 0);
      for (let i = 0; i < headWidth; i++) {
        out.push(keys.reduce((sum, j, n) => sum + ((scores[n] as number) / total) * (part(j, heads + keyHeads + kv)[i] as number), 0));
      }
    }
    return out;
  });
}

export function logSoftmax(row: number[], temperature: number): number[] {
  const z = row.map((v) => v / temperature);
  const top = Math.max(...z);
  const lse = top + Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0));
  return z.map((v) => v - lse);
}

/** Central differences of f at x, element by element. */
export function finiteDifferences(f: (x: Rows) => number, x: Rows, step = 1e-4): Rows {
  return x.map((row, i) =>
    row.map((_, j) => {
      const at = (d: number): number => f(x.map((r, a) => (a === i ? r.map((v, b) => (b === j ? v + d : v)) : r)));
      return (at(step) - at(-step)) / (2 * step);
    }),
  );
}

/** Σ a ∘ b. */
export const inner = (a: Rows, b: Rows): number =>
  a.reduce((sum, row, i) => sum + row.reduce((s, v, j) => s + v * ((b[i] as number[])[j] as number), 0), 0);
