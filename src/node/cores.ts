/** How many cores this process may use. */
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { readRegularFile, SETTINGS_LIMIT } from './readFile.js';

/**
 * The cores that the system lets this process use, as far as its affinity and the CPU quotas of its control groups tell; at least 1. Of a
 * quota of 1.5 cores, 2 can work for most of the time.
 * @param allowed the cores by affinity, which `availableParallelism` knows; quotas it does not see
 * @param root where /proc and /sys are
 */
export function availableCores(allowed: number = availableParallelism(), root = '/'): number {
  return Math.max(1, Math.min(allowed, ...quotas(root).map((quota) => Math.ceil(quota))));
}

/** The quotas of the process's control groups and those above them, in cores. */
function quotas(root: string): number[] {
  const paths = linesOf(join(root, 'proc/self/cgroup')).map((line) => line.split(':'));
  return linesOf(join(root, 'proc/self/mountinfo')).flatMap((line) => {
    const mount = cpuMount(line);
    if (!mount) return [];
    const found = paths.find(([number, controllers]) => (mount.version === 2 ? number === '0' : controllers?.split(',').includes('cpu')));
    const path = found?.slice(2).join(':') ?? '/';
    // A container may see its own group as the root of the mount, while its path begins at the system's.
    const inside = path === mount.root || path.startsWith(`${mount.root}/`) ? path.slice(mount.root.length) : path;
    const top = resolve(root, `.${mount.at}`);
    return groupsUpTo(top, resolve(top, `.${inside}`)).flatMap((group) => quotaOf(group, mount.version) ?? []);
  });
}

interface CpuMount {
  version: 1 | 2;
  /** The group that the mount shows as its root; nothing for the system's own root. */
  root: string;
  at: string;
}

/** A line of mountinfo, if it is a mount of control groups that limit CPU time. */
function cpuMount(line: string): CpuMount | undefined {
  const [mount, source] = line.split(' - ').map((part) => part.split(' '));
  const [, , , root, at] = mount;
  if (!source || at === undefined) return undefined;
  const [type, , options = ''] = source;
  const version = type === 'cgroup2' ? 2 : type === 'cgroup' && options.split(',').includes('cpu') ? 1 : undefined;
  return version && { version, root: unescaped(root) === '/' ? '' : unescaped(root), at: unescaped(at) };
}

/** mountinfo writes blanks and backslashes as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** A group's directory and those above it, up to the top. The top alone if the group is not below it, as a path from another namespace. */
function groupsUpTo(top: string, group: string): string[] {
  const groups = [top];
  for (let at = group; at.startsWith(`${top}/`); at = dirname(at)) groups.push(at);
  return groups;
}

/** The quota of a group in cores; undefined if it has none. */
function quotaOf(group: string, version: 1 | 2): number | undefined {
  const [quota, period] =
    version === 2
      ? (linesOf(join(group, 'cpu.max'))[0] ?? '').split(' ')
      : ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((file) => linesOf(join(group, file))[0]);
  const cores = Number(quota) / Number(period);
  return cores > 0 && Number.isFinite(cores) ? cores : undefined;
}

/** None if the file cannot be read: other systems do not have it. */
function linesOf(path: string): string[] {
  try {
    return readRegularFile(path, SETTINGS_LIMIT).toString().split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
