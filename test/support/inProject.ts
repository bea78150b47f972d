import { fileURLToPath } from 'node:url';

/** The absolute path of a file of the project. */
export const inProject = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
