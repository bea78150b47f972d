import type { IO } from './io.js';

/** Systems on which a program with a window needs no DISPLAY. */
const HAVE_WINDOWS = ['darwin', 'win32', 'android'];

/** Why no browser can be opened here, from what the environment says; undefined if one may be there. */
function whyNoBrowser({ env, platform }: Pick<IO, 'env' | 'platform'>): string | undefined {
  if (env.BROWSER === 'none') return 'BROWSER is none';
  if (env.SSH_CONNECTION || env.SSH_CLIENT || env.SSH_TTY) return 'this is an SSH session';
  if (env.CI && env.CI !== 'false') return 'CI is set';
  // In the Windows Subsystem for Linux, the browser is that of Windows.
  const hasDisplay = HAVE_WINDOWS.includes(platform) || env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME;
  return hasDisplay ? undefined : 'there is no display';
}

/** Opens a file in the default browser. @returns why that failed; undefined if it was opened */
export async function openInBrowser(path: string, io: IO): Promise<string | undefined> {
  const reason = whyNoBrowser(io);
  if (reason !== undefined) return reason;
  try {
    await io.openInBrowser(path);
    return undefined;
  } catch {
    return 'the system opened none';
  }
}
