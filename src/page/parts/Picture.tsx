/** A tensor as a picture that only shows: one pixel per entry, enlarged to fill its container. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { TensorData } from '../engine/pass.js';
import { paint, type Scale } from './colors.js';
import { gridOf } from './numbers.js';
import { palette } from './palette.js';

/** @param label what it shows; without one, its surroundings say it */
export function Picture({ tensor, scale, label }: { tensor: TensorData; scale: Scale; label?: string | undefined }) {
  const { data, shape } = tensor;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, columns] = gridOf(shape);
  const colors = palette.value;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(columns, rows);
    paint(image.data, data, scale, colors);
    context.putImageData(image, 0, 0);
  }, [data, scale.most, scale.log, colors, rows, columns]);
  const role = label === undefined ? ({ 'aria-hidden': true } as const) : ({ role: 'img', 'aria-label': label } as const);
  return <canvas ref={canvas} class="picture" width={columns} height={rows} {...role} />;
}
