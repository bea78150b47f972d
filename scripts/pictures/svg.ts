/** Writes pictures as SVG that follows the reader's colour scheme. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Fixed-width fonts of common systems. */
export const MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

export interface Picture {
  width: number;
  height: number;
  /** Text for screen readers. */
  title: string;
  /** CSS for both colour schemes: write colours as var(--name). */
  style: string;
  colors: Record<string, { light: string; dark: string }>;
  body: readonly string[];
}

function svgDocument({ width, height, title, style, colors, body }: Picture): string {
  const variables = (scheme: 'light' | 'dark') =>
    Object.entries(colors)
      .map(([name, color]) => `--${name}: ${color[scheme]};`)
      .join(' ');
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<title>${escapeXml(title)}</title>`,
    '<style>',
    `svg { ${variables('light')} }`,
    `@media (prefers-color-scheme: dark) { svg { ${variables('dark')} } }`,
    style.trim(),
    '</style>',
    ...body,
    '</svg>',
  ].join('\n')}\n`;
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Writes a picture into docs/pictures/. */
export function writePicture(name: string, picture: Picture): void {
  const path = `${ROOT}docs/pictures/${name}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, svgDocument(picture));
  process.stdout.write(`wrote ${relative(process.cwd(), path)}\n`);
}
