/** A small chart of days: bars for the eye, the same numbers as text for everybody else. */

import type { VNode } from 'preact';

export interface ChartDay {
  readonly name: string;
  readonly longName: string;
  readonly count: number;
}

const WIDTH = 320;
const HEIGHT = 124;
const TOP = 20;
const BOTTOM = 22;

/** `summary` says in a sentence what the bars show. */
export function DayChart({ days, summary }: { readonly days: readonly ChartDay[]; readonly summary: string }): VNode {
  const most = Math.max(1, ...days.map(({ count }) => count));
  const step = WIDTH / days.length;
  const barWidth = Math.min(36, step * 0.62);
  const base = HEIGHT - BOTTOM;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={summary}>
        <line class="chart-base" x1="0" x2={WIDTH} y1={base + 0.5} y2={base + 0.5} />
        {days.map(({ name, count }, index) => {
          const height = count === 0 ? 0 : Math.max(3, ((base - TOP) * count) / most);
          const middle = step * index + step / 2;
          const isLast = index === days.length - 1;
          return (
            <g class={isLast ? 'chart-today' : undefined}>
              <rect class="chart-bar" x={middle - barWidth / 2} y={base - height} width={barWidth} height={height} rx="2" />
              {count > 0 && (
                <text class="chart-count" x={middle} y={base - height - 6} text-anchor="middle">
                  {count}
                </text>
              )}
              <text class="chart-day" x={middle} y={HEIGHT - 5} text-anchor="middle">
                {isLast ? 'Today' : name}
              </text>
            </g>
          );
        })}
      </svg>
      <figcaption class="visually-hidden">
        <table>
          <caption>{summary}</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Messages sent</th>
            </tr>
          </thead>
          <tbody>
            {days.map(({ longName, count }) => (
              <tr>
                <th scope="row">{longName}</th>
                <td>{count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </figcaption>
    </figure>
  );
}
