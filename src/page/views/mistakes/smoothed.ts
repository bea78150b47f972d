/** Each value as the mean of those around it, `reach` on both sides; fewer at the ends. */
export function smoothed(values: readonly number[], reach: number): number[] {
  return values.map((_, i) => {
    const around = values.slice(Math.max(0, i - reach), i + reach + 1);
    return around.reduce((sum, value) => sum + value, 0) / around.length;
  });
}
