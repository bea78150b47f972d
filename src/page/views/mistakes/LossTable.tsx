/** The losses at the end, over all names. */
import type { CourseResult } from '../../../dojo/mutantTraining.js';
import { NETWORKS, type Run } from './training.js';

const loss = (value: number | null | undefined) => (value === null || value === undefined ? '–' : value.toFixed(4));

export function LossTable({ run: { end } }: { run: Run }) {
  if (!end) return null;
  return (
    <div class="loss-tables">
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
