import type { Replay } from './replay.ts';

/** Scores of captures as data (`content/scores.json`, shown by the page). */
export interface ToolScore {
  readonly folder: string;
  readonly tool: string;
  readonly linesExact: number;
  readonly linesCompared: number;
  readonly exitEqual: number;
  readonly exitCompared: number;
}

export interface MapsScore {
  readonly folder: string;
  readonly maps: number;
  readonly pointsEqual: number;
  readonly points: number;
}

export interface GoldenScores {
  readonly tools: readonly ToolScore[];
  readonly maps: readonly MapsScore[];
}

export function scoresOf(results: readonly Replay[]): GoldenScores {
  const tools = results.flatMap((result) =>
    [...result.scores]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([tool, { equal, compared, statusEqual, commands }]) => ({
        ...{ folder: result.name, tool, linesExact: equal, linesCompared: compared },
        ...{ exitEqual: statusEqual, exitCompared: commands },
      })),
  );
  const maps = results.flatMap(({ name, points }) => {
    const sum = (pick: (one: Replay['points'][number]) => number) =>
      points.reduce((total, one) => total + pick(one), 0);
    const [pointsEqual, all] = [sum((one) => one.equal), sum((one) => one.points)];
    return all === 0 ? [] : [{ folder: name, maps: points.length, pointsEqual, points: all }];
  });
  return { tools, maps };
}
