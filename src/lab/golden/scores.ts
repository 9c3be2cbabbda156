import type { Replay } from './replay.ts';

/** The scores of a capture as data (`content/scores.json`, shown by the page). */
export interface GoldenScores {
  readonly folder: string;
  readonly tools: readonly {
    readonly tool: string;
    readonly linesExact: number;
    readonly linesCompared: number;
    readonly exitEqual: number;
    readonly exitCompared: number;
  }[];
  readonly maps: { readonly sets: number; readonly pointsEqual: number; readonly points: number };
}

export function scoresOf(result: Replay): GoldenScores {
  const tools = [...result.scores]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([tool, { equal, compared, statusEqual, commands }]) => ({
      ...{ tool, linesExact: equal, linesCompared: compared },
      ...{ exitEqual: statusEqual, exitCompared: commands },
    }));
  const sum = (pick: (one: Replay['points'][number]) => number) =>
    result.points.reduce((total, one) => total + pick(one), 0);
  const maps = { sets: result.points.length, pointsEqual: sum((one) => one.equal), points: sum((one) => one.points) };
  return { folder: result.name, tools, maps };
}
