import { useEffect, useState } from 'react';
import * as v from 'valibot';
import { groupBy } from '../../views/group-by.ts';
import styles from './Fidelity.module.css';

const files = import.meta.glob<unknown>('../../content/scores.json', { import: 'default' });

const ScoresFile = v.object({
  tools: v.array(
    v.object({
      folder: v.string(),
      tool: v.string(),
      linesExact: v.number(),
      linesCompared: v.number(),
      exitEqual: v.number(),
      exitCompared: v.number(),
    }),
  ),
  maps: v.array(v.object({ folder: v.string(), maps: v.number(), pointsEqual: v.number(), points: v.number() })),
});
type Score = v.InferOutput<typeof ScoresFile>['tools'][number];
interface FolderScores {
  readonly folder: string;
  readonly tools: readonly Score[];
  readonly maps: { readonly maps: number; readonly pointsEqual: number; readonly points: number };
}

function byFolder({ tools, maps }: v.InferOutput<typeof ScoresFile>): readonly FolderScores[] {
  return [...groupBy(tools, (one) => one.folder)].map(([folder, mine]) => ({
    folder,
    tools: mine,
    maps: maps.find((one) => one.folder === folder) ?? { maps: 0, pointsEqual: 0, points: 0 },
  }));
}

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);
const percent = (part: number, all: number): string =>
  all === 0 ? '–' : `${(Math.floor((part / all) * 10_000) / 100).toLocaleString('en')} %`;

/** Golden scores: the lab's answers against captures of QEMU, Linux, cxl-cli and pciutils, as the tests last computed them. */
export function Scores() {
  const [folders, setFolders] = useState<readonly FolderScores[] | string | null>(null);
  useEffect(() => {
    const [load] = Object.values(files);
    if (!load) setFolders([]);
    else
      void load().then((data) => {
        const parsed = v.safeParse(ScoresFile, data);
        setFolders(
          parsed.success
            ? byFolder(parsed.output)
            : `The scores cannot be read: ${v.getDotPath(parsed.issues[0]) ?? 'their form'} is not what it should be.`,
        );
      });
  }, []);
  if (folders === null) return null;
  if (typeof folders === 'string') return <p className={styles.unknown}>{folders}</p>;
  if (folders.length === 0) return null;
  const tools = [...new Set(folders.flatMap((folder) => folder.tools.map((one) => one.tool)))].sort();
  const cell = (folder: FolderScores, tool: string) => folder.tools.find((one) => one.tool === tool);
  return (
    <section aria-label="Scores against captures">
      <h3>Scores against captures of the real thing</h3>
      <p className={styles.note}>
        Lines that are exactly equal, of the lines compared, for each captured topology; hover for exit codes.
      </p>
      <div className={styles.scroll}>
        <table className={styles.scores}>
          <thead>
            <tr>
              <th scope="col">tool</th>
              {folders.map((folder) => (
                <th key={folder.folder} scope="col">
                  {folder.folder}
                </th>
              ))}
              <th scope="col">all</th>
              <th scope="col">exit codes</th>
            </tr>
          </thead>
          <tbody>
            {tools.map((tool) => {
              const all = folders.map((folder) => cell(folder, tool)).filter((one) => one !== undefined);
              return (
                <tr key={tool}>
                  <th scope="row">{tool}</th>
                  {folders.map((folder) => {
                    const one = cell(folder, tool);
                    return (
                      <td
                        key={folder.folder}
                        title={
                          one
                            ? `${one.linesExact} of ${one.linesCompared} lines, ${one.exitEqual} of ${one.exitCompared} exit codes`
                            : ''
                        }
                      >
                        {one ? percent(one.linesExact, one.linesCompared) : ''}
                      </td>
                    );
                  })}
                  <td>
                    <b>{percent(sum(all.map((one) => one.linesExact)), sum(all.map((one) => one.linesCompared)))}</b>
                  </td>
                  <td>
                    {sum(all.map((one) => one.exitEqual))} / {sum(all.map((one) => one.exitCompared))}
                  </td>
                </tr>
              );
            })}
            <tr>
              <th scope="row">map points</th>
              {folders.map(({ folder, maps }) => (
                <td key={folder} title={`${maps.maps} interleave sets`}>
                  {maps.points > 0 ? `${maps.pointsEqual} / ${maps.points}` : ''}
                </td>
              ))}
              <td>
                <b>
                  {percent(sum(folders.map((one) => one.maps.pointsEqual)), sum(folders.map((one) => one.maps.points)))}
                </b>
              </td>
              <td />
            </tr>
          </tbody>
        </table>
      </div>
    </section>
  );
}
