/** The losses as numbers: at the end over all names, and those of the curves. */
import type { CourseResult } from '../../../dojo/mutantTraining.js';
import { NETWORKS, type Run } from './training.js';

/** Rows of the curves' table, at most. */
const ROWS = 20;

const loss = (value: number | null | undefined) => (value === null || value === undefined ? '–' : value.toFixed(4));

export function LossTable({ run: { end, points } }: { run: Run }) {
  const [right, wrong] = points;
  const every = Math.max(1, Math.ceil(right.length / ROWS));
  const rows = right.filter((_, i) => (i + 1) % every === 0);
  const wrongAt = new Map(wrong.map(({ step, mean }) => [step, mean]));
  return (
    <div class="loss-tables">
      {end && (
        <table>
          <thead>
            <tr>
              <th scope="col">Loss in nats per character</th>
              <th scope="col">Training names</th>
              <th scope="col">Validation names</th>
            </tr>
          </thead>
          <tbody>
            {end.courses.map((course, i) => (
              <EndRow key={course.title} title={NETWORKS[i] ?? ''} course={course} />
            ))}
          </tbody>
        </table>
      )}
      {rows.length > 0 && (
        <details>
          <summary>The curves as numbers</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">Step</th>
                {NETWORKS.map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ step, mean }) => (
                <tr key={step}>
                  <th scope="row">{step}</th>
                  <td>{loss(mean)}</td>
                  <td>{loss(wrongAt.get(step))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </div>
  );
}

function EndRow({ title, course: { trainLoss, valLoss, problem } }: { title: string; course: CourseResult }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      {problem === undefined ? (
        <>
          <td>{loss(trainLoss)}</td>
          <td>{loss(valLoss)}</td>
        </>
      ) : (
        <td colSpan={2}>{problem}</td>
      )}
    </tr>
  );
}
