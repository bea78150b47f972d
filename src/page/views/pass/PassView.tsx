/** The backward pass, step by step: the first view. */
import { useLayoutEffect } from 'preact/hooks';
import { largestFinite } from '../../parts/colors.js';
import { pass, set, state } from '../../state.js';
import { Controls } from './Controls.js';
import { Inspector } from './Inspector.js';
import { PassMap } from './PassMap.js';
import { StepCard } from './StepCard.js';
import { StepKeys } from './StepKeys.js';
import { pictureOf } from './stepPicture.js';
import { closedFormOf, isReplaced } from './steps.js';

export function PassView() {
  // Before it is drawn.
  useLayoutEffect(showClosedForm, [state.value.step, state.value.form]);
  const data = pass.value;
  if (!data) return <p class="waiting">Computing the pass …</p>;
  const { step, form, sameScale } = state.value;
  const picture = pictureOf(data, step, form);
  const most = sameScale ? Math.max(...picture.maps.map(({ tensor }) => largestFinite(tensor.data))) : undefined;
  return (
    <div class="pass">
      <StepKeys />
      <Controls most={most} />
      <PassMap data={data} />
      <StepCard data={data} picture={picture} most={most} />
      <Inspector data={data} />
    </div>
  );
}

/** In closed form, an address with a line that is replaced leads to the one that replaces it; with an entry of that line, to its atomic step. */
function showClosedForm(): void {
  const { form, step, entry } = state.value;
  const closed = closedFormOf(step);
  if (form === 'closed' && closed && isReplaced(step)) set(entry ? { form: 'atomic' } : { step: closed });
}
