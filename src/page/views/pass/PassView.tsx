/** The backward pass, step by step: the first view. */
import { pass } from '../../state.js';
import { Inspector } from './Inspector.js';
import { PassMap } from './PassMap.js';
import { StepCard } from './StepCard.js';
import { StepKeys } from './StepKeys.js';

export function PassView() {
  const data = pass.value;
  if (!data) return <p class="waiting">Computing the pass …</p>;
  return (
    <div class="pass">
      <StepKeys />
      <PassMap data={data} />
      <StepCard data={data} />
      <Inspector data={data} />
    </div>
  );
}
